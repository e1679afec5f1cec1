"""One measurement in a process of its own, so that its peak of memory is its own as well.

``python -m bench.probe '{"what": "train", …}'`` prints a JSON object as its last line.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jax
import numpy as np

import attnlogic
from attnlogic import Study
from attnlogic.backend import Batch, Training
from attnlogic.cli import entry as cli
from attnlogic.optimizers import optimizer
from attnlogic.problems import problem
from attnlogic_jax import compiled, parallel
from attnlogic_jax.compiled import Plan
from attnlogic_jax.devices import here
from attnlogic_jax.given import given
from attnlogic_jax.layout import chunks
from attnlogic_jax.memory import limits
from bench import counting, fast_jax, peaks
from bench.models import own_mlp

LONG_SECONDS = 3.0
"""A training is repeated until it has taken so long in all, if not as often as asked before."""


def train(
    seeds: int, epochs: int, repetitions: int, by: str = "adamw", chunk: int | None = None,
    conditions: int = 1, bits: int = 2, hidden: int | None = None, own: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Train as a study does, dropping the outcomes as they come.

    Args:
      seeds, epochs: of each condition.
      repetitions: how often, at most: see ``LONG_SECONDS``.
      by: the optimizer.
      chunk: seeds trained at once; None for the usual number.
      conditions: how many learning rates, if more than one.
      bits: of the gate, parity.
      hidden, own: see ``_trainings``.

    Returns:
      ``seconds`` of each repetition; ``first_seconds``, of the one before, which also compiles;
      ``parameters``, how many are trained.
    """
    trainings = _trainings(by, epochs, conditions, bits, hidden, own)
    initial = np.tile(trainings[0].problem.initial(np.arange(seeds)), conditions)
    batch = Batch(trainings, np.repeat(np.arange(conditions, dtype=np.int32), seeds), initial)
    on = here()
    most_in_group = limits(Plan.of(trainings[0], on), trainings[0])[1]
    laid_out = None if chunk is None else chunks(
        batch.which, most=chunk, most_in_group=min(chunk, most_in_group),
        workers=on.workers, devices=on.shares,
    )  # fmt: skip

    def run() -> None:
        for _finished in parallel.train(batch, laid_out=laid_out):
            pass

    return {"parameters": len(initial), **_timed(run, run, repetitions)}


