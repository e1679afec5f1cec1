"""Runs that were written as text and read again are the same runs, to every statistic."""

import io
import json
import random

import numpy as np
import polars as pl
import pytest
import synthetic
from synthetic import rows

import attnlogic
from attnlogic.errors import InputError
from attnlogic.results import Own, conditions, populations, schema
from attnlogic.results.choosing.normal import normalized
from attnlogic.statistics import STATISTICS

summarize = STATISTICS["summary"]

EVERY_RUN = [*schema("float64", [Own({}, ())])]
"""The columns that every run has, whatever its model."""

# More rows than polars looks at to guess types, gates that read as truth values, a column without
# any value, and one whose first value comes late.
FRAMES = {
    "float32": pl.concat([rows("xor", "adam", range(150)), rows("xor", "adamw", range(150))]),
    "float64": pl.concat(
        [rows("true", by, range(40), "float64", epochs=9) for by in ("sgd", "lbfgs")]
    ),
    "both": pl.concat(
        [rows("nand", "adam", range(40)), rows("nand", "adam", range(40), "float64")],
        how="vertical_relaxed",
    ),
}


def as_csv(frame, **how):
    return pl.read_csv(io.StringIO(frame.write_csv()), **how)


def as_json(frame):
    return pl.read_json(io.StringIO(frame.write_json()))


FORMS = {
    "csv": as_csv,
    "csv, all of it looked at": lambda frame: as_csv(frame, infer_schema_length=None),
    "csv, nothing of it looked at": lambda frame: as_csv(frame, infer_schema=False),
    "lazy": lambda frame: as_csv(frame).lazy(),
    "json": as_json,
    "dicts": lambda frame: pl.DataFrame(json.loads(frame.write_json()), infer_schema_length=None),
    "shuffled columns, and more": lambda frame: frame.select(
        pl.lit("mine").alias("note"), *random.Random(0).sample(frame.columns, len(frame.columns))
    ),
    "wider": lambda frame: frame.cast(
        {pl.Int32: pl.Int64, pl.UInt32: pl.Float64, pl.Float32: pl.Float64, pl.Enum: pl.String}
    ),
    "NaN for null": lambda frame: frame.cast({pl.Int32: pl.Float64}).with_columns(
        pl.selectors.float().fill_null(float("nan"))
    ),
}


def without_infinity(frame):
    """JSON has no infinity: polars writes null."""
    return frame.with_columns(pl.selectors.float().replace([np.inf, -np.inf], None))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", FRAMES)
def test_runs_read_back_are_the_same_bit_for_bit(name, form):
    frame = FRAMES[name]
    read = normalized(FORMS[form](frame))
    expected = without_infinity(frame) if form in ("json", "dicts") else frame
    precision = "float32" if name == "float32" else "float64"
    every = [column for column in read.columns if column != "note"]
    assert {*every} == {*frame.columns}
    assert every[: len(EVERY_RUN)] == EVERY_RUN
    assert read.select(frame.columns).schema == frame.schema == schema(precision)
    assert read.select(frame.columns).equals(expected)
    assert read.columns == every or form == "shuffled columns, and more"


@pytest.mark.parametrize("statistic", [name for name in STATISTICS if name != "sweep"])
@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("name", FRAMES)
def test_every_statistic_is_the_same_of_runs_read_back(name, form, statistic):
    """But that of sweeps: there is none in these runs."""
    statistic = STATISTICS[statistic]
    frame = without_infinity(FRAMES[name]) if form == "json" else FRAMES[name]
    read = FORMS[form](frame)
    assert statistic(read).equals(statistic(frame))
    if not statistic.needs_rows:
        assert statistic(attnlogic.tally(read)).equals(statistic(attnlogic.tally(frame)))


def test_a_study_written_as_csv_has_the_same_summary(tmp_path):
    runs = synthetic.study(tmp_path / "study", rows("xor", "adam"), rows("or", "sgd"))
    runs.table().write_csv(tmp_path / "runs.csv")
    assert summarize(pl.read_csv(tmp_path / "runs.csv")).equals(summarize(runs))
    assert summarize(pl.scan_csv(tmp_path / "runs.csv")).equals(summarize(runs))


def test_each_condition_has_its_own_precision():
    parts = [part.select(*schema("float32")) for part in conditions(FORMS["csv"](FRAMES["both"]))]
    assert [part.schema for part in parts] == [schema("float32"), schema("float64")]


def test_no_runs_are_none_in_any_form():
    for precision in ("float32", "float64"):
        none = pl.DataFrame(schema=schema(precision))
        assert conditions(none) == conditions(as_csv(none)) == populations(none) == []


def test_missing_columns_are_named():
    frame = FRAMES["float32"]
    with pytest.raises(InputError) as error:
        summarize(frame.drop("rises", "min_loss"))
    assert "lacks rises, min_loss:" in str(error.value)
    assert "Runs.table()" in str(error.value)
    with pytest.raises(InputError, match=r"lacks gate, optimizer, seed, status, first_hit, …:"):
        summarize(pl.DataFrame({"a": [1]}))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("status", "solvd", "column 'status': expected one of solved, lost, unsolved, diverged"),
        ("first_hit", "soon", "column 'first_hit': expected Int32, got 'soon'"),
        ("first_hit", 1.5, "column 'first_hit': expected Int32, got 1.5"),
        ("first_hit", 2**31, "column 'first_hit': expected Int32, got 2147483648"),
        ("seed", -1, "column 'seed': expected UInt32, got -1"),
        ("C", "small", "column 'C': expected Float32, got 'small'"),
        ("precision", "float16", "column 'precision': expected one of float32, float64, got"),
        ("precision", None, "column 'precision': expected float32 or float64, got None"),
    ],
)
def test_a_wrong_value_is_named(column, value, message):
    frame = FRAMES["float32"]
    values = [*frame[column].cast(pl.String), value]
    if isinstance(value, int | float):
        values = [*frame[column], value]
    wrong = pl.concat([frame, frame[:1]]).with_columns(
        pl.Series(column, values, strict=False, dtype=pl.String if isinstance(value, str) else None)
    )
    with pytest.raises(InputError) as error:
        summarize(wrong)
    assert message in str(error.value)


def test_of_data_that_is_no_gate_theory_knows_nothing():
    frame = FRAMES["float32"].with_columns(gate=pl.lit("mine.csv"))
    found, of_xor = summarize(frame), summarize(FRAMES["float32"])
    assert found["C_exact"].to_list() == [None, None]
    assert found["C_median"].equals(of_xor["C_median"])


@pytest.mark.parametrize("runs", [None, [1, 2], {"gate": ["xor"]}, 3], ids=repr)
def test_what_are_no_runs_is_refused(runs):
    for tell in (conditions, populations, attnlogic.tally, summarize):
        with pytest.raises(InputError, match=r"runs: expected a study, a tally or a polars frame"):
            tell(runs)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the runs: .*none\.csv"):
        summarize(pl.scan_csv(tmp_path / "none.csv"))
