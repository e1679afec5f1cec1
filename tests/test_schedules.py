"""Schedules: torch's own, in every precision and array namespace, after however many epochs."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from attnlogic.errors import InputError
from attnlogic.optimizers import SCHEDULES, Schedule, factor, optimizer, optimizers

EPOCHS = 8000

TORCH = {
    "gamma=0.9995": lambda by: lr_scheduler.ExponentialLR(by, 0.9995),
    "schedule=exponential(gamma=0.999)": lambda by: lr_scheduler.ExponentialLR(by, 0.999),
    "schedule=cosine": lambda by: lr_scheduler.CosineAnnealingLR(by, 8000, eta_min=0),
    "schedule=cosine(final=0.1)": lambda by: lr_scheduler.CosineAnnealingLR(by, 8000, 0.1 * 0.05),
    "schedule=step": lambda by: lr_scheduler.StepLR(by, 1000, 0.1),
    "schedule=step(every=7, factor=0.99)": lambda by: lr_scheduler.StepLR(by, 7, 0.99),
    "schedule=linear(epochs=5000)": lambda by: lr_scheduler.LinearLR(by, 1, 0, 5000),
    "schedule=linear(final=0.25)": lambda by: lr_scheduler.LinearLR(by, 1, 0.25, 8000),
    "warmup=100": lambda by: lr_scheduler.LinearLR(by, 1 / 100, 1, 99),
    "schedule=step(factor=0.5), warmup=1500": lambda by: lr_scheduler.ChainedScheduler(
        [lr_scheduler.LinearLR(by, 1 / 1500, 1, 1499), lr_scheduler.StepLR(by, 1000, 0.5)]
    ),
}


def by_torch(schedule):
    """The rates of all epochs, divided by lr."""
    by = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.05)
    schedule, rates = schedule(by), []
    for _ in range(EPOCHS + 1):
        rates.append(by.param_groups[0]["lr"])
        by.step()
        schedule.step()
    return np.array(rates) / 0.05


@pytest.mark.parametrize(("text", "schedule"), TORCH.items(), ids=TORCH)
def test_a_schedule_is_torchs(text, schedule):
    found = factor(optimizer(f"sgd({text})").schedule, np.arange(EPOCHS + 1), np)
    assert found.dtype == np.float64
    # torch multiplies epoch by epoch: 8000 roundings of 1e-16, and at the end of a cosine, where
    # the rate falls to 0 as a difference, those of lr itself.
    np.testing.assert_allclose(found, by_torch(schedule), rtol=2e-12, atol=2e-13)


def exactly(schedule, epoch):
    """The formula as the record says it, with 40 digits."""
    values, e = dict(schedule.values), mpmath.mpf(epoch)
    share = min(e / values["epochs"], 1) if "epochs" in values else None
    match schedule.name:
        case "exponential":
            found = mpmath.mpf(values["gamma"]) ** e
        case "step":
            found = mpmath.mpf(values["factor"]) ** (epoch // values["every"])
        case "cosine":
            final = mpmath.mpf(values["final"])
            found = final + (1 - final) * (1 + mpmath.cos(mpmath.pi * share)) / 2
        case "linear":
            found = 1 + (mpmath.mpf(values["final"]) - 1) * share
        case "constant":
            found = mpmath.mpf(1)
    return found * (min(1, (e + 1) / schedule.warmup) if schedule.warmup else 1)


LATE = 2**31 - 1
CASES = [
    Schedule("exponential", (("gamma", 0.9995),)),
    Schedule("exponential", (("gamma", 1 - 1e-9),), warmup=3),
    Schedule("exponential", (("gamma", 1.0003),)),
    Schedule("cosine"),
    Schedule("cosine", (("epochs", LATE),)),
    Schedule("cosine", (("final", 0.3),), warmup=5),
    Schedule("linear"),
    Schedule("linear", (("epochs", LATE), ("final", 1e-3))),
    Schedule("linear", (("final", 3.0),)),
    Schedule("step"),
    Schedule("step", (("every", 10**8),)),
    Schedule("step", (("every", 1), ("factor", 0.99))),
    Schedule(warmup=1),
    Schedule(warmup=LATE),
]
AT = [0, 1, 2, 99, 999, 1000, 4000, 7999, 8000, 8001, 12_345, 10**6, 2**24 + 1, LATE - 1, LATE]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("schedule", CASES, ids=str)
def test_a_factor_keeps_its_digits_however_many_epochs(schedule, precision):
    eps, tiny = (float(getattr(np.finfo(precision), name)) for name in ("eps", "tiny"))
    with jax.enable_x64(precision == "float64"), mpmath.workdps(40):
        compiled = jax.jit(partial(factor, schedule, xp=jnp))
        for epoch in AT:
            exact, found = exactly(schedule, epoch), float(compiled(np.int32(epoch)))
            if exact < tiny:
                assert found < 2 * tiny
            elif exact > np.finfo(precision).max:
                assert math.isinf(found)
            else:
                # The rounding of an exponent x costs x roundings, twice; a dozen other roundings.
                powers = abs(float(mpmath.log(exact)))
                assert abs(found / exact - 1) <= eps * (2 * powers + 8)


@pytest.mark.parametrize("schedule", CASES, ids=str)
def test_every_namespace_and_shape_gives_the_same(schedule):
    epochs = np.array([[0, 1, 500], [7999, 8000, 20_000]], np.int32)
    table = np.broadcast_to(factor(schedule, epochs, np), epochs.shape)
    with jax.enable_x64(True):
        traced = jax.jit(partial(factor, schedule, xp=jnp))(epochs)
    for index, epoch in np.ndenumerate(epochs):
        assert float(factor(schedule, int(epoch), np)) == table[index]
    # XLA's exp and sin may differ from NumPy's by a rounding or two.
    np.testing.assert_allclose(np.broadcast_to(traced, epochs.shape), table, rtol=1e-14)


@pytest.mark.parametrize("name", SCHEDULES)
def test_numbers_are_data_one_for_each_seed(name):
    """Schedules of one structure run the same compiled code, with the numbers as arguments."""
    several = [
        Schedule(name, ((key, value),), warmup)
        for key, values in {
            "exponential": {"gamma": [0.9, 0.99]},
            "cosine": {"epochs": [10, 300]},
            "linear": {"epochs": [10, 300]},
            "step": {"factor": [0.5, 0.1]},
        }[name].items()
        for value, warmup in zip(values, (5, 20), strict=True)
    ]
    assert len({one.structure for one in several}) == 1
    stacked = {key: np.array([one.numbers[key] for one in several]) for key in several[0].numbers}
    with jax.enable_x64(True):
        compiled = jax.jit(lambda epoch, n: factor(several[0], epoch, jnp, n))
        for epoch in (0, 3, 50, 299, 400):
            expected = [factor(one, epoch, np) for one in several]
            np.testing.assert_allclose(compiled(epoch, stacked), expected, rtol=1e-14)


def test_a_rate_that_does_not_change_needs_no_arithmetic():
    assert Schedule().structure == ()
    assert factor(Schedule(), 7, None) == 1.0
    assert optimizer("polyak").schedule == optimizer("adam").schedule == Schedule()
    assert optimizer("optax:lion(gamma=0.9, schedule='x')").schedule == Schedule()  # its own


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("adamw(gamma=0.9995)", "adamw(gamma=0.9995)"),
        ("adamw(schedule=exponential(gamma=0.9995))", "adamw(gamma=0.9995)"),
        ("adamw(schedule=exponential)", "adamw(gamma=0.9995)"),
        ("adamw(schedule=Cosine(epochs=8000, final=0))", "adamw(schedule=cosine)"),
        ("adamw(schedule=cosine(final=.1))", "adamw(schedule=cosine(final=0.1))"),
        ("sgd(warmup=100, lr=1)", "sgd(lr=1,warmup=100)"),
        ("lbfgs(schedule=step(every=9),warmup=2)", "lbfgs(schedule=step(every=9),warmup=2)"),
        ("adam(schedule=constant, warmup=0)", "adam"),
    ],
)
def test_a_schedule_is_written_in_one_way(text, written):
    assert str(optimizer(text)) == written
    assert optimizer(written) == optimizer(text)
    assert optimizer(written).schedule == optimizer(text).schedule


def test_schedules_can_be_swept():
    found = optimizers("adam(schedule=[constant, cosine(epochs=[500, 1000])], warmup=[0, 50])")
    assert [(by.schedule.name, by.schedule.numbers.get("epochs"), by.schedule.warmup)
            for by in found] == [
        ("constant", None, 0), ("constant", None, 50), ("cosine", 500, 0), ("cosine", 500, 50),
        ("cosine", 1000, 0), ("cosine", 1000, 50),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("adam(schedule=cosin)", "unknown schedule of adam 'cosin': did you mean 'cosine'"),
        ("adam(schedule=cosine(epochs=0))", "epochs of cosine: expected a whole number in 1 …"),
        ("adam(schedule=cosine(period=3))", "unknown setting of cosine 'period'"),
        ("adam(schedule=cosine(100))", "give each setting its name"),
        (
            "adam(schedule=linear(final=-1))",
            "final of linear: expected a finite number of",
        ),
        ("adam(schedule=step(factor=0))", "factor of step: expected a finite number above 0"),
        (
            "adam(schedule=0.5)",
            "schedule of adam: expected a name, got 0.5 (float): known",
        ),
        ("adam(schedule=constant(epochs=3))", "constant has no settings"),
        ("adam(warmup=-1)", "warmup of adam: expected a whole number in 0 …"),
        ("adam(warmup=2.5)", "warmup of adam: expected a whole number"),
        ("adam(gamma=0.9, schedule=cosine)", "gamma=0.9 and schedule=cosine are two schedules"),
        ("adam(gamma=0.9, schedule=exponential)", "are two schedules: leave one"),
        ("polyak(warmup=3)", "unknown setting of polyak 'warmup'"),
    ],
)
def test_a_wrong_schedule_says_what_is_wrong(text, fragment):
    with pytest.raises(InputError) as error:
        optimizer(text)
    assert fragment in str(error.value)


def test_the_names_in_the_records_are_torchs_own():
    for record in SCHEDULES.values():
        assert hasattr(lr_scheduler, record.torch.partition("(")[0])
        assert record.formula
