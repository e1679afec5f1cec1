"""Settings for all tests: property tests draw the same examples on every machine and every run."""

import os
import shutil
import sys
import tempfile
from dataclasses import replace

import pytest
from hypothesis import settings

settings.register_profile("attnlogic", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("attnlogic")

# An array that meets one of more axes may mean a mistake; JAX lets it pass if nobody objects.
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"

_CACHE = tempfile.mkdtemp(prefix="attnlogic-tests-")
os.environ["XDG_CACHE_HOME"] = _CACHE
"""Where the commands under test keep what they would keep in the user's cache folder."""


@pytest.fixture(scope="session", autouse=True)
def _no_folder_is_left():
    yield
    shutil.rmtree(_CACHE, ignore_errors=True)


@pytest.fixture
def runs(tmp_path):
    """A study that has been started."""
    from stored import DESCRIPTION

    from attnlogic.results.store import writing

    return writing.create(tmp_path / "study", DESCRIPTION)


@pytest.fixture
def type_in(monkeypatch, capfd):
    """Runs ``attnlogic`` with these words: exit code, stdout, stderr."""
    from attnlogic.cli import entry

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["attnlogic", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            entry.main()
        out, err = capfd.readouterr()
        return end.value.code or 0, out, err

    monkeypatch.setenv("COLUMNS", "120")
    return run


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study's folder."""
    import attnlogic

    chosen = attnlogic.Study(["xor", "true"], ["adam", "sgd(lr=50)"], seeds=8, epochs=300)
    return attnlogic.run(chosen, out=tmp_path_factory.mktemp("study") / "demo", progress=False)


@pytest.fixture
def on_a_cpu():
    """Skips a test of what a CPU alone does: see ``Platform.by_core``."""
    from attnlogic_jax.devices import here

    if not here().by_core:
        pytest.skip("cores that take groups in turn: this platform takes all groups at once")


@pytest.fixture
def cores(monkeypatch):
    """Sets the number of cores that train, each a chunk; other platforms train one at a time."""
    from attnlogic_jax import devices, parallel

    def count(number):
        now = replace(devices.here(), cores=number)
        monkeypatch.setattr(parallel, "here", lambda: now)

    return count


@pytest.fixture
def compilations():
    """The names of the functions compiled since the last clear()."""
    import jax

    names = []

    def hear(event, seconds, **about):
        if event.endswith("backend_compile_duration"):
            names.append(about["fun_name"])

    jax.monitoring.register_event_duration_secs_listener(hear)
    yield names
    jax.monitoring.unregister_event_duration_listener(hear)


@pytest.fixture
def often(monkeypatch):
    """Studies write many small files; those of a census are put together once there are four."""
    from attnlogic.results.counts import census
    from attnlogic.studies import collecting, parts, pieces

    for module in (parts, collecting):
        monkeypatch.setattr(module, "PART_SECONDS", 0)
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", 25)
    monkeypatch.setattr(census, "MOST_PARTS", 4)
