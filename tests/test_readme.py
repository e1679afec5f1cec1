"""The README's own words: its Python runs, and its commands are those there are."""

import re
import subprocess
import sys
from pathlib import Path

from attnlogic.cli import app as cli

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
    there = {command.name or command.callback.__name__ for command in cli.app.registered_commands}
    assert named == there


def test_its_two_commands_are_the_ones_that_ci_runs():
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    for ending in ("attnlogic study", "pytest"):
        assert sum(bool(re.match(rf"python3 -m venv .*{ending}$", line)) for line in lines) == 1
