"""``python -m attnlogic.examples.maps``: basins over starts, and a border that stays rough.

Trains some twenty million runs, a few minutes on two cores, takes every figure of the page from
them, and writes ``maps.md`` and its pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import altair as alt
import numpy as np
import typer

import attnlogic
from attnlogic.statistics import box_counting
from attnlogic.view import chart_theme, map_chart, save

NONE = attnlogic.outcomes.NONE
HERE = Path(__file__).parent
PICTURES = Path(".github")

STARTS = "start.wq=-3..3", "start.w1=-3..3"
BASINS = ("sgd(lr=0.3)", "ending"), ("adam", "first_hit")
"""The optimizers whose basins are drawn, and what their colours mean."""

BORDER = "lr=0.2..1", "start.wq=-3..3"
"""The plane whose border between training and diverging is looked at, with sgd on XOR."""

ZOOMS = 4
"""How often it is magnified by ten."""


def basins(points: int, epochs: int) -> dict[tuple[str, str], attnlogic.Plane]:
    """A plane of starts for each gate and optimizer."""
    x, y = (f"{axis}:{points}" for axis in STARTS)
    return {
        (gate, by): attnlogic.plane(gate, by, x, y, epochs=epochs)
        for by, _ in BASINS
        for gate in ("xor", "nand")
    }


def basin_figures(found: dict[tuple[str, str], attnlogic.Plane]) -> dict[str, str]:
    """Shares of endings, and how often neighbours end differently, in percent."""
    figures = {}
    for (gate, by), plane in found.items():
        key = f"{gate}_{by[:4].strip('(')}"
        for name in ("solved", "diverged", "runaway", "linear", "near", "moving"):
            figures[f"{key}_{name}"] = _percent(plane.ending == name)
        reached = plane.first_hit != NONE
        low, high = _basin(gate)
        C = _initial_C(plane)  # the invariant's name
        inside = np.broadcast_to((low < C) & (high > C), reached.shape)
        edge = box_counting.border(plane.ending_codes)
        figures |= {
            f"{key}_reached": _percent(reached),
            f"{key}_reached_inside": _percent(reached[inside]),
            f"{key}_reached_outside": _percent(reached[~inside]),
            f"{key}_differ": _percent(edge),
            f"{key}_reached_differ": _percent(box_counting.border(reached)),
        }
    return figures


def _basin(gate: str) -> tuple[float, float]:
    """The values of C from which the flow along V reaches the solution."""
    found = attnlogic.theory.landscape(attnlogic.gate(gate)).basin
    assert found is not None  # both gates have an exact solution
    return found


def _initial_C(plane: attnlogic.Plane) -> Any:  # noqa: N802  # the invariant's name
    """C of each start: (1, X)."""
    _, wk, wv, *_ = plane.training.problem.initial(plane.seed)
    return plane.x.values[None] * wk * wv


def _percent(which: Any) -> str:
    share = 100 * float(np.mean(which))
    return f"{share:.2g}" if share < 10 else f"{share:.0f}"


def diverging(
    x: str | attnlogic.Axis, y: str | attnlogic.Axis, epochs: int, precision: str = "float64"
) -> attnlogic.Plane:
    """A plane of the border between training and diverging."""
    return attnlogic.plane("xor", "sgd", x, y, epochs=epochs, precision=precision, progress=False)


def edge_of(plane: attnlogic.Plane) -> Any:
    """The border between the points that diverge and the others."""
    return box_counting.border(plane.diverged_at != NONE)


def magnified(axis: attnlogic.Axis, first: int, points: int) -> attnlogic.Axis:
    """A tenth of an axis from one of its points on, with this many points."""
    first = min(max(first, 0), axis.range.points - 1 - axis.range.points // 10)
    part = axis.part(first, first + axis.range.points // 10)
    inside = axis.zoomed(part).range
    return attnlogic.Axis(axis.name, inside._replace(points=points))


def sights(points: int, epochs: int) -> list[attnlogic.Plane]:
    """The plane, and ten times closer each time the part with most of its border."""
    across, up = (f"{axis}:{points}" for axis in BORDER)
    found = [diverging(across, up, epochs)]
    for _ in range(ZOOMS):
        last = found[-1]
        rows, columns = box_counting.busiest(edge_of(last), 10)
        x, y = (
            magnified(axis, part.start, points)
            for axis, part in ((last.x, columns), (last.y, rows))
        )
        found.append(diverging(x, y, epochs))
    return found


def places(first: attnlogic.Plane, count: int, points: int, epochs: int) -> Iterator[list[float]]:
    """Dimensions around random points of the border: of each place one for each magnification.

    A point is drawn among those of the border, the plane is magnified ten times around it, and so
    on from the border that is seen there.
    """
    rng = np.random.default_rng(0)
    for _ in range(count):
        plane, dimensions = first, []
        for _ in range(ZOOMS):
            row, column = rng.choice(np.argwhere(edge_of(plane)))
            x, y = (
                magnified(axis, at - axis.range.points // 20, points)
                for axis, at in ((plane.x, column), (plane.y, row))
            )
            plane = diverging(x, y, epochs)
            dimensions.append(box_counting.dimension(edge_of(plane)).value)
        yield dimensions


def border_figures(
    seen: list[attnlogic.Plane], each: list[list[float]], epochs: int
) -> dict[str, str]:
    """The border's dimension at each magnification, and what float32 makes of it."""
    from scipy.stats import t

    first, last = seen[0], seen[-1]
    whole = box_counting.dimension(edge_of(first))
    rows = [f"| 1 | {whole.value:.2f} | {whole.low:.2f} … {whole.high:.2f} | the whole plane |"]
    for k, values in enumerate(np.transpose(each), start=1):
        mean, error = values.mean(), values.std(ddof=1) / len(values) ** 0.5
        low, high = t.interval(0.95, len(values) - 1, mean, error)
        smallest, largest = values.min(), values.max()
        rows.append(
            f"| {10**k:,} | {mean:.2f} | {low:.2f} … {high:.2f} | "
            f"{len(values)} places: {smallest:.2f} … {largest:.2f} |"
        )
    longer = [
        (n, box_counting.dimension(edge_of(diverging(first.x, first.y, n))))
        for n in (epochs // 2, epochs, 2 * epochs, 4 * epochs)
    ]
    coarse = diverging(first.x, first.y, epochs, "float32")
    step = (last.x.values[-1] - last.x.values[0]) / (len(last.x.values) - 1)
    return {
        "dimension_table": "\n".join(rows),
        "dimension_by_epochs": ", ".join(
            f"{one.value:.2f} ({one.low:.2f} … {one.high:.2f}) after {n:,}" for n, one in longer
        ),
        "border_counts": ", ".join(
            f"{n:,} of {s}" for s, n in zip(whole.sizes, whole.counts, strict=True)
        ),
        "precision_differs": _percent((coarse.diverged_at != NONE) != (first.diverged_at != NONE)),
        "last_step": f"{step:.1g}",
        "float32_step": f"{np.spacing(np.float32(last.x.values[0])):.1g}",
        "border_points": f"{len(first.x.values):,}",
        "place_count": str(len(each)),
        "border_epochs": f"{epochs:,}",
        "last_x": str(last.x),
        "last_y": str(last.y),
    }


def panel_title(text: str) -> alt.Title:
    """A panel's title, above the plane itself."""
    title = chart_theme.panel_title(text)
    title.frame = "group"
    return title


def basins_chart(
    found: dict[tuple[str, str], attnlogic.Plane], by: str, colour: str, pixels: int
) -> Any:
    """The planes of one optimizer side by side."""
    panels = [
        map_chart(plane, colour, pixels).properties(title=panel_title(gate))
        for (gate, name), plane in found.items()
        if name == by
    ]
    plane = found["xor", by]
    return alt.hconcat(*panels, spacing=25).resolve_scale(color="independent").properties(
        title=chart_theme.heading(
            f"What becomes of each start, {by}",
            f"Each of {len(plane.x.values)}² points is one training of {plane.training.epochs:,} "
            "epochs from its wq and w1; the other parameters are seed 0's.",
        )
    )  # fmt: skip


def border_chart(seen: list[attnlogic.Plane], pixels: int) -> Any:
    """The plane and its magnified parts."""
    panels = [
        map_chart(plane, pixels=pixels, legend=k > 1).properties(title=panel_title(f"× {10**k:,}"))
        for k, plane in enumerate(seen)
        if k != 3
    ]
    training = seen[0].training
    return alt.concat(*panels, columns=2, spacing=20).properties(
        title=chart_theme.heading(
            "The border between training and diverging",
            f"{training}, {training.epochs:,} epochs, seed 0, float64. Each panel shows a part of "
            "the one before: that in which most neighbours differ.",
        )
    )


def shrink(path: Path, colors: int) -> None:
    """Write a PNG again with a palette of so many colours."""
    from PIL import Image

    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(
            colors, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
    few.save(path, optimize=True)


def main(
    points: Annotated[int, typer.Option(help="Points of a basin's side.")] = 512,
    border_points: Annotated[int, typer.Option(help="Points of the border's side.")] = 1024,
    place_points: Annotated[int, typer.Option(help="Points of a place's side.")] = 256,
    place_count: Annotated[int, typer.Option(help="Places of the border.")] = 32,
    epochs: Annotated[int, typer.Option(help="Epochs of a basin's runs.")] = 2000,
    border_epochs: Annotated[int, typer.Option(help="Epochs of the border's runs.")] = 500,
    page: Annotated[Path, typer.Option(help="The page to write.")] = HERE / "maps.md",
    pictures: Annotated[Path, typer.Option(help="The pictures' folder.")] = PICTURES,
) -> None:
    """Train the maps, and write the page and the pictures."""
    starts = basins(points, epochs)
    seen = sights(border_points, border_epochs)
    each = [*places(seen[0], place_count, place_points, border_epochs)]
    figures = basin_figures(starts) | border_figures(seen, each, border_epochs)
    figures |= {"basin_points": f"{points}", "basin_epochs": f"{epochs:,}"}
    template = (HERE / "maps.template.md").read_text(encoding="utf-8")
    page.write_text(template.format_map(figures), encoding="utf-8")
    for by, colour in BASINS:
        path = pictures / f"basins-{by[:4].strip('(')}.png"
        save(basins_chart(starts, by, colour, 480), path)
        shrink(path, 64)
    drawn_border = sights(min(400, border_points), border_epochs)
    save(border_chart(drawn_border, 400), pictures / "border.png")
    shrink(pictures / "border.png", 32)
    x, y = (f"{axis}:480" for axis in STARTS)
    drawn = attnlogic.plane("nand", "adam", x, y, epochs=epochs)
    save(map_chart(drawn, "first_hit", 960), pictures / "map.png")
    shrink(pictures / "map.png", 64)


if __name__ == "__main__":
    typer.run(main)
