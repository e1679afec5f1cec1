"""Running a study: backends hand outcomes back, and only this process writes them to disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from attnlogic.backend import Backend
from attnlogic.backend import backend as find
from attnlogic.errors import InputError, described
from attnlogic.results import Counter, Runs, load, open_study
from attnlogic.settings import whole
from attnlogic.studies.allocator import give_back_memory
from attnlogic.studies.describing import by_kind, describe
from attnlogic.studies.elsewhere import train_elsewhere
from attnlogic.studies.executors import check_workers, pool_of
from attnlogic.studies.folders import directory_of, new_directory
from attnlogic.studies.here import train_here
from attnlogic.studies.keeping import keeping
from attnlogic.studies.progress import Progress
from attnlogic.studies.resuming import said_of
from attnlogic.studies.signals import raised
from attnlogic.studies.study import Study
from attnlogic.studies.units import Kind
from attnlogic.studies.work import Work
from attnlogic.words import printable


def run(
    study: Study,
    backend: str | Backend = "jax",
    out: str | os.PathLike[str] | None = None,
    *,
    jobs: int = 1,
    progress: bool | None = None,
    extend: bool = False,
    again: bool = False,
    keep: str = "rows",
    keep_rows: str | None = None,
    executor: Executor | Any = None,
) -> Runs:
    """Run a study, writing its runs to disk as they come; or train what is missing of one.

    Args:
      study: the conditions and seeds.
      backend: a backend, or its name.
      out: a new or empty folder, or that of the same study: what is there and sound is kept, what
        is missing or damaged is trained. None for the folder under ``runs/`` that has this study,
        or else a new one there, named by the time of day.
      jobs: the number of processes, for a backend that uses several.
      progress: True for a progress bar on stderr, False for nothing there; None for a bar where
        stderr is a terminal, and else for a line now and then.
      extend: whether conditions and seeds that the folder's study has not are added to it.
      again: whether, without ``out``, a study that is under ``runs/`` is trained once more.
      keep: what is kept on disk: ``"rows"``, one for each run; or ``"tally"``: of each condition
        the counts from which statistics are made, whose size does not grow with the runs. This
        process then gives back to the system what it frees, for as long as it lives.
      keep_rows: with ``"tally"``: rows that are kept besides, as ``select`` has them in ``where``:
        ``"status == 'lost' and C < -0.6"``; of each condition those of the lowest seeds, 10,000 at
        most.
      executor: where runs are trained: None for this process; an executor as
        ``concurrent.futures`` has them, such as a ``ProcessPoolExecutor`` (with JAX one that
        spawns), or a ``distributed.Client`` of a Dask cluster. Only this process writes to disk.

    Returns:
      The runs, as they are on disk.

    Raises:
      InputError: the study cannot be run as asked, the folder holds another, or another process
        writes to it; raised before anything is trained or made.
      OSError: the runs cannot be written; it names the file. Those written before are kept.
      WorkError: some runs could not be trained on the executor; all others are on disk.
      KeyboardInterrupt: on Ctrl-C, and in the main thread on SIGTERM and SIGHUP; the runs that were
        finished are on disk. If there are none, nor is the folder, unless it was there before.

    Example:
      >>> from tempfile import TemporaryDirectory
      >>> with TemporaryDirectory() as folder:
      ...     runs = run(Study("xor", "adamw", seeds=8, epochs=50), out=folder, progress=False)
      ...     runs.table()["status"].value_counts().rows()
      [('unsolved', 8)]
    """
    if not isinstance(study, Study):
        raise InputError(
            f"study: expected a Study such as Study('xor', 'adam'), got {described(study)}"
        )
    if keep == "tally":
        give_back_memory()  # before the backend starts threads
    trainer = find(backend)
    processes = whole("jobs", jobs, 1)
    for condition in study.conditions:
        trainer.check(condition.training, processes)
    pool = None if executor is None else pool_of(executor)
    asked = describe(study, trainer, processes, keeping(keep, keep_rows))
    if keep == "tally":
        Counter.of(asked)  # what is wrong with keep_rows comes before anything is made
    if pool is not None:
        made_by = check_workers(pool, _kinds(study, trainer, processes))
        asked |= _makers(made_by)
    folder = _folder(out, asked, extend=extend, again=again)
    with raised("SIGTERM", "SIGHUP"), open_study(folder, asked, extend=extend) as opened:
        work = Work(study, opened, asked)
        if progress is not False:
            for line in said_of(opened, asked, work.total):
                print(printable(line), file=sys.stderr, flush=True)
        count = None if keep == "rows" else Counter.of(opened.runs.description)
        with Progress(work.total, show=progress) as bar:
            if pool is None:
                train_here(work, trainer, processes, count, bar)
            else:
                groups = [
                    (group, _kind(study, group, trainer, processes)) for group in work.groups()
                ]
                train_elsewhere(work, groups, pool, count, made_by, bar)
    return load(folder)


def folder_of(
    study: Study,
    backend: str | Backend,
    jobs: int = 1,
    *,
    keep: str = "rows",
    keep_rows: str | None = None,
    executor: Executor | Any = None,
) -> Path:
    """The folder that ``run`` writes to without ``out``: where the study lies, or a new one."""
    trainer = find(backend)
    asked = describe(study, trainer, jobs, keeping(keep, keep_rows))
    if executor is not None:
        asked |= _makers(check_workers(pool_of(executor), _kinds(study, trainer, jobs)))
    return directory_of(asked)


def _kinds(study: Study, trainer: Backend, jobs: int) -> list[Kind]:
    """What other processes need to train the study."""
    return [_kind(study, group, trainer, jobs) for group in by_kind(study.conditions)]


def _kind(study: Study, group: Sequence[int], trainer: Backend, jobs: int) -> Kind:
    conditions = [study.conditions[k] for k in group]
    return Kind.of(conditions, [*study.parameters], trainer, jobs)


def _makers(made_by: Mapping[str, Any]) -> dict[str, Any]:
    """What a description says of the workers in place of this process."""
    return {name: made_by[name] for name in ("devices", "machine", "platform")}


def _folder(out: object, asked: dict[str, Any], *, extend: bool, again: bool) -> Path:
    if isinstance(out, str | os.PathLike):
        return Path(out)
    if out is not None:
        raise InputError(f"out: expected a folder such as 'runs/demo', got {described(out)}")
    if extend:
        raise InputError("extend: name the folder of the study that is added to, as out (--out)")
    return new_directory() if again else directory_of(asked)
