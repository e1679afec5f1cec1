"""The results as Markdown and as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import altair as alt

BEGIN, END = "<!-- results -->", "<!-- /results -->"
MIB = 2**20
POWERS = [float(f"1e{n}") for n in range(-4, 8)]
MEMORY = [100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0]
TICKS = {"seconds": POWERS, "peak memory, MiB": MEMORY}
Row = dict[str, Any]


def markdown(results: dict[str, Any]) -> str:
    """All parts that have been measured, one after the other."""
    lines = []
    for name, (title, lines_of) in PARTS.items():
        if name in results:
            on = results[name]["machine"]
            versions = [f"{each} {on[each]}" for each in ("python", "jax", "optax", "torch")]
            machine = [on["cpu"], f"{on['cores']} cores", f"JAX on {on['device']}", *versions]
            lines += [f"### {title}", "", f"{', '.join(machine)}; {results[name]['date']}.", ""]
            lines += lines_of(results[name]["measured"])
    return "\n".join(lines).strip() + "\n"


def write(text: str, readme: Path) -> None:
    """Put the text between the README's two markers, instead of what is there.

    Raises:
      ValueError: the markers are not there.
    """
    whole = readme.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme.name}: expected {BEGIN} and, after it, {END}")
    readme.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


def rate(row: Row, unit: str = "seed_epochs", clock: str = "seconds") -> float:
    """Seed-epochs, or ``evaluations``, a second: by the median of the repetitions.

    ``clock`` is ``"seconds"``, or ``"cpu_seconds"`` for those of all cores together.
    """
    work = row["seeds"] * row["epochs"] if unit == "seed_epochs" else row[unit]
    return float(work / median(row[clock]))


def _table(columns: str, rows: list[list[str]]) -> Iterator[str]:
    """A Markdown table; a column's name ends in ``:`` if it is a number's."""
    names = columns.split(" | ")
    yield f"| {' | '.join(name.rstrip(':') for name in names)} |"
    yield f"| {' | '.join('--:' if name.endswith(':') else '---' for name in names)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _seconds(seconds: list[float]) -> str:
    return f"{median(seconds):.3g} ({min(seconds):.3g}–{max(seconds):.3g})"


def _plain(ratio: float) -> str:
    """Three digits that count, and no exponent: 28,900."""
    return f"{float(f'{ratio:.3g}'):,.10g}"


def _comparison(measured: Any) -> Iterator[str]:
    rows, notes = [], []
    for work in measured:
        ours = work["contenders"][0]
        for row in work["contenders"]:
            start = [work["optimizer"], row["contender"]]
            if "skipped" in row:
                rows.append([*start, f"left out: {row['skipped']}", *["–"] * 6])
                continue
            agreement = row["agreement"]
            least_p = min(agreement["sign_p"], agreement["first_hit_p"])
            rates = f"{agreement['reached']:.2%} / {agreement['attnlogic_reached']:.2%}"
            work_done = f"{row['seeds']:,} × {row['epochs']:,}"
            ratio = rate(ours) / rate(row)
            rows.append([
                *start, work_done, _seconds(row["seconds"]), f"{rate(row):.2e}", _plain(ratio),
                rates, f"{least_p:.2g}", f"{agreement['alike']:.1%}",
            ])  # fmt: skip
            if work["optimizer"] == "lbfgs" and row is not ours:
                a, b = rate(ours, "evaluations"), rate(row, "evaluations")
                notes.append(f"L-BFGS in seed-evaluations/s: attnlogic {a:.2e}, "
                             f"{row['contender']} {b:.2e}, ratio {_plain(a / b)}.")  # fmt: skip
    yield from _table(
        "optimizer | contender | seeds × epochs: | s: median (min–max): | seed-epochs/s: | "
        "attnlogic ÷ it: | reached: it / attnlogic: | least p: | alike:", rows
    )  # fmt: skip
    yield from [*notes, ""] if notes else []


def _models(measured: Any) -> Iterator[str]:
    rows = []
    for work in measured:
        ours, theirs = work["contenders"]
        agreement = theirs["agreement"]
        by_cpu = rate(ours, clock="cpu_seconds") / rate(theirs, clock="cpu_seconds")
        least_p = min(agreement["sign_p"], agreement["first_hit_p"])
        rows.append([
            work["model"], work["gate"], f"{work['parameters']}",
            f"{rate(ours):.2e}", f"{rate(theirs):.2e}", _plain(rate(ours) / rate(theirs)),
            _plain(by_cpu), f"{_compilation(ours):.1f}", f"{_compilation(theirs):.1f}",
            f"{work['threshold']:g}", f"{least_p:.2g}", f"{agreement['alike']:.1%}",
        ])  # fmt: skip
    yield from _table(
        "model | gate | parameters: | seed-epochs/s: | plain JAX's: | ratio: | by CPU time: | "
        "s to compile: | plain JAX's: | threshold: | least p: | alike:", rows
    )  # fmt: skip


def _compilation(row: Row) -> float:
    """Seconds by which the first result takes longer than a later one."""
    return max(0.0, float(row["first_seconds"] - median(row["seconds"])))


def _costs(measured: Any) -> Iterator[str]:
    rows = [
        [row["optimizer"], f"{row['seeds']:,}", f"{row['epochs']:,}", _seconds(row["seconds"]),
         f"{rate(row):.2e}", f"{row['peak_bytes'] / MIB:,.0f}"]
        for name in ("seeds", "epochs", "optimizers") for row in measured[name]
    ]  # fmt: skip
    yield from _table(
        "optimizer | seeds: | epochs: | s: median (min–max): | seed-epochs/s: | peak MiB:", rows
    )
    yield f"An epoch of AdamW is {measured['loops']} loops over a core's group of seeds."
    yield from ("", "![Seconds and peak memory against seeds, epochs and optimizers](cost.svg)", "")


def _chunks(measured: Any) -> Iterator[str]:
    rows = [[f"{row['chunk']:,}", _seconds(row["seconds"]), f"{rate(row):.2e}",
             f"{row['first_seconds']:.3g}"] for row in measured]  # fmt: skip
    columns = "chunk: | s: median (min–max): | seed-epochs/s: | s with compilation:"
    yield from _table(columns, rows)


def _startup(measured: Any) -> Iterator[str]:
    names = {"help": "`attnlogic --help`", "import": "`import attnlogic`", "python": "Python alone"}
    rows = [[said, _seconds(measured[name])] for name, said in names.items()]
    yield from _table("what | s: median (min–max):", rows)


def _studies(measured: Any) -> Iterator[str]:
    rows = [
        [f"{row['seeds']:,} × {row['epochs']:,}", "new" if row["compiles"] else "kept",
         _seconds(row["wall_seconds"]), _seconds(row["train_seconds"]),
         f"{median(row['wall_seconds']) / median(row['train_seconds']):.2f}",
         f"{row['peak_bytes'] / MIB:,.0f}", f"{row['stored_bytes'] / MIB:,.1f}"]
        for row in measured
    ]  # fmt: skip
    columns = (
        "seeds × epochs: | compiled code | whole process, s: | training alone, s: | ratio: | "
        "peak MiB: | stored MiB:"
    )
    yield from _table(columns, rows)


PARTS: dict[str, tuple[str, Callable[[Any], Iterator[str]]]] = {
    "comparison": ("Side by side", _comparison),
    "models": ("Other models and gates", _models),
    "costs": ("Cost as the work grows", _costs),
    "accelerator": ("Seeds a chunk", _chunks),
    "startup": ("Start", _startup),
    "studies": ("`attnlogic study`, end to end", _studies),
}
"""Title and text of each part."""


def chart(measured: Row) -> Any:
    """Seconds and peak memory, a row each, against seeds, epochs and per optimizer.

    Seconds per optimizer are scaled to the epochs of the first.

    Args:
      measured: what ``costs`` measured: ``seeds``, ``epochs`` and ``optimizers``.
    """
    across = {"seeds": "seeds", "epochs": "epochs", "optimizers": "optimizer"}
    rows = [
        alt.hconcat(*(_panel(measured[name], x, y) for name, x in across.items())).resolve_scale(
            y="shared"
        )
        for y in TICKS
    ]
    return alt.vconcat(*rows).configure_axis(
        labelFontSize=12, titleFontSize=13, titleFontWeight="normal"
    )


def _panel(rows: list[Row], x: str, y: str) -> Any:
    fixed = {key: rows[0][key] for key in ("optimizer", "seeds", "epochs") if key != x}
    title = ", ".join(str(v) if k == "optimizer" else f"{v:,} {k}" for k, v in fixed.items())
    points = []
    for row in rows:
        scale = fixed["epochs"] / row["epochs"] if "epochs" in fixed else 1  # L-BFGS has fewer
        value = scale * median(row["seconds"]) if y == "seconds" else row["peak_bytes"] / MIB
        points.append({x: row[x], "y": value})
    log = alt.Scale(type="log")
    horizontal = (
        alt.X("optimizer:N", sort=None, axis=alt.Axis(labelAngle=0))
        if x == "optimizer"
        else alt.X(f"{x}:Q", scale=log, axis=alt.Axis(format="~s", values=POWERS, grid=False))
    )
    vertical = alt.Y("y:Q", scale=log, title=y, axis=alt.Axis(format="~g", values=TICKS[y]))
    base = alt.Chart(alt.InlineData(values=points), title=title, width=200, height=150)
    drawn = base.mark_point(filled=True) if x == "optimizer" else base.mark_line(point=True)
    return drawn.encode(horizontal, vertical)
