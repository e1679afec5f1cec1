"""``python -m bench``: measure, write the results down."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any, NamedTuple, TypeVar

import typer

from attnlogic.view import save
from bench import costs, report
from bench.machine import machine
from bench.work import DisagreementError

Item = TypeVar("Item")
HERE = Path(__file__).parent
app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
OPTIMIZERS = ("adamw", "adam", "sgd", "polyak", "lbfgs")
Part = StrEnum("Part", ["comparison", "models", "costs", "accelerator", "startup", "studies"])


class Sizes(NamedTuple):
    """How much is measured: ``seeds`` and ``epochs`` are what contenders are compared on."""

    seeds: int = 16_384
    epochs: int = 1000
    lbfgs_epochs: int = 30  # up to twenty evaluations each
    torch_seeds: int = 8
    batched_epochs: int = 200
    plain_epochs: int = 200  # of plain JAX, with other models: minutes otherwise
    repetitions: int = 7
    many_seeds: Sequence[int] = (1000, 4000, 16_000, 64_000, 256_000, 1_000_000)
    many_epochs: Sequence[int] = (100, 300, 1000, 3000, 10_000)
    chunks: Sequence[int] = (4096, 16_384, 65_536, 262_144, 1_048_576)
    chunk_epochs: int = 3000
    cpu_chunks: Sequence[int] = (512, 2048, 8192, 32_768, 131_072)
    cpu_chunk_epochs: int = 1000
    studies: Sequence[tuple[int, int]] = ((100_000, 8000), (1_000_000, 1000))

    def budget(self, by: str) -> int:
        """Epochs with this optimizer."""
        return self.lbfgs_epochs if by == "lbfgs" else self.epochs


QUICK = Sizes(
    seeds=1024, epochs=300, lbfgs_epochs=10, torch_seeds=4, batched_epochs=100, plain_epochs=50,
    repetitions=3,
    many_seeds=[1000, 8000], many_epochs=[100, 1000], chunks=[1024, 4096], cpu_chunks=[512, 2048],
    studies=[(20_000, 500)],
)  # fmt: skip


def comparison(sizes: Sizes) -> list[dict[str, Any]]:
    """Every contender with every optimizer."""
    from bench.comparison import compare, on_xor
    from bench.contenders import contenders

    ways = contenders(torch_seeds=sizes.torch_seeds, batched_epochs=sizes.batched_epochs)
    return [
        compare(on_xor(by, sizes.budget(by)), ways, sizes.seeds, sizes.repetitions)
        for by in announced(OPTIMIZERS)
    ]


def models(sizes: Sizes) -> list[dict[str, Any]]:
    """attnlogic and plain JAX with other models and gates than the notebook's."""
    from bench.comparison import compare
    from bench.contenders import of_any_model
    from bench.models import trainings

    ways = of_any_model(plain_epochs=sizes.plain_epochs)
    return [
        compare(training, ways, sizes.seeds, sizes.repetitions)
        for training in announced(trainings(sizes.epochs))
    ]


def growth(sizes: Sizes) -> dict[str, Any]:
    """Time and memory against seeds, against epochs, and for each optimizer."""
    n, times = sizes.seeds, sizes.repetitions
    return {
        "seeds": [costs.point("adamw", n, 200, times) for n in announced(sizes.many_seeds)],
        "epochs": [costs.point("adamw", n, e, times) for e in announced(sizes.many_epochs)],
        "optimizers": [costs.point(by, n, sizes.budget(by), times) for by in announced(OPTIMIZERS)],
        "loops": costs.probe("loops", seeds=n)["loops"],
    }


def chunks(sizes: Sizes) -> list[dict[str, Any]]:
    """The fast path on JAX's first device, with more and more of the same seeds at once."""
    at_once, seeds, epochs = sizes.chunks, sizes.chunks[-1], sizes.chunk_epochs
    if machine()["platform"] == "cpu":
        at_once, epochs = sizes.cpu_chunks, sizes.cpu_chunk_epochs
        seeds = at_once[-1] * (os.cpu_count() or 1)  # each core has a chunk of its own
    return [
        costs.point("adamw", seeds, epochs, sizes.repetitions, chunk=n) for n in announced(at_once)
    ]


MEASURE: dict[str, Callable[[Sizes], Any]] = {
    "comparison": comparison,
    "models": models,
    "costs": growth,
    "accelerator": chunks,
    "startup": lambda sizes: costs.startup(sizes.repetitions),
    "studies": lambda sizes: [
        row for work in announced(sizes.studies) for row in costs.study(*work, sizes.repetitions)
    ],
}


def announced(items: Iterable[Item]) -> Iterator[Item]:
    """The items, each printed when its turn comes, so that progress is seen."""
    for item in items:
        say(f"  {item}")
        yield item


def say(text: str) -> None:
    """A line to standard error."""
    print(text, file=sys.stderr, flush=True)


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
        bool, typer.Option("--quick", help="Little work, in about a minute: to see that it runs.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for results.json and cost.svg. Without it this one, whose README.md then "
            "gets the table; with --quick a new temporary one.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Measure attnlogic: beside other ways to train the same seeds, and as the work grows.

    comparison: five ways, checked to reach the threshold alike, then timed in turn.

    models: attnlogic and plain JAX likewise, with other models and gates.

    costs: time and peak memory against seeds, epochs and optimizers.

    accelerator: the fast path with more and more seeds at once, on JAX's first device.

    startup: attnlogic --help and the import.

    studies: attnlogic study end to end, against the time of its training alone.

    Leave the machine alone meanwhile: other work doubles times.
    """
    folder = out or (Path(mkdtemp(prefix="bench-")) if quick else HERE)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.json"
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    # The processes of single measurements share a GPU with this one.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    # torch's threads then sleep between operations: spinning, they are in everybody's way.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for part in map(str, only or MEASURE):
        say(part)
        try:
            measured = MEASURE[part](QUICK if quick else Sizes())
        except DisagreementError as error:
            say(f"error: {error}")
            raise typer.Exit(1) from error
        date = datetime.now(UTC).strftime("%Y-%m-%d")
        results[part] = {"date": date, "machine": machine(), "measured": measured}
        file.write_text(json.dumps(results, indent=1) + "\n")
    if "costs" in results:
        save(report.chart(results["costs"]["measured"]), folder / "cost.svg")
    text = report.markdown(results)
    if folder.resolve() == HERE:
        report.write(text, HERE / "README.md")
    print(text)
    say(f"written to {folder}")


if __name__ == "__main__":
    app(prog_name="python -m bench")
