"""Planes: many trainings that differ in two numbers, one for each point of a plane.

A number is a setting of the optimizer or a parameter of the start; all else is one condition and
one seed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from attnlogic.backend import Backend, PointBackend, Points, Training, checked, closed
from attnlogic.backend import point_backend as find
from attnlogic.errors import InputError
from attnlogic.optimizers import Optimizer
from attnlogic.optimizers import optimizer as read_optimizer
from attnlogic.outcomes import NONE, STATUSES, Outcome
from attnlogic.problems import (
    SEED_LIMIT,
    Data,
    Gate,
    Initialization,
    Model,
    initialization,
    problem,
)
from attnlogic.results import ending, known_of
from attnlogic.settings import whole
from attnlogic.studies.axes import Axis, check_axis, read_axis
from attnlogic.studies.progress import Progress
from attnlogic.theory import ENDINGS

if TYPE_CHECKING:
    import polars as pl

MAX_POINTS = 2**24
"""Points of a plane, at most: 4096 × 4096."""

POINTS_AT_ONCE = 2**20
"""Points whose starts are in memory at once: 24 MB of the notebook's neuron."""


@dataclass(frozen=True, eq=False, repr=False)
class Plane:
    """What became of every point of a plane: arrays (Y, X), the y axis's first value in row 0.

    Attributes:
      x, y: the axes: X and Y values.
      training: the condition, but for the settings that are axes.
      seed, init: where runs start, but for the parameters that are axes.
      first_hit: the first epoch whose loss ≤ threshold, or −1; int32.
      diverged_at: the epoch of the first loss that is not finite, or −1; int32.
      final_loss: the last loss, infinite if the run diverged; of the training's precision.
      gradient_norm: the norm of the loss's gradient at the final parameters; NaN if it diverged.
      quantities: the model's own numbers at the final parameters, such as C; NaN if it diverged.
    """

    x: Axis
    y: Axis
    training: Training
    seed: int
    init: Initialization
    first_hit: npt.NDArray[np.int32]
    diverged_at: npt.NDArray[np.int32]
    final_loss: npt.NDArray[Any]
    gradient_norm: npt.NDArray[Any]
    quantities: dict[str, npt.NDArray[Any]]

    @cached_property
    def status_codes(self) -> npt.NDArray[np.uint8]:
        """The place of each run's status in ``outcomes.STATUSES``."""
        solved = self.final_loss <= self.final_loss.dtype.type(self.training.threshold)
        cases = [self.diverged_at != NONE, solved, self.first_hit != NONE]
        codes = [STATUSES.index(name) for name in ("diverged", "solved", "lost", "unsolved")]
        return np.select(cases, codes[:3], codes[3]).astype(np.uint8)

    @cached_property
    def ending_codes(self) -> npt.NDArray[np.uint8]:
        """The place of each run's ending in ``theory.ENDINGS``."""
        what = self.training.problem
        of = known_of(
            {"gate": what.data.name, "model": what.model.name, "encoding": what.data.encoding}
        )
        codes = self.table().select(ending(of).to_physical()).to_series().to_numpy()
        return codes.astype(np.uint8).reshape(self.final_loss.shape)

    @property
    def status(self) -> npt.NDArray[np.str_]:
        """``solved``, ``lost``, ``unsolved`` or ``diverged``; see ``outcomes.status``."""
        return np.array(STATUSES)[self.status_codes]

    @property
    def ending(self) -> npt.NDArray[np.str_]:
        """Where each run ended: one of ``theory.ENDINGS``."""
        return np.array(ENDINGS)[self.ending_codes]

    def table(self) -> pl.DataFrame:
        """A row for each point, x changing fastest: x, y, status, epochs, losses, quantities.

        An epoch that does not exist is null.
        """
        import polars as pl

        X, Y = len(self.x.values), len(self.y.values)
        statuses = pl.Series(STATUSES, dtype=pl.Enum(STATUSES))
        epochs = {name: pl.Series(getattr(self, name).ravel()) for name in _EPOCHS}
        return pl.DataFrame(
            {
                "x": np.tile(self.x.values, Y),
                "y": np.repeat(self.y.values, X),
                "status": statuses.gather(self.status_codes.ravel()),
                **{name: values.replace(NONE, None) for name, values in epochs.items()},
                "final_loss": self.final_loss.ravel(),
                "gradient_norm": self.gradient_norm.ravel(),
                **{name: values.ravel() for name, values in self.quantities.items()},
            }
        )

    def __repr__(self) -> str:
        return f"<plane {self.x} × {self.y}: {self.training}, seed {self.seed}>"


_EPOCHS = ("first_hit", "diverged_at")


