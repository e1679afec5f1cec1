"""The user's own JAX: its settings hold in every thread, and none of them is in the way."""

import os
import subprocess
import sys
import threading
from contextlib import ExitStack

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_same, condition, leaves, seed, seed_range, trained

from attnlogic.backend import one_condition
from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS
from attnlogic.outcomes import NONE
from attnlogic.problems import initial_params
from attnlogic_jax import JAX, compiled, devices, parallel, trainer, xla
from attnlogic_jax.contexts import CARRIED

SET = {
    "check_tracer_leaks": True,
    "debug_nans": True,
    "default_device": "cpu",
    "default_matmul_precision": "float32",
    "disable_jit": True,
    "explain_cache_misses": True,
    "log_compiles": True,
    "numpy_dtype_promotion": "strict",
    "numpy_rank_promotion": "warn",
}
"""A value of each of the settings that are carried over, which is not its default."""


def setting(name):
    return getattr(jax.config, f"jax_{name}")


# --- settings of a with block -------------------------------------------------------------------


class SeenError(Exception):
    """Ends the work once the settings have been seen."""


def test_every_setting_that_is_carried_is_tested():
    assert set(SET) == set(CARRIED)


@pytest.mark.parametrize("name", CARRIED)
def test_the_callers_settings_hold_in_every_thread(monkeypatch, name):
    seen = []

    def look(*_, **__):
        seen.append((threading.current_thread(), setting(name)))
        raise SeenError

    monkeypatch.setattr(parallel, "train_chunk", look)
    monkeypatch.setattr(compiled, "trace", look)
    before = setting(name)
    assert before != SET[name]
    with getattr(jax, name)(SET[name]):
        outcomes = JAX.train(one_condition(condition("xor", "adam", 20), seed_range(2)))
        parts = JAX.history(condition("xor", "adam", 20), seed(0))
    assert setting(name) == before
    # They are those of the call, wherever the results are asked for.
    with pytest.raises(SeenError):
        next(outcomes)
    with pytest.raises(SeenError):
        next(parts)
    (worker, there), (_, here) = seen
    assert worker is not threading.main_thread()
    assert there == here == SET[name]
    assert setting(name) == before


def test_between_the_parts_of_a_history_the_callers_settings_hold():
    for _ in JAX.history(condition("xor", "adam", 200, precision="float64"), seed(0)):
        assert not jax.config.jax_enable_x64
        assert not jax.config.jax_debug_infs


WATCHFUL = {
    "check_tracer_leaks": True,
    "debug_infs": True,
    "debug_nans": True,
    "enable_x64": True,
    "numpy_dtype_promotion": "strict",
    "numpy_rank_promotion": "raise",
    "transfer_guard": "disallow",
}
"""JAX's settings that make errors of what might be a mistake."""


LEFT_OUT = {"lbfgs_zoom", "adamw", "amsgrad", "nadamw", "sgd"}
"""The first takes ten seconds to compile, each time; others have the code of one that is left."""

WATCHED = [
    *sorted(OPTIMIZERS.keys() - LEFT_OUT),
    "sgd(momentum=0.9)",
    "adam(gamma=0.99, amsgrad=True)",
]


@pytest.mark.parametrize("by", WATCHED)
def test_watchful_settings_find_nothing_and_change_nothing(by):
    """Some of these runs never hit, and what does not exist is NaN: that is no one's mistake."""
    done, starts = condition("xor", by, 20, threshold=0.1), seed_range(8)
    plain = trained("jax", done, starts)
    losses = [part.losses for part in JAX.history(done, seed(0))]
    with ExitStack() as stack:
        for name, value in WATCHFUL.items():
            stack.enter_context(getattr(jax, name)(value))
        watched = trained("jax", done, starts)
        same = [part.losses for part in JAX.history(done, seed(0))]
    assert (plain.first_hit == NONE).any()
    assert_same(watched, plain)
    np.testing.assert_array_equal(np.concatenate(losses), np.concatenate(same))


SCHEDULED = [
    "adam(gamma=0.99)", "lbfgs(gamma=0.99)", "sgd(schedule=linear(epochs=9),warmup=2)",
    "sgd(schedule=cosine(epochs=9,final=0.1))", "sgd(schedule=step(every=2))",
]  # fmt: skip


@pytest.mark.parametrize("by", [*OPTIMIZERS, *SCHEDULED])
def test_the_pure_function_promotes_neither_dtypes_nor_ranks(by):
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        for wide in (False, True):
            with jax.enable_x64(wide):
                params = jax.tree.map(jnp.asarray, initial_params(range(2)))
                jax.eval_shape(trainer("xor", by, epochs=3), params)
                jax.eval_shape(jax.vmap(trainer("xor", by, epochs=3)), params)


