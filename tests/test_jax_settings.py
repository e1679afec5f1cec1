"""The user's own JAX: its settings hold while we train, and what it cannot do is said in a line."""

import os
import subprocess
import sys
import warnings
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attnlogic.backend import Training
from attnlogic.errors import InputError
from attnlogic.optimizers import optimizer
from attnlogic.problems import gate, initial_params
from attnlogic_jax import JAX, chunks, method, optimizers, xla


def typed(*words, **environment):
    """The finished command, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "attnlogic", *words],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


STUDY = ("study", "xor", "-o", "adamw", "-o", "polyak", "--seeds", "40", "--epochs", "60")


@pytest.mark.parametrize(
    "environment", [{"JAX_NUMPY_RANK_PROMOTION": "raise"}, {"JAX_DEBUG_NANS": "1"}], ids=str
)
@pytest.mark.parametrize("until", ["budget", "hit"])
def test_a_study_runs_under_the_users_settings(tmp_path, environment, until):
    done = typed(*STUDY, "--until", until, "--out", str(tmp_path / "demo"), **environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_a_nan_of_a_run_is_one_line_where_jax_was_asked_to_stop_at_it(tmp_path):
    words = ("study", "xor", "-o", "sgd(lr=50)", "--seeds", "40", "--epochs", "60")
    done = typed(*words, "--out", str(tmp_path / "demo"), JAX_DEBUG_NANS="1")
    assert done.returncode == 1
    assert "Traceback (most recent call last)" not in done.stderr
    assert "JAX_DEBUG_NANS" in done.stderr or "nan" in done.stderr.casefold()


@pytest.mark.parametrize("platform", ["cuda", "toaster"])
@pytest.mark.parametrize("command", ["study", "train xor", "backends"])
def test_a_framework_that_cannot_start_is_one_line(tmp_path, platform, command):
    out = ("--out", str(tmp_path / "demo")) if command == "study" else ()
    done = typed(*command.split(), *out, JAX_PLATFORMS=platform)
    text = done.stderr or done.stdout
    assert f"JAX cannot start with JAX_PLATFORMS={platform}" in text
    assert "Unset JAX_PLATFORMS" in text
    assert "Traceback" not in text
    assert done.returncode == (0 if command == "backends" else 2)
    assert [*tmp_path.iterdir()] == []


def test_settings_made_around_the_call_hold_in_the_threads(monkeypatch):
    seen, train_chunk = [], chunks.train_chunk

    def look(*arguments):
        config = jax.config
        seen.append(
            (config.jax_debug_nans, config.jax_numpy_rank_promotion, config.jax_default_device)
        )
        return train_chunk(*arguments)

    monkeypatch.setattr("attnlogic_jax.parallel.train_chunk", look)
    device = jax.devices()[0]
    starts = initial_params(np.arange(200))
    with jax.debug_nans(True), jax.numpy_rank_promotion("raise"), jax.default_device(device):
        outcomes = JAX.train(Training(gate("xor"), optimizer("adam"), 5), starts)
    list(outcomes)  # the settings are those of the call
    assert set(seen) == {(True, "raise", device)}


def test_an_option_that_xla_has_dropped_costs_a_warning_and_no_more(monkeypatch):
    monkeypatch.setattr(xla, "VECTORS", {"xla_cpu_option_of_the_past": 512})
    xla.options.cache_clear()
    try:
        with pytest.warns(UserWarning, match="about a third longer"):
            assert xla.options() == {}
        with warnings.catch_warnings():  # probed once
            warnings.simplefilter("error")
            assert xla.options() == {}
    finally:
        xla.options.cache_clear()
    monkeypatch.undo()
    assert xla.options() == xla.VECTORS


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("gamma", [0.9995, 0.99, 0.9])
def test_the_rate_of_a_late_epoch_is_that_of_exact_arithmetic(gamma, precision):
    """float32's own power of gamma would be off by 2e-4 after 8000 epochs of 0.9995."""
    with jax.enable_x64(precision == "float64"):
        for epoch in (0, 1, 100, 800):
            found = float(method.rate(0.05, gamma, jnp.asarray(epoch, jnp.int32)))
            exact = float(Fraction(0.05) * Fraction(gamma) ** epoch)
            # epoch·log(gamma) is rounded once: relative to its own size, half a unit in the last
            # place; a power of the rounded gamma is off by epoch times that of gamma.
            size = abs(epoch * np.log(gamma)) + 4
            assert found == pytest.approx(exact, rel=size * np.finfo(precision).eps)


def test_an_optimizer_that_the_backend_lacks_is_refused(monkeypatch):
    monkeypatch.delitem(optimizers.JAX_OPTIMIZERS, "adam")
    with pytest.raises(InputError, match="unknown optimizer of the jax backend 'adam'"):
        JAX.check(Training(gate("xor"), optimizer("adam"), 5), 1)
