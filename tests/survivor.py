"""``python survivor.py DIR [census] [jax] [pause] [small]``: a study, in a process to be killed.

It trains on an abacus; with ``jax`` with JAX. With ``census`` it keeps tallies. It says ``begun``
once it has written its first part; on the abacus, with ``pause``, it then waits for its stdin to
end. With ``small`` no file may be larger than a few thousand bytes.
"""

import resource
import subprocess
import sys
from pathlib import Path

from abacus import Abacus, work

from attnlogic.results.counts import census
from attnlogic.studies import Study, collecting, parts, pieces, run

HERE = Path(__file__).parent
STUDY = Study(["xor", "nand"], ["sgd", "adam"], seeds=150, threshold=0.3)
JAX_STUDY = Study(["xor", "nand"], ["sgd", "polyak"], seeds=20_000, epochs=200)
CENSUS = {"keep": "tally", "keep_rows": "wq > 0.5"}


class Pausing(Abacus):
    """An abacus that waits once the first outcomes have been written."""

    def _outcomes(self, batch, on_progress):
        for number, outcome in enumerate(super()._outcomes(batch, on_progress)):
            yield outcome
            if number == 0:
                sys.stdin.read()


def small_parts(runs=1, at_once=100):
    """Many parts, so that most of the time goes by while one is written."""
    parts.PART_ROWS, pieces.RUNS_AT_ONCE = runs, at_once
    collecting.PART_SECONDS, census.MOST_PARTS = 0, 4


def say_begun():
    """Say so once the first part has its name: the next file is opened."""
    said = []

    def hear(event, arguments):
        if said == ["soon"]:
            said.append("begun")
            print("begun", flush=True)
        if event == "os.rename" and str(arguments[1]).endswith(".parquet") and not said:
            said.append("soon")

    sys.addaudithook(hear)


def start(directory, *words):
    """A process that runs the study."""
    command = [sys.executable, str(HERE / "survivor.py"), str(directory), *words]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, text=True, **pipes)


def survive(directory, *words):
    """Run the study here."""
    how = CENSUS if "census" in words else {}
    if "jax" in words:
        return run(JAX_STUDY, out=directory, progress=False, **how)
    size = 12 if how else 4  # to count takes longer than to write rows
    backend = Pausing(size) if "pause" in words else Abacus(size)
    return work(directory, backend, STUDY, **how)


if __name__ == "__main__":
    small_parts(*([2048, 2**13] if "jax" in sys.argv else []))
    if "small" in sys.argv:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))  # less than a part has
    say_begun()
    survive(*sys.argv[1:])
