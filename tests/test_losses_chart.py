"""The picture of several runs: lines of few, bands of many."""

import numpy as np
import pytest
from charting import caption, layers, marks

from attnlogic.errors import InputError
from attnlogic.studies.single_run import train
from attnlogic.view import loss_bands, run_history, runs_history
from attnlogic.view.losses_chart import COLUMNS, MAX_LINES


def trained(seeds, optimizer="adamw", epochs=200, threshold=1e-2):
    return [
        train("xor", optimizer, s, epochs=epochs, threshold=threshold, progress=False)
        for s in seeds
    ]


@pytest.fixture(scope="module")
def few():
    return trained(range(4))


def test_one_run_is_drawn_as_one(few):
    assert runs_history(few[:1]).to_dict() == run_history(few[0]).to_dict()


def test_each_of_few_runs_has_a_line_its_hit_and_its_rises(few):
    found = runs_history(few).to_dict(validate=True)
    drawn = [*layers(found)]
    lines = [rows for _, kind, _, rows in drawn if kind == "line" and rows[2]["loss"] is not None]
    assert len(lines) == 4
    for run, points in zip(few, lines, strict=True):
        assert [p["loss"] for p in points] == [float(loss) for loss in run.history.losses]
    hits = {int(run.outcome.first_hit) for run in few} - {-1}
    assert {row["epoch"] for row in marks(found, "point")} == hits
    ticks = [rows for _, kind, _, rows in drawn if kind == "line" and rows[2]["loss"] is None]
    assert [sorted({row["epoch"] for row in rows}) for rows in ticks] == [
        run.rises for run in few if run.rises
    ]
    told = caption(found)
    assert told.startswith("xor · adamw · seeds 0 … 3")
    assert f"{len(hits)} of 4 runs reached the threshold 0.01" in told
    assert "seeds 0, 2" in caption(runs_history([few[0], few[2]]).to_dict())


def test_many_runs_are_quantiles_of_all_of_them():
    rng = np.random.default_rng(0)
    losses = 10.0 ** rng.normal(-2, 1, (150, 101))
    found = loss_bands(losses, threshold=1e-3).to_dict(validate=True)
    (outer, inner, middle), _ = _bands(found)
    for epoch in range(150):  # fewer epochs than columns: a point an epoch
        ordered = np.sort(losses[epoch])
        assert (outer[epoch]["loss"], outer[epoch]["to"]) == (ordered[5], ordered[95])
        assert (inner[epoch]["loss"], inner[epoch]["to"]) == (ordered[25], ordered[75])
        assert middle[epoch]["loss"] == ordered[50]
    assert "median of 101 losses" in caption(found)


def _bands(found):
    drawn = [(kind, rows) for _, kind, _, rows in layers(found)]
    return [rows for kind, rows in drawn if kind in ("area", "line")], drawn


def test_a_column_of_epochs_has_the_widest_of_its_bands():
    losses = np.full((4 * COLUMNS, 20), 0.1)
    losses[::4], losses[1::4] = 1.0, 1e-3
    (outer, _, middle), _ = _bands(loss_bands(losses).to_dict())
    assert len(outer) == COLUMNS
    assert {(row["loss"], row["to"]) for row in outer} == {(1e-3, 1.0)}
    assert {row["loss"] for row in middle} == {0.1}


def test_runs_that_end_early_count_on():
    """One that stopped keeps its loss, one that diverged an infinite one."""
    runs = trained(range(MAX_LINES + 1), "sgd(lr=50)", epochs=60)
    assert any(run.status == "diverged" for run in runs)
    found = runs_history(runs).to_dict(validate=True)
    (outer, _, _), _ = _bands(found)
    top = found["layer"][0]["encoding"]["y"]["scale"]["domain"][1]
    assert outer[-1]["to"] == top  # at the edge, and so drawn
    assert "9 losses" in caption(found)


def test_the_tail_and_what_cannot_be_drawn(few):
    tail = runs_history(few, start=150).to_dict()
    epochs = [row["epoch"] for rows in _bands(tail)[0] for row in rows]
    assert min(epochs) >= 150
    with pytest.raises(InputError, match="nothing to draw from epoch 200"):
        runs_history(few, start=200)
    with pytest.raises(InputError, match="there is no run"):
        runs_history([])
    with pytest.raises(InputError, match="nothing to draw"):
        loss_bands(np.full((5, 3), np.inf))
