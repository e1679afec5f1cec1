"""A backend of somebody else's: the guide's, as a package of its own, installed and tested there.

Broken ones fail the suite with a message that says what to mend.
"""

import ast
import doctest
import os
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest

import attnlogic.backend

BROKEN = Path(__file__).with_name("broken_backends.py")

MESSAGES = {
    node.name: " ".join(ast.get_docstring(node).split())
    for node in ast.parse(BROKEN.read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef) and node.name != "Changed"
}
"""What the suite must say first, by the class that breaks a promise."""

PYPROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "attnlogic-descent"
version = "0.1"
dependencies = ["attnlogic"]

[project.entry-points."attnlogic.backends"]
descent = "descent_backend:DESCENT"
wreck = "descent_backend:WRECK"

[tool.setuptools]
py-modules = ["descent_backend"]
"""

TEST = """
from attnlogic.testing import BackendContract

class TestDescent(BackendContract):
    backend = "descent"
"""

TEST_BROKEN = """
import broken_backends
import pytest

from attnlogic.testing import BackendContract, conduct

# A batch of NumPy's answers at once.
conduct.PATIENCE_SECONDS, conduct.INTERRUPT_AFTER_SECONDS = 3.0, 0.05

for name in NAMES:
    backend = getattr(broken_backends, name)()
    body = {"backend": backend, "optimizers": ["sgd"]}
    globals()["Test" + name] = type("Test" + name, (BackendContract,), body)
"""

STOP_AT_FIRST_FAILURE = """
import pytest

failed = set()

def pytest_runtest_makereport(item, call):
    if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
        failed.add(item.cls)

def pytest_runtest_setup(item):
    if item.cls in failed:
        pytest.skip("one test of this class has failed")
"""


def the_guides_backend():
    """The source of the whole backend in the guide."""
    source = doctest.script_from_examples(attnlogic.backend.__doc__)
    return source[: source.index("DESCENT = Descent()")] + "DESCENT = Descent()\n"


class Environment:
    """A fresh virtual environment that sees the packages of this one, and has the plug-in besides.

    Attributes:
      folder: the plug-in's repository.
    """

    def __init__(self, scratch):
        self.folder, environment = scratch / "repository", scratch / "environment"
        self.folder.mkdir()
        (self.folder / "pyproject.toml").write_text(PYPROJECT)
        (self.folder / "descent_backend.py").write_text(the_guides_backend(), encoding="utf-8")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        self._python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
        site = Path(
            self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        )
        here = sysconfig.get_path("purelib")
        # addsitedir heeds .pth files there, such as an editable install's.
        (site / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
        subprocess.run([*pip, "--target", site, self.folder], check=True, capture_output=True)

    def run(self, *words, code=0):
        """What Python prints there."""
        done = subprocess.run(
            [self._python, *words], cwd=self.folder, capture_output=True, text=True
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def tested(self, file, code=0):
        """The outcome of each test of a file: (class, test, message); no message, it passed."""
        self.run(
            "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "--junitxml=found.xml",
            file, code=code,
        )  # fmt: skip
        cases = Xml.parse(self.folder / "found.xml").iter("testcase")
        return [
            (
                case.get("classname").rpartition(".")[2].removeprefix("Test"),
                case.get("name"),
                *(f"{found.tag}: {found.get('message')}" for found in case),
            )
            for case in cases
        ]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("plugin"))


@pytest.fixture(scope="module")
def failures(environment):
    """The first failure of each broken backend, by its class: the test and the message."""
    source = TEST_BROKEN.replace("NAMES", repr([*MESSAGES]))
    (environment.folder / "test_broken.py").write_text(source)
    (environment.folder / "broken_backends.py").write_bytes(BROKEN.read_bytes())
    (environment.folder / "conftest.py").write_text(STOP_AT_FIRST_FAILURE)
    cases = environment.tested("test_broken.py", code=1)
    return {
        name: (test, message[0])
        for name, test, *message in cases
        if message and not message[0].startswith("skipped")
    }


def test_the_guides_backend_passes_the_suite_in_an_environment_of_its_own(environment):
    (environment.folder / "test_descent.py").write_text(TEST)
    cases = environment.tested("test_descent.py")
    skipped = {message[0] for _, _, *message in cases if message}
    assert sum(len(case) == 2 for case in cases) >= 35
    assert any("the descent backend has sgd(lr=…), got adam" in reason for reason in skipped)


def test_a_plug_in_is_listed_and_trains_a_study(environment):
    words = "xor", "-o", "sgd(lr=0.1)", "--epochs", "20", "--seeds", "3", "--backend", "descent"
    listed = environment.run("-m", "attnlogic", "backends")
    assert "numpy" in next(line for line in listed.splitlines() if "descent" in line)
    # Its package has another entry, to nothing.
    assert "'wreck' (descent_backend:WRECK) fails on import" in " ".join(listed.split())
    environment.run("-m", "attnlogic", "study", *words, "--out", "runs")
    found = environment.run("-m", "attnlogic", "runs", "runs", "--format", "json")
    assert found.count('"descent"') == 3


@pytest.mark.parametrize("name", MESSAGES)
def test_a_broken_backend_is_told_what_to_mend(failures, name):
    assert name in failures, "it passes the suite"
    test, message = failures[name]
    assert MESSAGES[name] in message, f"{test} says: {message}"
