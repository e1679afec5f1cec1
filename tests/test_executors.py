"""Studies whose runs are trained by an executor: the same rows, whatever happens to its workers."""

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import jax
import pytest
from abacus import SMALL, Abacus, Counting, left, work
from cluster import Dying, Elsewhere, Unlucky

import attnlogic
from attnlogic.errors import InputError, WorkError
from attnlogic.problems import initial_params
from attnlogic.results import load, select
from attnlogic.studies import Study, elsewhere, run, units
from attnlogic.studies.makers import OtherWorkerError, check_made_alike, made_here


@pytest.fixture
def local(tmp_path):
    """The study in this process, as it always was."""
    return work(tmp_path / "local").table()


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def processes():
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.fixture(autouse=True)
def small_units(monkeypatch):
    monkeypatch.setattr(elsewhere, "MOST_ROWS", 3)
    monkeypatch.setattr(elsewhere, "MOST_COUNTED", 3)


def test_rows_are_those_of_the_local_study(tmp_path, local, threads):
    assert work(tmp_path / "study", executor=threads).table().equals(local)


def test_rows_of_a_pool_of_processes_are_those_of_the_local_study(tmp_path, local, processes):
    assert work(tmp_path / "study", executor=processes).table().equals(local)


@pytest.mark.parametrize("units_of", [1, 7, 1000])
def test_rows_do_not_depend_on_the_size_of_units(tmp_path, local, threads, monkeypatch, units_of):
    monkeypatch.setattr(elsewhere, "MOST_ROWS", units_of)
    assert work(tmp_path / "study", executor=threads).table().equals(local)


def test_a_tally_is_that_of_the_local_study(tmp_path, local, threads):
    found = select(work(tmp_path / "study", executor=threads, keep="tally")).tally()
    expected = attnlogic.tally(local)
    assert found.seeds == expected.seeds
    entry = found.counts.columns[:-2]
    one, other = (tally.counts.select(entry).sort(entry) for tally in (found, expected))
    assert one.equals(other)


def test_a_sweep_of_several_models_and_starts(tmp_path, threads):
    study = Study(
        ["xor", "01110001"],
        "sgd(lr=[0.1,1e-3])",
        seeds=range(3, 9),
        init=["normal(scale=0.1..3:log:3)", "torch"],
        models="attention(heads=[1,2])",
        precision="float64",
        parameters="w*",
    )
    expected = work(tmp_path / "local", study=study).table()
    assert work(tmp_path / "study", study=study, executor=threads).table().equals(expected)


def test_more_may_be_added_on_an_executor(tmp_path, local, threads):
    work(tmp_path / "study", study=Study("nand", "adam", range(5, 10), threshold=0.3))
    found = work(tmp_path / "study", executor=threads, extend=True)
    order = ["gate", "optimizer", "seed"]
    assert found.table().select(local.columns).sort(order).equals(local.sort(order))


def test_only_so_many_units_are_sent_out_as_keep_the_workers_busy(tmp_path):
    class Counted(ThreadPoolExecutor):
        flying, most = 0, 0

        def submit(self, *what):
            self.flying += 1
            self.most = max(self.most, self.flying)
            future = super().submit(*what)
            result = future.result

            def received():
                self.flying -= 1
                return result()

            future.result = received
            return future

    with Counted(2) as executor:
        work(tmp_path / "study", executor=executor)
        assert executor.most == 2 * 2
        assert executor.flying == 0


# --- units that fail -----------------------------------------------------------------------------


def test_a_unit_that_always_fails_is_reported_and_takes_no_other_along(tmp_path, local, threads):
    (wq, *_) = initial_params([7])
    broken = Unlucky(wq[0])
    with pytest.raises(WorkError, match=r"a wire is broken(.|\n)*failed, 3 times each") as error:
        work(tmp_path / "study", broken, executor=threads)
    assert "Traceback" in str(error.value)
    there = load(tmp_path / "study").table()
    lost = local.join(there, on=["gate", "optimizer", "seed"], how="anti")
    assert lost.group_by("gate", "optimizer").len()["len"].max() <= 3
    assert set(lost.filter(lost["seed"] == 7).select("gate", "optimizer").rows()) == set(
        local.select("gate", "optimizer").rows()
    )
    assert work(tmp_path / "study", executor=threads).table().equals(local)


def test_a_unit_that_fails_at_first_is_trained_again(tmp_path, local, threads):
    flaky = Abacus(good=5, error=ValueError("not yet"))
    real = flaky._outcomes

    def outcomes(batch, on_progress):
        try:
            yield from real(batch, on_progress)
        except ValueError:
            flaky.left = None
            raise

    flaky._outcomes = outcomes
    assert work(tmp_path / "study", flaky, executor=threads).table().equals(local)


