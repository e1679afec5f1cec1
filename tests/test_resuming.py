"""The same study again in its folder: what is there is kept, what is missing is trained."""

import shutil

import pytest
from abacus import Abacus, Counting, left, part_names, work

from attnlogic.errors import InputError
from attnlogic.results import load
from attnlogic.studies import Study, parts, pieces, run

TWO = Study(["xor", "nand"], ["sgd", "adam"], seeds=10, threshold=0.3)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(parts, "PART_ROWS", 1)
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", 8)


def test_rows_are_those_of_an_undisturbed_study_bit_for_bit_with_jax(tmp_path):
    study = Study(["xor", "nand"], ["adamw", "sgd(lr=0.5)", "lbfgs"], seeds=24, epochs=60)
    runs = run(study, "jax", tmp_path / "study", progress=False)
    table = runs.table()
    for path in runs.part_files()[1::3]:
        path.unlink()
    for path in runs.part_files()[::3]:
        path.write_bytes(path.read_bytes()[:-1])
    assert 0 < len(runs) < 100
    again = run(study, "jax", tmp_path / "study", progress=False)
    assert again.table().equals(table)  # no NaN in it: equal bits, or 0 for -0
    for name, kind in table.schema.items():
        if kind.is_float():
            assert (again.table()[name].to_numpy().tobytes()) == table[name].to_numpy().tobytes()


@pytest.mark.parametrize("good", [1, 3, 5, 7, 9, 11])
def test_what_was_done_is_kept_and_only_the_rest_is_trained(tmp_path, good):
    whole = work(tmp_path / "whole", study=TWO).table()
    with pytest.raises(RuntimeError, match="snapped"):
        work(tmp_path / "study", Abacus(good=good, error=RuntimeError("a wire snapped")), TWO)
    done = len(load(tmp_path / "study"))
    assert 0 < done < 40
    before = {p: p.stat().st_mtime_ns for p in load(tmp_path / "study").part_files()}
    again = Counting()
    runs = work(tmp_path / "study", again, TWO)
    assert runs.table().equals(whole)
    assert len(again.trained) == len(set(again.trained)) == 40 - done
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_a_finished_study_is_left_as_it_is(tmp_path):
    runs = work(tmp_path / "study", study=TWO)
    before = {p: p.stat().st_mtime_ns for p in runs.directory.rglob("*") if p.name != ".lock"}
    again = Counting()
    assert work(tmp_path / "study", again, TWO).table().equals(runs.table())
    assert not again.trained
    # The folder's own time changes, for the note of who writes comes and goes.
    after = {p: p.stat().st_mtime_ns for p in runs.directory.rglob("*") if p.name != ".lock"}
    assert after == before


def test_what_is_missing_is_trained_in_few_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "PART_ROWS", 10**6)
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", 4)
    whole = work(tmp_path / "study", Abacus(size=4), TWO)
    table = whole.table()
    for path in whole.part_files()[1:6]:
        path.unlink()
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", 10**6)

    sizes = []

    class Batches(Abacus):
        def train(self, batch, **rest):
            sizes.append(len(batch.which))
            return super().train(batch, **rest)

    missing = 40 - len(whole)
    assert work(tmp_path / "study", Batches(size=50), TWO).table().equals(table)
    assert len(sizes) == 2  # one for each optimizer
    assert sum(sizes) == missing


def test_a_line_says_how_much_is_kept(tmp_path, capfd):
    runs = work(tmp_path / "study", study=TWO)
    first, second, *_ = runs.part_files()
    first.unlink()
    second.write_bytes(b"")
    run(TWO, Abacus(), tmp_path / "study")
    err = capfd.readouterr().err.splitlines()
    kept = f"{tmp_path}/study: 34 runs kept, 6 to train"
    assert err[0] == f"{kept}; 1 file damaged or not of this study, set aside"
    assert err[1].startswith(f"set aside: '{second}': damaged")
    run(TWO, Abacus(), tmp_path / "study")
    assert capfd.readouterr().err.splitlines() == [f"{tmp_path}/study: 40 runs kept, 0 to train"]


