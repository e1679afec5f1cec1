"""The chart of paths: which seeds it trains again, and what it draws of them."""

import numpy as np
import polars as pl
import pytest
from charting import caption, layers, spec

import attnlogic
from attnlogic.errors import InputError
from attnlogic.results import ending, known_of
from attnlogic.statistics.paths_chart import Path, chosen, entered
from attnlogic.statistics.v_curve import Domain


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    study = attnlogic.Study(["xor"], ["adam"], seeds=40, epochs=300)
    return attnlogic.run(study, out=tmp_path_factory.mktemp("study") / "demo", progress=False)


@pytest.fixture(scope="module")
def found(runs):
    return spec(runs, "paths")


def test_it_takes_the_lowest_seeds_of_each_ending(runs):
    rows = runs.table()
    where = rows.select("seed", ended=ending(known_of(rows.row(0, named=True))).cast(pl.String))
    seeds = chosen(rows.sample(fraction=1, shuffle=True, seed=0))
    assert len({*seeds["ended"]}) > 2
    for ended in seeds["ended"].unique():
        lowest = where.filter(pl.col("ended") == ended)["seed"].sort().head(2)
        assert seeds.filter(pl.col("ended") == ended)["seed"].equals(lowest)


def test_paths_are_those_of_the_seeds_trained_alone(runs, found):
    (panel,) = found["concat"]
    seeds = chosen(runs.table())
    assert panel["title"]["subtitle"] == f"seeds {', '.join(map(str, seeds['seed']))}"
    lines = [rows for _, kind, encoding, rows in layers(found)
             if kind == "line" and "detail" in encoding]  # fmt: skip
    (points,) = lines
    assert {point["run"] for point in points} == {*seeds["seed"]}
    for seed in seeds["seed"]:
        history = attnlogic.train("xor", "adam", seed, epochs=300, progress=False).history
        own = [point for point in points if point["run"] == seed]
        assert (own[0]["t"], own[-1]["t"]) == (0, 299)
        for point in own:  # four digits are drawn
            C = history.quantities["C"][point["t"]].clip(-100, 100)
            assert point["C"] == pytest.approx(float(C), rel=1e-3)
            if history.losses[point["t"]] > 1e-4:
                loss = float(history.losses[point["t"]])
                assert point["loss"] == pytest.approx(loss, rel=1e-3)
    assert "lowest 2 seeds of each ending" in caption(found)


def test_a_path_enters_every_pixel_that_its_run_does():
    rng = np.random.default_rng(0)
    C, loss = rng.normal(size=500).cumsum() / 20, 10.0 ** rng.uniform(-3, 0, 500)
    path = Path(0, "moving", "moving", C, loss)
    at = entered(path, Domain(-3, 3), range(-4, 1), (30, 20), 1000)
    assert (at[0], at[-1]) == (0, 499)
    assert len(entered(path, Domain(-3, 3), range(-4, 1), (300, 200), 50)) <= 50
    still = Path(0, "linear", "linear", np.zeros(9), np.full(9, 0.25))
    assert entered(still, Domain(-3, 3), range(-4, 1), (30, 20), 50).tolist() == [0, 8]
    nothing = Path(0, "diverged", "diverged", np.empty(0), np.empty(0))
    assert entered(nothing, Domain(-3, 3), range(-4, 1), (30, 20), 50).size == 0


def test_what_has_no_paths_is_said(runs):
    with pytest.raises(InputError, match="the chart paths needs every run"):
        attnlogic.endings.chart(attnlogic.tally(runs), "paths")
    foreign = runs.table().with_columns(optimizer=pl.lit("mine:opt(lr=1)"))
    with pytest.raises(InputError, match="nothing to draw: paths are drawn over V"):
        attnlogic.endings.chart(foreign, "paths")
    own = runs.table().with_columns(model=pl.lit("mine:net"))
    with pytest.raises(InputError, match="nothing to draw"):
        attnlogic.endings.chart(own, "paths")
