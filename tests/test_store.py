"""A study on disk: what a row says, that files are whole, and that what is broken is named."""

import errno
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from stored import (
    CONDITIONS,
    DESCRIPTION,
    INF,
    NAND,
    PRECISIONS,
    XOR,
    as_part,
    describe,
    everything,
    files,
    one,
    part,
    read,
    rows,
    write,
)

from attnlogic.errors import InputError
from attnlogic.outcomes import STATUSES, concatenate
from attnlogic.results import run_schema, schema
from attnlogic.results.store import runs as store
from attnlogic.results.store import writing

# --- rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_columns_of_a_row(precision):
    text, whole, real = pl.String, pl.Int32, {"float32": pl.Float32, "float64": pl.Float64}
    expected = [
        ("seed", pl.UInt32), ("status", pl.Enum(STATUSES)),
        *((e, whole) for e in ("first_hit", "sustained_from", "stopped_at", "diverged_at")),
        ("rises", whole), ("exits", whole),
        ("evaluations", pl.Int64), ("evaluations_first_hit", pl.Int64),
        *((f"first_hit_1e-{k}", whole) for k in range(1, 11)),
        *((x, real[precision]) for x in (
            "initial_loss", "final_loss", "min_loss", "worst_after_hit",
            "gradient_norm", "C_initial", "C_first_hit", "C", "wq", "wk", "wv", "w1", "w2", "b",
            "wq_initial", "wk_initial", "wv_initial", "w1_initial", "w2_initial", "b_initial",
        )),
    ]  # fmt: skip
    settings = [
        ("backend", text), ("precision", text), ("epochs", whole), ("threshold", pl.Float64),
        ("init", text), ("until", text), ("model", text), ("encoding", text),
    ]  # fmt: skip
    condition = [("gate", text), ("optimizer", text)]
    assert [*schema(precision).items()] == [*condition, *expected, *settings]
    # A part has its condition's number instead.
    written = [("condition", pl.UInt32), *expected]
    assert [*run_schema(precision).items()] == written
    assert [*part(precision=precision).schema.items()] == written


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_row_says_what_the_outcome_says(precision):
    real = np.dtype(precision).type
    row = part([0], precision).row(0, named=True)
    assert row == {
        "condition": 0, "seed": 0, "status": "solved",
        "first_hit": 1, "sustained_from": 4, "stopped_at": None, "diverged_at": None,
        "rises": 1, "exits": 1, "evaluations": 15, "evaluations_first_hit": 2,
        "first_hit_1e-1": 4, **{f"first_hit_1e-{k}": None for k in range(2, 11)},
        "gradient_norm": 0.5,
        "initial_loss": 4, "final_loss": real(0.1), "min_loss": real(0.1), "worst_after_hit": 3,
        "C_initial": real(0.1) * real(0.2) * real(0.3), "C_first_hit": 11, "C": -0.25,
        "wq": 0.5, "wk": 2, "wv": -0.25, "w1": 4, "w2": 5, "b": real(1 / 3),
        "wq_initial": real(0.1), "wk_initial": real(0.2), "wv_initial": real(0.3),
        "w1_initial": real(0.4), "w2_initial": real(0.5), "b_initial": real(0.6),
    }  # fmt: skip


