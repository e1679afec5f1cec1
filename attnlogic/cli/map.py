"""``attnlogic map``: a training for every point of a plane, as a picture."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from attnlogic.cli import options
from attnlogic.errors import InputError
from attnlogic.view import terminal
from attnlogic.words import in_shell

if TYPE_CHECKING:
    from attnlogic.studies import Axis, Plane

ZOOM = 8
"""By how much the suggested part magnifies each axis."""

PARQUET = ".parquet"
PICTURES = (".png", ".svg", ".pdf", ".html")


def map_(
    gate: Annotated[
        str | None,
        typer.Argument(
            help="A gate, such as xor; none with --data, or for a loss of the parameters alone.",
            autocompletion=options.gate_names,
            show_default=False,
        ),
    ] = None,
    x: Annotated[
        str,
        typer.Option(
            "--x",
            metavar="NAME=A..B:N",
            help="What varies from left to right: a setting of the optimizer, "
            "lr=0.01..10:log:1024, or a parameter of the start, start.wq=-3..3:1024.",
        ),
    ] = "",
    y: Annotated[
        str, typer.Option("--y", metavar="NAME=A..B:N", help="What varies upwards; as --x.")
    ] = "",
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--optimizer",
            "-o",
            metavar="TEXT|FILE",
            help="The optimizer, such as sgd or 'sgd(momentum=0.9)'; without one, sgd. And, as "
            "often as you like, a file to write: .png, .svg, .pdf or .html for the picture, "
            ".parquet for a row a point. Without one: map.png.",
            autocompletion=options.optimizer_names,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="torch's seed, 0 … 2^32-1, of all else.")] = 0,
    by: Annotated[
        Literal["ending", "first_hit", "final_loss"], typer.Option(help="What a colour means.")
    ] = "ending",
    zoom: Annotated[
        str | None,
        typer.Option(
            metavar="A..B,C..D",
            help="The part of the axes to draw, with as many points: x from A to B, y from C to D.",
            show_default=False,
        ),
    ] = None,
    epochs: options.Epochs = None,
    threshold: options.Threshold = 1e-4,
    backend: options.BackendName = "jax",
    precision: options.Precision = "float32",
    init: options.Init = "torch",
    model: options.ModelName = "attention",
    encoding: options.Encoding = "01",
    data: options.DataFile = None,
    cache: options.Cache = True,
) -> None:
    """Train a run for every point of a plane, and draw what became of it.

    It prints the shares of the endings, and the command for a closer look at the part where most
    neighbours end differently. Ctrl-C ends it, and nothing is written.

    [bold]attnlogic map xor -o sgd --x lr=0.01..10:log:512 --y weight_decay=0..0.5:512 --epochs 500
    -o map.png[/bold]

    [bold]attnlogic map nand -o 'adam(lr=0.1)' --x start.wq=-3..3:700 --y start.w1=-3..3:700
    --epochs 500 -o basins.png -o basins.parquet[/bold]
    """
    from attnlogic.cli.compile_cache import keep_compiled
    from attnlogic.problems import read_data
    from attnlogic.studies import plane

    optimizer, files = _optimizer_and_files(given or [])
    axes = _axes(x, y, zoom)
    if gate is not None and data is not None:
        raise InputError(f"'{gate}' and --data {data} are two things to fit: leave one")
    keep_compiled(cache)
    try:
        found = plane(
            gate if data is None else read_data(data),
            optimizer,
            *axes,
            seed,
            epochs=epochs,
            threshold=threshold,
            backend=backend,
            precision=precision,
            init=init,
            model=model,
            encoding=encoding,
        )
    except KeyboardInterrupt:
        terminal.say("interrupted: no file was written")
        raise typer.Exit(130) from None
    _write(found, by, files)
    own = {
        "--seed": (seed, 0), "--by": (by, "ending"), "--epochs": (epochs, None),
        "--threshold": (threshold, 1e-4), "--backend": (backend, "jax"),
        "--precision": (precision, "float32"), "--init": (init, "torch"),
        "--model": (model, "attention"), "--encoding": (encoding, "01"), "--data": (data, None),
    }  # fmt: skip
    changed = [f"{k} {shlex.quote(str(v))}" for k, (v, default) in own.items() if v != default]
    start = " ".join(part for part in ("attnlogic map", gate) if part)
    terminal.write(_shares(found))
    terminal.write(_closer(found, [start, f"-o {shlex.quote(optimizer)}", *changed], files[0]))


def _optimizer_and_files(given: list[str]) -> tuple[str, list[Path]]:
    """What ``-o`` was given: an optimizer, and files by their endings, which can be written."""
    from attnlogic.view import writable_file

    files = [Path(one) for one in given if Path(one).suffix.lower() in (*PICTURES, PARQUET)]
    others = [one for one in given if Path(one) not in files]
    if len(others) > 1:
        raise InputError(
            f"-o {others[0]} -o {others[1]}: a map has one optimizer; a file's name ends in "
            f"{', '.join(PICTURES)} or {PARQUET}"
        )
    files = files or [Path("map.png")]
    for file in files:
        writable_file(file)
    return (others or ["sgd"])[0], files


def _axes(x: str, y: str, zoom: str | None) -> tuple[Axis, Axis]:
    from attnlogic.studies import read_axis

    axes = read_axis("--x", x), read_axis("--y", y)
    if zoom is None:
        return axes
    parts = zoom.split(",")
    if len(parts) != 2:
        raise InputError(f"--zoom: expected two parts such as 0.1..0.2,0..0.05, got '{zoom}'")
    return axes[0].zoomed(parts[0]), axes[1].zoomed(parts[1])


def _write(found: Plane, by: str, files: list[Path]) -> None:
    from attnlogic.results import write_frame
    from attnlogic.view import map_chart, save

    for file in files:
        if file.suffix.lower() == PARQUET:
            write_frame(file, found.table())
        else:
            save(map_chart(found, by), file)
        terminal.say(f"wrote {file}")


def _shares(found: Plane) -> str:
    """How many of the points ended where, in one line."""
    from attnlogic.theory import ENDINGS

    counts = [(int((found.ending_codes == k).sum()), name) for k, name in enumerate(ENDINGS)]
    total = found.ending_codes.size
    seen = [f"{name} {100 * n / total:.3g} %" for n, name in sorted(counts, reverse=True) if n]
    return f"{total:,} points: {', '.join(seen)}"


def _closer(found: Plane, command: list[str], file: Path) -> str:
    """The command for a closer look at the part where most neighbours end differently."""
    from attnlogic.statistics import box_counting

    edge = box_counting.border(found.ending_codes)
    if not edge.any():
        return "All points end alike."
    rows, columns = box_counting.busiest(edge, ZOOM)
    part = ",".join(
        axis.part(some.start, some.stop - 1) for axis, some in ((found.x, columns), (found.y, rows))
    )
    into = file.with_name(f"{file.stem.removesuffix('-zoom')}-zoom{file.suffix}")
    axes = f"--x {shlex.quote(str(found.x))} --y {shlex.quote(str(found.y))}"
    return f"closer: {' '.join(command)} {axes} --zoom {part} -o {in_shell(into)}"
