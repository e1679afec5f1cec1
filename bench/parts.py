"""The parts of the benchmark, each measured by itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from bench import costs, growth
from bench.comparison import compare, on_xor
from bench.contenders import contenders, of_any_model, of_torch
from bench.load import Load
from bench.machine import machine
from bench.models import trainings
from bench.sizes import Sizes

Item = TypeVar("Item")
Measure = Callable[[Sizes, Load], Any]
ELEMENTWISE = ("adamw", "adam", "sgd", "polyak")
"""Those whose epoch has no loop, so that its operations can be counted."""

OPTIMIZERS = (*ELEMENTWISE, "lbfgs")

EARLY_LOSS = 0.26
"""The threshold where epochs are few: a little above the loss of the constant 1/2."""


def comparison(sizes: Sizes, load: Load) -> list[dict[str, Any]]:
    """Every contender with every optimizer."""
    ways = contenders(
        torch_seeds=sizes.torch_seeds,
        peer_epochs=sizes.peer_epochs,
        torch_epochs=sizes.torch_epochs,
    )
    return [
        compare(on_xor(by, sizes.budget(by)), ways, sizes.seeds, sizes.repetitions, load)
        for by in announced(OPTIMIZERS)
    ]


def models(sizes: Sizes, load: Load) -> list[dict[str, Any]]:
    """attnlogic and JAX alone with other models and gates than the notebook's."""
    ways = of_any_model(peer_epochs=sizes.model_epochs)
    return [
        compare(training, ways, sizes.seeds, sizes.fewer_repetitions, load)
        for training in announced(trainings(sizes.epochs))
    ]


def torch(sizes: Sizes, load: Load) -> list[dict[str, Any]]:
    """The torch backend, many seeds at once, beside its plain loop."""
    ways = of_torch(alone_seeds=sizes.torch_seeds)
    return [
        compare(
            replace(on_xor(by, sizes.at_once_epochs), threshold=EARLY_LOSS),
            ways, seeds, sizes.fewer_repetitions, load,
        )
        for by in announced(ELEMENTWISE)
        for seeds in sizes.at_once
    ]  # fmt: skip


def axis(name: str, sizes: Sizes, load: Load) -> list[dict[str, Any]]:
    """Time and memory along one axis."""
    rows = []
    for point in announced([*growth.AXES[name](sizes)]):
        before = load()
        rows.append({"load": before, **point.measured(sizes.point_repetitions)})
    return rows


def optimizers(sizes: Sizes, load: Load) -> dict[str, Any]:
    """Time and memory with each optimizer, and the loops of an epoch."""
    rows = []
    for by in announced(OPTIMIZERS):
        before = load()
        told = costs.point(by, sizes.seeds, sizes.budget(by), sizes.point_repetitions)
        rows.append({"load": before, **told})
    return {"optimizers": rows, "loops": costs.probe("loops", seeds=sizes.seeds)["loops"]}


def accelerator(sizes: Sizes, load: Load) -> dict[str, Any]:
    """The fast path on JAX's devices: more and more of the same seeds at once; its rooflines."""
    at_once, seeds, epochs = sizes.chunks, sizes.chunks[-1], sizes.chunk_epochs
    if machine()["platform"] == "cpu":
        at_once, epochs = sizes.cpu_chunks, sizes.cpu_chunk_epochs
        seeds = at_once[-1] * (os.cpu_count() or 1)  # each core has a chunk of its own

    def rows(ways: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        found = []
        for way in announced(ways):
            before = load()
            told = costs.point(
                seeds=seeds, epochs=epochs, repetitions=sizes.point_repetitions, **way
            )
            found.append({"load": before, **told})
        return found

    return {
        "roofline": costs.probe("roofline", optimizers=ELEMENTWISE, epochs=epochs),
        "optimizers": rows({"by": by} for by in ELEMENTWISE),
        "chunks": rows({"by": "adamw", "chunk": n} for n in at_once),
    }


def startup(sizes: Sizes, load: Load) -> dict[str, list[float]]:
    """``attnlogic --help`` and the import."""
    return costs.startup(sizes.repetitions, load)


def studies(sizes: Sizes, load: Load) -> list[dict[str, Any]]:
    """``attnlogic study`` end to end."""
    return [
        row
        for seeds, epochs in announced(sizes.studies)
        for row in costs.study(seeds, epochs, sizes.point_repetitions, load)
    ]


PARTS: dict[str, Measure] = {
    "comparison": comparison,
    "models": models,
    "torch": torch,
    **{name: partial(axis, name) for name in growth.AXES},
    "optimizers": optimizers,
    "accelerator": accelerator,
    "startup": startup,
    "studies": studies,
}
"""In the order in which they are measured."""


def announced(items: Iterable[Item]) -> Iterator[Item]:
    """The items, each printed when its turn comes, so that progress is seen."""
    for item in items:
        say(f"  {item}")
        yield item


def say(text: str) -> None:
    """A line to standard error."""
    print(text, file=sys.stderr, flush=True)
