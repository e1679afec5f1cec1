"""Studies on a cluster of Dask: a real scheduler and two workers, each in a process of its own."""

import contextlib
import logging
import os
import signal
import subprocess
import sys

import pytest
from abacus import SMALL, Abacus, left, work

from attnlogic.errors import InputError, WorkError
from attnlogic.problems import initial_params
from attnlogic.results import load
from attnlogic.studies import Study, connected, elsewhere, run

distributed = pytest.importorskip("distributed", reason="pip install 'attnlogic[cluster]'")

from cluster import ENVIRONMENT, Dying, DyingJax, Elsewhere, Unlucky, cluster  # noqa: E402
from test_signals import WORDS, wait_for_a_part  # noqa: E402

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="it sends signals that Windows has not"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]  # Dask's own


@pytest.fixture(autouse=True)
def small_units(monkeypatch):
    monkeypatch.setattr(elsewhere, "MOST_ROWS", 3)


@pytest.fixture(scope="module")
def address():
    with cluster() as found:
        yield found


@pytest.fixture
def client(address):
    with connected(address) as found:
        found.wait_for_workers(2, timeout=60)
        yield found


@pytest.fixture
def local(tmp_path):
    return work(tmp_path / "local").table()


def test_rows_are_those_of_the_local_study(tmp_path, local, client):
    found = work(tmp_path / "study", executor=client)
    assert found.table().equals(local)
    assert work(tmp_path / "plain", executor=client.get_executor()).table().equals(local)


def test_a_unit_that_always_fails_takes_no_other_along(tmp_path, local, client):
    (wq, *_) = initial_params([7])
    with pytest.raises(WorkError, match=r"a wire is broken(.|\n)*failed, 3 times each"):
        work(tmp_path / "study", Unlucky(wq[0]), executor=client)
    assert len(load(tmp_path / "study")) >= len(local) - 4 * 3
    assert work(tmp_path / "study", executor=client).table().equals(local)


def test_workers_of_another_version_are_refused_by_name(tmp_path, client):
    with pytest.raises(InputError, match="refused") as error:
        work(tmp_path / "study", Elsewhere(), executor=client)
    for name in client.nthreads():
        assert f"{name}: its rows would be others: abacus 1600 AD there" in str(error.value)
    assert left(tmp_path) == []


def test_without_workers_it_is_refused(tmp_path):
    nobody = cluster(workers=0)
    with nobody as address, connected(address) as client, pytest.raises(InputError, match="no wor"):
        work(tmp_path / "study", executor=client)


def test_without_a_scheduler_it_says_so():
    with (
        pytest.raises(InputError, match="there is no scheduler"),
        connected("tcp://127.0.0.1:1", seconds=1),
    ):
        pass


@pytest.mark.parametrize("backend", [Dying, DyingJax])
def test_a_worker_that_is_killed_has_its_units_done_again(tmp_path, backend):
    (tmp_path / "marks").mkdir()
    study = SMALL if backend is Dying else Study(["xor", "nand"], ["adamw", "polyak"], 20, 60)
    whole = run(study, Abacus() if backend is Dying else "jax", tmp_path / "local", progress=False)
    with cluster() as address, connected(address) as client:
        client.wait_for_workers(2, timeout=60)
        found = work(tmp_path / "study", backend(tmp_path / "marks"), study, executor=client)
        assert (tmp_path / "marks" / "killed").exists()
        assert len(client.nthreads()) == 1
    assert found.table().equals(whole.table())


@pytest.mark.parametrize(("error", "said"), [(KeyboardInterrupt, False), (ValueError, True)])
def test_after_an_interrupt_the_client_says_nothing(monkeypatch, caplog, error, said):
    class Client(contextlib.nullcontext):
        def __init__(self, *_, **__):
            super().__init__()

        def __exit__(self, *_):
            logging.getLogger("attnlogic.test").error("Exception in callback")

    monkeypatch.setattr(distributed, "Client", Client)
    try:
        with pytest.raises(error), connected("tcp://127.0.0.1:1"):
            raise error
    finally:
        logging.disable(logging.NOTSET)
    assert bool(caplog.records) == said


def test_ctrl_c_keeps_what_is_done(tmp_path):
    """SGD ends at once. L-BFGS goes on for hours, and only a signal ends it."""
    command = [sys.executable, "-m", "attnlogic", "study", *WORDS, "--epochs", "200000"]
    with cluster() as address:
        with connected(address) as client:
            client.wait_for_workers(2, timeout=60)
        words = ["--scheduler", address, "--out", str(tmp_path / "study")]
        with subprocess.Popen(
            [*command, *words], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                wait_for_a_part(tmp_path / "study")
            finally:
                process.send_signal(signal.SIGINT)
            error = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + signal.SIGINT, error
    assert "interrupted by SIGINT: 16 finished runs are kept" in error
    assert "Traceback" not in error
