"""How far rounding is amplified in a run: the run again, in copies that round otherwise.

Each framework and each kind of processor rounds otherwise, and training may amplify that: Adam,
which oscillates once the loss is small; L-BFGS by its differences of gradients; Polyak's steps,
which are huge where the gradient nearly vanishes. So no figure of one processor is stored. How much
is amplified is measured for each run anew, on copies all of whose numbers, the optimizer's state
included, are moved by one rounding before each epoch. A backend rounds as often as the copies are
moved: two backends must be as close to each other as the copies are, up to a factor.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from attnlogic.outcomes import NONE
from attnlogic_jax import compiled
from attnlogic_jax.devices import here
from attnlogic_jax.given import given as numbers_of

COPIES = 32
FACTOR = 10
"""Measured: backends differ by at most three times what the copies differ by."""
STEADY = 1e-10
"""While copies differ by less, relative to the loss, rounding is not amplified."""
HOPELESS = 1e-2
"""Once copies differ by more no digits are left to compare."""


class Copies(NamedTuple):
    """Runs of N seeds by JAX, (epochs, 1 + COPIES, N): each seed's own run, then its copies."""

    losses: Any
    evaluations: Any
    stopped: Any

    @property
    def spread(self):
        """How far a copy has come apart from its seed, up to each epoch: (epochs, N)."""
        apart = relative(self.losses[:, 1:], self.losses[:, :1]).max(axis=1)
        return np.fmax.accumulate(apart, axis=0)


def with_copies(training, numbers):
    """Train seeds and their copies by the JAX backend's own compiled epochs."""
    count, rounding = len(numbers), np.finfo(training.precision).eps
    random = np.random.default_rng(0)
    shape = (1 + COPIES, count)

    def moved(leaf):
        if leaf.dtype != training.precision or leaf.shape[-1:] != (shape[0] * count,):
            return leaf  # a count of epochs or of pairs
        signs = random.choice([-1, 0, 1], (*leaf.shape[:-1], *shape))
        signs[..., 0, :] = 0
        factor = np.asarray(1 + signs * rounding, training.precision)
        return leaf * factor.reshape(leaf.shape)

    reports = []
    with jax.enable_x64(training.precision == "float64"):
        starts = training.problem.initial(np.array(numbers)).astype(training.precision)
        packed = jnp.asarray(np.tile(starts, shape[0]))
        plan = compiled.Plan.of(training, here())
        given = jax.tree.map(jnp.asarray, numbers_of([training]))
        at = packed, compiled.state(plan, given, packed)
        for _ in range(training.epochs):
            at, report = compiled.trace(
                plan, given, jax.tree.map(moved, at), 1, room=1, kept=packed.shape[1]
            )
            reports.append(jax.tree.map(lambda leaf: np.asarray(leaf[0]).reshape(shape), report))
    losses = np.stack([report.loss for report in reports])

    def stacked(name, otherwise):
        found = [getattr(report, name) for report in reports]
        return np.full(losses.shape, otherwise) if found[0] is None else np.stack(found)

    return Copies(losses, stacked("evaluations", 1), stacked("stopped", False))


def relative(a, b):
    """|a - b|/|b|; 0 where both are equal, or both not finite."""
    same = (a == b) | ~(np.isfinite(a) | np.isfinite(b))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(same, 0.0, np.abs(a - b) / np.abs(b))


def assert_as_close_as_copies(copies, seed, losses, evaluations):
    """Hold the other backend's run of a seed, whose place is given, to the run by JAX."""
    end = len(losses)
    spread, own = copies.spread[:end, seed], copies.losses[:end, 0, seed]
    # A copy may by chance stay where it was; a rounding is the least that can be asked for.
    allowed = FACTOR * np.maximum(spread, 4 * np.finfo(losses.dtype).eps)
    allowed[spread > HOPELESS] = np.inf
    apart = relative(losses, own)
    worst = np.argmax(apart / allowed)
    assert (apart <= allowed).all(), (
        f"place {seed}, epoch {worst}: {apart[worst]:.1e} apart, copies {spread[worst]:.1e}"
    )
    counts = copies.evaluations[:end, :, seed]
    alike = np.logical_and.accumulate((counts == counts[:, :1]).all(axis=1) & (spread < STEADY))
    np.testing.assert_array_equal(evaluations[alike], counts[alike, 0])


def first(true):
    """The first epoch at which it is true, or NONE: (epochs, …) to (…)."""
    return np.where(true.any(axis=0), true.argmax(axis=0), NONE)


def agreed(*epochs):
    """The seeds, (N,), all of whose copies have the same: of arrays (1 + COPIES, N)."""
    return np.logical_and.reduce([(one == one[:1]).all(axis=0) for one in epochs])