OTHER = {
    "another gate": (Study(["xor", "or"], ["sgd", "adam"], 10, threshold=0.3),
                     "gate: nand there, or asked for"),
    "one optimizer less": (Study(["xor", "nand"], ["sgd"], 10, threshold=0.3),
                           "optimizer: adam there alone, beside sgd"),
    "one optimizer more": (Study(["xor", "nand"], ["sgd", "adam", "adamw"], 10, threshold=0.3),
                           "optimizer: adamw asked for alone, beside sgd, adam"),
    "more seeds": (Study(["xor", "nand"], ["sgd", "adam"], 12, threshold=0.3),
                   "seeds: 0:10 there, 0:12 asked for"),
    "fewer seeds": (Study(["xor", "nand"], ["sgd", "adam"], range(2, 9), threshold=0.3),
                    "seeds: 0:10 there, 2:9 asked for"),
    "threshold": (Study(["xor", "nand"], ["sgd", "adam"], 10, threshold=0.2),
                  "threshold: 0.3 there, 0.2 asked for"),
    "precision": (Study(["xor", "nand"], ["sgd", "adam"], 10, threshold=0.3, precision="float64"),
                  "precision: float32 there, float64 asked for"),
    "until": (Study(["xor", "nand"], ["sgd", "adam"], 10, threshold=0.3, until="hit"),
              "until: budget there, hit asked for"),
    "epochs": (Study(["xor", "nand"], ["sgd", "adam"], 10, 7, threshold=0.3),
               "epochs: 8000 there, 7 asked for"),
    "init": (Study(["xor", "nand"], ["sgd", "adam"], 10, threshold=0.3, init="normal"),
             "init: torch there, normal asked for"),
    "parameters": (Study(["xor", "nand"], ["sgd", "adam"], 10, threshold=0.3, parameters="w*"),
                   "the parameters that are kept as columns"),
}  # fmt: skip


@pytest.mark.parametrize(("study", "difference"), OTHER.values(), ids=OTHER.keys())
def test_another_study_is_refused_with_the_difference(tmp_path, study, difference):
    runs = work(tmp_path / "study", study=TWO)
    runs.part_files()[0].unlink()
    before = left(tmp_path)
    again = Counting()
    with pytest.raises(InputError, match="holds another study") as error:
        work(tmp_path / "study", again, study)
    assert difference in str(error.value)
    assert "name another folder" in str(error.value)
    can_be_added = not any(name in difference for name in ("threshold", "precision", "until"))
    assert ("add to it with --extend" in str(error.value)) == can_be_added
    assert not again.trained
    assert left(tmp_path) == before


def test_another_backend_is_another_study(tmp_path):
    class Other(Abacus):
        name = "slide rule"

    work(tmp_path / "study", study=TWO)
    with pytest.raises(InputError, match="backend: abacus there, slide rule asked for"):
        work(tmp_path / "study", Other(), TWO)


def test_other_versions_are_said_and_noted(tmp_path, capfd):
    class Later(Abacus):
        def versions(self):
            return {"abacus": "1600 AD"}

        def devices(self):
            return ["nine wires"]

    runs = work(tmp_path / "study", study=TWO)
    runs.part_files()[0].unlink()
    for _ in range(2):
        run(TWO, Later(), tmp_path / "study")
    err = capfd.readouterr().err
    assert err.count("rows may differ in their last bits from those kept") == 1
    assert "devices ten wires before, nine wires now; abacus 2700 BC before, 1600 AD now" in err
    said = load(tmp_path / "study").description
    assert said["versions"]["abacus"] == "2700 BC"
    assert [one["versions"]["abacus"] for one in said["resumed"]] == ["1600 AD"]