@pytest.mark.parametrize("of", [XOR, NAND], ids=str)
def test_what_belongs_to_the_condition_is_joined_when_runs_are_read(runs, of):
    write(runs.directory, [0], of=of)
    row = runs.table().row(0, named=True)
    adam, sgd = ({"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "amsgrad": False},
                 {"momentum": 0.0, "dampening": 0.0, "nesterov": False})  # fmt: skip
    own, other = (sgd, adam) if of == XOR else (adam, sgd)
    condition = {
        "gate": of[0], "optimizer": of[1],
        "epochs": 40, "threshold": 1.0, "backend": "abacus", "precision": "float32",
        "init": "torch", "until": "budget", "model": "attention", "encoding": "01",
        "lr": 0.1 if of == XOR else 0.05, "weight_decay": 0.0, "gamma": 1.0,
        "schedule": "constant", "warmup": 0.0,
        **own, **dict.fromkeys(other),
    }  # fmt: skip
    kept = part([0], of=of).drop("condition").row(0, named=True)
    assert row == condition | kept


def test_what_does_not_exist_is_null_and_the_infinite_stays():
    every = rows()
    assert every["status"].to_list() == ["solved", "lost", "unsolved", "diverged"]
    assert every["first_hit"].to_list() == [1, 0, None, 1]
    assert every["sustained_from"].to_list() == [4, None, None, None]
    assert every["diverged_at"].to_list() == [None, None, None, 2]
    assert every["worst_after_hit"].to_list() == [3, 2, None, INF]
    assert every["final_loss"].to_list() == pytest.approx([0.1, 2, 3, INF])
    assert every["C_first_hit"].to_list() == [11, 10, None, 11]
    assert every["evaluations_first_hit"].to_list() == [2, 1, None, 2]
    for name in ("C", "gradient_norm", "wq", "wk", "wv", "w1", "w2", "b"):
        assert every[name].is_null().to_list() == [False, False, False, True], name
    assert sum(every.select(pl.selectors.float().is_nan().sum()).row(0)) == 0
    stopped = as_part(concatenate([one([4, 0.5], stopped_at=1)]), [0])
    assert stopped["stopped_at"].to_list() == [1]


def test_the_largest_seed_and_epoch_fit(tmp_path):
    conditions = [{**CONDITIONS[0], "epochs": 2**31 - 1}]
    runs = writing.create(tmp_path / "study", describe(conditions, [2**32 - 1]))
    write(runs.directory, [2**32 - 1])
    assert runs.table()["seed"].to_list() == [2**32 - 1]
    assert runs.table()["epochs"].to_list() == [2**31 - 1]


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_written_is_read_bit_for_bit(tmp_path, precision):
    runs = writing.create(tmp_path / "study", describe(precision=precision))
    written = part(precision=precision)
    # Every number is kept as it is: the smallest, the largest, minus zero.
    info = np.finfo(precision)
    odd = [info.smallest_subnormal, info.max, -0.0, info.eps]
    written = written.with_columns(wq=pl.Series(odd, dtype=written.schema["wq"]))
    writing.write_part(runs, "000-sgd", written)

    (part_file,) = runs.part_files()
    assert part_file.name.startswith("0-3.")
    assert files(runs.directory) == [str(part_file.relative_to(runs.directory)), "study.json"]
    bits = {"float32": np.uint32, "float64": np.uint64}[precision]
    plain = pl.read_parquet(runs.directory / "parts/*/*.parquet")  # as any reader would
    joined = read(written, precision)
    for found, expected in (
        (store.load(runs.directory).table(), joined),
        (runs.frame.collect(), joined),
        (plain, written),
    ):
        assert found.equals(expected)
        assert found.schema == expected.schema
        np.testing.assert_array_equal(
            found["wq"].to_numpy().view(bits), np.array(odd, precision).view(bits)
        )


def test_rows_come_in_the_order_of_conditions_then_of_seeds(runs):
    # As text, 10 comes before 8 and nand before xor.
    write(runs.directory, [5, 6], of=NAND)
    for seeds in ([10, 11], [100], [8, 9]):
        write(runs.directory, seeds)
    assert [*runs.table().select("gate", "seed").iter_rows()] == [
        *(("xor", seed) for seed in (8, 9, 10, 11, 100)),
        ("nand", 5),
        ("nand", 6),
    ]
    assert runs.table().columns == [*runs.schema]
    assert runs.table().columns[: len(schema("float32"))] == [*schema("float32")]
    assert len(runs) == 7


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_study_without_runs_is_an_empty_table(tmp_path, precision):
    description = describe([], precision=precision)
    writing.create(tmp_path / "study", description)
    runs = store.load(str(tmp_path / "study"))
    assert runs.description == {**description, "checksum": runs.description["checksum"]}
    assert len(runs) == 0
    assert runs.table().schema == runs.frame.collect_schema() == schema(precision)


NAMES = [
    "a [b] *?", "lr=0.1", "{x}", "{t1,u}", "t[1]", "[t]1", "t?", "*", "**", "[!a]1", "ä ö",
    "deep/er", "~", "~root/x", "$HOME", "%20", "a\nb", "-x", "s3:/t1", "t1.parquet",
]  # fmt: skip


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_a_folder_may_have_any_name(tmp_path, monkeypatch, name, absolute):
    """A path is no pattern: a neighbour that it would match as one is not read."""
    monkeypatch.chdir(tmp_path)
    for neighbour in ("t1", "u", "a b c"):
        writing.create(Path(neighbour), DESCRIPTION)
        write(Path(neighbour), range(90, 94))
    path = tmp_path / name if absolute else Path(name)
    runs = writing.create(path, DESCRIPTION)
    write(runs.directory, [0, 1])
    write(runs.directory, [2])
    assert (tmp_path / name / "study.json").is_file()
    for found in (runs, store.load(path), store.load(str(path))):
        assert len(found) == 3
        assert found.table().equals(rows([0, 1, 2]))
        assert found.frame.collect().equals(rows([0, 1, 2]))
        assert pl.concat(found.parts()).equals(rows([0, 1, 2]))
        assert next(found.conditions()).lazy().collect().equals(rows([0, 1, 2]))
        assert repr(found) == f"Runs({str(path)!r}, 3 runs of 2 conditions)"


def test_a_study_starts_in_an_empty_folder_and_in_no_other(tmp_path):
    (tmp_path / "empty").mkdir()
    runs = writing.create(tmp_path / "empty", DESCRIPTION)
    said = json.loads((tmp_path / "empty" / "study.json").read_text())
    assert said["conditions"] == json.loads(json.dumps(DESCRIPTION["conditions"]))
    (tmp_path / "a file").write_text("mine")
    (tmp_path / "link").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    before = everything(tmp_path)
    for path, message in {
        runs.directory: f"'{runs.directory}' is not empty, and holds no study",
        tmp_path / "a file": f"'{tmp_path}/a file' is a file",
        tmp_path / "a file" / "below": f"'{tmp_path}/a file' is a file",
        tmp_path / "link": f"'{tmp_path}/link' is a link to nothing ('gone')",
        tmp_path / "link" / "below" / "it": f"'{tmp_path}/link' is a link to nothing ('gone')",
        tmp_path / "loop": f"'{tmp_path}/loop' is a link to nothing ('loop')",
        tmp_path / "x" / ("n" * 300): "File name too long",
    }.items():
        with pytest.raises(InputError) as error:
            writing.create(path, DESCRIPTION)
        assert message in str(error.value)
        assert str(error.value).endswith(": name another folder with --out")
        assert everything(tmp_path) == before


def test_a_link_to_an_empty_folder_is_one(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    writing.create(tmp_path / "link", DESCRIPTION)
    assert files(tmp_path / "there") == ["study.json"]


@pytest.mark.parametrize("fails", ["a", "b", "parts"])
def test_a_folder_that_cannot_be_made_leaves_nothing(tmp_path, monkeypatch, fails):
    mkdir = Path.mkdir

    def refuse(path, *args, **rest):
        if path.name == fails:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        mkdir(path, *args, **rest)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError) as error:
        writing.create(tmp_path / "a" / "b", DESCRIPTION)
    assert str(error.value) == (
        f"cannot write to '{tmp_path}/a/b': Permission denied: name another folder with --out"
    )
    assert everything(tmp_path) == []


def test_a_description_that_is_no_json_makes_nothing(tmp_path):
    with pytest.raises(TypeError):
        writing.create(tmp_path / "study", {**DESCRIPTION, "threshold": np.float32(1)})
    assert everything(tmp_path) == []


def test_a_text_of_runs_is_short_whatever_they_are(runs):
    assert repr(runs) == f"Runs({str(runs.directory)!r}, 0 runs of 2 conditions)"
    write(runs.directory, range(1500))
    assert repr(runs) == f"Runs({str(runs.directory)!r}, 1,500 runs of 2 conditions)"
    (path,) = runs.part_files()
    path.write_bytes(b"PAR1")
    assert repr(runs) == f"Runs({str(runs.directory)!r}, 0 runs of 2 conditions; not read: 1 file)"
