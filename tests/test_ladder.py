"""The ladder of losses, against studies that had each rung as their threshold."""

from itertools import pairwise

import polars as pl
import pytest

import attnlogic
from attnlogic.errors import InputError
from attnlogic.outcomes import LADDER, RUNGS
from attnlogic.results.rows.run_columns import schema
from attnlogic.statistics.intervals import clopper_pearson
from attnlogic.statistics.ladder import CURVES, curves
from attnlogic.statistics.ladder import statistic as ladder
from attnlogic.statistics.summary import statistic as summarize
from attnlogic.statistics.times import statistic as times

STUDY = {"gates": ["xor", "nand"], "optimizers": ["adam", "polyak"], "seeds": 60, "epochs": 400}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    study = attnlogic.Study(**STUDY)
    return attnlogic.run(study, out=tmp_path_factory.mktemp("ladder"), progress=False)


@pytest.mark.parametrize("loss", [1e-1, 1e-3, 1e-8])
def test_a_rung_says_what_a_study_with_that_threshold_says(runs, tmp_path, loss):
    other = attnlogic.run(
        attnlogic.Study(**STUDY, threshold=loss), out=tmp_path / "other", progress=False
    )
    rung = ladder(runs).filter(loss=loss)
    summary, when = summarize(other), times(other)
    assert rung.schema == ladder.schema
    for name in ("gate", "optimizer", "runs", "reached", "reach_rate", "reach_low", "reach_high"):
        assert rung[name].to_list() == summary[name].to_list(), name
    for name in ("median", "median_low", "median_high", "ert"):
        assert rung[name].to_list() == when[name].to_list(), name


def test_the_thresholds_own_rung_is_its_first_hit(runs):
    rows = runs.table()
    assert rows["first_hit_1e-4"].equals(rows["first_hit"], check_names=False)
    for high, low in pairwise(RUNGS):  # what is lower comes no sooner, and to no more runs
        assert rows.filter(pl.col(low).is_not_null() & pl.col(high).is_null()).is_empty()
        assert (rows[low] >= rows[high]).drop_nulls().all()


def test_an_interval_can_be_chosen(runs):
    row = ladder(runs, interval=clopper_pearson).row(0, named=True)
    expected = clopper_pearson(row["reached"], row["runs"])
    assert (row["reach_low"], row["reach_high"]) == expected


def test_curves_are_the_empirical_distribution_functions(runs):
    found = curves(runs)
    assert found.columns == [column.name for column in CURVES]
    for (gate, optimizer), rows in (
        runs.table().partition_by("gate", "optimizer", as_dict=True).items()
    ):
        for loss, rung in zip(LADDER, RUNGS, strict=True):
            curve = found.filter(gate=gate, optimizer=optimizer, loss=loss)
            hits = rows[rung].drop_nulls().to_numpy()
            if not hits.size:
                assert curve.is_empty()
                continue
            assert curve["epoch"][0] == hits.min()
            assert curve["epoch"][-1] == 399
            for epoch, share in curve.select("epoch", "share").iter_rows():
                assert share == (hits <= epoch).sum() / len(rows)
            assert set(hits) <= set(curve["epoch"])


def test_fewer_points_lie_on_the_same_curves(runs):
    every, some = curves(runs), curves(runs, points=30)
    assert some.group_by("gate", "optimizer", "loss").len()["len"].max() <= 32
    at = ["gate", "optimizer", "loss"]
    joined = some.sort("epoch").join_asof(
        every.sort("epoch"), on="epoch", by=at, suffix="_every", check_sortedness=False
    )
    assert joined["share"].equals(joined["share_every"], check_names=False)
    last = pl.col("share").sort_by("epoch").last()
    assert some.group_by(at).agg(last).sort(at).equals(every.group_by(at).agg(last).sort(at))


def test_the_picture_has_a_panel_a_condition(runs):
    chart = ladder.chart(runs).to_dict()
    titles = [panel["title"]["text"] for panel in chart["concat"]]
    assert titles == ["xor · adam", "xor · polyak", "nand · adam", "nand · polyak"]
    values = [value for rows in chart["datasets"].values() for value in rows]
    assert {value["loss"] for value in values} <= {f"1e-{k}" for k in range(1, 11)}
    assert min(value["epoch"] for value in values) >= 1
    assert max(value["epoch"] for value in values) == 399
    scale = chart["concat"][0]["encoding"]["color"]["scale"]["domain"]
    assert scale == sorted(scale, key=float, reverse=True)


def test_no_runs_make_no_rows_and_no_picture(runs):
    nothing = pl.DataFrame(schema=schema("float32"))
    assert ladder(nothing).is_empty()
    assert curves(nothing).columns == [column.name for column in CURVES]
    with pytest.raises(InputError, match="nothing to draw"):
        ladder.chart(nothing)
    never = runs.table().with_columns(pl.lit(None, pl.Int32).alias(rung) for rung in RUNGS)
    assert ladder(never)["reached"].to_list() == [0] * 40
    assert curves(never).is_empty()
    assert ladder(never)["median"].is_null().all()
