"""Processes that are killed at random points: the same study, run again, loses and doubles nothing.

The kills are real: SIGKILL, to a process of its own. Their times come from a generator with a seed;
what the process does by then is up to the machine.
"""

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from survivor import start, survive
from test_census import assert_same_tally

from attnlogic.errors import InputError
from attnlogic.results import kept_rows, load, select

KINDS = {
    "rows": [],
    "census": ["census"],
    "rows by jax": ["jax"],
    "census by jax": ["census", "jax"],
}
"""What is kept, and what trains: the words for a survivor."""

SECONDS = {"rows": 0.15, "census": 0.3, "rows by jax": 0.3, "census by jax": 0.5}
"""How long after its first part a process is killed, at most: about as long as it takes."""

AN_ABACUS = pytest.mark.parametrize("kind", ["rows", "census"], indirect=True)
JAX = pytest.mark.parametrize("kind", ["rows by jax", "census by jax"], indirect=True)


@pytest.fixture(scope="module")
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, kind):
    """The study that nothing happens to."""
    return survive(tmp_path_factory.mktemp("undisturbed") / "study", *KINDS[kind])


def assert_same(found, expected):
    """All is there, bit for bit: of a census all but sums, which are added in another order."""
    assert not found.unread
    if expected.keeps_rows:
        assert found.table().equals(expected.table())
        return
    assert_same_tally(select(found).tally(), select(expected).tally())
    (rows, matching), (expected_rows, expected_matching) = kept_rows(found), kept_rows(expected)
    assert rows.equals(expected_rows)
    assert matching == expected_matching > 0


def assert_among(found, expected):
    """What is there is sound, and part of the whole."""
    assert not found.unread  # half a part is never under a part's name
    if expected.keeps_rows:
        rows, all_rows = found.table(), expected.table()
    else:
        (rows, _), (all_rows, _) = kept_rows(found), kept_rows(expected)
    same = rows.join(all_rows, on=rows.columns, how="semi", nulls_equal=True)
    assert len(same) == len(rows)


def killed_again_and_again(folder, kind, undisturbed, kills, rng):
    """Kill the study that many times, each some time after its first part; then let it end.

    Returns:
      How many runs were there after each kill; and how many of the processes were killed.
    """
    there, killed = [], 0
    for _ in range(kills):
        with start(folder, *KINDS[kind]) as process:
            assert process.stdout.readline() in ("begun\n", "")  # nothing, where all was done
            try:
                process.wait(rng.uniform(0, SECONDS[kind]))
            except subprocess.TimeoutExpired:
                process.kill()
            assert process.wait() in (0, -signal.SIGKILL), process.stderr.read()
            killed += process.returncode != 0
        runs = load(folder)
        assert_among(runs, undisturbed)
        there.append(len(runs))
    with start(folder, *KINDS[kind]) as process:
        assert process.wait() == 0, process.stderr.read()
    assert there == sorted(there)
    assert_same(load(folder), undisturbed)
    return there, killed


@AN_ABACUS
def test_what_kill_9_leaves_is_kept(tmp_path, kind, undisturbed):
    there, killed = killed_again_and_again(
        tmp_path / "study", kind, undisturbed, 3, random.Random(1)
    )
    assert killed
    assert there[0] < undisturbed.asked


@pytest.mark.long
@AN_ABACUS
@pytest.mark.parametrize("seed", range(10))
def test_what_kill_9_leaves_is_kept_sixty_times(tmp_path, kind, undisturbed, seed):
    _, killed = killed_again_and_again(
        tmp_path / "study", kind, undisturbed, 6, random.Random(seed)
    )
    assert killed


@pytest.mark.long
@JAX
@pytest.mark.parametrize("seed", range(2))
def test_what_kill_9_leaves_of_a_study_by_jax_is_kept(tmp_path, kind, undisturbed, seed):
    killed_again_and_again(tmp_path / "study", kind, undisturbed, 5, random.Random(seed))


KILL_AT = """
import os, signal, sys
from survivor import *
folder, at, *words = sys.argv[1:]
def hear(event, args, seen=[0]):
    if event in ("open", "os.rename", "os.mkdir", "os.remove") and folder in str(args[0]):
        seen[0] += 1
        if seen[0] == int(at):
            os.kill(os.getpid(), signal.SIGKILL)
small_parts()
sys.addaudithook(hear)
survive(folder, *words)
"""


@AN_ABACUS
@pytest.mark.parametrize("at", [1, 2, 3, 8, 13, 34, 43, 44])
def test_a_kill_at_any_touch_of_a_file_is_survived(tmp_path, kind, undisturbed, at):
    """At 43 and 44 a census has put parts together, and removes them one by one."""
    folder, here = tmp_path / "study", str(Path(__file__).parent)
    command = [sys.executable, "-c", KILL_AT, str(folder), str(at), *KINDS[kind]]
    path = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == -signal.SIGKILL
    with suppress(InputError):  # no study yet
        assert_among(load(folder), undisturbed)
    assert_same(survive(folder, *KINDS[kind]), undisturbed)
