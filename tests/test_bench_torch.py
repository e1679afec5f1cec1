"""The torch backend is measured beside its plain loop, in one process and in one a core."""

import numpy as np
import pytest

from attnlogic_torch import TORCH
from bench import comparison, contenders, parts, report
from bench.sizes import QUICK, Sizes
from bench.work import DisagreementError


@pytest.fixture
def asked(monkeypatch):
    """What the torch backend is asked for: runs, processes. All its work is done in this one."""
    batches = []

    class Recorded:
        default_jobs = 2

        def train(self, batch, *, jobs):
            batches.append((len(batch.which), jobs))
            return TORCH.train(batch)

    monkeypatch.setattr(contenders, "TORCH", Recorded())
    return batches


def test_many_seeds_at_once_are_timed_in_one_process_and_in_all_and_are_faster(asked):
    seeds, sizes = [64, 2000], QUICK._replace(at_once=[64, 2000], at_once_epochs=30)
    measured = parts.torch(sizes, lambda: 0.0)
    assert [work["optimizer"] for work in measured] == np.repeat(parts.ELEMENTWISE, 2).tolist()
    # Each once, to be compared; then one repetition, in turn.
    assert asked == [(n, jobs) for n in seeds for jobs in (1, 2, 1, 2, 1, 1)] * 4
    for work, n in zip(measured, seeds * 4, strict=True):
        at_once, everywhere, alone = work["contenders"]
        for row, own in ((at_once, n), (everywhere, n), (alone, sizes.torch_seeds)):
            assert (row["seeds"], row["epochs"], row["evaluations"]) == (own, 30, own * 30)
        if n == 2000:  # some three hundred times: far more than other work takes away
            assert report.rate(at_once) > 30 * report.rate(alone)


@pytest.mark.parametrize("by", [by for by in parts.ELEMENTWISE if by not in comparison.CHAOTIC])
def test_other_runs_than_the_plain_loops_are_not_timed(monkeypatch, by):
    """All of the few seeds hit, each at its own epoch: another seed's hit does not pass for it."""

    class Shifted:
        """Trains each run from the next one's start."""

        default_jobs = 1

        def train(self, batch, *, jobs):
            return TORCH.train(batch._replace(initial=np.roll(batch.initial, -1, axis=1)))

    monkeypatch.setattr(contenders, "TORCH", Shifted())
    monkeypatch.setattr(parts, "ELEMENTWISE", [by])
    with pytest.raises(DisagreementError, match=f"{by}: 'torch, one seed at a time'"):
        parts.torch(Sizes()._replace(at_once=[64]), lambda: 0.0)