def plane(
    gate: str | Gate | Data | None,
    optimizer: str | Optimizer,
    x: str | Axis,
    y: str | Axis,
    seed: int = 0,
    *,
    epochs: int | None = None,
    threshold: float = 1e-4,
    backend: str | Backend = "jax",
    precision: str = "float32",
    init: str | Initialization = "torch",
    model: str | Model = "attention",
    encoding: str = "01",
    progress: bool | None = None,
) -> Plane:
    """Train a run for every point of a plane.

    Args:
      gate: the gate to learn, or other data; None for a loss of the parameters alone.
      optimizer: the optimizer; it leaves the settings that are axes alone.
      x, y: the axes: ``"lr=0.01..10:log:256"``, ``"start.wq=-3..3:256"``.
      seed: torch's seed, 0 … 2^32-1, which gives the other parameters of the start.
      epochs: the budget; None for the optimizer's usual one.
      threshold: the loss at or below which a run counts as having hit.
      backend: a backend that can train points, or its name.
      precision: ``"float32"`` or ``"float64"``.
      init: how the other parameters are drawn.
      model: what learns it.
      encoding: what stands for false and true in a gate's inputs: ``"01"`` or ``"pm1"``.
      progress: True for a progress bar on stderr, False for none; None for a bar where stderr is a
        terminal, and else for a line now and then.

    Raises:
      InputError: something is of the wrong type, unknown or out of range, cannot be an axis, or the
        backend cannot train points; raised before any work starts.
      KeyboardInterrupt: on Ctrl-C; what was computed is lost.

    Example:
      >>> found = plane("nand", "sgd", "lr=0.1..100:log:4", "start.b=0..1:2", epochs=200,
      ...               progress=False)
      >>> found.status.tolist()[0]
      ['unsolved', 'diverged', 'diverged', 'diverged']
    """
    by = read_optimizer(optimizer)
    what = problem(gate, model, encoding)
    axes = read_axis("x", x), read_axis("y", y)
    trainer = find(backend)
    budget = by.epochs if epochs is None else epochs
    training = checked(Training(what, by, budget, threshold, precision))
    for axis in axes:
        check_axis(axis, by, what, training.precision)
    _check_pair(*axes)
    for ends in product(*(axis.values[[0, -1]].tolist() for axis in axes)):
        at_corner = _with_settings(by, dict(zip(axes, ends, strict=True)))
        trainer.check(checked(replace(training, optimizer=at_corner)), 1)
    how, number = initialization(init), whole("seed", seed, 0, SEED_LIMIT - 1)
    start = what.initial(number, how).astype(training.precision)
    return _trained(trainer, training, axes, start, number, how, progress)


def _check_pair(x: Axis, y: Axis) -> None:
    if x.name == y.name:
        raise InputError(f"both axes are {x.name}: choose another for y")
    points = x.range.points * y.range.points
    if points > MAX_POINTS:
        raise InputError(
            f"a plane has at most {MAX_POINTS:,} points, and {x} and {y} have {points:,}: "
            "give fewer"
        )


def _with_settings(by: Optimizer, values: dict[Axis, float]) -> Optimizer:
    """The optimizer with a value for each axis that is one of its settings."""
    changed = {axis.name: value for axis, value in values.items() if axis.parameter is None}
    return Optimizer(by.name, tuple((by.settings | changed).items()), by.of)


def _switched_on(axis: Axis, by: Optimizer) -> float:
    """A value of the axis that switches no feature off."""
    known = by.record.settings.get(axis.name)
    off = None if known is None else known.off
    return next(float(value) for value in axis.values if value != off)


def _trained(
    trainer: PointBackend, training: Training, axes: tuple[Axis, Axis],
    start: npt.NDArray[Any], seed: int, init: Initialization, progress: bool | None,
) -> Plane:  # fmt: skip
    x, y = axes
    shape = y.range.points, x.range.points
    on = _with_settings(training.optimizer, {a: _switched_on(a, training.optimizer) for a in axes})
    given = Points(replace(training, optimizer=on), {}, start)
    own = [quantity.name for quantity in training.problem.own]
    arrays = {name: np.empty(shape, np.int32) for name in _EPOCHS}
    arrays |= {
        name: np.empty(shape, training.precision) for name in ("final_loss", "gradient_norm", *own)
    }
    rows = max(1, POINTS_AT_ONCE // x.range.points)
    with Progress(shape[0] * shape[1], "point", show=progress) as bar:
        bar.describe(f"{training} · {x.name} × {y.name}")
        for first in range(0, shape[0], rows):
            block = _block(given, x, y, slice(first, first + rows))
            with closed(trainer.train_points(block, on_progress=bar.advance)) as work:
                for finished in work:
                    begin = first * shape[1]
                    _put(arrays, slice(begin + finished.first, begin + finished.end), finished[1])
    quantities = {name: arrays.pop(name) for name in own}
    return Plane(x, y, training, seed, init, quantities=quantities, **arrays)


def _block(given: Points, x: Axis, y: Axis, rows: slice) -> Points:
    """The points of some rows, row by row."""
    across, up = np.meshgrid(x.values, y.values[rows])
    initial = np.repeat(given.initial[:, None], across.size, axis=1)
    settings = {}
    for axis, values in ((x, across.ravel()), (y, up.ravel())):
        if axis.parameter is None:
            settings[axis.name] = values
        else:
            initial[given.training.problem.names.index(axis.parameter)] = values
    return Points(given.training, settings, initial)


def _put(arrays: dict[str, npt.NDArray[Any]], where: slice, outcome: Outcome) -> None:
    for name, array in arrays.items():
        quantity = outcome.quantities.get(name)
        array.reshape(-1)[where] = getattr(outcome, name) if quantity is None else quantity
