"""What depends on the platform: chosen from what is passed, and from the memory of its devices."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import condition, seed, seed_range

import attnlogic_jax
from attnlogic.backend import Training, one_condition
from attnlogic.errors import InputError
from attnlogic.optimizers import optimizer
from attnlogic.problems import OwnLoss, problem
from attnlogic_jax import JAX, backend, compiled, devices, parallel
from attnlogic_jax.contexts import captured
from attnlogic_jax.given import given
from attnlogic_jax.memory import limits, seed_bytes
from attnlogic_jax.platforms import MEMORY_SHARE, Platform

GIB = 2**30


class Device(NamedTuple):
    """A device of JAX's, as far as it is asked."""

    platform: str
    stats: dict[str, Any] | None

    def memory_stats(self):
        return self.stats


def test_only_one_file_asks_jax_where_it_runs():
    asks = re.compile(
        r"default_backend|local_devices|(?<!_)jax\.devices|memory_stats|\bplatform\(\)"
    )
    files = Path(attnlogic_jax.__file__).parent.glob("*.py")
    assert [file.name for file in files if asks.search(file.read_text())] == ["devices.py"]


# --- memory -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ([{"bytes_limit": 80 * GIB, "bytes_in_use": 5}], 80 * GIB),
        ([{"bytes_limit": 80 * GIB}, {"bytes_limit": 40 * GIB}], 40 * GIB),
        ([None], None),  # a CPU
        ([{"bytes_in_use": 5}], None),  # another allocator's
        ([None, {"bytes_limit": 40 * GIB}], 40 * GIB),
    ],
)
def test_memory_is_that_of_the_smallest_device(stats, expected):
    there = [Device("gpu", each) for each in stats]
    found = devices.of(there, cores=3)
    assert found.memory == expected
    assert found.shares == len(there)
    assert found.workers == 1
    assert found == Platform("cuda", tuple(there))  # memory is not compiled in


LARGE = OwnLoss(
    lambda seed: {"w": np.zeros((20, 20))}, lambda p: (p["w"] ** 2).sum(), "400 numbers"
)
WORK = [
    ("attention", "xor", "adamw"),
    ("mlp(hidden=60)", "xor", "adamw"),
    ("attention", "xor", "lbfgs"),
    (LARGE, None, "adamw"),
]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("model", "gate", "by"), WORK, ids=str)
def test_a_chunk_fits_in_half_of_a_devices_memory(model, gate, by, precision):
    training = Training(problem(gate, model), optimizer(by), 10, precision=precision)
    needed = seed_bytes(compiled.Plan.of(training, Platform("gpu")), training)
    busy = limits(compiled.Plan.of(training, Platform("gpu")), training)[0]
    for memory in (2**20, 2**28, GIB, 80 * GIB):
        plan = compiled.Plan.of(training, Platform("gpu", memory=memory))
        chunk, group = limits(plan, training)
        assert group == chunk  # all at once
        assert chunk == max(1, min(busy, int(memory * MEMORY_SHARE) // needed))
    tiny = compiled.Plan.of(training, Platform("gpu", memory=1))
    assert limits(tiny, training) == (1, 1)


def test_the_memory_of_a_device_decides_how_seeds_are_laid_out():
    batch = one_condition(condition("xor", "lbfgs", 10), seed_range(4096))
    sizes = {
        memory: [chunk.runs.size for chunk in parallel.layout(batch, Platform("gpu", (), memory))]
        for memory in (None, 8 * GIB, 8 * 2**20)
    }
    assert sizes[None] == sizes[8 * GIB] == [4096]
    assert len(sizes[8 * 2**20]) > 4
    two = Platform("gpu", tuple("ab"), 80 * GIB)
    assert [chunk.runs.size for chunk in parallel.layout(batch, two)] == [4096]


@pytest.mark.parametrize(("model", "gate", "by"), [WORK[0], WORK[3]], ids=str)
def test_what_a_seed_takes_is_no_less_than_what_xla_allots(model, gate, by):
    """As compiled for this machine, all seeds at once: the half that is left is room for more."""
    training, seeds = Training(problem(gate, model), optimizer(by), 10), 4096
    plan, numbers = compiled.Plan.of(training, Platform("gpu")), given([training])
    packed = jnp.zeros((len(training.problem.names), seeds))
    carry = compiled.start(plan, numbers, packed)
    for lowered in (
        compiled.advance.jitted(plan.platform).lower(plan, numbers, carry, 1),
        compiled.finish.jitted(plan.platform).lower(plan.ending(numbers), numbers, packed, carry),
    ):
        found = lowered.compile().memory_analysis()
        bytes_ = found.argument_size_in_bytes + found.temp_size_in_bytes
        bytes_ += found.output_size_in_bytes - found.alias_size_in_bytes
        assert bytes_ / seeds <= seed_bytes(plan, training) / MEMORY_SHARE


# --- what a platform cannot do, or does otherwise -------------------------------------------------


def test_a_tpu_refuses_float64_before_any_work(monkeypatch):
    monkeypatch.setattr(backend, "here", lambda: Platform("tpu"))
    training = condition("xor", "adam", 10, precision="float64")
    for work in (
        lambda: JAX.check(training, 1),
        lambda: JAX.train(one_condition(training, seed_range(1))),
        lambda: JAX.history(training, seed(0)),
    ):
        with pytest.raises(InputError, match=r"a TPU has no float64.*JAX_PLATFORMS=cpu"):
            work()
    JAX.check(condition("xor", "adam", 10), 1)


@pytest.mark.parametrize(
    ("name", "users", "expected"),
    [
        ("cpu", None, None),
        ("gpu", None, "highest"),
        ("tpu", None, "highest"),
        ("gpu", "tensorfloat32", "tensorfloat32"),
    ],
)
def test_matrix_products_have_float32s_digits_unless_the_user_chose(name, users, expected):
    with jax.default_matmul_precision(users):
        settings = captured("float32", Platform(name))
    with settings():
        assert jax.config.jax_default_matmul_precision == expected


def test_a_platform_that_is_not_known_is_treated_as_a_gpu():
    other = Platform("abacus")
    training = condition("xor", "adam", 10)
    sizes = [limits(compiled.Plan.of(training, one), training) for one in (other, Platform("gpu"))]
    assert sizes[0] == sizes[1]
    assert not other.by_core
    assert not other.needs_barriers
    assert other.unroll == 1
