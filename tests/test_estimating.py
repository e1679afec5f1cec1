"""What a study would need, before it is run: an estimate, which writes nothing."""

import pytest
from abacus import SMALL, Abacus, left, work

from attnlogic.errors import InputError
from attnlogic.results.counts import census, census_counts
from attnlogic.studies import Study, collecting, estimate, estimating


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def size(runs):
    return sum(path.stat().st_size for path in runs.part_files())


def test_all_runs_are_in_it_and_nothing_is_written(tmp_path):
    found = estimate(SMALL, Abacus())
    assert found.runs == 4 * 10
    assert [(part.conditions, part.runs) for part in found.parts] == [(2, 20), (2, 20)]
    assert left(tmp_path) == []


def test_the_disk_is_that_of_the_study(tmp_path):
    study = Study(["xor", "nand"], "sgd", seeds=1000)
    real = size(work(tmp_path / "study", study=study))
    assert real / 2 < estimate(study, Abacus()).disk < real * 2


@pytest.mark.parametrize("keep_rows", [None, "wq > 0", "wq > 99"])
def test_the_disk_of_a_census_is_at_most_about_so_much(tmp_path, monkeypatch, keep_rows):
    """Of many more runs than the sample's, with an end to the rows that are kept."""
    for module in (census_counts, census, estimating):
        monkeypatch.setattr(module, "MOST_ROWS", 500)
    for module in (collecting, estimating):  # one part, however busy the machine is
        monkeypatch.setattr(module, "PART_SECONDS", 1e9)
    monkeypatch.setattr(estimating, "MOST_RUNS", 2000)
    study, how = (
        Study(["xor", "nand"], "sgd", seeds=8000),
        {"keep": "tally", "keep_rows": keep_rows},
    )
    found = estimate(study, Abacus(), **how)
    assert found.parts[0].sample.runs <= 2000
    real = size(work(tmp_path / "census", Abacus(size=500), study, **how))
    # A first part that comes early is in it, which there is only where starting takes long.
    assert real < found.disk < 3 * real


def test_more_seeds_need_more_time_and_workers_less():
    few, many = (estimate(Study("xor", "sgd", n), Abacus(), keep="tally") for n in (200, 10**9))
    assert many.seconds() > 1000 * few.seconds()
    starting = sum(part.sample.starting for part in many.parts)
    assert many.seconds(10) - starting == pytest.approx((many.seconds() - starting) / 10)
    assert many.disk < 1e9 < estimate(Study("xor", "sgd", 10**9), Abacus()).disk
    assert many.memory < 2**20 * 1000 + many.base


def test_this_process_writes_rows_however_many_workers_there_are():
    found = estimate(Study("xor", "sgd", 10**6), Abacus())
    (part,) = found.parts
    assert found.seconds(10**9) == part.sample.starting + part.keeping > 0


def test_a_sweep_is_judged_by_some_of_its_conditions(monkeypatch):
    trained = []

    class Watched(Abacus):
        def train(self, batch, **how):
            trained.append({str(training) for training in batch.trainings})
            return super().train(batch, **how)

    found = estimate(Study("xor", "sgd(lr=0.1..1:100)", 50), Watched())
    assert found.runs == 100 * 50
    assert len(trained[0]) == 15  # every seventh
    assert {"xor · sgd(lr=0.1)", "xor · sgd"} & trained[0]


def test_what_run_refuses_is_refused():
    with pytest.raises(InputError, match="an abacus has no 'lbfgs'"):
        estimate(Study("xor", "lbfgs", 3), Abacus())
    with pytest.raises(InputError, match="every row is kept"):
        estimate(SMALL, Abacus(), keep_rows="C > 0")


def test_the_command_says_it_and_writes_nothing(type_in, tmp_path):
    words = ["xor", "-o", "polyak", "--epochs", "20", "--seeds", "all", "--keep", "tally"]
    code, out, _ = type_in("study", *words, "--dry-run", "--out", tmp_path / "study")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("xor · polyak: 4,294,967,296 runs, ")
    assert [line.split()[0] for line in lines[1:]] == ["runs", "time", "disk", "memory", "An"]
    assert left(tmp_path) == []
