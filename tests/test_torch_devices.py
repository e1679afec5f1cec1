"""Where torch trains many seeds: a device that is there, or a clear refusal before any work."""

import re

import numpy as np
import pytest
import torch
from helpers import assert_same, condition, seed_range

from attnlogic.backend import in_order, on_device, one_condition
from attnlogic.errors import InputError
from attnlogic.results import made_alike, same
from attnlogic.studies import Study
from attnlogic.studies.describing import describe
from attnlogic_jax import JAX
from attnlogic_torch import PLAIN, TORCH, backend


def test_the_cpu_is_where_it_trains_anyway():
    batch = one_condition(condition("xor", "adam", 20), seed_range(5))
    one, other = (in_order(where.train(batch)) for where in (TORCH, on_device(TORCH, "cpu")))
    assert_same(one, other)
    assert TORCH.devices()[0].startswith("cpu (")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:99", "meta", "xpu:77"])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(InputError, match=re.escape(f"got '{name}' (str)")):
        on_device(TORCH, name)


@pytest.mark.parametrize(
    ("trainer", "advice"),
    [(JAX, "chooses its device by itself: leave --device out, or set JAX_PLATFORMS"),
     (PLAIN, "torch-plain backend trains on the CPU: leave --device out")],
    ids=["jax", "torch-plain"],
)  # fmt: skip
def test_who_has_no_choice_says_so(trainer, advice):
    with pytest.raises(InputError, match=advice):
        on_device(trainer, "cpu")


def test_mps_has_no_float64(monkeypatch):
    monkeypatch.setattr(backend, "check_device", lambda device: None)
    one = on_device(TORCH, "mps")
    one.check(condition("xor", "adam", 5), 1)
    with pytest.raises(InputError, match="device mps has no float64: use float32"):
        one.check(condition("xor", "adam", 5, precision="float64"), 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("by", ["adamw", "nadam", "asgd", "rprop", "radam", "sgd(gamma=0.99)"])
def test_cuda_trains_the_same_runs(by):
    batch = one_condition(condition("xor", by, 40, precision="float64"), seed_range(300))
    one, other = (in_order(where.train(batch)) for where in (TORCH, on_device(TORCH, "cuda")))
    # Both round some ten times an epoch by 1e-16; see test_torch_together.
    np.testing.assert_allclose(other.final, one.final, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(other.first_hit, one.first_hit)


# --- what a study makes of it ---------------------------------------------------------------------


def test_a_study_goes_on_with_another_device_and_is_another_one_with_another_backend(monkeypatch):
    """Rows of another device may differ in their last bits: by default it has its own folder."""
    monkeypatch.setattr(backend, "check_device", lambda device: None)

    def described(trainer, jobs=1):
        return describe(Study("xor", "adam", seeds=2), trainer, jobs)

    usual = described(TORCH)
    assert same(usual, described(on_device(TORCH, "mps")))
    assert not made_alike(usual, described(on_device(TORCH, "mps")))
    assert made_alike(usual, described(on_device(TORCH, "cpu"), jobs=2))
    assert not same(usual, described(PLAIN))


def test_the_same_command_finds_its_study_again(type_in, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("study", "xor", "-o", "adam", "--seeds", 3, "--epochs", 5, "--backend", "torch")
    assert type_in(*words)[0] == 0
    (folder,) = (tmp_path / "runs").iterdir()
    code, _, err = type_in(*words, "--device", "cpu", "--jobs", 1)
    assert code == 0
    assert f"the same study lies in runs/{folder.name}" in err
    assert len([*(tmp_path / "runs").iterdir()]) == 1
