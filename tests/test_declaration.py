"""Each number of an outcome is declared once; columns, rows and tallies follow from that."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attnlogic.backend import Training
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import (
    LADDER,
    NONE,
    NUMBERS,
    RUNGS,
    Kind,
    Outcome,
    from_leaves,
    leaves_of,
    numbers_of,
)
from attnlogic.problems import gate
from attnlogic.results import Tally, schema, table
from attnlogic.results.population import population
from attnlogic.results.quantities import GROUPS, KEPT, QUANTITIES

ROOT = Path(__file__).parent.parent
PRECISIONS = ["float32", "float64"]
N = 7


def rows(precision="float32", first=0):
    """Rows whose numbers are all different: the k-th number of run i is 1 + i + 10·k."""
    numbers = [
        (1 + first + np.arange(N) + 10 * k).astype(number.kind.dtype(precision))
        for k, number in enumerate(NUMBERS.values())
    ]
    params = [np.ones(N, precision)] * 12
    training = Training(gate("xor"), optimizer("adam"), 2000, 1e-4, precision)
    seeds = np.arange(first, first + N, dtype=np.uint32)
    return table(training, "jax", "torch", seeds, from_leaves([*params, *numbers]))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_each_number_is_a_column_of_its_kind_in_the_order_of_the_declaration(precision):
    polars = {"int32": pl.Int32, "int64": pl.Int64, "float32": pl.Float32, "float64": pl.Float64}
    columns = [*schema(precision).items()]
    at = [name for name, _ in columns].index("status") + 1
    assert columns[at : at + len(NUMBERS)] == [
        (name, polars[number.kind.dtype(precision).name]) for name, number in NUMBERS.items()
    ]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("k", "name"), [*enumerate(NUMBERS)], ids=[*NUMBERS])
def test_each_number_is_written_to_its_own_column(precision, k, name):
    assert rows(precision)[name].to_list() == [1 + i + 10 * k for i in range(N)]


@pytest.mark.parametrize("name", NUMBERS)
def test_what_does_not_exist_is_null(name):
    kind = NUMBERS[name].kind
    absent = np.nan if kind is Kind.REAL else NONE
    leaves = [np.ones(N)] * 12 + [
        np.full(N, absent if other == name else 1, number.kind.dtype("float32"))
        for other, number in NUMBERS.items()
    ]
    training = Training(gate("xor"), optimizer("adam"), 2000)
    written = table(training, "jax", "torch", np.arange(N, dtype=np.uint32), from_leaves(leaves))
    assert {c for c in written.columns if written[c].null_count()} == {name}
    assert written[name].null_count() == N


@pytest.mark.parametrize("name", NUMBERS)
def test_each_number_is_tallied_over_the_groups_that_it_names(name):
    some = rows()
    (exact,), (binned,) = [population(some)], Tally.of(some).populations()
    for group in GROUPS:
        assert (name in KEPT[group]) == (group in NUMBERS[name].over)
        if group in NUMBERS[name].over:
            members = some.filter(GROUPS[group])[name].drop_nulls()
            assert exact.of(name, group).total == binned.of(name, group).total == members.sum()


def test_every_declaration_is_sound():
    for name, quantity in QUANTITIES.items():
        assert set(quantity.over) <= set(GROUPS), name
        assert len(quantity.over) == len(set(quantity.over)), name
        assert 0 < len(quantity.meaning) < 90, name
    assert len(RUNGS) == len(LADDER)
    assert len(NUMBERS) == len(Outcome._fields) - 2 + len(LADDER) - 1


def test_evaluations_past_32_bits_are_kept():
    leaves = [np.ones(1, "float32")] * 12 + [
        np.ones(1, number.kind.dtype("float32")) for number in NUMBERS.values()
    ]
    many = from_leaves(leaves)._replace(evaluations=np.array([2**40]))
    training = Training(gate("xor"), optimizer("lbfgs"), 2**31 - 1)
    written = table(training, "jax", "torch", np.zeros(1, np.uint32), many)
    assert written["evaluations"].to_list() == [2**40]
    assert Tally.of(written).populations()[0].of("evaluations").total == 2**40
    # A backend whose device has no 64 bits gives 32.
    few = many._replace(evaluations=np.ones(1, np.int32))
    assert table(training, "jax", "torch", np.zeros(1, np.uint32), few).schema == written.schema


def test_names_and_leaves_are_in_one_order():
    leaves = [*range(12 + len(NUMBERS))]
    assert [*numbers_of(from_leaves(leaves)).values()] == leaves[12:]
    assert leaves_of(from_leaves(leaves)) == leaves
    assert numbers_of(from_leaves(leaves))["C"] == from_leaves(leaves).C


def test_a_new_number_takes_a_declaration_and_a_definition_and_no_more(tmp_path):
    """In a copy of the package: the epoch of the smallest loss."""
    shutil.copytree(ROOT / "attnlogic", tmp_path / "attnlogic")
    for file, anchor, more in (
        (
            "outcomes.py",
            "    initial_loss: Annotated[",
            '    best_at: Annotated[Value, Number(EPOCH, over=("solved",), meaning="its epoch")]\n',
        ),
        ("history.py", "        initial_loss=", "        best_at=losses.argmin(),\n"),
    ):
        path = tmp_path / "attnlogic" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(anchor) == 1
        path.write_text(text.replace(anchor, more + anchor), encoding="utf-8")
    script = """
import polars as pl
import synthetic
from attnlogic.results import Tally, schema
rows = synthetic.rows()
assert [*schema("float32")].index("best_at") == [*schema("float32")].index("initial_loss") - 1
assert rows.schema["best_at"] == pl.Int32
assert rows["best_at"].n_unique() > 9
solved = rows.filter(status="solved")["best_at"]
assert Tally.of(rows).populations()[0].of("best_at", "solved").total == solved.sum() > 0
print("yes")
"""
    paths = os.pathsep.join([str(tmp_path), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.stdout == "yes\n", done.stderr
