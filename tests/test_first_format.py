"""A study that version 0.1.0 wrote: each row had its condition's columns.

``data/first_format`` was written by that version, from
``Study("xor", ["adam", "polyak"], seeds=4, epochs=400)``.
"""

import shutil
from pathlib import Path

import polars as pl
import pytest

import attnlogic
from attnlogic.outcomes import NUMBERS, Kind
from attnlogic.results import conditions, load, schema
from attnlogic.statistics import STATISTICS

FOLDER = Path(__file__).parent / "data" / "first_format"
PARTS = ["000-xor-adam/0-3.parquet", "001-xor-polyak/0-3.parquet"]


@pytest.fixture
def written():
    """The rows as that version gave them: its parts, one after the other."""
    rows = pl.concat([pl.read_parquet(FOLDER / "parts" / part) for part in PARTS])
    assert len(rows) == 8
    return rows


def test_its_rows_are_those_that_it_gave(written):
    runs = load(FOLDER)
    new = ["model", "encoding"]
    assert {*written.columns} == {*schema("float32")} - {*new}
    for rows in (runs.table(), runs.frame.collect(), pl.concat(runs.parts())):
        assert rows.select(written.columns).equals(written)
        assert rows.select(written.columns).schema == written.schema
        assert rows.select(new).unique().rows() == [("attention", "01")]
    assert len(runs) == 8
    assert repr(runs) == f"Runs({str(FOLDER)!r}, 8 runs of 2 conditions)"


def test_its_hyperparameters_are_columns():
    by_condition = load(FOLDER).table().group_by("optimizer", maintain_order=True).first()
    assert by_condition.select("optimizer", "lr", "amsgrad", "f_min", "tolerance").rows() == [
        ("adam", 0.05, False, None, None),
        ("polyak", None, None, 0.0, 1e-12),
    ]


def test_its_conditions_are_in_order(written):
    expected = written.partition_by("optimizer", maintain_order=True)
    for found in (
        [c.lazy().collect() for c in load(FOLDER).conditions()],
        conditions(load(FOLDER)),
    ):
        assert [
            rows.select(written.columns).equals(e) for rows, e in zip(found, expected, strict=True)
        ] == [
            True,
            True,
        ]


def test_still_earlier_ones_kept_evaluations_in_32_bits(tmp_path, written):
    old = shutil.copytree(FOLDER, tmp_path / "old")
    counts = [name for name, number in NUMBERS.items() if number.kind is Kind.COUNT]
    for part in PARTS:
        narrow = pl.read_parquet(old / "parts" / part).cast(dict.fromkeys(counts, pl.Int32))
        narrow.write_parquet(old / "parts" / part)
    rows = load(old).table().select(written.columns)
    assert rows.schema == written.schema
    assert rows.equals(written)


@pytest.mark.parametrize("name", [name for name in STATISTICS if name != "sweep"])
def test_every_statistic_is_that_of_its_rows(written, name):
    """But that of sweeps: there is none in these runs."""
    statistic, runs = STATISTICS[name], load(FOLDER)
    assert statistic(runs).equals(statistic(written))
    if not statistic.needs_rows:
        assert statistic(attnlogic.tally(runs)).equals(statistic(attnlogic.tally(written)))


@pytest.mark.parametrize("version", ["first_format", "second_format"])
def test_a_copied_part_of_an_earlier_version_is_found(tmp_path, type_in, version):
    """Its parts list no runs, and have no checksums."""
    folder = shutil.copytree(FOLDER.parent / version, tmp_path / "study")
    part = next(folder.rglob("*.parquet"))
    copy = shutil.copy(part, part.with_name("copy.parquet"))
    for command in ("summary", "info", "runs", "verify"):
        code, _, err = type_in(command, folder)
        assert code == (3 if command == "verify" else 2)
        assert f"'{folder}' has seed 0 of a condition twice: a part was copied" in err
        assert len(err.splitlines()) == 1
    Path(copy).unlink()
    assert type_in("verify", folder)[0] == 0
    part.unlink()
    code, out, _ = type_in("summary", folder)
    assert code == 3
    assert "4 of 8 runs are there: an earlier version wrote them" in out
