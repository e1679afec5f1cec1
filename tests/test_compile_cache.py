"""Compiled code is kept between commands, where it belongs, unless it is not wanted."""

import os
import subprocess
import sys

import pytest

from attnlogic.cli import compile_cache as cache

NAMES = (
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS",
    "JAX_ENABLE_COMPILATION_CACHE",
)


@pytest.fixture
def environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    yield os.environ
    for name in set(os.environ) - set(before):
        del os.environ[name]


def test_a_second_command_compiles_nothing(tmp_path):
    """Two commands in fresh processes: the second adds nothing to what the first kept."""
    env = {k: v for k, v in os.environ.items() if k not in NAMES}
    env |= {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "attnlogic", "train", "xor", "-o", "sgd", "--epochs", "9"]
    kept = []
    for words in ([*command, "--no-cache"], command, command):
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
        assert "Epoch 0" in done.stdout
        kept.append(set(tmp_path.rglob("*-cache")))
    assert kept[0] == set()
    assert kept[1] == kept[2] != set()


def test_a_study_without_a_folder_keeps_it_too(tmp_path):
    """Where a study looks for its folder before it trains."""
    env = {k: v for k, v in os.environ.items() if k not in NAMES}
    env |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    words = ["study", "xor", "-o", "sgd", "--seeds", "4", "--epochs", "9"]
    command = [sys.executable, "-m", "attnlogic", *words]
    subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, check=True)
    assert [*tmp_path.rglob("*-cache")]
    assert len([*(tmp_path / "runs").iterdir()]) == 1


def test_what_the_user_has_set_stays(environment):
    environment["JAX_COMPILATION_CACHE_DIR"] = "mine"
    cache.keep_compiled()
    assert environment["JAX_COMPILATION_CACHE_DIR"] == "mine"


def test_the_folder_tells_processors_apart(monkeypatch):
    here = cache.folder()
    monkeypatch.setattr(cache, "_features", lambda: "flags: other")
    assert cache.folder().parent == here.parent
    assert cache.folder() != here


def test_it_can_be_switched_off(environment):
    cache.keep_compiled(False)
    assert environment["JAX_ENABLE_COMPILATION_CACHE"] == "false"
    assert "JAX_COMPILATION_CACHE_DIR" not in environment