def test_nothing_that_a_folder_says_reaches_the_terminal_as_it_is(tmp_path, capfd):
    class Foreign(Abacus):
        def versions(self):
            return {"abacus": "\x1b[2J"}

    runs = work(tmp_path / "study", Foreign(), TWO)
    runs.part_files()[0].rename(runs.part_files()[0].with_name("\x1b]0;.parquet"))
    run(TWO, Abacus(), tmp_path / "study")
    err = capfd.readouterr().err
    assert r"abacus \x1b[2J before, 2700 BC now" in err
    assert r"set aside: " in err
    assert "\x1b" not in err


# --- a folder that was left in any state ---------------------------------------------------------


STATES = {
    "nothing": lambda folder: shutil.rmtree(folder),
    "an empty folder": lambda folder: [shutil.rmtree(folder), folder.mkdir()],
    "a lock alone": lambda folder: [
        shutil.rmtree(folder / "parts"), (folder / "study.json").unlink(),
    ],
    "no description": lambda folder: (folder / "study.json").unlink(),
    "no description yet": lambda folder: [
        (folder / "study.json").rename(folder / ".study.json.tmp"),
    ],
    "half a description": lambda folder: (folder / "study.json").write_bytes(b'{"format": 3,'),
    "a flipped bit in it": lambda folder: (folder / "study.json").write_bytes(
        (folder / "study.json").read_bytes().replace(b"nand", b"nane")
    ),
    "no folder of parts": lambda folder: shutil.rmtree(folder / "parts"),
    "half a part": lambda folder: (folder / "parts/000-sgd/.0-3.tmp").write_bytes(b"PAR1"),
    "a note of a writer that is gone": lambda folder: (folder / ".writer.json").write_bytes(b"["),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
def test_a_study_goes_on_from_any_state(tmp_path, state):
    runs = work(tmp_path / "study", study=TWO)
    table, done = runs.table(), len(part_names(runs))
    state(tmp_path / "study")
    kept = len([*tmp_path.glob("study/parts/*/[0-9]*.parquet")])
    again = Counting()
    found = work(tmp_path / "study", again, TWO)
    assert found.table().equals(table)
    assert not found.unread
    assert len(again.trained) == (0 if kept == done else 40)
    assert not [p for p in left(tmp_path) if p.endswith(".tmp")]


def test_a_damaged_description_is_no_excuse_for_other_settings(tmp_path):
    work(tmp_path / "study", study=TWO)
    (tmp_path / "study" / "study.json").write_bytes(b"{")
    before = left(tmp_path)
    for study, _ in (OTHER["threshold"], OTHER["fewer seeds"], OTHER["another gate"]):
        with pytest.raises(InputError, match=r"no sound study.json.* is of another study"):
            work(tmp_path / "study", study=study)
    assert left(tmp_path) == before


@pytest.mark.parametrize("name", ["notes", "parts/x.parquet", "study.json", "parts/a/b.parquet"])
def test_a_folder_of_something_else_is_left_alone(tmp_path, name):
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    before = left(tmp_path)
    with pytest.raises(InputError, match=r"is not empty, and holds no study|cannot read .*json"):
        work(tmp_path)
    assert left(tmp_path) == before


def test_what_a_link_leads_to_is_not_touched(tmp_path):
    runs = work(tmp_path / "study", study=TWO)
    table = runs.table()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / ".notes.tmp").write_text("mine")
    (tmp_path / "elsewhere" / "notes.parquet").write_text("mine")
    shutil.rmtree(tmp_path / "study" / "parts" / "000-sgd")
    (tmp_path / "study" / "parts" / "000-sgd").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "study" / "parts" / "more").symlink_to(tmp_path / "elsewhere")
    assert work(tmp_path / "study", study=TWO).table().equals(table)
    assert left(tmp_path / "elsewhere") == [".notes.tmp", "notes.parquet"]
