"""What is kept of a run: its parameters at both ends, and numbers that are declared here once.

The columns of a stored row and what a tally counts follow from the declarations in ``Outcome``. How
each number comes out of a run's losses is defined in ``attnlogic.history``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, NamedTuple, get_type_hints

import numpy as np
import numpy.typing as npt

from attnlogic.problems import Value
from attnlogic.words import counted

NONE = -1
"""An epoch that does not exist: never reached, never left, never stopped."""

LADDER = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
"""Losses whose first hits are kept besides the threshold's, from high to low."""

STATUSES = ("solved", "lost", "unsolved", "diverged")


def rung_name(loss: float) -> str:
    """A rung of the ladder in short.

    Example:
      >>> rung_name(1e-4)
      '1e-4'
    """
    return f"{loss:.0e}".replace("e-0", "e-")


RUNGS = tuple(f"first_hit_{rung_name(rung)}" for rung in LADDER)
"""The names of the ladder's first hits, from ``first_hit_1e-1`` to ``first_hit_1e-10``."""


class Kind(Enum):
    """What a number counts or measures; the value names its dtype, None for the training's own."""

    EPOCH = "int32"
    """An epoch, or a number of epochs. ``NONE`` where it does not exist."""
    COUNT = "int64"
    """A number of evaluations: many an epoch, so 32 bits may not do. ``NONE`` likewise."""
    REAL = None
    """A loss, a parameter or a product of some. NaN where it does not exist."""

    def dtype(self, precision: npt.DTypeLike) -> np.dtype[Any]:
        """The NumPy dtype of such a number in a training of this precision."""
        return np.dtype(precision if self.value is None else self.value)


class Number(NamedTuple):
    """The declaration of one number of an outcome.

    Attributes:
      kind: what it counts or measures.
      meaning: one line for a person, with the unit.
      over: the groups of runs over which a tally keeps its distribution (see
        ``results.rows.GROUPS``).
    """

    kind: Kind
    meaning: str
    over: tuple[str, ...] = ()


EPOCH, COUNT, REAL = Kind


class Outcome(NamedTuple):
    """What is kept of one run, or of N runs: each leaf has shape () or (N,).

    A row of a study has these numbers as columns, in this order; ``NUMBERS`` lists them by name,
    and ``own_numbers`` those of a model's own.

    Attributes:
      initial: the P parameters before the first epoch; packed, (P,) or (P, N).
      final: the parameters after the last epoch's update; NaN for a run that diverged.
      quantities_initial, quantities_first_hit, quantities: the numbers of the model's own by name,
        of the initial parameters, of those whose loss was the first hit, and of the final ones.
    """

    initial: Value
    final: Value
    first_hit: Annotated[
        Value, Number(EPOCH, over=("reached",), meaning="the first epoch whose loss ≤ threshold")
    ]
    sustained_from: Annotated[
        Value, Number(EPOCH, meaning="the first epoch from which every later loss ≤ threshold")
    ]
    stopped_at: Annotated[
        Value,
        Number(EPOCH, over=("all",), meaning="the epoch at which the optimizer's rule ended it"),
    ]
    diverged_at: Annotated[
        Value, Number(EPOCH, meaning="the epoch of the first loss that is not finite")
    ]
    rises: Annotated[
        Value,
        Number(EPOCH, over=("reached",), meaning="epochs after first_hit whose loss rose"),
    ]
    exits: Annotated[
        Value,
        Number(EPOCH, over=("reached",), meaning="times the loss went from ≤ to > threshold"),
    ]
    evaluations: Annotated[
        Value,
        Number(COUNT, over=("all", "missed"), meaning="evaluations of loss and gradient in all"),
    ]
    evaluations_first_hit: Annotated[
        Value,
        Number(COUNT, over=("reached",), meaning="evaluations up to the one that gave first_hit"),
    ]
    ladder: Annotated[
        tuple[Value, ...],
        Number(EPOCH, over=("all",), meaning="the first epoch whose loss ≤ this rung of LADDER"),
    ]
    initial_loss: Annotated[
        Value, Number(REAL, over=("all", "reached"), meaning="the loss of epoch 0")
    ]
    final_loss: Annotated[Value, Number(REAL, meaning="the last loss: before the last update")]
    min_loss: Annotated[Value, Number(REAL, meaning="the smallest loss")]
    worst_after_hit: Annotated[
        Value, Number(REAL, over=("reached",), meaning="the largest loss after first_hit")
    ]
    gradient_norm: Annotated[
        Value, Number(REAL, meaning="‖∇loss‖ over all parameters, at the final ones")
    ]
    quantities_initial: dict[str, Value]
    quantities_first_hit: dict[str, Value]
    quantities: dict[str, Value]

    def __repr__(self) -> str:
        return _described(self)


