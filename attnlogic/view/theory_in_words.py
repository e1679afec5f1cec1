"""What theory says of a gate, in words, for a terminal of 80 columns."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from attnlogic.theory import NOTEBOOK, Form


def theory_view(found: dict[str, Any]) -> Group:
    """What the theory says of a gate, for a person; everything fits 80 columns.

    Args:
      found: what ``theory.theory_of`` gives.
    """
    V, form = found["V"], Form(**found["form"])
    least = f"none: the least loss is {number(V['least_loss'])}"
    return Group(
        Text(_title(found), style="bold"),
        *([] if form == NOTEBOOK else [_indented(form.text)]),
        *_section("The model, C = wq·wk·wv"),
        Padding(_formula(found["model"], form), (0, 0, 0, 2)),
        *_section("Exact solutions", *([] if found["solvable"] else [least])),
        *(part for solution in found["solutions"] for part in _solution_parts(solution, found)),
        *_section("V(C), the least loss at each C", f"V = {V['expression']}"),
        *_least_loss_parts(found),
        *_section("Where else the gradient vanishes, or a descent can go on for ever"),
        Padding(_points_table(found["points"]), (0, 0, 0, 2)),
        *_decay_parts(found["decay"]),
    )


def _title(found: dict[str, Any]) -> str:
    bits = found["targets"]
    named = bits if found["gate"] == bits else f"{found['gate']}: {bits}"
    return f"{named} on the rows {title_rows(found['inputs'])}"


def title_rows(n: int) -> str:
    """The rows of a gate of n inputs, in their order."""
    return "00 01 10 11" if n == 2 else f"{'0' * n} {'0' * (n - 1)}1 … {'1' * n}"


def number(exact: str | list[str]) -> str:
    """An exact number; of an irrational one the digits that are proved.

    Example:
      >>> number("1/4"), number(["0.123456", "0.123457"]), number(["0.19", "0.20"])
      ('1/4', '0.12345…', '0.19 … 0.20')
    """
    if isinstance(exact, str):
        return exact
    low, high = exact
    alike = next(i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b)
    return f"{low[:alike]}…" if alike > len(low) // 2 else f"{low} … {high}"


def _decay_parts(rows: list[dict[str, Any]] | None) -> list[Any]:
    title = "Where weight decay settles C"
    if rows is None:
        return _section(title, "known for the notebook's model, and for gates that it solves.")
    return [*_section(title, *_DECAY), Padding(_decay_table(rows), (0, 0, 0, 2))]


_DECAY = (
    "at rest: where the rule has its fixed point; Adam's steps are unstable there.",
    "as it runs: on average, with √v̂ as small as its steps stay stable.",
)


def _section(title: str, *lines: str) -> list[Any]:
    return [Text(f"\n{title}", style="bold"), *map(_indented, lines)]


def _indented(line: str) -> Padding:
    return Padding(Text(_maths(line)), (0, 0, 0, 2))


def _maths(text: str) -> str:
    """A SymPy or Fraction text as it is written by hand."""
    powers = {f"**{digit}": raised for digit, raised in zip("23456", "²³⁴⁵⁶", strict=True)}
    for sign, meant in (powers | {"*": "·", "-": "−"}).items():
        text = text.replace(sign, meant)
    return text


def _solution_parts(solution: dict[str, Any], found: dict[str, Any]) -> list[Padding]:
    names = [f"w{i}" for i in range(1, found["inputs"] + 1)]
    w = ", ".join(f"{name} = {solution[name]}" for name in names)
    if solution["scale"] is not None:
        w = f"({solution['scale']})·w = ({', '.join(solution[name] for name in names)})"
    elif solution["w1"] is None:
        w = "any w" if solution["w_sum"] is None else f"{' + '.join(names)} = {solution['w_sum']}"
    C = "any C" if solution["C"] is None else f"C = {solution['C']}"
    form = Form(**found["form"])
    bias = f", b = {solution['b']}" if form.bias else ""
    parameters = len(names) + 3 + form.bias
    free = f"{solution['free']} of {parameters} directions are free"
    if solution["signs"]:
        free += f"; signs of wq wk wv: {', '.join(solution['signs'])}"
    elif solution["C"] == "0":
        free += "; at least one of wq, wk, wv is 0"
    return [
        _indented(f"{C}, {w}{bias}"),
        Padding(Text(_maths(free)), (0, 0, 0, 4)),
        Padding(_formula(solution["output"], form), (0, 0, 0, 4)),
    ]


def _formula(output: dict[str, str], form: Form) -> Table:
    lines = Table.grid(padding=(0, 1))
    on = "0 and 1" if form.encoding == "01" else "−1 and 1"
    lines.add_row("out =", _maths(output["general"]))
    lines.add_row("    =", _maths(output["on_bits"]) + f"   on {on}")
    return lines


def _least_loss_parts(found: dict[str, Any]) -> list[Padding]:
    V, jump = found["V"], found["V"]["jump"]
    if not V["extrema"]:
        but = "" if jump is None else f" but C = {jump['C']}, where it is {jump['V']}"
        has = "every C has a solution" if found["solvable"] else f"V is {V['limit']} at every C"
        return [_indented(f"{has}{but}")]
    lines = [*_extrema_lines(V), f"V → {V['limit']} for C → ±∞{_sides(V['falls_towards'])}"]
    parts = [_indented(line) for line in lines]
    if len(V["extrema"]) > 2 or V["zero"] is None:
        parts.insert(0, Padding(_extrema_table(V["extrema"]), (0, 0, 0, 2)))
    if jump is not None:
        there = f"V jumps at C = {jump['C']}: {jump['limit']} beside it, {jump['V']} at it"
        parts.append(_indented(f"{there}, where rows 01 and 10 are alike"))
    elif found["inputs"] == 2:
        parts.append(_indented(f"no jump at C = -1: {V['at_minus_1']['V']}"))
    return parts


def _sides(falls_towards: str | None) -> str:
    if falls_towards is None:
        return ""
    falls, rises = ("+", "-") if falls_towards == "inf" else ("-", "+")
    return f": from above for {falls}∞, from below for {rises}∞"


def _extrema_lines(V: dict[str, Any]) -> list[str]:
    if len(V["extrema"]) == 2 and V["zero"] is not None:
        top = V["maximum"]
        return [f"V = 0 at C = {V['zero']}, greatest at C = {number(top['C'])}: {number(top['V'])}"]
    roots = {e["polynomial"]: None for e in V["extrema"] if e["polynomial"]}
    return [f"each C that is no fraction is a root of {polynomial}" for polynomial in roots]


def _extrema_table(extrema: list[dict[str, Any]]) -> Table:
    table = _plain_table("C", "V", "what it is")
    for extremum in extrema:
        table.add_row(_maths(number(extremum["C"])), number(extremum["V"]), extremum["kind"])
    return table


def _points_table(points: list[dict[str, Any]]) -> Table:
    table = _plain_table("", "loss", "what it is", "where")
    for point in points:
        loss = number(point["loss"])
        decimal = f" = {float(Fraction(loss)):.4g}" if "/" in loss else ""
        table.add_row(point["name"], loss + decimal, point["kind"], _maths(point["note"]))
    return table


def _decay_table(rows: list[dict[str, Any]]) -> Table:
    table = _plain_table("", "", "C", "off by", "loss")
    for row in rows:
        cells = ["nowhere near"] + ["–"] * 2
        if row["C"] is not None:
            off = "–" if row["shift"] is None else f"{row['shift']:.2g}"
            cells = [f"{row['C']:.6f}", off, f"{row['loss']:.2g}"]
        table.add_row(row["optimizer"], row["where"], *map(_maths, cells))
    return table


def _plain_table(*titles: str) -> Table:
    table = Table(box=None, show_edge=False, padding=(0, 2, 0, 0), header_style="italic")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table
