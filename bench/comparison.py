"""Contenders side by side: first that they reach the threshold alike, then how long they take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, ks_2samp

from attnlogic.backend import Training
from attnlogic.optimizers import optimizer
from attnlogic.problems import problem
from bench.pairs import in_turn
from bench.work import Contender, DisagreementError, Result, SkippedError

LEVEL = 1e-3
"""Two contenders differ where a test's p is below this."""

FEW = 100
"""Below this many seeds runs are compared one by one."""

ALIKE = 0.75
"""Of those, the least share that must hit alike."""

CHAOTIC = ("polyak",)
"""Its steps of loss/‖grad‖² amplify rounding until first hits agree in distribution only."""

THRESHOLDS = {"sgd": 0.05}
"""Losses to reach, where not 1e-4: SGD at lr 0.05 never gets there on XOR."""

Hits = npt.NDArray[Any]


def alike(theirs: Hits, ours: Hits) -> npt.NDArray[np.bool_]:
    """Whether the first hits of each seed are the same, but for 2 epochs or 2 %."""
    near = np.abs(theirs - ours) <= np.maximum(2, 0.02 * ours)
    same: npt.NDArray[np.bool_] = np.where((theirs < 0) | (ours < 0), theirs == ours, near)
    return same


def agreement(theirs: Hits, ours: Hits, epochs: int) -> dict[str, Any]:
    """How two contenders' first hits of the same seeds compare, up to an epoch; -1 is no hit.

    Returns:
      Both rates; the p of the exact sign test on the seeds that only one of the two hit, and of
      Kolmogorov and Smirnov's test on the first hits; the share of seeds ``alike``.
    """
    ours = np.where(ours < epochs, ours, -1)
    hit, hit_ours = theirs >= 0, ours >= 0
    only, only_ours = int(np.sum(hit & ~hit_ours)), int(np.sum(~hit & hit_ours))
    sign = binomtest(only, only + only_ours).pvalue if only + only_ours else 1.0
    times = ks_2samp(theirs[hit], ours[hit_ours]).pvalue if hit.any() and hit_ours.any() else 1.0
    return {
        "reached": float(hit.mean()), "attnlogic_reached": float(hit_ours.mean()),
        "sign_p": float(sign), "first_hit_p": float(times),
        "alike": float(alike(theirs, ours).mean()),
    }  # fmt: skip


def check(name: str, by: str, seeds: int, agreement: dict[str, Any]) -> None:
    """Refuse to time what trains otherwise.

    Raises:
      DisagreementError: a test's p is below ``LEVEL``, or too few of few seeds are alike.
    """
    apart = min(agreement["sign_p"], agreement["first_hit_p"]) < LEVEL
    if apart or (seeds < FEW and by not in CHAOTIC and agreement["alike"] < ALIKE):
        raise DisagreementError(
            f"{by}: '{name}' does not train as attnlogic does, so nothing is timed: "
            + ", ".join(f"{key} {value:.4g}" for key, value in agreement.items())
        )


def on_xor(by: str, epochs: int) -> Training:
    """The notebook's neuron on XOR with this optimizer."""
    return Training(problem("xor"), optimizer(by), epochs, THRESHOLDS.get(by, 1e-4))


def compare(
    whole: Training,
    contenders: Sequence[Contender],
    seeds: int,
    repetitions: int,
    load: Callable[[], float],
) -> dict[str, Any]:
    """Check every contender from the seeds 0, 1, …, then time them in turn.

    Args:
      whole: what is trained; a contender's own limits cut its epochs.
      contenders: attnlogic first, with whichever backend the others are compared with.
      seeds: how many; a contender's own limits cut them.
      repetitions: how often each is timed.
      load: called before each: see ``load.Load``.

    Returns:
      The work, and a dict a contender: its share of the work; ``first_seconds``, from nothing to
      its first result, with its compilation; ``agreement``; the fields of ``pairs.Times``, of
      attnlogic ``seconds`` alone; or why it was ``skipped``.

    Raises:
      DisagreementError: see ``check``; nothing has been timed then.
      BusyError: see ``load.Load``.
    """
    jax.clear_caches()  # so that what a row before has compiled is compiled once more
    by, epochs, starts = whole.optimizer.name, whole.epochs, whole.problem.initial(np.arange(seeds))
    rows: list[dict[str, Any]] = []
    runs: dict[str, Callable[[], Result]] = {}
    ours: Hits = np.empty(0)
    for contender in contenders:
        n, e = min(contender.seeds or seeds, seeds), min(contender.epochs or epochs, epochs)
        row: dict[str, Any] = {"contender": contender.name, "seeds": n, "epochs": e}
        rows.append(row)
        began = time.perf_counter()
        try:
            run = contender.prepare(replace(whole, epochs=e), starts[:, :n])
        except SkippedError as reason:
            row["skipped"] = str(reason)
            continue
        result = run()  # compiles what is left to compile, and warms up
        row["first_seconds"] = time.perf_counter() - began
        ours = ours if ours.size else result.first_hit
        row["agreement"] = agreement(result.first_hit, ours[:n], e)
        check(contender.name, by, n, row["agreement"])
        row["evaluations"] = result.evaluations
        runs[contender.name] = run
    first, *others = runs
    seconds, times = in_turn(runs[first], {name: runs[name] for name in others}, repetitions, load)
    for row in rows:
        if row["contender"] in times:
            row |= times[row["contender"]]._asdict()
    rows[0]["seconds"] = seconds
    what = whole.problem
    return {
        "optimizer": by, "gate": what.data.name, "model": str(what.model),
        "parameters": len(what.names), "threshold": whole.threshold, "contenders": rows,
    }  # fmt: skip
