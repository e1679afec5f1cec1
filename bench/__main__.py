"""``python -m bench``: measure, write the results down."""

from __future__ import annotations

import json
import os
import time
import traceback
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

import typer

# torch's threads sleep between operations: spinning, they are in everybody's way. It is read when
# torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# The processes of single measurements share a GPU with this one.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

from attnlogic.view import save
from bench import growth, picture, report
from bench.load import BusyError, Load
from bench.machine import machine
from bench.parts import PARTS, say
from bench.sizes import QUICK, Sizes
from bench.work import DisagreementError

HERE = Path(__file__).parent
app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Part = StrEnum("Part", list(PARTS))  # type: ignore[misc]  # mypy knows literal lists only


@app.command()
def main(
    only: Annotated[
        list[Part] | None,
        typer.Option(
            metavar="PART",
            help="Measure this, and keep what is known of the rest; repeatable.",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Little of all, in a few minutes: to see that it runs.")
    ] = False,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Publish from a busy machine too; the tables then say how busy."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for results.json and cost.svg. Without it this one, whose README.md then "
            "gets the tables, if the machine is quiet; with --quick a new temporary one.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Measure attnlogic: beside other ways to train the same seeds, and as the work grows.

    comparison: eight ways, checked to reach the threshold alike, then timed in turn.

    models: attnlogic and JAX alone likewise, with other models and gates.

    torch: the torch backend, many seeds at once, beside its plain loop.

    seeds, epochs, conditions, bits, parameters: time and peak memory as these grow.

    optimizers: time and peak memory with each.

    accelerator: the fast path on JAX's devices beside what these can do at most (a roofline), and
    with more and more seeds at once.

    startup: attnlogic --help and the import.

    studies: attnlogic study end to end, against the time of its training alone.

    What a part measured is written when it ends; an interrupt loses the part under way. Leave the
    machine alone meanwhile: other work doubles times.
    """
    folder = out or (Path(mkdtemp(prefix="bench-")) if quick else HERE)
    published = folder.resolve() == HERE
    must_be_quiet = published and not anyway
    left, failed = [*map(str, only or PARTS)], list[str]()
    try:
        load(must_be_quiet).check()
        while left:
            part, watched, began = left[0], load(must_be_quiet), time.perf_counter()
            say(part)
            try:
                found = measured(part, QUICK if quick else Sizes(), watched)
                write(folder, part, found)
                print(report.markdown({part: found}))
                say(f"  {time.perf_counter() - began:.0f} s, written to {folder}")
            except BusyError:
                raise
            except Exception as error:  # whatever it is, the other parts are not lost
                say(f"error: {error}")
                if not isinstance(error, DisagreementError):
                    traceback.print_exc()
                failed.append(part)
            del left[0]
    except BusyError as error:
        say(f"error: {error}")
        raise typer.Exit(1) from error
    finally:
        if missing := failed + left:
            again = " ".join(f"--only {part}" for part in missing)
            say(f"not measured: {', '.join(missing)}; again: python -m bench {again}")
    if not published and len(failed) < len(only or PARTS):
        print((folder / "results.md").read_text(encoding="utf-8"))
    if failed:
        raise typer.Exit(1)


def load(must_be_quiet: bool) -> Load:
    """What is called before each measurement."""
    return Load(must_be_quiet)


def measured(part: str, sizes: Sizes, watched: Load) -> dict[str, Any]:
    """What a part measures, and on what machine."""
    found = PARTS[part](sizes, watched)
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    return {"date": date, "machine": machine(), "load": max(watched.seen), "measured": found}


def write(folder: Path, part: str, found: dict[str, Any]) -> None:
    """Add what a part found to the folder's results, and write table and picture anew."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.json"
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    # An earlier form of this benchmark, with other fields, told no load.
    results = {name: known for name, known in results.items() if "load" in known} | {part: found}
    file.write_text(json.dumps(results, indent=1) + "\n")
    curves = {name: results[name]["measured"] for name in growth.AXES if name in results}
    if curves:
        save(picture.chart(curves), folder / "cost.svg")
    text = report.markdown(results)
    if folder.resolve() == HERE:
        report.write(text, HERE / "README.md")
    else:
        (folder / "results.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    app(prog_name="python -m bench")
