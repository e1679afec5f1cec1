"""Each number of an outcome is declared once; columns, rows and tallies follow from that."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from helpers import condition
from synthetic import described, with_condition

import attnlogic
from attnlogic.outcomes import (
    LADDER,
    NONE,
    NUMBERS,
    RUNGS,
    Kind,
    Outcome,
    numbers_of,
    own_numbers,
)
from attnlogic.problems import problem
from attnlogic.results import run_schema, schema, table
from attnlogic.results.counts.populations import population
from attnlogic.results.rows.quantities import GROUPS, KEPT, QUANTITIES

ROOT = Path(__file__).parent.parent
PRECISIONS = ["float32", "float64"]
N = 7
DECLARED = NUMBERS | own_numbers({"C": "wq·wk·wv"})
"""The numbers of every run, then those of the notebook's neuron."""


def outcome_of(numbers, params):
    """The outcome with these numbers, by name, and parameters (6, N) at both ends."""
    ends = {"quantities_initial": "C_initial", "quantities_first_hit": "C_first_hit",
            "quantities": "C"}  # fmt: skip
    own = {field: {"C": numbers[name]} for field, name in ends.items()}
    fields = {name: numbers[name] for name in NUMBERS if name not in RUNGS}
    ladder = tuple(numbers[name] for name in RUNGS)
    return Outcome(initial=params, final=params, ladder=ladder, **fields, **own)


def written(numbers, precision="float32", first=0, by="adam", epochs=2000):
    """The rows of runs with these numbers, all of one condition."""
    count = len(numbers["first_hit"])
    runs = outcome_of(numbers, np.ones((6, count), precision))
    seeds = np.arange(first, first + count, dtype=np.uint32)
    part = table(problem("xor"), precision, np.zeros_like(seeds), seeds, runs)
    assert part.schema == run_schema(precision)
    return with_condition(part, described(condition("xor", by, epochs, precision=precision)))


def rows(precision="float32", first=0):
    """Rows whose numbers are all different: the k-th number of run i is 1 + i + 10·k."""
    numbers = {
        name: (1 + first + np.arange(N) + 10 * k).astype(number.kind.dtype(precision))
        for k, (name, number) in enumerate(DECLARED.items())
    }
    return written(numbers, precision, first)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_each_number_is_a_column_of_its_kind_in_the_order_of_the_declaration(precision):
    polars = {"int32": pl.Int32, "int64": pl.Int64, "float32": pl.Float32, "float64": pl.Float64}
    columns = [*schema(precision).items()]
    at = [name for name, _ in columns].index("status") + 1
    assert columns[at : at + len(DECLARED)] == [
        (name, polars[number.kind.dtype(precision).name]) for name, number in DECLARED.items()
    ]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("k", "name"), [*enumerate(DECLARED)], ids=[*DECLARED])
def test_each_number_is_written_to_its_own_column(precision, k, name):
    assert rows(precision)[name].to_list() == [1 + i + 10 * k for i in range(N)]


@pytest.mark.parametrize("name", DECLARED)
def test_what_does_not_exist_is_null(name):
    kind = DECLARED[name].kind
    absent = np.nan if kind is Kind.REAL else NONE
    numbers = {
        other: np.full(N, absent if other == name else 1, number.kind.dtype("float32"))
        for other, number in DECLARED.items()
    }
    found = written(numbers)
    assert {c for c in found.columns if found[c].null_count()} == {name}
    assert found[name].null_count() == N


@pytest.mark.parametrize("name", DECLARED)
def test_each_number_is_tallied_over_the_groups_that_it_names(name):
    some = rows()
    (exact,), (binned,) = [population(some)], attnlogic.tally(some).populations()
    for group in GROUPS:
        assert (name in KEPT[group]) == (group in DECLARED[name].over)
        if group in DECLARED[name].over:
            members = some.filter(GROUPS[group])[name].drop_nulls()
            assert exact.of(name, group).total == binned.of(name, group).total == members.sum()


def test_every_declaration_is_sound():
    for name, quantity in QUANTITIES.items():
        assert set(quantity.over) <= set(GROUPS), name
        assert len(quantity.over) == len(set(quantity.over)), name
        assert 0 < len(quantity.meaning) < 90, name
    assert len(RUNGS) == len(LADDER)
    assert len(NUMBERS) == len(Outcome._fields) - 2 - 3 + len(LADDER) - 1


def test_evaluations_past_32_bits_are_kept():
    ones = {name: np.ones(1, n.kind.dtype("float32")) for name, n in DECLARED.items()}
    long = {"by": "lbfgs", "epochs": 2**31 - 1}
    many = written(ones | {"evaluations": np.array([2**40])}, **long)
    assert many["evaluations"].to_list() == [2**40]
    assert attnlogic.tally(many).populations()[0].of("evaluations").total == 2**40
    # A backend whose device has no 64 bits gives 32.
    few = written(ones | {"evaluations": np.ones(1, np.int32)}, **long)
    assert few.schema == many.schema


def test_the_numbers_of_an_outcome_are_in_the_order_of_their_declaration():
    leaves = {name: k for k, name in enumerate(DECLARED)}
    assert numbers_of(outcome_of(leaves, None)) == leaves
    assert [*numbers_of(outcome_of(leaves, None))] == [*DECLARED]


def test_a_new_number_takes_a_declaration_and_a_definition_and_no_more(tmp_path):
    """In a copy of the package: the epoch of the smallest loss."""
    shutil.copytree(ROOT / "attnlogic", tmp_path / "attnlogic")
    for file, anchor, more in (
        (
            "outcomes.py",
            "    initial_loss: Annotated[",
            '    best_at: Annotated[Value, Number(EPOCH, over=("solved",), meaning="its epoch")]\n',
        ),
        ("history.py", '        "initial_loss":', '        "best_at": losses.argmin(),\n'),
    ):
        path = tmp_path / "attnlogic" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(anchor) == 1
        path.write_text(text.replace(anchor, more + anchor), encoding="utf-8")
    script = """
import polars as pl
import synthetic
from attnlogic.results import schema, tally
rows = synthetic.rows()
assert [*schema("float32")].index("best_at") == [*schema("float32")].index("initial_loss") - 1
assert rows.schema["best_at"] == pl.Int32
assert rows["best_at"].n_unique() > 9
solved = rows.filter(status="solved")["best_at"]
assert tally(rows).populations()[0].of("best_at", "solved").total == solved.sum() > 0
print("yes")
"""
    paths = os.pathsep.join([str(tmp_path), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.stdout == "yes\n", done.stderr
