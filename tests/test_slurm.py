"""SLURM through dask-jobqueue: real job scripts, run by a stand-in for its ``sbatch``."""

import os
import signal
import subprocess

import pytest
from cluster import ENVIRONMENT

import attnlogic
from attnlogic.errors import InputError

answer = signal.getsignal(signal.SIGINT)
dask_jobqueue = pytest.importorskip("dask_jobqueue", reason="pip install 'attnlogic[test]'")
signal.signal(signal.SIGINT, answer)  # which that import makes a SystemExit, for all tests
distributed = pytest.importorskip("distributed", reason="pip install 'attnlogic[cluster]'")

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="job scripts are of a Unix shell"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]  # Dask's own

JOBS = {"cores": 1, "job_cpu": 16, "processes": 1, "memory": "8GB", "walltime": "01:00:00"}
"""As the README has them: a job is one worker with one thread, and has all cores of a machine."""

HERE = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
SBATCH = """#!/bin/sh
script=$(cat "$1")  # which is removed at once
setsid sh -c "$script" > /dev/null 2>&1 < /dev/null &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
for job in "$@"; do kill -- "-$job"; done
"""


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A cluster whose jobs run on this machine, at once."""
    for name, content in {"sbatch": SBATCH, "scancel": SCANCEL}.items():
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
    with dask_jobqueue.SLURMCluster(**JOBS, scheduler_options=HERE) as found:
        yield found


def test_a_job_is_a_worker_of_one_thread_that_has_all_cores(cluster):
    script = cluster.job_script()
    for line in ("#SBATCH --cpus-per-task=16", "#SBATCH --mem=8G", "#SBATCH -t 01:00:00"):
        assert line in script.splitlines()
    assert " --nthreads 1 " in script
    assert "--nworkers" not in script
    assert subprocess.run(["sh", "-n"], input=script, text=True).returncode == 0


def test_the_rows_are_those_of_one_machine(tmp_path, cluster):
    study = attnlogic.Study("xor", "polyak", seeds=300, epochs=50)
    local = attnlogic.run(study, out=tmp_path / "local", progress=False)
    with distributed.Client(cluster) as client:
        with pytest.raises(InputError, match=r"no worker: .*wait_for_workers\(1\)"):
            attnlogic.run(study, out=tmp_path / "study", executor=client, progress=False)
        cluster.scale(jobs=1)
        client.wait_for_workers(1, timeout=60)
        found = attnlogic.run(study, out=tmp_path / "study", executor=client, progress=False)
    assert found.table().equals(local.table())
