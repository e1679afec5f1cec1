"""The numbers in charts are those of the statistics' frames."""

import math
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from charting import layers, marks, spec, study

import attnlogic
from attnlogic.problems import gate
from attnlogic.results import Known, populations
from attnlogic.statistics.c_chart import BINS, own_side
from attnlogic.statistics.intervals import wilson
from attnlogic.statistics.times_chart import curve
from attnlogic.statistics.v_curve import Domain, domain, places
from attnlogic.theory import NOTEBOOK, landscape

ENDS = ("rate", "low", "high")


@pytest.fixture(scope="module")
def runs():
    return study()


def rows_of(frame):
    return [*frame.iter_rows(named=True)]


def test_the_summarys_dots_are_its_rates(runs):
    dots = marks(spec(runs, "summary"), "point")
    frame = attnlogic.summary(runs)
    kinds = {"reached": "reach", "solved": "solve"}
    expected = {
        (row["gate"], row["optimizer"], kind, *(row[f"{of}_{end}"] for end in ENDS))
        for row in rows_of(frame)
        for kind, of in kinds.items()
    }
    found = {(d["panel"], d["row"], d["kind"], d["value"], d["low"], d["high"]) for d in dots}
    assert found == expected


def test_endings_are_stacked_to_one(runs):
    bars = marks(spec(runs, "endings"), "bar")
    for row in rows_of(attnlogic.endings(runs)):
        own = [b for b in bars if (b["panel"], b["row"]) == (row["gate"], row["optimizer"])]
        assert (own[0]["from"], own[-1]["to"]) == (0, 1)
        assert all(a["to"] == b["from"] for a, b in pairwise(own))
        for bar in own:
            assert (bar["to"] - bar["from"]) * row["runs"] == pytest.approx(row[bar["ending"]])


def test_a_curve_of_first_hits_is_the_share_so_far(runs):
    for some in populations(runs):
        own = runs.filter(gate=some.key["gate"], optimizer=some.key["optimizer"])
        points = curve(some, 0.9)
        assert points[-1]["epoch"] == 79
        for point in points[1:]:  # the first stands for epoch 0, at 1
            n = int((own["first_hit"] <= point["epoch"]).sum())
            low, high = wilson(n, len(own), 0.9)
            assert point["share"] == round(n / len(own), 4)
            assert (point["low"], point["high"]) == (round(low, 4), round(high, 4))
        last = attnlogic.summary(own).row(0, named=True)
        assert points[-1]["share"] == round(last["reach_rate"], 4)


def test_the_bars_of_c_are_the_shares_of_all_runs_that_have_one(runs):
    found = spec(runs, "C")
    bars = [row for _, kind, _, rows in layers(found) if kind == "rect" for row in rows]
    height = sum(bar["high"] - bar["low"] for bar in bars)
    expected = sum(
        row["C"].is_not_null().mean() for row in runs.partition_by("gate", "optimizer")
    )  # fmt: skip
    assert height == pytest.approx(expected)
    solved = sum(b["high"] - b["low"] for b in bars if b["color"] != "#808080")
    frame = attnlogic.summary(runs)
    assert solved == pytest.approx(sum(frame["solve_rate"]))
    assert len(bars) <= 2 * BINS * 6
    titles = [title for title, kind, _, _ in layers(found) if kind == "rect"]
    first = frame.row(0, named=True)
    assert titles[0].startswith(f"adam: solved {100 * first['solve_rate']:.1f} %, its side ")


def test_a_tallys_c_lies_within_a_bin_of_the_runs(runs):
    basin = landscape(gate("xor")).basin
    assert basin == (-math.inf, 0)
    for exact, binned in zip(populations(runs), populations(attnlogic.tally(runs)), strict=True):
        own = runs.filter(gate=exact.key["gate"], optimizer=exact.key["optimizer"])
        assert own_side(exact, basin) == (own["C"] < 0).sum()
        assert own_side(binned, basin) == own_side(exact, basin)  # no bin has both signs