def _declared() -> dict[str, Number]:
    types = get_type_hints(Outcome, include_extras=True)
    return {
        name: types[field].__metadata__[0]
        for field in _FIELDS
        for name in (RUNGS if field == "ladder" else (field,))
    }


_FIELDS = Outcome._fields[2:-3]

NUMBERS = _declared()
"""The numbers of an outcome by name, in order: every field but the parameters and the quantities,
every rung."""


def own_numbers(quantities: Mapping[str, str]) -> dict[str, Number]:
    """The numbers of a model's own, as ``NUMBERS`` has those of every run.

    Args:
      quantities: the model's quantities: name -> meaning.

    Example:
      >>> [*own_numbers({"C": "wq·wk·wv"})]
      ['C_initial', 'C_first_hit', 'C']
    """
    found = {}
    for name, meaning in quantities.items():
        start = f"{meaning} of the initial parameters"
        found[f"{name}_initial"] = Number(REAL, start, ("all", "reached"))
        at_hit = f"{meaning} of the parameters whose loss was the first hit"
        found[f"{name}_first_hit"] = Number(REAL, at_hit)
        end = f"{meaning} of the final parameters"
        found[name] = Number(REAL, end, ("solved", "failed"))
    return found


def numbers_of(runs: Outcome) -> dict[str, Value]:
    """The outcome's numbers under the names of ``NUMBERS``, then those of the model's own."""
    found: dict[str, Value] = {}
    for field in _FIELDS:
        value = getattr(runs, field)
        found |= zip(RUNGS, value, strict=True) if field == "ladder" else {field: value}
    for name, value in runs.quantities.items():
        found[f"{name}_initial"] = runs.quantities_initial[name]
        found[f"{name}_first_hit"] = runs.quantities_first_hit[name]
        found[name] = value
    return found


def mapped(function: Callable[..., Value], first: Outcome, *others: Outcome) -> Outcome:
    """The outcome of a function of each leaf: of parameters (P, …) and of numbers (…).

    Args:
      function: takes one leaf of each outcome.
      first, others: outcomes of one model.
    """
    every = (first, *others)

    def field(name: str) -> Value:
        values = [getattr(runs, name) for runs in every]
        if isinstance(values[0], dict):
            return {key: function(*(value[key] for value in values)) for key in values[0]}
        if isinstance(values[0], tuple):
            return tuple(function(*leaves) for leaves in zip(*values, strict=True))
        return function(*values)

    return Outcome._make([field(name) for name in Outcome._fields])


def concatenate(parts: Sequence[Outcome]) -> Outcome:
    """Outcomes of many runs from outcomes of some, or of single ones: (N_i,) to (ΣN_i,)."""
    several = [
        runs if np.ndim(runs.first_hit) else mapped(lambda leaf: np.asarray(leaf)[..., None], runs)
        for runs in parts
    ]
    return mapped(lambda *leaves: np.concatenate(leaves, axis=-1), *several)


def status(runs: Outcome) -> npt.NDArray[np.str_]:
    """``solved``, ``lost`` (reached, not solved), ``unsolved`` (never reached) or ``diverged``.

    Returns:
      An array of strings of the shape of the outcome's leaves.
    """
    first_hit, sustained = np.asarray(runs.first_hit), np.asarray(runs.sustained_from)
    return np.select(
        [np.asarray(runs.diverged_at) != NONE, sustained != NONE, first_hit != NONE],
        ["diverged", "solved", "lost"],
        "unsolved",
    )


def _described(runs: Outcome) -> str:
    """One line, however many runs; also for leaves without values, such as JAX's tracers."""
    try:
        ends = status(runs) if np.asarray(runs.first_hit).dtype.kind in "iu" else None
    except (TypeError, ValueError):
        ends = None
    if ends is None:
        return f"Outcome(leaves: {type(runs.first_hit).__name__})"
    if ends.ndim == 0:
        own = "".join(f", {name}={value:.4g}" for name, value in runs.quantities.items())
        return f"Outcome({ends}: first_hit={runs.first_hit}, final_loss={runs.final_loss:.3g}{own})"
    counts = [f"{n:,} {name}" for name in STATUSES if (n := int((ends == name).sum()))]
    return f"Outcome({counted(ends.size, 'run')}{': ' if counts else ''}{', '.join(counts)})"
