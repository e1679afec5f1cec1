"""What theory says of a gate, in words, for a terminal of 80 columns."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def theory_view(found: dict[str, Any]) -> Group:
    """What the theory says of a gate, for a person; everything fits 80 columns.

    Args:
      found: what ``theory.theory_of`` gives.
    """
    V = found["V"]
    return Group(
        Text(f"{found['gate']}: {found['targets']} on the rows 00 01 10 11", style="bold"),
        *_section("The model, C = wq·wk·wv"),
        Padding(_formula(found["model"]), (0, 0, 0, 2)),
        *_section("Exact solutions"),
        *(part for solution in found["solutions"] for part in _solution_parts(solution)),
        *_section("V(C), the least loss at each C", f"V = {V['expression']}"),
        *(_indented(line) for line in _least_loss_lines(V)),
        *_section("Where else the gradient vanishes, or a descent can go on for ever"),
        Padding(_points_table(found["points"]), (0, 0, 0, 2)),
        *_section("Where weight decay settles C", *_DECAY),
        Padding(_decay_table(found["decay"]), (0, 0, 0, 2)),
    )


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
    for sign, meant in (("**2", "²"), ("**3", "³"), ("*", "·"), ("-", "−")):
        text = text.replace(sign, meant)
    return text


def _solution_parts(solution: dict[str, Any]) -> list[Padding]:
    line = f"w1 + w2 = {solution['w_sum']}"
    w = line if solution["w1"] is None else f"w1 = {solution['w1']}, w2 = {solution['w2']}"
    C = "any C" if solution["C"] is None else f"C = {solution['C']}"
    free = f"{solution['free']} of 6 directions are free"
    if solution["signs"]:
        free += f"; signs of wq wk wv: {', '.join(solution['signs'])}"
    elif solution["C"] == "0":
        free += "; at least one of wq, wk, wv is 0"
    return [
        _indented(f"{C}, {w}, b = {solution['b']}"),
        Padding(Text(_maths(free)), (0, 0, 0, 4)),
        Padding(_formula(solution["output"]), (0, 0, 0, 4)),
    ]


def _formula(output: dict[str, str]) -> Table:
    lines = Table.grid(padding=(0, 1))
    lines.add_row("out =", _maths(output["general"]))
    lines.add_row("    =", _maths(output["on_bits"]) + "   on 0 and 1")
    return lines


def _least_loss_lines(V: dict[str, Any]) -> list[str]:
    if V["zero"] is None:
        return ["every C has a solution"]
    top, at, limit = V["maximum"], V["at_minus_1"]["V"], V["at_minus_1"]["limit"]
    falls, rises = ("+", "-") if V["falls_towards"] == "inf" else ("-", "+")
    jump = f"V jumps at C = -1: {limit} beside it, {at} at it, where rows 01 and 10 are alike"
    return [
        f"V = 0 at C = {V['zero']}, greatest at C = {top['C']}: {top['V']}",
        f"V → {V['limit']} for C → ±∞: from above for {falls}∞, from below for {rises}∞",
        f"no jump at C = -1: {at}" if at == limit else jump,
    ]


def _points_table(points: list[dict[str, Any]]) -> Table:
    table = _plain_table("", "loss", "what it is", "where")
    for point in points:
        loss = point["loss"]
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
