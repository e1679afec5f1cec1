"""Runs for other libraries, with the packages that are there and without those that are not."""

import io
import subprocess
import sys
import types

import numpy as np
import pandas as pd
import polars as pl
import pytest
import synthetic
from polars.testing import assert_frame_equal
from synthetic import rows

from attnlogic.errors import InputError
from attnlogic.results import select, to_file, to_pandas

ROWS = rows("xor", "polyak", range(40))


def test_pandas_has_every_value_and_every_gap():
    found = to_pandas(ROWS)
    assert [*found.columns] == ROWS.columns
    assert found.shape == ROWS.shape
    for name in ROWS.columns:
        expected = ROWS[name].to_list()
        values = [None if pd.isna(value) else value for value in found[name].tolist()]
        assert values == expected, name
    kinds = {name: str(kind) for name, kind in found.dtypes.items()}
    assert kinds["first_hit"] == "Int32"
    assert kinds["evaluations"] == "Int64"
    assert kinds["C"] == "float32"
    assert kinds["threshold"] == "float64"
    assert kinds["status"] == "category"
    assert [*found["status"].cat.categories] == ROWS.schema["status"].categories.to_list()


def test_truths_with_gaps_are_pandas_own():
    found = to_pandas(pl.DataFrame({"nesterov": [True, None, False]}))
    assert str(found["nesterov"].dtype) == "boolean"
    assert found["nesterov"].isna().tolist() == [False, True, False]
    assert found["nesterov"].sum() == 1


def test_a_frame_for_pandas_is_a_copy():
    found = to_pandas(ROWS)
    before = ROWS["wq"][0]
    found.loc[0, ["wq", "first_hit"]] = 7
    assert ROWS["wq"][0] == before
    assert found["first_hit"][0] == 7


def test_studies_and_selections_are_pandas_frames(tmp_path):
    runs = synthetic.study(tmp_path / "a", ROWS)
    expected = to_pandas(runs.table())
    pd.testing.assert_frame_equal(runs.to_pandas(), expected)
    pd.testing.assert_frame_equal(select(runs).to_pandas(), expected)


def test_whatever_reads_arrow_takes_them_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    runs = synthetic.study(tmp_path / "a", ROWS)
    for some in (runs, select(runs)):

        class Stream:
            """All that another library sees."""

            __arrow_c_stream__ = some.__arrow_c_stream__

        assert_frame_equal(pl.DataFrame(Stream()), runs.table())


def test_a_missing_package_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match="pip install pandas"):
        select(ROWS).to_pandas()
    with pytest.raises(InputError, match=r"pip install pyarrow.*without it"):
        select(ROWS).to_arrow()


def test_pyarrow_makes_a_table_where_it_is_there(monkeypatch):
    seen = []
    monkeypatch.setitem(sys.modules, "pyarrow", types.SimpleNamespace(table=seen.append))
    select(ROWS).to_arrow()
    assert_frame_equal(seen[0], select(ROWS).table())


@pytest.mark.parametrize(("form", "read"), [("parquet", pl.read_parquet), ("arrow", pl.read_ipc)])
def test_files_hold_the_frame(form, read):
    assert_frame_equal(read(io.BytesIO(to_file(ROWS, form))), ROWS)


def test_reading_runs_imports_neither_pandas_nor_pyarrow(tmp_path):
    folder = synthetic.study(tmp_path / "a", ROWS).directory
    script = (
        "import sys, attnlogic; attnlogic.summary(sys.argv[1]); "
        "print([m for m in ('pandas', 'pyarrow', 'jax') if m in sys.modules])"
    )
    command = [sys.executable, "-c", script, str(folder)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_table_has_the_columns_and_rows_that_are_asked_for():
    other = rows("or", "adam", range(10), "float64")
    chosen = select([other, ROWS])
    found = chosen.table(["C", "seed"], 12)
    assert found.columns == ["C", "seed"]
    assert found["seed"].to_list() == [*range(10), 0, 1]
    assert found["C"].dtype == pl.Float64
    assert [len(one) for one in chosen.tables(["C"], 3)] == [3]  # the other is not read
    assert found["C"].to_numpy()[10:].tolist() == pytest.approx(
        np.float32(ROWS["C"][:2].to_numpy()).tolist(), abs=0, nan_ok=True
    )
    assert select(ROWS.clear()).table(["seed"]).schema == {"seed": pl.UInt32}
    with pytest.raises(InputError, match="unknown column 'sed': did you mean 'seed'"):
        chosen.table(["sed"])