def peer(
    seeds: int, epochs: int, repetitions: int, conditions: int = 1, bits: int = 2,
    hidden: int | None = None, own: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The same with the fastest peer, which keeps first hits only."""
    trainings = _trainings("adamw", epochs, conditions, bits, hidden, own)
    initial = trainings[0].problem.initial(np.arange(seeds))
    ready: list[Callable[[], object]] = []

    def first() -> None:
        ready.append(fast_jax.prepare_conditions(trainings, initial))  # compiles
        ready[0]()

    return {"parameters": len(initial), **_timed(first, lambda: ready[0](), repetitions)}


def census(seeds: int, epochs: int, repetitions: int, **_: Any) -> dict[str, Any]:
    """A study that keeps a tally, with its files; ``first_seconds`` are those of fewer seeds."""

    def run(seeds: int) -> None:
        with TemporaryDirectory() as folder:
            study = Study("xor", "adamw", seeds, epochs)
            attnlogic.run(study, out=Path(folder) / "runs", keep="tally", progress=False)

    whole, fewer = partial(run, seeds), partial(run, min(seeds, FEWER_SEEDS))
    return {"parameters": 6, **_timed(fewer, whole, repetitions)}


FEWER_SEEDS = 1_000_000
"""Enough for a census to compile all code that more seeds need."""


def _timed(
    first: Callable[[], object], run: Callable[[], object], repetitions: int
) -> dict[str, Any]:
    began = time.perf_counter()
    first()
    first_seconds, seconds = time.perf_counter() - began, list[float]()
    while len(seconds) < repetitions and sum(seconds) < LONG_SECONDS:
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return {"first_seconds": first_seconds, "seconds": seconds}


def _trainings(
    by: str, epochs: int, conditions: int, bits: int, hidden: int | None, own: bool
) -> tuple[Training, ...]:
    """Conditions on parity; several differ in the learning rate, from 0.001 to 0.1.

    Args:
      by: the optimizer.
      epochs, conditions, bits: the work.
      hidden: hidden units of an ``mlp``; None for attention.
      own: whether that is written in array code.
    """
    model: Any = "attention" if hidden is None else f"mlp(hidden={hidden})"
    what = problem(f"parity{bits}", own_mlp(hidden, bits) if own and hidden else model)
    rates = np.geomspace(0.001, 0.1, conditions)
    optimizers = [by] if conditions == 1 else [f"{by}(lr={rate:.9g})" for rate in rates]
    return tuple(Training(what, optimizer(each), epochs) for each in optimizers)


def study(arguments: list[str]) -> dict[str, Any]:
    """``attnlogic study``, the command itself."""
    sys.argv = ["attnlogic", "study", *arguments]
    try:
        cli.main()
    except SystemExit as end:
        if end.code:
            raise
    return {}


def loops(seeds: int) -> dict[str, Any]:
    """How many loops over a group of seeds an epoch of AdamW has, by XLA's compiled text.

    Those are the fusions and copies in the innermost loop whose result has a row of these seeds: as
    many as it has rows where it stacks them, else one.
    """
    training = Training(problem("xor"), optimizer("adamw"), 1)
    plan = Plan.of(training, here())
    group = min(seeds, limits(plan, training)[1])
    numbers = given([training] * (seeds // group))
    packed = jax.numpy.zeros((6, seeds // group * group))
    arguments = plan, numbers, compiled.start(plan, numbers, packed), 1
    text = compiled.advance.jitted(plan.platform).lower(*arguments).compile().as_text() or ""
    blocks = {b.split(" ", 1)[0]: b for b in text.split("\n\n")}
    bodies = [blocks["%" + part.split(",")[0].split(" ")[0]]
              for part in text.replace("\n", " ").split("body=%")[1:]]  # fmt: skip
    innermost = min(bodies, key=lambda body: (" while(" in body, len(body)))
    count = 0
    for line in innermost.splitlines():
        name, _, rest = line.partition(" = ")
        shape = re.match(rf"\w+\[(\d+,)?{group}\]", rest)
        if shape and (" fusion(" in rest or " copy(" in rest):
            count += int(shape[1][:-1]) if "concatenate" in name else 1
    return {"loops": count}


def roofline(optimizers: list[str], epochs: int) -> dict[str, Any]:
    """What the device can do at most, and what an epoch of each optimizer asks of it, on XOR.

    Returns:
      ``bytes_a_second`` and ``operations_a_second``, the device's; and for each of ``optimizers``
      the ``operations`` and the ``bytes_moved`` of a seed-epoch.
    """
    on = here()
    shares = 1 if on.by_core else on.shares  # a CPU's virtual devices are one
    # A core of a CPU has a group's state in its cache from the first epoch to the last.
    in_one_pass, costs = epochs if on.by_core else on.unroll, {}
    for by in optimizers:
        told = counting.cost(Training(problem("xor"), optimizer(by), epochs), on)
        costs[by] = {"operations": told.operations, "bytes_moved": told.bytes_moved(in_one_pass)}
    return {
        "bytes_a_second": peaks.bytes_a_second(on) * shares,
        "operations_a_second": peaks.operations_a_second(on) * shares,
        "optimizers": costs,
    }


def peak_bytes() -> int:
    """The peak of memory so far, of this process or of the largest that it has started.

    Linux hands ru_maxrss on from parent to child, across exec: there VmHWM is the process' own.
    """
    own, child = (resource.getrusage(who).ru_maxrss
                  for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))  # fmt: skip
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        own = int(line.split()[1])
    return max(own, child) * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Answer the request that is the only argument."""
    request = json.loads(sys.argv[1])
    known: dict[str, Callable[..., dict[str, Any]]]
    known = {
        "train": train, "peer": peer, "census": census, "study": study, "loops": loops,
        "roofline": roofline,
    }  # fmt: skip
    reply = known[request.pop("what")](**request)
    reply |= {"peak_bytes": peak_bytes(), "device": jax.devices()[0].device_kind}
    print("\n" + json.dumps(reply))


if __name__ == "__main__":
    main()
