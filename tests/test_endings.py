"""Where runs end: on runs whose end is known, made up and trained."""

import numpy as np
import polars as pl
import pytest

import attnlogic
from attnlogic.problems.gates import GATES, ROWS, gate
from attnlogic.problems.model import Params, loss
from attnlogic.statistics.endings import endings
from attnlogic.theory import exact_solutions as theory
from attnlogic.theory.regions import ENDINGS, ending

UNSOLVED = "unsolved"


def row(name, C, w1, w2, b, *, status=UNSOLVED, gradient_norm=0.0):
    """A run that ended with this C and this readout; its loss is the model's."""
    at = Params(float(C), 1.0, 1.0, (float(w1), float(w2)), float(b))
    return pl.DataFrame(
        {
            "status": [status],
            "final_loss": [float(loss(at, ROWS, gate(name).targets))],
            "gradient_norm": [float(gradient_norm)],
            "C": [float(C)],
            "w1": [float(w1)],
            "w2": [float(w2)],
        }
    )


def ended(name, rows):
    return rows.select(ending(gate(name)).alias("ended"))["ended"].to_list()


def best(name, C):
    """The row of the best readout at this C."""
    at = theory.readout(gate(name), C)
    return row(name, C, *at.w, at.b)


FAILING = [g.name for g in GATES if g.name not in ("true", "false")]


@pytest.mark.parametrize("name", FAILING)
def test_a_run_at_a_place_of_theory_is_told_to_be_there(name):
    """Each plateau that is attained; a valley at a C well on its way."""
    shape = theory.landscape(gate(name))
    for point in theory.points(gate(name)):
        short = point.name.split()[0]
        if point.kind == "not critical" or point.kind == "solution":
            continue
        if point.readout is not None and "plateau" in point.name:
            found = ended(name, row(name, point.C, *point.readout))
            # XOR's two plateaus are one point: C = 0 and w = 0.
            assert found == [short] or (point.C == 0 and found == ["linear"])
        elif point.name == "runaway valley":
            for distance in (3, 100, 10_000):
                C = float(shape.maximum) + np.sign(shape.falls_towards) * distance
                assert ended(name, best(name, C)) == ["runaway"]
        elif point.name == "cancellation valley":
            assert ended(name, best(name, -1 + 1e-3)) == ["cancellation"]
            assert ended(name, best(name, -1 - 1e-3)) == ["cancellation"]


@pytest.mark.parametrize("name", FAILING)
def test_the_other_side_of_the_maximum_is_not_the_runaway_valley(name):
    """There V falls towards the solution: such a run is on its way."""
    shape = theory.landscape(gate(name))
    between = float(shape.zero + (shape.maximum - shape.zero) * 3 / 4)
    found = best(name, between).with_columns(gradient_norm=pl.lit(0.1))
    assert ended(name, found)[0] in ("moving", "linear", "cancellation")
    beyond = float(shape.zero) - 5 * float(np.sign(shape.falls_towards))
    assert ended(name, best(name, beyond).with_columns(gradient_norm=pl.lit(0.1))) == ["moving"]


@pytest.mark.parametrize("name", FAILING)
def test_a_run_beside_the_solution_is_near(name):
    solution = theory.solution(gate(name))
    w = solution.w or (solution.w_sum / 2, solution.w_sum / 2)
    for off in (0.01, -0.01):
        found = row(name, solution.C + off, *w, solution.b, status="lost", gradient_norm=0.2)
        assert ended(name, found) == ["near"]


def test_status_goes_before_place():
    rows = [
        row("xor", -0.5, 2, 2, 0, status="solved"),
        row("xor", 0, 0, 0, 0.5, status="diverged"),
    ]
    assert ended("xor", pl.concat(rows)) == ["solved", "diverged"]


def test_a_run_above_the_valleys_floor_hops():
    high = best("nand", 5).with_columns(pl.col("final_loss") * 2, gradient_norm=pl.lit(2.0))
    assert ended("nand", high) == ["moving"]


def test_a_run_at_rest_at_no_known_place_is_other():
    assert ended("xor", row("xor", -0.3, 5, -5, 3)) == ["other"]
    gone = row("xor", -0.3, 5, -5, 3, gradient_norm=np.inf)
    assert ended("xor", gone) == ["moving"]


KNOWN = [
    ("xor", "lbfgs", 0, "runaway"),  # the notebook's: its loss stays at 2/9
    ("nand", "lbfgs", 0, "runaway"),  # 1/72
    ("xor", "sgd(lr=50)", 0, "diverged"),
    ("xor", "polyak", 0, "solved"),
    ("xor", "sgd", 0, "near"),  # it cycles around the solution: the step is too large for it
    ("xor", "sgd", 10, "linear"),  # the long plateau at 1/4
    ("xor", "adamw", 25, "linear"),  # decay has worn attention and readout away
]


@pytest.mark.parametrize(("name", "by", "seed", "where"), KNOWN)
def test_trained_runs_end_where_they_are_known_to(tmp_path, name, by, seed, where):
    epochs = 400 if by == "lbfgs" else None
    study = attnlogic.Study([name], [by], range(seed, seed + 1), epochs=epochs)
    counts = endings(attnlogic.run(study, out=tmp_path / "demo", progress=False))
    assert counts.select(ENDINGS).row(0, named=True) == {
        **dict.fromkeys(ENDINGS, 0),
        where: 1,
    }


def test_counts_add_up_condition_by_condition(tmp_path):
    study = attnlogic.Study(["xor", "nand", "true"], ["adam", "sgd(lr=50)"], 20, epochs=300)
    runs = attnlogic.run(study, out=tmp_path / "demo", progress=False)
    counts = endings(runs)
    assert counts.select("gate", "optimizer").rows() == [
        (name, by) for name in ("xor", "nand", "true") for by in ("adam", "sgd(lr=50)")
    ]
    assert counts["runs"].to_list() == [20] * 6
    assert counts.select(pl.sum_horizontal(ENDINGS)).to_series().to_list() == [20] * 6
    summary = attnlogic.summarize(runs)
    assert counts["solved"].to_list() == summary["solved"].to_list()
    assert counts["diverged"].to_list() == summary["diverged"].to_list()


def test_no_runs_no_rows():
    from attnlogic.results.store import schema

    assert endings(pl.DataFrame(schema=schema("float32"))).is_empty()
