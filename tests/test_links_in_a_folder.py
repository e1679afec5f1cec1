"""A folder from somebody else, with links at names that are written to: none is followed."""

import pytest
from abacus import work

from attnlogic.errors import InputError
from attnlogic.results import load
from attnlogic.studies import Study

ONE = Study("xor", "sgd", seeds=8, threshold=0.3)
MORE = Study("xor", "sgd", seeds=10, threshold=0.3)


@pytest.fixture
def runs(tmp_path):
    return work(tmp_path / "study", study=ONE)


@pytest.fixture
def outside(tmp_path):
    file = tmp_path / "outside.txt"
    file.write_text("as it was")
    return file


def part_that_is_written(runs):
    """The name under which the study's part is written first; it depends on its content alone."""
    (part,) = runs.part_files()
    part.unlink()
    return part.with_name(f".{part.name}.tmp")


@pytest.mark.parametrize("name", [".writer.json", ".study.json.tmp", "part", ".lock"])
def test_what_it_leads_to_stays_as_it_was(runs, outside, name):
    link = part_that_is_written(runs) if name == "part" else runs.directory / name
    link.unlink(missing_ok=True)
    link.symlink_to(outside)
    study, extend = (ONE, False) if name == "part" else (MORE, True)
    if name == ".lock":
        with pytest.raises(InputError, match="cannot write to"):
            work(runs.directory, study=study, extend=extend)
    else:
        found = work(runs.directory, study=study, extend=extend)
        assert len(found) == found.asked
        assert not link.is_symlink()
        assert not any(path.is_symlink() for path in runs.directory.rglob("*"))
        assert len(load(runs.directory)) == found.asked
    assert outside.read_text() == "as it was"
