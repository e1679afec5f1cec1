"""``python survivor.py DIR [pause] [small]``: a study on an abacus, in a process to be killed.

It says ``begun`` once it has written its first part; with ``pause`` it then waits for its stdin to
end. With ``small`` no file may be larger than a few thousand bytes.
"""

import resource
import subprocess
import sys
from pathlib import Path

from abacus import Abacus, work

from attnlogic.studies import Study, parts, pieces

HERE = Path(__file__).parent
STUDY = Study(["xor", "nand"], ["sgd", "adam"], seeds=150, threshold=0.3)


class Paced(Abacus):
    """An abacus that says when the first outcomes have been written."""

    def __init__(self, pause=False):
        super().__init__(size=4)
        self.pause = pause

    def _outcomes(self, batch, on_progress):
        for number, outcome in enumerate(super()._outcomes(batch, on_progress)):
            yield outcome
            if number == 0:
                print("begun", flush=True)
                if self.pause:
                    sys.stdin.read()


def small_parts():
    """Many parts, so that most of the time goes by while one is written."""
    parts.PART_ROWS, pieces.RUNS_AT_ONCE = 1, 100


def start(directory, *words):
    """A process that runs the study."""
    command = [sys.executable, str(HERE / "survivor.py"), str(directory), *words]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, text=True, **pipes)


if __name__ == "__main__":
    small_parts()
    if "small" in sys.argv:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))  # less than a part has
    work(sys.argv[1], Paced("pause" in sys.argv), STUDY)
