"""The README's own words: its Python runs, and its commands are those there are."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import attnlogic
from attnlogic.cli.entry import app

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_its_python_runs(tmp_path):
    """With fewer seeds, and in a folder of its own."""
    script = "\n".join(blocks("python")).replace("seeds=10_000", "seeds=20")
    assert "seeds=20" in script
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "demo" / "study.json").exists()


def test_its_commands_exist_and_none_is_left_out():
    named = set(re.findall(r"\battnlogic ([a-z]+)\b", "\n".join(blocks("sh"))))
    there = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert named == there


def test_its_two_commands_are_the_ones_that_ci_runs():
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    for ending in ("attnlogic study", "pytest"):
        assert sum(bool(re.match(rf"python3 -m venv .*{ending}$", line)) for line in lines) == 1


PAGES = [
    "README.md", ".github/CONTRIBUTING.md", "attnlogic/examples/findings.md",
    "attnlogic/examples/maps.md", "attnlogic/examples/census.md",
]  # fmt: skip


def test_the_files_that_its_pages_name_are_there():
    root = Path(__file__).parent.parent
    for page in PAGES:
        text = (root / page).read_text(encoding="utf-8")
        for name in re.findall(r"\b(?:tests|bench|attnlogic|backends)/[\w/*.]+\.(?:py|md)\b", text):
            assert "NAME" in name or [*root.glob(name)], f"{page} names {name}"


def test_what_is_said_to_be_public_is_there():
    """Every attnlogic.X that a page or a docstring names resolves, in a fresh interpreter."""
    root = Path(__file__).parent.parent
    texts = [(root / page).read_text(encoding="utf-8") for page in PAGES if (root / page).exists()]
    texts += [path.read_text(encoding="utf-8") for path in root.glob("attnlogic/**/*.py*")]
    texts += [path.read_text(encoding="utf-8") for path in root.glob("backends/**/*.py")]
    files = {"attnlogic.svg", "attnlogic.backends"}  # a picture; the group of entry points
    names = {name for text in texts for name in re.findall(r"\battnlogic(?:\.[A-Za-z]\w*)+", text)}
    names = {name.removesuffix(".py") for name in names - files}
    script = (
        "import importlib, json, sys\n"
        "def there(name):\n"
        "    module, *rest = name.split('.')\n"
        "    found = importlib.import_module(module)\n"
        "    for part in rest:\n"
        "        module += '.' + part\n"
        "        if not hasattr(found, part):\n"
        "            importlib.import_module(module)\n"
        "        found = getattr(found, part)\n"
        "for name in json.loads(sys.argv[1]):\n"
        "    try:\n"
        "        there(name)\n"
        "    except (ImportError, AttributeError):\n"
        "        print(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(sorted(names))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(names) > 50
    assert done.stdout == ""


def test_its_pictures_are_small_and_there():
    root = Path(__file__).parent.parent
    pictures = re.findall(r"\]\(([^)]*\.(?:svg|png))\)", README)
    assert pictures
    for picture in pictures:
        assert (root / picture).stat().st_size < 60_000
    first_screen = README[: README.index("## ")]
    assert pictures[0] in first_screen
    assert "attnlogic study" in first_screen


def test_every_name_of_the_package_resolves():
    for name in attnlogic.__all__:
        assert getattr(attnlogic, name) is not None
    assert set(attnlogic.__all__) <= set(dir(attnlogic))
    with pytest.raises(AttributeError, match="no_such_name"):
        attnlogic.no_such_name  # noqa: B018


def test_the_citation_names_this_version():
    text = (Path(__file__).parent.parent / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {attnlogic.__version__}\n" in text
    assert f"version = {{{attnlogic.__version__}}}" in README.replace("  = ", " = ")