@pytest.mark.parametrize("name", ["xor", "nand", "majority3", "parity3", "and", "true"])
def test_places_lie_on_the_curve(name):
    of = Known(gate(name), NOTEBOOK)
    shape = landscape(of.gate)
    found = places(of)
    for C, V, _ in found:
        # Their V is exact, or known to twelve digits.
        assert pytest.approx(float(shape.least_loss(C)), abs=1e-9) == V
    kinds = [kind for *_, kind in found]
    assert kinds.count("maximum") == sum(e.kind == "maximum" for e in shape.extrema)
    assert ("C*" in kinds) == (shape.zero is not None)


def test_an_axis_of_c_holds_what_is_there_up_to_its_limit():
    xor = Known(gate("xor"), NOTEBOOK)
    assert domain([np.array([0.1])], xor) == (-3, 3)
    assert domain([np.array([5.0, -0.2]), np.array([np.inf])], xor) == (-3, 10)
    assert domain([np.array([-1e9])], xor) == (-100, 3)
    edges = Domain(-3, 100).edges(50)
    assert (edges[0], edges[-1], len(edges)) == (-3, 100, 51)
    assert (np.diff(edges) > 0).all()


def test_drift_and_stability_show_the_frames_medians(runs):
    frame = attnlogic.solutions(runs)
    dots = marks(spec(runs, "drift"), "point")
    for row in rows_of(frame):
        own = {d["kind"]: d["value"] for d in dots
               if (d["panel"], d["row"]) == (row["gate"], row["optimizer"])}  # fmt: skip
        assert own == {"wq² − wk²": row["drift_qk"], "wk² − wv²": row["drift_kv"]}
    shown = {d["value"] for d in marks(spec(runs, "stability"), "point")}
    assert {row["stay_rate"] for row in rows_of(attnlogic.stability(runs))} <= shown


def test_basins_compare_and_curvature_show_their_frames(runs):
    shown = [d["value"] for d in marks(spec(runs, "basins"), "point")]
    frame = attnlogic.basins(runs)
    rates = [*frame["solve_rate"], *frame["cross_rate"]]
    assert sorted(shown) == sorted(rate for rate in rates if rate is not None)
    compared = attnlogic.compare(runs).filter(pl.col("measure") != "first_hit")
    shown = [d["value"] for d in marks(spec(runs, "compare"), "point")]
    assert sorted(shown) == sorted(compared["difference"])
    shown = [d["value"] for d in marks(spec(runs, "curvature"), "point")]
    assert sorted(shown) == sorted(attnlogic.curvature(runs)["sharpness_median"].clip(1e-6, 1e6))


def test_starts_are_steps_from_the_frame(runs):
    boxes = marks(spec(runs, "starts"), "rect")
    frame = attnlogic.starts(runs)
    assert len(boxes) == len(frame)
    assert sorted(b["share"] for b in boxes) == sorted(frame["reach_rate"].round(4))
    assert {(b["from"], b["to"]) for b in boxes} == {*frame.select("from", "to").rows()}


def test_cells_of_readouts_count_the_solved_runs_and_the_line_is_exact(runs):
    found = spec(runs, "readout")
    cells = marks(found, "rect")
    assert sum(cell["runs"] for cell in cells) == (runs["status"] == "solved").sum()
    ring = marks(found, "point")[0]
    assert (ring["w1"], ring["w2"]) == (2, 2)  # XOR's only readout
    line = marks(found, "line")
    assert len(line) == 2 * 3
    assert all(point["w1"] + point["w2"] == pytest.approx(1) for point in line)  # NAND's


def test_a_sweep_by_ert_is_drawn_by_ert():
    rows = study(("xor",), ("adam(lr=0.01)", "adam(lr=0.1)", "adam(lr=1)"))
    frame = attnlogic.sweep(rows, by="ert")
    for name, options in {"sweep": {"by": "ert"}, "sweep_times": {}}.items():
        found = spec(rows, name, **options)
        middles = [row["middle"] for row in marks(found, "line")]
        assert middles == pytest.approx(frame["ert"].to_list(), rel=1e-3)  # four digits
        assert bool(marks(found, "point")) == (name == "sweep")
