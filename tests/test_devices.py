"""Several devices: each trains its share of the seeds, and every run is the same to the last bit.

JAX makes a CPU into several virtual devices only before it starts, so this is shown in a process of
its own.
"""

import os
import subprocess
import sys

import helpers
import numpy as np
import pytest

from attnlogic.backend import Batch, Points, in_order, one_condition
from attnlogic_jax import JAX, parallel
from attnlogic_jax.platforms import Platform

SEEDS = 300
CASES = [
    ("adamw", 203, "budget"), ("polyak", 100, "budget"), ("lbfgs", 12, "budget"),
    ("adamw", 403, "hit"),
    ("adamw", 203, "budget", "nand", "or"), ("lbfgs", 12, "budget", "nand", "or"),
    ("adamw", 403, "hit", "nand", "or"),
]  # fmt: skip
"""Optimizer, budget, until, and the gates beside xor in one batch."""


def leaves(by, epochs, until, *more):
    trainings = tuple(
        helpers.condition(gate, by, epochs, threshold=1e-2, until=until) for gate in ("xor", *more)
    )
    which = np.repeat(np.arange(len(trainings), dtype=np.int32), SEEDS)
    starts = np.tile(helpers.seed_range(SEEDS), len(trainings))
    runs = in_order(JAX.train(Batch(trainings, which, starts)))
    return [*helpers.leaves(runs).values()]


POINTS = ("sgd", "lbfgs")
"""Optimizers of runs that each have a learning rate for themselves."""


def points(by):
    training = helpers.condition("xor", by, 60)
    rates = np.geomspace(0.01, 0.5, SEEDS)
    runs = JAX.train_points(Points(training, {"lr": rates}, helpers.seed_range(SEEDS)))
    return [*helpers.leaves(in_order(runs)).values()]


SCRIPT = """
import sys
import jax, numpy as np
from attnlogic_jax import JAX
from attnlogic_jax import chunks, devices, platforms
import test_devices as this
from exported import lowered
from helpers import condition
platforms.USUAL.chunk["cpu"], platforms.WITH_HISTORY.chunk["cpu"] = 50, 25
chunks.MIN_COMPACTED_CHUNK = 64
assert len(jax.devices()) == len(JAX.devices()) == 8
with jax.default_device("cpu"):  # to JAX that means the first one
    assert devices.devices() == jax.devices()[:1]
exported = lowered("cuda", condition("xor", "adamw", 10), devices=tuple(jax.devices()))
assert exported.nr_devices == 8
text = exported.mlir_module()
assert "manual_computation" in text  # each does its share by itself
assert not any(word in text for word in ("all_reduce", "all_gather", "all_to_all", "permute"))
np.savez(sys.argv[1], **{str(i): np.stack(this.leaves(*case)) for i, case in enumerate(this.CASES)},
         **{by: np.stack(this.points(by)) for by in this.POINTS})
"""


@pytest.fixture(scope="module")
def on_eight(tmp_path_factory):
    """The cases' leaves, from a process with eight devices."""
    file = tmp_path_factory.mktemp("devices") / "leaves.npz"
    env = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path]),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, file], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return np.load(file)


@pytest.mark.usefixtures("on_a_cpu")
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_on_eight_devices_every_run_is_the_same(on_eight, case):
    np.testing.assert_array_equal(on_eight[str(CASES.index(case))], np.stack(leaves(*case)))


@pytest.mark.usefixtures("on_a_cpu")
@pytest.mark.parametrize("by", POINTS)
def test_on_eight_devices_every_run_with_a_setting_of_its_own_is_the_same(on_eight, by):
    np.testing.assert_array_equal(on_eight[by], np.stack(points(by)))


@pytest.mark.parametrize(
    ("by", "expected"),
    [("adam", {10: 192, 1000: 1152, 49_152: 49_152, 49_153: 24_960}),
     ("lbfgs", {10: 192, 1000: 1152, 1536: 1536, 1537: 960})],
)  # fmt: skip
def test_each_device_trains_its_share_of_a_chunk(by, expected):
    on, found = Platform("cpu", tuple("abc")), {}
    for count in expected:
        batch = one_condition(helpers.condition("xor", by, 1), helpers.seed_range(count))
        (found[count],) = {chunk.runs.size for chunk in parallel.layout(batch, on)}
    assert found == expected
