"""Planes: every point is what it is when it is trained alone."""

from itertools import product

import numpy as np
import pytest

from attnlogic.backend import Training, one_condition
from attnlogic.optimizers import optimizer
from attnlogic.studies import plane
from attnlogic_jax import JAX

NUMBERS = ("first_hit", "diverged_at", "final_loss", "gradient_norm")


def alone(found, by, start):
    """The same points, each trained alone by the study's path, in a batch of its own."""
    what = found.training.problem
    shape = found.final_loss.shape
    arrays = {name: np.empty(shape, getattr(found, name).dtype) for name in NUMBERS}
    arrays |= {name: np.empty(shape, found.training.precision) for name in found.quantities}
    for j, i in product(*map(range, shape)):
        at = float(found.x.values[i]), float(found.y.values[j])
        training = Training(
            what, optimizer(by(*at)), found.training.epochs, precision=found.training.precision
        )
        initial = what.initial(found.seed).astype(found.training.precision)
        for name, value in start(*at).items():
            initial[what.names.index(name)] = value
        (one,) = [*JAX.train(one_condition(training, initial[:, None]))]
        for name in NUMBERS:
            arrays[name][j, i] = getattr(one.outcome, name)[0]
        for name in found.quantities:
            arrays[name][j, i] = one.outcome.quantities[name][0]
    return arrays


def nothing(*at):
    return {}


CASES = {
    "rates": (
        ("sgd", "lr=0.03..10:log:5", "weight_decay=0..0.5:4"),
        lambda x, y: f"sgd(lr={x!r},weight_decay={y!r})",
        nothing,
    ),
    "momentum": (
        ("sgd(dampening=0.5)", "momentum=0..0.9:4", "lr=0.01..0.1:log:4"),
        lambda x, y: f"sgd(dampening=0.5,momentum={x!r},lr={y!r})",
        nothing,
    ),
    "starts": (
        ("adam(lr=0.1)", "start.wq=-3..3:5", "start.w1=-3..3:4"),
        lambda x, y: "adam(lr=0.1)",
        lambda x, y: {"wq": x, "w1": y},
    ),
    "one of each": (
        ("adamw", "start.b=-1..1:4", "lr=0.001..1:log:5"),
        lambda x, y: f"adamw(lr={y!r})",
        lambda x, y: {"b": x},
    ),
    "schedule": (
        ("sgd(lr=0.3)", "gamma=0.9..1:4", "weight_decay=0..0.1:3"),
        lambda x, y: f"sgd(lr=0.3,gamma={x!r},weight_decay={y!r})",
        nothing,
    ),
    "averages": (
        ("adam(lr=0.1)", "beta1=0..0.99:4", "beta2=0..0.999:4"),
        lambda x, y: f"adam(lr=0.1,beta1={x!r},beta2={y!r})",
        nothing,
    ),
    "many evaluations": (
        ("lbfgs", "start.wq=-3..3:5", "lr=0.1..1:3"),
        lambda x, y: f"lbfgs(lr={y!r})",
        lambda x, y: {"wq": x},
    ),
    "another package's": (
        ("optax:sgd", "learning_rate=0.03..3:log:4", "start.w1=-3..3:3"),
        lambda x, y: f"optax:sgd(learning_rate={x!r})",
        lambda x, y: {"w1": y},
    ),
}

ROUNDED = {"averages", "momentum"}
"""Cases whose arithmetic on numbers, such as β₁ᵗ, XLA vectorises for points, with another last bit.
"""


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_every_point_is_what_it_is_when_trained_alone(case, precision):
    given, by, start = CASES[case]
    found = plane("xor", *given, seed=3, epochs=60, precision=precision, progress=False)
    wanted = alone(found, by, start)
    eps = np.finfo(precision).eps
    for name, expected in wanted.items():
        got = found.quantities.get(name)
        got = getattr(found, name) if got is None else got
        assert got.dtype == expected.dtype
        if case in ROUNDED:
            # 60 epochs, each rounded otherwise in its last bit, in runs that do not amplify it.
            np.testing.assert_allclose(got, expected, rtol=2e4 * eps, atol=100 * eps)
        else:
            np.testing.assert_array_equal(got, expected)
