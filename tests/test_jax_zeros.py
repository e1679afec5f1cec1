"""Zeros are dropped from attention on bits, and every number stays what it is, bit for bit.

A model of a user's own keeps them: the same model without its family is what is compared with.
"""

from dataclasses import replace
from functools import partial

import jax
import numpy as np
import pytest
from exported import instructions, lowered
from helpers import leaves, part, trained

from attnlogic.backend import Training
from attnlogic.optimizers import optimizer
from attnlogic.problems import Data, data, model, problem
from attnlogic_jax.model import evaluation
from attnlogic_jax.platforms import Platform

CPU = Platform("cpu")
HALVES = Data("halves", ((0.0, 0.5), (1.0, 0.0)), (0.0, 1.0))
NEVER = Data("never", ((1.0, 0.0), (0.0, 0.0)), (0.0, 1.0))  # w2 is in products with 0 alone
BITS = Data("bits", ((-0.0, 1.0), (0.0, -0.0), (1.0, 1.0)), (1.0, 0.0, -0.5))

TRAININGS = [
    ("xor", "attention", "sgd", 300, "float32", 300),
    ("nand", "attention", "polyak", 200, "float32", 96),
    ("parity3", "attention", "adamw", 100, "float32", 64),
    ("xor", "attention(residual=False,bias=False)", "adam", 100, "float32", 128),
    ("nand", "attention(heads=2)", "sgd(momentum=0.9)", 100, "float32", 96),
    ("xor", "attention(bias=False)", "adamw", 100, "float64", 128),
    (BITS, "attention(residual=False)", "sgd", 100, "float64", 64),
    ("xor", "attention", "lbfgs", 15, "float32", 64),
    ("xor", "attention", "sgd(lr=1000)", 9, "float32", 64),  # diverges
]


def with_and_without_zeros(gate, text):
    """Problems whose zeros are dropped, and stay."""
    return problem(gate, model(text)), problem(gate, replace(model(text), family=""))


def bits(numbers):
    """As whole numbers: all NaN are one, and so are both zeros."""
    numbers = np.asarray(numbers)
    if numbers.dtype.kind != "f":
        return numbers
    whole = (numbers + 0).view(f"i{numbers.itemsize}")  # -0 + 0 is 0
    return np.where(np.isnan(numbers), -1, whole)


def assert_bits(one, other):
    for name, value in leaves(one).items():
        np.testing.assert_array_equal(bits(value), bits(leaves(other)[name]), err_msg=name)


@pytest.mark.parametrize(("gate", "text", "by", "epochs", "precision", "count"), TRAININGS)
def test_outcomes_of_training_are_the_same(gate, text, by, epochs, precision, count):
    dropped, kept = (
        Training(found, optimizer(by), epochs, precision=precision)
        for found in with_and_without_zeros(gate, text)
    )
    starts = dropped.problem.initial(np.arange(count))
    runs = trained("jax", dropped, starts)
    assert_bits(runs, trained("jax", kept, starts))
    assert_bits(part(runs, slice(40)), trained("jax", dropped, starts[:, :40]))


def evaluated(found, packed, platform=CPU):
    """What an epoch evaluates: (1 + P + Q, N)."""
    return evaluation(found, found.data.targets, platform, drop_zeros=True)(packed).stacked


def drops(found, platform=CPU):
    """Whether zeros are dropped: it is traced otherwise than a model of a user's own."""
    kept = problem(found.data, replace(found.model, family=""))
    starts = found.initial(np.arange(64))
    one, other = (
        str(jax.make_jaxpr(partial(evaluated, which, platform=platform))(starts))
        for which in (found, kept)
    )
    return one != other


@pytest.mark.parametrize("text", ["attention", "attention(residual=False,bias=False,heads=2)"])
@pytest.mark.parametrize(("gate", "largest"), [("xor", 16), (NEVER, 3)], ids=str)
def test_what_overflows_is_not_taken_for_a_number(gate, largest, text):
    """At large parameters, infinite ones and NaN among them: finite numbers are the same.

    Not so large that a product overflows which no number but the dropped ones shows: w2's, where it
    is in those alone.
    """
    dropped, kept = with_and_without_zeros(gate, text)
    random = np.random.default_rng(0)
    shape = len(dropped.names), 6400
    packed = random.choice([-1, 1], shape) * 10 ** random.uniform(-8, largest, shape)
    packed[random.random(shape) < 0.02] = np.inf
    packed[random.random(shape) < 0.02] = np.nan
    one, other = (
        np.asarray(jax.jit(partial(evaluated, found))(packed.astype(np.float32)))
        for found in (dropped, kept)
    )
    finite = np.isfinite(one).all(0)
    assert 0.05 < finite.mean() < 0.95
    np.testing.assert_array_equal(bits(one[:, finite]), bits(other[:, finite]))
    assert not np.isfinite(other[:, ~finite]).all(0).any()


@pytest.mark.parametrize(
    ("gate", "text", "expected"),
    [
        ("xor", "attention", True),
        ("parity3", "attention(residual=False,bias=False,heads=2)", True),
        (BITS, "attention", True),
        (HALVES, "attention", False),
        (data("xor", "pm1"), "attention", False),
        ("xor", "attention(scores=softmax)", False),
        ("xor", "linear", False),
        ("xor", "mlp", False),
    ],
    ids=str,
)
def test_zeros_are_dropped_where_that_is_exact_and_faster(gate, text, expected):
    assert drops(problem(gate, text)) == expected


def test_they_are_dropped_on_a_cpu_alone():
    assert not drops(problem("xor"), Platform("cuda"))
    dropped, kept = (
        instructions(lowered("cuda", Training(found, optimizer("adamw"), 10)))
        for found in with_and_without_zeros("xor", "attention")
    )
    assert dropped == kept
    on_a_cpu = instructions(lowered("cpu", Training(problem("xor"), optimizer("adamw"), 10)))
    assert on_a_cpu != kept
