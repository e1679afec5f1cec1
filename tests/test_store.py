"""A study on disk: what a row says, that files are whole, and that what is broken is named."""

import errno
import json
import math
import os
import resource
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from attnlogic.backend import Training
from attnlogic.errors import InputError
from attnlogic.history import History, outcome
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import NONE, STATUSES, concatenate
from attnlogic.problems.gates import gate
from attnlogic.problems.model import unpack
from attnlogic.results import schema, store, table, writing

NAN, INF = math.nan, math.inf
INITIAL = unpack([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
FINAL = unpack([0.5, 2.0, -0.25, 4.0, 5.0, 1 / 3])
PRECISIONS = ["float32", "float64"]
DESCRIPTION = {
    "precision": "float32",
    "conditions": [
        {"gate": "xor", "optimizer": "sgd(lr=0.1)"},
        {"gate": "nand", "optimizer": "adam"},
    ],
}


def training(precision="float32", gate_name="xor", by="sgd(lr=0.1)", epochs=40):
    return Training(gate(gate_name), optimizer(by), epochs, 1.0, precision)


def one(losses, precision="float32", stopped_at=NONE):
    """What becomes of a run with these losses and a threshold of 1; C at epoch t is 10 + t."""
    losses = np.array(losses, precision)
    C = np.arange(10, 10 + losses.size).astype(precision)
    evaluations = np.arange(losses.size) + 1
    return outcome(History(losses, C, INITIAL, FINAL, stopped_at, evaluations, 0.5), 1.0)


LOSSES = {
    "solved": [4, 0.5, 3, 2, 0.1],
    "lost": [0.5, 2],
    "unsolved": [1e-3 + 4, 3],
    "diverged": [4, 0.5, NAN],
}


def rows(seeds=range(4), precision="float32", gate_name="xor", by="sgd(lr=0.1)"):
    """A row for each seed: the runs of ``LOSSES``, over and over."""
    histories = [[*LOSSES.values()][seed % 4] for seed in seeds]
    runs = concatenate([one(losses, precision) for losses in histories])
    numbers = np.array([*seeds], np.uint32)
    return table(training(precision, gate_name, by), "abacus", "torch", numbers, runs)


@pytest.fixture
def runs(tmp_path):
    """A study that has been started."""
    return writing.create(tmp_path / "study", DESCRIPTION)


def files(directory):
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file())


def everything(directory):
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*"))


# --- rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_columns_of_a_row(precision):
    text, whole, real = pl.String, pl.Int32, {"float32": pl.Float32, "float64": pl.Float64}
    expected = [
        ("gate", text), ("optimizer", text), ("seed", pl.UInt32), ("status", pl.Enum(STATUSES)),
        *((e, whole) for e in ("first_hit", "sustained_from", "stopped_at", "diverged_at")),
        ("rises", whole), ("exits", whole),
        ("evaluations", pl.Int64), ("evaluations_first_hit", pl.Int64),
        *((f"first_hit_1e-{k}", whole) for k in range(1, 11)),
        *((x, real[precision]) for x in (
            "initial_loss", "final_loss", "min_loss", "worst_after_hit",
            "gradient_norm", "C_initial", "C_first_hit", "C", "wq", "wk", "wv", "w1", "w2", "b",
            "wq_initial", "wk_initial", "wv_initial", "w1_initial", "w2_initial", "b_initial",
        )),
        ("epochs", whole), ("threshold", pl.Float64),
        ("backend", text), ("precision", text), ("init", text), ("until", text),
    ]  # fmt: skip
    assert [*schema(precision).items()] == expected
    assert [*rows(precision=precision).schema.items()] == expected


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_row_says_what_the_outcome_says(precision):
    real = np.dtype(precision).type
    row = rows([0], precision).row(0, named=True)
    assert row == {
        "gate": "xor", "optimizer": "sgd(lr=0.1)", "seed": 0, "status": "solved",
        "first_hit": 1, "sustained_from": 4, "stopped_at": None, "diverged_at": None,
        "rises": 1, "exits": 1, "evaluations": 15, "evaluations_first_hit": 2,
        "first_hit_1e-1": 4, **{f"first_hit_1e-{k}": None for k in range(2, 11)},
        "gradient_norm": 0.5,
        "initial_loss": 4, "final_loss": real(0.1), "min_loss": real(0.1), "worst_after_hit": 3,
        "C_initial": real(0.1) * real(0.2) * real(0.3), "C_first_hit": 11, "C": -0.25,
        "wq": 0.5, "wk": 2, "wv": -0.25, "w1": 4, "w2": 5, "b": real(1 / 3),
        "wq_initial": real(0.1), "wk_initial": real(0.2), "wv_initial": real(0.3),
        "w1_initial": real(0.4), "w2_initial": real(0.5), "b_initial": real(0.6),
        "epochs": 40, "threshold": 1.0, "backend": "abacus", "precision": precision,
        "init": "torch", "until": "budget",
    }  # fmt: skip


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
    stopped = table(training(), "abacus", "torch", np.zeros(1, np.uint32), concatenate(
        [one([4, 0.5], stopped_at=1)]
    ))  # fmt: skip
    assert stopped["stopped_at"].to_list() == [1]


def test_the_largest_seed_and_epoch_fit():
    seeds = np.array([2**32 - 1], np.uint32)
    last = table(training(epochs=2**31 - 1), "abacus", "torch", seeds, concatenate([one([2])]))
    assert last["seed"].to_list() == [2**32 - 1]
    assert last["epochs"].to_list() == [2**31 - 1]


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_written_is_read_bit_for_bit(tmp_path, precision):
    runs = writing.create(tmp_path / "study", {**DESCRIPTION, "precision": precision})
    written = rows(precision=precision)
    # Every number is kept as it is: the smallest, the largest, minus zero.
    info = np.finfo(precision)
    odd = [info.smallest_subnormal, info.max, -0.0, info.eps]
    written = written.with_columns(wq=pl.Series(odd, dtype=written.schema["wq"]))
    writing.write_part(runs.directory, "000-xor-sgd", written)

    assert files(runs.directory) == ["parts/000-xor-sgd/0-3.parquet", "study.json"]
    bits = {"float32": np.uint32, "float64": np.uint64}[precision]
    plain = pl.read_parquet(runs.directory / "parts/*/*.parquet")  # as any reader would
    for read in (store.load(runs.directory).table(), runs.frame.collect(), plain):
        assert read.equals(written)
        assert read.schema == written.schema
        np.testing.assert_array_equal(
            read["wq"].to_numpy().view(bits), np.array(odd, precision).view(bits)
        )


def test_rows_come_in_the_order_of_conditions_then_of_seeds(runs):
    # As text, 10 comes before 8 and nand before xor.
    writing.write_part(runs.directory, "001-nand-adam", rows([5, 6], "float32", "nand", "adam"))
    for seeds in ([10, 11], [100], [8, 9]):
        writing.write_part(runs.directory, "000-xor-sgd", rows(seeds))
    assert [*runs.table().select("gate", "seed").iter_rows()] == [
        *(("xor", seed) for seed in (8, 9, 10, 11, 100)),
        ("nand", 5),
        ("nand", 6),
    ]
    assert runs.table().columns == [*schema("float32")]
    assert len(runs) == 7


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_study_without_runs_is_an_empty_table(tmp_path, precision):
    description = {"precision": precision, "conditions": []}
    writing.create(tmp_path / "study", description)
    runs = store.load(str(tmp_path / "study"))
    assert runs.description == description
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
        writing.write_part(Path(neighbour), "000-xor-sgd", rows(range(90, 94)))
    path = tmp_path / name if absolute else Path(name)
    runs = writing.create(path, DESCRIPTION)
    writing.write_part(runs.directory, "000-xor-sgd", rows([0, 1]))
    writing.write_part(runs.directory, "000-xor-sgd", rows([2]))
    assert (tmp_path / name / "study.json").is_file()
    for found in (runs, store.load(path), store.load(str(path))):
        assert len(found) == 3
        assert found.table().equals(rows([0, 1, 2]))
        assert found.frame.collect().equals(rows([0, 1, 2]))
        assert pl.concat(found.parts()).equals(rows([0, 1, 2]))
        assert found.conditions()[0].collect().equals(rows([0, 1, 2]))
        assert repr(found) == f"Runs({str(path)!r}, 3 runs of 2 conditions)"


def test_a_study_starts_in_an_empty_folder_and_in_no_other(tmp_path):
    (tmp_path / "empty").mkdir()
    runs = writing.create(tmp_path / "empty", DESCRIPTION)
    assert json.loads((tmp_path / "empty" / "study.json").read_text()) == DESCRIPTION
    (tmp_path / "a file").write_text("mine")
    (tmp_path / "link").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    before = everything(tmp_path)
    for path, message in {
        runs.directory: f"'{runs.directory}' is not empty",
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


# --- a part is whole or not there ---------------------------------------------------------------


@contextmanager
def full_disk():
    """A disk with room for a few bytes more: a long write comes half through, then fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_fails_half_way_leaves_what_was_there(runs):
    writing.write_part(runs.directory, "000-xor-sgd", rows([0, 1]))
    before = {path: (runs.directory / path).read_bytes() for path in files(runs.directory)}
    # An OSError, as the caller expects of a disk, whatever library writes the file.
    with full_disk(), pytest.raises(OSError, match="File too large") as error:
        writing.write_part(runs.directory, "000-xor-sgd", rows([2, 3]))
    assert error.value.errno == errno.EFBIG
    assert error.value.filename == str(runs.directory / "parts" / "000-xor-sgd" / "2-3.parquet")
    assert {path: (runs.directory / path).read_bytes() for path in files(runs.directory)} == before
    assert runs.table().equals(rows([0, 1]))
    writing.write_part(runs.directory, "000-xor-sgd", rows([2, 3]))
    assert runs.table().equals(rows())


@pytest.mark.parametrize("error", [OSError(errno.EIO, "bad disk"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("where", [(os, "fsync"), (Path, "replace")], ids=["fsync", "replace"])
def test_a_part_has_its_name_only_when_it_is_on_the_disk(runs, monkeypatch, where, error):
    seen = []

    def fail(*_):
        seen.append(files(runs.directory))
        raise error

    writing.write_part(runs.directory, "000-xor-sgd", rows([0, 1]))
    with monkeypatch.context() as patch:
        patch.setattr(*where, fail)
        with pytest.raises(type(error)):
            writing.write_part(runs.directory, "000-xor-sgd", rows([2, 3]))
    complete = ["parts/000-xor-sgd/0-1.parquet", "study.json"]
    (during,) = seen
    assert [name for name in during if name.endswith((".parquet", ".json"))] == complete
    assert len(during) == 3
    assert files(runs.directory) == complete
    assert runs.table().equals(rows([0, 1]))


def test_what_is_being_written_is_not_read(runs):
    writing.write_part(runs.directory, "000-xor-sgd", rows([0, 1]))
    (runs.directory / "parts" / "000-xor-sgd" / ".2-3.parquet.tmp").write_bytes(b"PAR1half")
    assert runs.table().equals(rows([0, 1]))


def test_a_part_written_twice_is_there_once(runs):
    for _ in range(2):
        writing.write_part(runs.directory, "000-xor-sgd", rows())
    assert runs.table().equals(rows())


def test_a_study_that_cannot_be_started_says_why(tmp_path):
    big = {**DESCRIPTION, "devices": ["a long name"] * 1000}
    with full_disk(), pytest.raises(InputError, match=r"cannot write to '.*study': File too large"):
        writing.create(tmp_path / "deep" / "study", big)
    assert everything(tmp_path) == []


# --- what is broken is named --------------------------------------------------------------------

PAIR = {"gate": "xor", "optimizer": "adam"}


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"", "cannot read"),
        (b'{"precision": "float32", "cond', "cannot read"),
        (b"\xff\xfe\x00", "cannot read"),
        (b"[1, 2]", "does not describe a study"),
        (b"null", "does not describe a study"),
        (b"{}", "does not describe a study"),
        (json.dumps({"conditions": [PAIR]}).encode(), "'precision'"),
        (json.dumps({"precision": "float16", "conditions": [PAIR]}).encode(), "'precision'"),
        (json.dumps({"precision": "float32"}).encode(), "'conditions'"),
        (json.dumps({"precision": "float32", "conditions": PAIR}).encode(), "'conditions'"),
        (json.dumps({"precision": "float32", "conditions": ["xor"]}).encode(), "'conditions'"),
        (json.dumps({"precision": "float32", "conditions": [{"gate": "xor"}]}).encode(), "'optim"),
    ],
)
def test_a_description_that_is_broken_is_named(tmp_path, content, fragment):
    (tmp_path / "study.json").write_bytes(content)
    with pytest.raises(InputError) as error:
        store.load(tmp_path)
    assert str(tmp_path / "study.json") in str(error.value)
    assert fragment in str(error.value)


def test_where_no_study_lies_there_is_none(tmp_path):
    (tmp_path / "a file").write_text("mine")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "a file"):
        with pytest.raises(InputError) as error:
            store.load(path)
        assert f"no study in '{path}'" in str(error.value)
        assert "--out" in str(error.value)
    (tmp_path / "study.json").mkdir()
    with pytest.raises(InputError, match=r"cannot read '.*study.json': .*directory"):
        store.load(tmp_path)


BREAK = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-1],
    "text": lambda content: b"gate,optimizer\nxor,adam\n",
}


@pytest.mark.parametrize("part", ["0-1", "2-3"])
@pytest.mark.parametrize("harm", BREAK.values(), ids=BREAK.keys())
def test_a_part_that_is_broken_is_named(runs, harm, part):
    for seeds in ([0, 1], [2, 3]):
        writing.write_part(runs.directory, "000-xor-sgd", rows(seeds))
    path = runs.directory / "parts" / "000-xor-sgd" / f"{part}.parquet"
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(InputError) as error:
        store.load(runs.directory).table()
    assert str(path) in str(error.value)


def test_a_part_of_another_study_is_named(runs):
    writing.write_part(runs.directory, "000-xor-sgd", rows([0, 1]))
    writing.write_part(runs.directory, "000-xor-sgd", rows([2, 3], "float64"))
    with pytest.raises(InputError, match=r"2-3.parquet"):
        runs.table()


def test_a_study_of_an_earlier_version_is_read_with_the_columns_of_this_one(runs):
    """It kept evaluations in 32 bits."""
    counts = ("evaluations", "evaluations_first_hit")
    old = rows([2, 3]).cast(dict.fromkeys(counts, pl.Int32))
    writing.write_part(runs.directory, "000-xor-sgd", old)
    assert runs.table().schema == runs.frame.collect_schema() == schema("float32")
    assert runs.table().equals(rows([2, 3]))
    assert pl.concat(runs.parts()).equals(runs.table())


def test_a_text_of_runs_is_short_whatever_they_are(runs):
    assert repr(runs) == f"Runs({str(runs.directory)!r}, 0 runs of 2 conditions)"
    writing.write_part(runs.directory, "000-xor-sgd", rows(range(1500)))
    assert repr(runs) == f"Runs({str(runs.directory)!r}, 1,500 runs of 2 conditions)"
    (path,) = runs.part_files()
    path.write_bytes(b"PAR1")
    assert repr(runs) == f"Runs({str(runs.directory)!r}, 2 conditions; a part cannot be read)"
