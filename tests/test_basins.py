"""Sides of V's maximum, on runs made by hand and on gradient flow, which cannot cross it."""

import polars as pl
import pytest

import attnlogic
from attnlogic import theory
from attnlogic.problems import gate
from attnlogic.results import CONDITION, schema
from attnlogic.statistics.basins import statistic as basins

ABOUT = {
    "gate": "xor", "optimizer": "adam", "backend": "jax", "precision": "float32", "epochs": 9,
    "threshold": 1e-4, "init": "torch", "until": "budget",
    "model": "attention", "encoding": "01",
}  # fmt: skip


def frame(*runs, name="xor"):
    """Runs of (initial C, final C, status)."""
    starts, ends, statuses = zip(*runs, strict=True)
    n, about = len(runs), {**ABOUT, "gate": name}
    columns = {
        **{column: [about[column]] * n for column in CONDITION},
        "seed": range(n),
        "C_initial": starts,
        "C": ends,
        "status": statuses,
    }
    kinds = schema("float32")
    return pl.DataFrame(
        {name: pl.Series(columns.get(name, [None] * n), dtype=kinds[name]) for name in kinds}
    )


def test_six_runs_by_hand():
    """XOR's maximum is at C = 0, its solution at -1/2, its valley at C > 0."""
    rows = basins(
        frame(
            (-0.1, -0.5, "solved"), (-0.2, 3.0, "unsolved"), (-0.3, None, "diverged"),
            (0.1, -0.5, "solved"), (0.2, 9.0, "unsolved"), (0.3, 8.0, "unsolved"),
        )
    )  # fmt: skip
    assert rows["start"].to_list() == ["solution", "valley"]
    assert rows["runs"].to_list() == [3, 3]
    assert rows["solved"].to_list() == [1, 1]
    assert rows["crossed"].to_list() == [1, 1]
    assert rows["diverged"].to_list() == [1, 0]
    assert rows["C_maximum"].to_list() == [0, 0]


@pytest.mark.parametrize("name", ["xor", "nand", "or", "implication", "x1"])
def test_the_solution_is_on_its_own_side_and_the_valley_on_the_other(name):
    shape = theory.landscape(gate(name))
    far = float(shape.maximum) + (1000 if shape.falls_towards > 0 else -1000)
    rows = basins(frame((float(shape.zero), far, "lost"), (far, far, "unsolved"), name=name))
    assert rows["start"].to_list() == ["solution", "valley"]
    assert rows["runs"].to_list() == [1, 1]
    assert rows["crossed"].to_list() == [1, 0]


def test_constant_gates_have_no_sides():
    assert basins(frame((0.1, 0.2, "solved"), name="true")).is_empty()


def test_small_steps_from_a_settled_readout_do_not_cross(tmp_path):
    """SGD at a small rate follows gradient flow: on NAND nearly all runs end where they start.

    The readout is not settled at the start, so a few near the border may cross.
    """
    study = attnlogic.Study(["nand"], ["sgd(lr=0.01)"], seeds=400, epochs=3000)
    rows = basins(attnlogic.run(study, out=tmp_path / "demo", progress=False))
    assert rows["runs"].sum() == 400
    assert rows["crossed"].sum() < 0.15 * 400
