"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import isnan
from pathlib import Path
from statistics import median
from typing import Any

from bench.growth import AXES, COUNTED, PEERS
from bench.pairs import ratio
from bench.work import MIB

BEGIN, END = "<!-- results -->", "<!-- /results -->"
Row = dict[str, Any]


def markdown(results: dict[str, Any]) -> str:
    """All parts that have been measured, one after the other."""
    lines = []
    for name, (title, lines_of) in PARTS.items():
        if name in results:
            part = results[name]
            where = f"{_machine(part['machine'])}; {part['date']}; {_load(part)}"
            lines += [f"### {title}", "", where, "", *lines_of(part["measured"])]
    return "\n".join(lines).strip() + "\n"


def _machine(on: dict[str, Any]) -> str:
    """The machine in a line."""
    caches = [f"{name} {_size(each)}" for name, each in on["caches"].items() if name != "L1i"]
    vectors = [f"vectors of {on['vector_bits']} bits ({on['instructions'][0]})"]
    told = [on["cpu"], f"{on['cores']} cores", *(vectors if on["vector_bits"] else []), *caches]
    packages = ("python", "jax", "optax", "equinox", "torch")
    return ", ".join([*told, f"JAX on {on['device']}", *(f"{p} {on[p]}" for p in packages)])


def _size(octets: int) -> str:
    return f"{octets / MIB:g} MiB" if octets >= MIB else f"{octets / 1024:g} KiB"


def _load(part: dict[str, Any]) -> str:
    return f"before a measurement other work kept at most {part['load']:.2f} cores busy."


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


def rate(row: Row, unit: str = "seed_epochs") -> float:
    """Seed-epochs, or ``evaluations``, a second: by the median of the repetitions."""
    work = row["seeds"] * row["epochs"] if unit == "seed_epochs" else row[unit]
    return float(work / median(row["seconds"]))


def _table(columns: str, rows: list[list[str]]) -> Iterator[str]:
    """A Markdown table; a column's name ends in ``:`` if it is a number's."""
    names = columns.split(" | ")
    yield f"| {' | '.join(name.rstrip(':') for name in names)} |"
    yield f"| {' | '.join('--:' if name.endswith(':') else '---' for name in names)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _seconds(seconds: list[float]) -> str:
    return f"{median(seconds):.3g} ({min(seconds):.3g}–{max(seconds):.3g})"


def _ratio(ours: Row, theirs: Row) -> str:
    """attnlogic's rate divided by another's, with its interval."""
    if theirs is ours:
        return "1"
    work = (ours["seeds"] * ours["epochs"]) / (theirs["seeds"] * theirs["epochs"])
    found = ratio(theirs, work)
    if isnan(found.low):
        return _plain(found.median)
    return f"{_plain(found.median)} ({_plain(found.low)}–{_plain(found.high)})"


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
                rows.append([*start, f"left out: {row['skipped']}", *["–"] * 7])
                continue
            agreement = row["agreement"]
            least_p = min(agreement["sign_p"], agreement["first_hit_p"])
            rates = f"{agreement['reached']:.2%} / {agreement['attnlogic_reached']:.2%}"
            work_done = f"{row['seeds']:,} × {row['epochs']:,}"
            rows.append([
                *start, work_done, _seconds(row["seconds"]), f"{rate(row):.2e}", _ratio(ours, row),
                f"{_compilation(row):.1f}", rates, f"{least_p:.2g}", f"{agreement['alike']:.1%}",
            ])  # fmt: skip
            if work["optimizer"] == "lbfgs" and row is not ours:
                a, b = rate(ours, "evaluations"), rate(row, "evaluations")
                notes.append(f"L-BFGS in seed-evaluations/s: attnlogic {a:.2e}, "
                             f"{row['contender']} {b:.2e}, ratio {_plain(a / b)}.")  # fmt: skip
    yield from _table(
        "optimizer | contender | seeds × epochs: | s: median (min–max): | seed-epochs/s: | "
        "attnlogic ÷ it (95 %): | s to compile: | reached: it / attnlogic: | least p: | alike:",
        rows,
    )  # fmt: skip
    yield from [*notes, ""] if notes else []


def _models(measured: Any) -> Iterator[str]:
    rows = []
    for work in measured:
        ours, *peers = work["contenders"]
        checks = [peer["agreement"] for peer in peers]
        rows.append([
            work["model"], work["gate"], f"{work['parameters']}", f"{rate(ours):.2e}",
            *(_ratio(ours, peer) for peer in peers),
            *(f"{_compilation(row):.1f}" for row in (ours, *peers)), f"{work['threshold']:g}",
            f"{min(min(each['sign_p'], each['first_hit_p']) for each in checks):.2g}",
            f"{min(each['alike'] for each in checks):.1%}",
        ])  # fmt: skip
    yield from _table(
        "model | gate | parameters: | seed-epochs/s: | ÷ fastest JAX (95 %): | "
        "÷ plain JAX (95 %): | s to compile: | fastest JAX: | plain JAX: | threshold: | "
        "least p: | alike:", rows
    )  # fmt: skip


