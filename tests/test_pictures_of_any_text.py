"""Text of a study from somebody else, or of a file's name, in pictures."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from pathlib import Path
import altair as alt
from attnlogic.view import save
odd = "a" + chr(int(sys.argv[1], 16)) + "b"
rows = alt.Data(values=[{odd: odd, "y": 1}])
chart = alt.Chart(rows, title=odd).mark_point().encode(x=alt.X("y:Q", title=odd), color="y:Q")
chart = chart.transform_filter(alt.FieldOneOfPredicate(odd, [odd]))
for kind in sys.argv[3:]:
    save(chart, Path(sys.argv[2]) / f"chart.{kind}")
"""


@pytest.mark.parametrize("code", ["0", "7", "1b", "2028", "fffe", "d800"])
def test_no_character_ends_the_process(tmp_path, code):
    """In a process of its own, which a panic in the renderer would abort."""
    kinds = ["svg", "png", "pdf", "html"]
    words = [sys.executable, "-c", SCRIPT, code, str(tmp_path), *kinds]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert sorted(path.suffix[1:] for path in tmp_path.iterdir()) == sorted(kinds)
    assert "a\N{REPLACEMENT CHARACTER}b" in (tmp_path / "chart.svg").read_text()
