"""A scheduler of Dask and two workers, each a process, on this machine; and backends for them."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

from abacus import Abacus

from attnlogic_jax.backend import JaxBackend

ROOT = Path(__file__).parent.parent
PATHS = [str(path) for path in (Path(__file__).parent, ROOT, ROOT / "backends")]
ENVIRONMENT = os.environ | {
    "PYTHONPATH": os.pathsep.join(PATHS),
    "DASK_DISTRIBUTED__DASHBOARD__LINK": "",
}


@contextmanager
def cluster(workers=2):
    """Start one; gives its address. Its processes are killed in the end, whatever they do."""
    with ExitStack() as started:
        scheduler = _start(started, "dask_scheduler", "--port", "0", "--no-dashboard")
        address = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at:" in line)
        for _ in range(workers):
            _start(started, "dask_worker", address, *WORKER)
        yield address


WORKER = (
    *("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"),
    *("--death-timeout", "20"),
)


def _start(started, module, *words):
    command = [sys.executable, "-m", f"distributed.cli.{module}", *words]
    if module == "dask_scheduler":
        command += ["--host", "127.0.0.1"]
    log = subprocess.PIPE if module == "dask_scheduler" else subprocess.DEVNULL
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=log, text=True)
    started.callback(process.wait)
    if process.stderr:
        started.callback(process.stderr.close)
    started.callback(process.kill)
    return process


def once(folder, name):
    """Whether this is the first time, in any process."""
    try:
        os.close(os.open(Path(folder) / name, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


class Dying(Abacus):
    """The second time that anybody asks it to train, it is killed: ``kill -9``."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def train(self, batch, **how):
        if not once(self.folder, "begun") and once(self.folder, "killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().train(batch, **how)


class DyingJax(JaxBackend):
    """JAX's, killed likewise."""

    def __init__(self, folder):
        self.folder = folder

    def train(self, batch, **how):
        if not once(self.folder, "begun") and once(self.folder, "killed"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().train(batch, **how)


class Elsewhere(Abacus):
    """In any other process than the one that made it, it is of another version."""

    def __init__(self):
        super().__init__()
        self.home = os.getpid()

    def versions(self):
        return {"abacus": "2700 BC" if os.getpid() == self.home else "1600 AD"}


class Unlucky(Abacus):
    """It fails for good where a run starts with this wq."""

    def __init__(self, wq):
        super().__init__()
        self.wq = wq

    def train(self, batch, **how):
        if self.wq in batch.initial[0]:
            raise ArithmeticError("a wire is broken")
        return super().train(batch, **how)
