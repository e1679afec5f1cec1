"""CITATION.cff says of the package what the package says of itself."""

import re
import tomllib
from pathlib import Path

import pytest

import attnlogic

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def cited(field):
    """A field's value: one line at the top level of the file, or of its only author."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    (value,) = re.findall(rf"^(?:  - )?{field}: (.+)$", text, re.MULTILINE)
    return value.strip('"')


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("version", attnlogic.__version__),
        ("license", PROJECT["license"]),
        ("name", PROJECT["authors"][0]["name"]),
    ],
)
def test_it_cites_this_version_licence_and_author(field, expected):
    assert cited(field) == expected