def _torch(measured: Any) -> Iterator[str]:
    rows = []
    for work in measured:
        ours, everywhere, alone = work["contenders"]
        agreement = alone["agreement"]
        rows.append([
            work["optimizer"], f"{ours['seeds']:,} × {ours['epochs']:,}", f"{rate(alone):.2e}",
            f"{rate(ours):.2e}", _ratio(ours, alone), f"{rate(everywhere):.2e}",
            f"{agreement['reached']:.2%} / {agreement['attnlogic_reached']:.2%}",
            f"{agreement['alike']:.1%}",
        ])  # fmt: skip
    yield from _table(
        "optimizer | seeds × epochs: | one at a time, seed-epochs/s: | many at once: | "
        "÷ one at a time (95 %): | in a process a core: | "
        "reached: one at a time / at once: | alike:", rows
    )  # fmt: skip


def _compilation(row: Row) -> float:
    """Seconds by which the first result takes longer than a later one."""
    return max(0.0, float(row["first_seconds"] - median(row["seconds"])))


def _axis(name: str, measured: Any) -> Iterator[str]:
    fixed = [
        f"{what} {measured[0][what]:,}"
        for what in ("seeds", "epochs", "conditions", "bits")
        if what != name and len({row[what] for row in measured}) == 1
    ]
    ours = {}
    rows = []
    for row in measured:
        work = row["seeds"] * row["epochs"] * row["conditions"]
        per_second = work / median(row["seconds"])
        peer = row["way"] in PEERS
        if not peer:
            ours[row["way"], row[name]] = per_second
        known = peer and ours.get((PEERS[row["way"]], row[name]))
        rows.append([
            f"{row[name]:,}", row["way"], _seconds(row["seconds"]), f"{per_second:.2e}",
            f"{known / per_second:.2f}" if known else "",
            "" if row["way"] == COUNTED else f"{_compilation(row):.1f}",
            f"{row['peak_bytes'] / MIB:,.0f}",
        ])  # fmt: skip
    yield from (f"With {', '.join(fixed)}.", "")
    yield from _table(
        f"{name}: | who trains | s: median (min–max): | seed-epochs/s: | attnlogic ÷ it: | "
        "s to compile: | peak MiB:", rows
    )  # fmt: skip


def _optimizers(measured: Any) -> Iterator[str]:
    rows = [
        [row["optimizer"], f"{row['seeds']:,}", f"{row['epochs']:,}", _seconds(row["seconds"]),
         f"{rate(row):.2e}", f"{row['peak_bytes'] / MIB:,.0f}"]
        for row in measured["optimizers"]
    ]  # fmt: skip
    yield from _table(
        "optimizer | seeds: | epochs: | s: median (min–max): | seed-epochs/s: | peak MiB:", rows
    )
    yield from (f"An epoch of AdamW is {measured['loops']} loops over a core's group of seeds.", "")


def _accelerator(measured: Any) -> Iterator[str]:
    peaks, rows = measured["roofline"], []
    for row in measured["optimizers"]:
        asked = peaks["optimizers"][row["optimizer"]]
        floors = {
            "memory": peaks["bytes_a_second"] / asked["bytes_moved"],
            "arithmetic": peaks["operations_a_second"] / asked["operations"],
        }
        nearest = min(floors, key=lambda bound: floors[bound])
        rows.append([
            row["optimizer"], f"{asked['operations']:.0f}", f"{asked['bytes_moved']:.3g}",
            f"{asked['operations'] / asked['bytes_moved']:.3g}", f"{rate(row):.2e}",
            *(f"{floor / rate(row):.3g}" for floor in floors.values()), nearest,
        ])  # fmt: skip
    ridge = peaks["operations_a_second"] / peaks["bytes_a_second"]
    yield from (
        f"Measured, all devices together: {peaks['bytes_a_second'] / 1e9:.3g} GB/s to and from "
        f"memory, {peaks['operations_a_second'] / 1e9:.3g}·10⁹ float32 products a second: "
        f"arithmetic limits work of more than {ridge:.3g} operations a byte.", "",
    )  # fmt: skip
    yield from _table(
        "optimizer | operations a seed-epoch: | bytes: | operations a byte: | seed-epochs/s: | "
        "times the memory's floor: | times the arithmetic's: | limited by", rows
    )  # fmt: skip
    chunks = [[f"{row['chunk']:,}", _seconds(row["seconds"]), f"{rate(row):.2e}",
               f"{row['first_seconds']:.3g}"] for row in measured["chunks"]]  # fmt: skip
    columns = "chunk: | s: median (min–max): | seed-epochs/s: | s with compilation:"
    yield from _table(columns, chunks)


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
    "torch": ("The torch backend", _torch),
    **{name: (f"More {name}", partial(_axis, name)) for name in AXES},
    "optimizers": ("Each optimizer", _optimizers),
    "accelerator": ("Roofline, and seeds a chunk", _accelerator),
    "startup": ("Start", _startup),
    "studies": ("`attnlogic study`, end to end", _studies),
}
"""Title and text of each part."""
