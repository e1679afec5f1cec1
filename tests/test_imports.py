"""Importing attnlogic imports no framework: shown in a fresh interpreter."""

import json
import pkgutil
import subprocess
import sys

import attnlogic

FRAMEWORKS = ["jax", "jaxlib", "torch", "optax", "chex"]
HEAVY = [*FRAMEWORKS, "scipy", "sympy", "polars", "altair", "pandas"]
CORE = ["errors", "settings", "problems", "optimizers", "theory", "version", "statistics", "view"]
ALL = [
    module.name
    for module in pkgutil.walk_packages(attnlogic.__path__, "attnlogic.")
    if module.name.rpartition(".")[2] not in ("__main__", "notebook")  # which are scripts
]

SCRIPT = """
import importlib, json, sys
modules, unwanted = json.loads(sys.argv[1])
blame = {}
for module in modules:
    importlib.import_module(module)
    for name in unwanted:
        if name in sys.modules:
            blame.setdefault(name, module)
print(json.dumps(blame))
"""


def brought_in(modules, unwanted):
    """Which of the unwanted packages come in, each with the first module that brought it."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps([modules, unwanted])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_probe_sees_what_is_imported():
    assert brought_in(["json", "attnlogic.problems.gates"], ["attnlogic"]) == {
        "attnlogic": "attnlogic.problems.gates"
    }


def test_the_package_and_its_core_import_nothing_heavy():
    assert brought_in(["attnlogic", *(f"attnlogic.{m}" for m in CORE)], HEAVY) == {}


def test_help_imports_no_theory_and_reads_no_results():
    unwanted = ["theory.form", "theory.regions", "problems.models", "optimizers.records", "results"]
    assert set(unwanted) & {name.removeprefix("attnlogic.") for name in ALL} == set(unwanted)
    assert brought_in(["attnlogic.cli.entry"], [f"attnlogic.{name}" for name in unwanted]) == {}


def test_no_module_of_the_package_imports_a_framework():
    assert {f"attnlogic.{m}" for m in CORE} <= set(ALL)
    assert brought_in(ALL, FRAMEWORKS) == {}


def test_the_names_of_the_backends_cost_no_framework():
    script = (
        "import sys; from attnlogic.backend import names; assert {'jax', 'torch'} <= set(names()); "
        f"found = set({FRAMEWORKS!r}) & set(sys.modules); assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_without_pytest_the_suite_for_backends_says_how_to_get_it():
    script = (
        "import importlib.util as util; find = util.find_spec; "
        "util.find_spec = lambda name, *of: None if name == 'pytest' else find(name, *of); "
        "import attnlogic; from attnlogic.testing import BackendContract"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == ("ImportError: attnlogic.testing needs pytest: pip install 'attnlogic[testing]'")
