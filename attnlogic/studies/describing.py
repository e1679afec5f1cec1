"""The description of a study: what ``study.json`` says when it is started."""

from __future__ import annotations

import datetime
import platform
import re
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from attnlogic.backend import Backend
from attnlogic.results import FORMAT, Own, own_columns
from attnlogic.studies.identity import code, digests
from attnlogic.studies.keeping import ROWS, Keeping
from attnlogic.studies.study import Condition, Study, seed_range
from attnlogic.version import __version__


def describe(study: Study, trainer: Backend, jobs: int, keep: Keeping = ROWS) -> dict[str, Any]:
    """Everything that is needed to read the runs, and to make them again."""
    seeds = seeds_of(study, trainer)
    groups = by_kind(study.conditions)
    own = [
        own_columns(study.conditions[group[0]].training.problem, [*study.parameters])
        for group in groups
    ]
    kind_of = {number: kind for kind, group in enumerate(groups) for number in group}
    kept = [own[kind_of[number]] for number in range(len(study.conditions))]
    texts = digests(study.conditions, kept, trainer.name, keep)
    return {
        "format": FORMAT,
        "attnlogic": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "backend": trainer.name,
        "devices": trainer.devices(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__}
        | trainer.versions(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "jobs": jobs,
        "precision": study.precision,
        "threshold": study.threshold,
        "until": study.until,
        **keep.said,
        "data": {
            data.name: {"inputs": [*map(list, data.inputs)], "targets": [*data.targets]}
            for data in {condition.training.problem.data for condition in study.conditions}
            if data.gate is None
        },
        "kinds": [
            _kind(study.conditions[group[0]], kind, of)
            for kind, (group, of) in enumerate(zip(groups, own, strict=True))
        ],
        "conditions": [
            {
                "gate": condition.training.problem.data.name,
                "optimizer": str(condition.training.optimizer),
                "epochs": condition.training.epochs,
                "init": str(condition.init),
                "model": condition.training.problem.model.name,
                "encoding": condition.training.problem.data.encoding,
                "kind": kind_of[number],
                "seeds": [[seeds[number].start, seeds[number].stop]],
                "digest": texts[number],
            }
            for number, condition in enumerate(study.conditions)
        ],
    }


def seeds_of(study: Study, trainer: Backend) -> list[range]:
    """The seeds of each condition: those asked for, or as many as the backend says."""
    if study.seeds is not None:
        return [seed_range(study.seeds)] * len(study.conditions)
    return [seed_range(trainer.default_seeds(one.training)) for one in study.conditions]


def by_kind(conditions: Sequence[Condition]) -> list[list[int]]:
    """Conditions, by their numbers, in lists of those that can be trained together."""
    found: dict[Hashable, list[int]] = {}
    for number, condition in enumerate(conditions):
        found.setdefault(condition.training.kind, []).append(number)
    return [*found.values()]


def _kind(condition: Condition, number: int, own: Own) -> dict[str, Any]:
    """What the parts of one kind's folder hold, from one of the kind's conditions."""
    training = condition.training
    name = re.sub(r"[^A-Za-z0-9_]+", "-", training.optimizer.name)
    kind: dict[str, Any] = {
        "parts": f"{number:03d}-{name}",
        "model": training.problem.model.name,
        "quantities": own.quantities,
        "parameters": [*own.parameters],
    }
    text = code(training.problem.model, training.optimizer)
    return kind if text is None else kind | {"code": text}
