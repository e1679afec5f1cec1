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
from pathlib import Path
from typing import Any

import jax
import numpy as np

from attnlogic.backend import Training, one_condition
from attnlogic.cli import entry as cli
from attnlogic.optimizers import optimizer
from attnlogic.problems import problem
from attnlogic_jax import compiled, parallel
from attnlogic_jax.compiled import Plan
from attnlogic_jax.devices import here
from attnlogic_jax.given import given
from attnlogic_jax.layout import chunks
from attnlogic_jax.memory import limits


def train(
    by: str, seeds: int, epochs: int, repetitions: int, chunk: int | None = None
) -> dict[str, Any]:
    """Train on XOR, dropping the outcomes as they come, as a study does once they are stored.

    Returns:
      ``seconds`` of each repetition; ``first_seconds``, of the one before, which also compiles.
    """
    training = Training(problem("xor"), optimizer(by), epochs)
    batch = one_condition(training, training.problem.initial(np.arange(seeds)))
    on, seconds = here(), []
    most_in_group = limits(Plan.of(training, on), training)[1]
    laid_out = None if chunk is None else chunks(
        batch.which, most=chunk, most_in_group=min(chunk, most_in_group),
        workers=on.workers, devices=on.shares,
    )  # fmt: skip
    for _ in range(1 + repetitions):
        began = time.perf_counter()
        for _finished in parallel.train(batch, laid_out=laid_out):
            pass
        seconds.append(time.perf_counter() - began)
    return {"first_seconds": seconds[0], "seconds": seconds[1:]}


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
    known = {"train": train, "study": study, "loops": loops}
    reply = known[request.pop("what")](**request)
    reply |= {"peak_bytes": peak_bytes(), "device": jax.devices()[0].device_kind}
    print("\n" + json.dumps(reply))


if __name__ == "__main__":
    main()