@pytest.mark.parametrize("until", ["budget", "hit"])
def test_a_search_for_nan_finds_a_run_that_diverges(until):
    diverging = condition("xor", "sgd(lr=50)", 60, until=until)
    assert (trained("jax", diverging, seed_range(2)).diverged_at != NONE).all()
    with jax.debug_nans(True):
        with pytest.raises(FloatingPointError):
            next(JAX.train(one_condition(diverging, seed_range(2))))
        with pytest.raises(FloatingPointError):
            list(JAX.history(diverging, seed(0)))


def test_without_jit_it_is_slow_and_the_same():
    done = condition("xor", "sgd", 2, precision="float64")
    compiled_ = trained("jax", done, seed_range(2))
    with jax.disable_jit():
        step_by_step = trained("jax", done, seed_range(2))
    # Uncompiled code fuses no multiplication with an addition: two epochs of that.
    for one, other in zip(leaves(compiled_).values(), leaves(step_by_step).values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


# --- settings of the environment ----------------------------------------------------------------


def command(*words, **environment):
    """The finished command, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "attnlogic", *map(str, words)],
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("until", ["budget", "hit"])
def test_a_study_runs_under_every_watchful_setting_of_the_environment(tmp_path, until):
    names = {f"JAX_{name.upper()}": str(int(v) if v is True else v) for name, v in WATCHFUL.items()}
    words = ["study", "xor", "-o", "adamw", "-o", "polyak", "--seeds", 64, "--epochs", 60]
    done = command(*words, "--until", until, "--out", tmp_path / "runs", **names)
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stderr


def test_a_nan_of_a_run_is_one_line_where_jax_was_asked_to_stop_at_it(tmp_path):
    words = ["study", "xor", "-o", "sgd(lr=50)", "--seeds", 40, "--epochs", 60]
    done = command(*words, "--out", tmp_path / "runs", JAX_DEBUG_NANS="1")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "nan" in done.stderr.casefold()


@pytest.mark.parametrize("words", ["study", "train xor", "backends"])
def test_a_platform_that_does_not_exist_is_an_error_in_one_line(tmp_path, words):
    out = ["--out", tmp_path / "runs"] if words == "study" else []
    done = command(*words.split(), *out, JAX_PLATFORMS="abacus")
    assert done.returncode == (0 if words == "backends" else 2)
    (line,) = [one for one in (done.stdout + done.stderr).splitlines() if "JAX_PLATFORMS" in one]
    assert "JAX cannot start with JAX_PLATFORMS=abacus" in line
    assert "Unset JAX_PLATFORMS" in line
    assert "attnlogic[cuda]" in line
    assert "Traceback" not in done.stderr
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("error", [AssertionError(), RuntimeError("no CUDA.\nmore\nlines")])
def test_so_is_a_platform_without_devices(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(jax, "local_devices", fail)
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    for work in (
        lambda: JAX.check(condition("xor", "adam", 20), 1),
        lambda: JAX.train(one_condition(condition("xor", "adam", 20), seed_range(1))),
        lambda: JAX.history(condition("xor", "adam", 20), seed(0)),
        JAX.devices,
    ):
        with pytest.raises(InputError, match="JAX cannot start with JAX_PLATFORMS=cuda: ") as found:
            work()
        assert "\n" not in str(found.value)


def test_a_platforms_name_as_the_default_device_means_its_first_device():
    with jax.default_device("cpu"):
        assert devices.devices() == [jax.local_devices(backend="cpu")[0]]
    with jax.default_device(jax.local_devices()[-1]):
        assert devices.devices() == [jax.local_devices()[-1]]
    assert devices.devices() == jax.local_devices()


# --- what XLA is asked for ----------------------------------------------------------------------


@pytest.mark.usefixtures("on_a_cpu")  # whose compiler is asked for options
def test_an_option_that_xla_has_dropped_costs_a_warning_and_no_training(monkeypatch):
    usual = trained("jax", condition("xor", "adam", 20), seed_range(4))
    monkeypatch.setattr(xla, "VECTORS", {"xla_cpu_no_such_option": 512})
    for function in (compiled.start, compiled.advance, compiled.finish):
        monkeypatch.setattr(function, "_made", {})
    xla.options.cache_clear()
    try:
        with pytest.warns(UserWarning, match="xla_cpu_no_such_option.*a third longer") as heard:
            without = trained("jax", condition("xor", "adam", 20), seed_range(4))
        assert len(heard) == 1  # for three functions, in two threads
    finally:
        xla.options.cache_clear()
    for one, other in zip(leaves(usual).values(), leaves(without).values(), strict=True):
        # Vectors of another width: the same operations, in whatever order XLA fuses them.
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.usefixtures("on_a_cpu")  # whose compiler is asked
def test_the_options_in_use_are_known_to_this_xla():
    assert xla.options(devices.here()) == xla.VECTORS | xla.NO_LIBRARY
