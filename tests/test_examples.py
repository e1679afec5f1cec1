"""The examples in docstrings run, and print what they say."""

import doctest
import importlib
import pkgutil

import pytest

import attnlogic
import attnlogic_jax
import attnlogic_torch

MODULES = [
    "attnlogic",
    *(
        found.name
        for package in (attnlogic, attnlogic_jax, attnlogic_torch)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not found.name.endswith(("__main__", "notebook"))
    ),
]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert not failed


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    tests = [t for name in MODULES for t in finder.find(importlib.import_module(name))]
    assert sum(len(test.examples) for test in tests) > 60