def test_when_a_process_of_a_pool_dies_what_is_done_is_kept(tmp_path, local, processes):
    (tmp_path / "marks").mkdir()
    with pytest.raises(WorkError, match="a worker process has died"):
        work(tmp_path / "study", Dying(tmp_path / "marks"), executor=processes)
    kept = load(tmp_path / "study").table() if (tmp_path / "study").exists() else local.clear()
    assert kept.join(local, on=local.columns, how="anti", nulls_equal=True).is_empty()
    assert work(tmp_path / "study").table().equals(local)


def test_work_that_the_executor_drops_is_an_error(tmp_path, threads):
    class Dropping(ThreadPoolExecutor):
        def submit(self, function, *what):
            future = super().submit(function, *what)
            if function is units.train_unit:
                future = Future()
                future.cancel()
                future.set_running_or_notify_cancel()
            return future

    with Dropping(1) as executor, pytest.raises(WorkError, match="dropped"):
        work(tmp_path / "study", executor=executor)
    assert left(tmp_path) == []


@pytest.mark.parametrize("after", range(0, 14, 3))
def test_it_goes_on_where_it_was_interrupted(tmp_path, local, threads, monkeypatch, after):
    add, done = elsewhere._add, []

    def interrupted(*what):
        add(*what)
        done.append(what)
        if len(done) == after + 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(elsewhere, "_add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "study", executor=threads)
    monkeypatch.setattr(elsewhere, "_add", add)
    there = load(tmp_path / "study")
    kept = len(there)
    assert kept == sum(sent.unit.runs for _, sent, *_ in done)
    assert not there.unread
    counting = Counting()
    assert work(tmp_path / "study", counting, executor=threads).table().equals(local)
    assert len(counting.trained) == len(local) - kept


# --- workers that would make other rows ----------------------------------------------------------


def test_a_worker_of_another_version_is_refused_before_anything_is_made(tmp_path, processes):
    with pytest.raises(InputError, match="abacus 1600 AD there, 2700 BC asked for"):
        work(tmp_path / "study", Elsewhere(), executor=processes)
    assert left(tmp_path) == []


def test_a_unit_is_not_trained_by_another_version():
    made_by = made_here(Abacus())
    old = made_by | {"versions": made_by["versions"] | {"numpy": "1.0"}}
    kind = units.Kind.of(SMALL.conditions[:1], [], Abacus(), 1)
    unit = units.Unit(kind, (0,), ((0, 0, 4),), None, old)
    with pytest.raises(OtherWorkerError, match=r"numpy .* there, 1.0 asked for"):
        units.train_unit(unit)
    assert len(units.train_unit(unit._replace(made_by=made_by)).kept) == 4


@pytest.mark.parametrize(
    ("name", "value"), [("machine", "abc64"), ("instructions", "x"), ("devices", ["gpu (1)"])]
)
def test_other_hardware_makes_other_rows(name, value):
    made_by = made_here(Abacus())
    with pytest.raises(OtherWorkerError, match=f"{name} "):
        check_made_alike(made_by, made_by | {name: value})


def test_the_number_of_cores_makes_no_other_rows():
    made_by = made_here("jax")
    check_made_alike(made_by, made_by | {"devices": ["cpu (640 cores)"]})


def test_a_condition_that_is_another_at_the_worker_is_refused():
    kind = units.Kind.of(SMALL.conditions[:1], [], Abacus(), 1)
    with pytest.raises(OtherWorkerError, match="xor · sgd is another there"):
        units.ready([kind._replace(digests=("0" * 32,))])


def test_a_model_that_no_other_process_can_find_is_refused(tmp_path, threads):
    own = attnlogic.OwnLoss(jax.random.normal, lambda number: number**2, name="mine")
    with pytest.raises(InputError, match=r"package\.module:factory"):
        run(Study("xor", "adam", 3, models=own), out=tmp_path / "study", executor=threads)
    assert left(tmp_path) == []


def test_an_executor_that_was_shut_down_is_refused(tmp_path, threads):
    threads.shutdown()
    with pytest.raises(InputError, match=r"executor: it takes no work, give another: .*shutdown"):
        work(tmp_path / "study", executor=threads)
    assert left(tmp_path) == []


def test_what_is_no_executor_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected one of concurrent\.futures"):
        work(tmp_path / "study", executor="tcp://127.0.0.1:8786")
    assert left(tmp_path) == []
