"""What is to be trained of a study: the runs that are not on disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attnlogic.results import Opened, Own, SeedRanges, own_columns, seeds_without
from attnlogic.studies.describing import by_kind
from attnlogic.studies.study import Condition, Study
from attnlogic.words import counted


class Work:
    """The runs of a study that are not on disk.

    Args:
      study: the study that was asked for.
      opened: the folder's study, whose conditions may have other numbers.
      asked: the description of the study that was asked for.

    Attributes:
      study: as given.
      runs: the folder's study.
      numbers: the number of each condition in the folder's study; uint32.
      folders: the name of the folder of each condition's parts.
      missing: the seeds of each condition that are to be trained.
    """

    def __init__(self, study: Study, opened: Opened, asked: dict[str, Any]) -> None:
        self.study, self.runs = study, opened.runs
        there, stored = opened.runs.inventory().seeds, opened.runs.description["conditions"]
        number = {one["digest"]: i for i, one in enumerate(stored)}
        self.numbers = np.array([number[one["digest"]] for one in asked["conditions"]], np.uint32)
        self.folders = [
            opened.runs.description["kinds"][stored[i]["kind"]]["parts"] for i in self.numbers
        ]
        self.missing: list[SeedRanges] = [
            seeds_without(one["seeds"], there.get(i, ()))
            for i, one in zip(self.numbers.tolist(), asked["conditions"], strict=True)
        ]

    @property
    def total(self) -> int:
        """How many runs that is."""
        return sum(stop - start for ranges in self.missing for start, stop in ranges)

    def groups(self) -> list[list[int]]:
        """The conditions with something to train, in lists that share code and a folder."""
        found: dict[tuple[int, str], list[int]] = {}
        for kind, group in enumerate(by_kind(self.study.conditions)):
            for k in group:
                if self.missing[k]:
                    found.setdefault((kind, self.folders[k]), []).append(k)
        return [*found.values()]

    def own(self, group: Sequence[int]) -> Own:
        """The columns of the own of the model that conditions of a group have."""
        problem = self.study.conditions[group[0]].training.problem
        return own_columns(problem, [*self.study.parameters])


def in_words(conditions: Sequence[Condition]) -> str:
    """What is being trained, in a few words."""
    if len(conditions) == 1:
        return str(conditions[0])
    names = {condition.training.optimizer.name for condition in conditions}
    return f"{', '.join(names)}: {counted(len(conditions), 'condition')}"
