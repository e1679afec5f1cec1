"""What the next runs need is made while others are trained, and does not show in them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, current_thread, main_thread

import jax.numpy as jnp
import numpy as np
import pytest
from abacus import SMALL, Abacus, work
from helpers import condition, seed_range

from attnlogic import OwnLoss
from attnlogic.backend import Batch, in_order, one_condition
from attnlogic.results import load
from attnlogic.studies import Study, here
from attnlogic.studies.ahead import THREADS, ahead, result, threads
from attnlogic.studies.pieces import Piece, batch_of, undrawn
from attnlogic_jax.backend import JAX

KINDS = Study("xor", ["sgd", "adam", "adamw", "rmsprop", "adagrad", "nadam"], seeds=4)

# --- tasks in threads ---------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 3, 10])
def test_tasks_are_begun_some_turns_before_they_are_asked_for(count):
    begun = []

    def tasks():
        for number in range(6):
            begun.append(number)
            yield lambda number=number: number**2

    with threads() as pool:
        for turn, future in enumerate(ahead(pool, tasks(), count)):
            assert begun == [*range(min(6, turn + count + 1))]
            assert result(future) == turn**2


@pytest.mark.parametrize(
    ("last_first", "expected"), [(False, [0, 1, 2, 3, 4]), (True, [2, 1, 0, 3, 4])]
)
def test_of_those_begun_together_the_last_may_be_the_first(last_first, expected):
    done = []

    class Pool(ThreadPoolExecutor):
        def submit(self, task):
            done.append(number := task())
            return super().submit(lambda: number)

    with Pool() as pool:
        tasks = [lambda number=number: number for number in range(5)]
        found = [result(future) for future in ahead(pool, tasks, 2, last_first=last_first)]
    assert done == expected
    assert found == [*range(5)]


def test_the_error_of_a_task_comes_in_its_turn():
    error = RuntimeError("a wire snapped")

    def fail():
        raise error

    with threads() as pool:
        first, second, third = ahead(pool, [lambda: 1, fail, lambda: 3], 2)
        assert (result(first), result(third)) == (1, 3)
        with pytest.raises(RuntimeError) as raised:
            result(second)
    assert raised.value is error


def test_at_an_interrupt_no_task_is_begun_any_more(monkeypatch):
    let_go, begun = Event(), []

    class Pool(ThreadPoolExecutor):
        def shutdown(self, **how):
            super().shutdown(wait=False, **how)
            let_go.set()
            super().shutdown()

    def task():
        begun.append(True)
        let_go.wait()

    def interrupted():
        with threads() as pool:
            next(ahead(pool, [task] * 100, 99))
            raise KeyboardInterrupt

    monkeypatch.setattr("attnlogic.studies.ahead.ThreadPoolExecutor", Pool)
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(begun) <= THREADS


# --- a study ------------------------------------------------------------------------------------


class Prepared(Abacus):
    """An abacus that is made ready for a kind of conditions, and says when."""

    def __init__(self, fails=None, at_once=False, **how):
        super().__init__(**how)
        self.fails, self.at_once, self.heard = fails, at_once, []

    def _name(self, batch):
        return batch.trainings[0].optimizer.name

    def prepare(self, batch):
        self.heard.append(f"ready for {self._name(batch)}")

        def ready():
            if self._name(batch) == self.fails:
                raise RuntimeError("a wire snapped")

        if self.at_once:
            ready()
        return ready

    def train(self, batch, **rest):
        self.heard.append(f"train {self._name(batch)}")
        return super().train(batch, **rest)


def test_a_backend_is_made_ready_for_some_kinds_ahead(tmp_path):
    trainer, count = Prepared(), here.KINDS_AHEAD
    work(tmp_path / "study", trainer, KINDS)
    names = [by.name for by in KINDS.optimizers]
    for place, name in enumerate(names):
        before = trainer.heard[: trainer.heard.index(f"train {name}")]
        ready = [one for one in before if one.startswith("ready")]
        assert ready == [f"ready for {one}" for one in names[: place + count + 1]]


@pytest.mark.parametrize("at_once", [False, True])
def test_what_cannot_be_made_ready_disturbs_no_training(tmp_path, at_once):
    found = work(tmp_path / "study", Prepared("adam", at_once), KINDS).table()
    assert found.equals(work(tmp_path / "plain", Abacus(), KINDS).table())


def test_starts_that_cannot_be_drawn_are_an_error_in_their_turn(tmp_path, monkeypatch):
    def drawn(conditions, piece):
        if conditions[piece.conditions[0]].training.optimizer.name == "adam":
            raise RuntimeError("a wire snapped")
        return batch_of(conditions, piece)

    whole = work(tmp_path / "whole").table()
    monkeypatch.setattr(here, "batch_of", drawn)
    with pytest.raises(RuntimeError, match="a wire snapped"):
        work(tmp_path / "study")
    assert load(tmp_path / "study").table().equals(whole.filter(optimizer="sgd"))


def test_a_users_own_starts_are_drawn_in_the_main_thread(tmp_path, monkeypatch):
    own = OwnLoss(lambda seed: jnp.ones(2) * seed, lambda params: (params**2).sum())
    seen = []

    def drawn(conditions, piece):
        model = conditions[piece.conditions[0]].training.problem.model
        seen.append((model is own, current_thread() is main_thread()))
        return batch_of(conditions, piece)

    monkeypatch.setattr(here, "batch_of", drawn)
    work(tmp_path / "study", JAX, Study("xor", "sgd", 4, 3, models=["attention", own]))
    assert sorted(seen) == [(False, False), (True, True)]


def test_a_batch_without_starts_is_the_batch_but_for_these():
    conditions = Study(["xor", "or"], "adam", 9, init=["torch", "normal"]).conditions
    piece = Piece(np.repeat([0, 1, 3], 5).astype(np.uint32), np.arange(15, dtype=np.uint32) % 9)
    batch, without = batch_of(conditions, piece), undrawn(conditions, piece)
    assert isinstance(batch, Batch)
    assert batch.trainings == without.trainings == tuple(conditions[k].training for k in (0, 1, 3))
    assert batch.which.tolist() == without.which.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert batch.initial.shape == without.initial.shape
    for run, (number, seed) in enumerate(zip(piece.conditions, piece.seeds, strict=True)):
        of = conditions[number]
        alone = of.training.problem.initial(np.array([seed]), of.init)
        np.testing.assert_array_equal(batch.initial[:, run], alone[:, 0])


# --- JAX ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("until", ["budget", "hit"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_prepared_training_begins_with_nothing_to_compile(compilations, until, precision):
    # A structure that no other test has.
    by = "adamw(amsgrad=True, warmup=7, lr=0.01)"
    training = condition("xor", by, 40, until=until, precision=precision)
    batch = one_condition(training, seed_range(70))
    compilations.clear()
    JAX.prepare(batch._replace(initial=np.broadcast_to(np.float32(0), batch.initial.shape)))()
    assert {"jit(start)", "jit(advance)"} <= {*compilations}
    compilations.clear()
    in_order(JAX.train(batch))
    assert compilations == []


def test_a_study_of_jax_is_made_ready_and_is_the_same(tmp_path):
    def unready(*_):
        raise RuntimeError("not ready")

    whole = work(tmp_path / "ready", JAX, SMALL).table()

    class Unready(type(JAX)):
        def prepare(self, batch):
            return unready

    assert work(tmp_path / "unready", Unready(), SMALL).table().equals(whole)
