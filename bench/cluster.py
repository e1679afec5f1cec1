"""``python -m bench.cluster``: what Dask costs, two workers against one process on the same cores.

Both train the same study. Each worker has a core of its own; the scheduler and the process that
writes share them. Wall time is that from the call to the last file; workers have been started and
JAX imported before, and the code of one study has been compiled in both. The rows are compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

import attnlogic
from attnlogic.results import Runs, Tally
from attnlogic.studies import connected


@contextmanager
def cluster(cores: list[int]) -> Iterator[str]:
    """A scheduler and a worker on each of these cores. Gives the address."""
    module = [sys.executable, "-m"]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        file = str(folder / "scheduler.json")
        local = ["--host", "127.0.0.1", "--no-dashboard"]
        scheduler = [*module, "distributed.cli.dask_scheduler", "--port", "0", *local]
        worker = [*module, "distributed.cli.dask_worker", "--nthreads", "1", "--no-nanny", *local]
        commands = [[*scheduler, "--scheduler-file", file]]
        commands += [
            ["taskset", "-c", str(core), *worker, "--scheduler-file", file] for core in cores
        ]
        for command in commands:
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=folder)
            stack.callback(process.wait)
            stack.callback(process.kill)
        deadline = time.monotonic() + 60
        while not Path(file).exists():
            if time.monotonic() > deadline:
                raise TimeoutError("the scheduler does not start")
            time.sleep(0.1)
        yield json.loads(Path(file).read_text(encoding="utf-8"))["address"]


def main(
    seeds: Annotated[int, typer.Option(help="Seeds of one condition.")] = 10_000_000,
    epochs: Annotated[int, typer.Option(help="Epochs of a run.")] = 1000,
    optimizer: Annotated[str, typer.Option(help="The optimizer.")] = "adamw",
    keep: Annotated[str, typer.Option(help="What is kept: rows, or tally.")] = "rows",
    workers: Annotated[int, typer.Option(help="Workers, each with a core of its own.")] = 2,
    repetitions: Annotated[int, typer.Option(help="How often; in turn.")] = 1,
) -> None:
    """Measure, and print a row for each."""
    cores = sorted(os.sched_getaffinity(0))[:workers]
    os.sched_setaffinity(0, cores)
    study = attnlogic.Study("xor", optimizer, seeds, epochs)
    warm = attnlogic.Study("xor", optimizer, range(2**32 - workers * 2**17, 2**32), epochs)
    with cluster(cores) as address, connected(address) as client:
        client.wait_for_workers(len(cores), timeout=60)
        print(f"{seeds:,} seeds × {epochs} epochs of {optimizer}, cores {cores}, keep {keep}")
        for number in range(-1, repetitions):  # the first one warms up
            what, took = (warm if number < 0 else study), {}
            with TemporaryDirectory() as folder:
                found: dict[str, Runs] = {}
                for name, executor in (("one process", None), (f"{len(cores)} workers", client)):
                    begun = time.perf_counter()
                    found[name] = attnlogic.run(
                        what, out=Path(folder) / name[:1], keep=keep, executor=executor,
                        progress=False,
                    )  # fmt: skip
                    took[name] = time.perf_counter() - begun
                _compare(*found.values())
            if number >= 0:
                one, other = took.values()
                print(
                    "".join(f"{name}: {seconds:.1f} s; " for name, seconds in took.items()), end=""
                )
                print(f"{100 * (other / one - 1):+.1f} %; the same rows", flush=True)


def _compare(one: Runs, other: Runs) -> None:
    """Raise ``ValueError`` if two studies have not the same rows, or the same counts."""
    if one.keeps_rows:
        pairs = zip(one.of_conditions([0]), other.of_conditions([0]), strict=True)
        same = all(
            a[1].lazy().sort("seed").collect().equals(b[1].lazy().sort("seed").collect())
            for a, b in pairs
        )
    else:
        a, b = (attnlogic.select(runs).tally() for runs in (one, other))
        entry = a.counts.columns[:-2]
        same = _sorted(a, entry) == _sorted(b, entry)
    if not same:
        raise ValueError("the cluster's rows are others")


def _sorted(tally: Tally, entry: list[str]) -> list[tuple[object, ...]]:
    return tally.counts.select(entry).sort(entry).rows()


if __name__ == "__main__":
    typer.run(main)
