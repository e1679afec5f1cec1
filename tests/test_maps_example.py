"""The example of maps: it writes its page with every figure, and its pictures."""

import re

import pytest
from PIL import Image

from attnlogic.examples import maps


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of few places all may be alike
def test_the_page_and_its_pictures_are_made(tmp_path):
    maps.main(
        points=64,
        border_points=256,
        place_points=256,
        place_count=2,
        epochs=60,
        border_epochs=60,
        page=tmp_path / "maps.md",
        pictures=tmp_path,
    )
    text = (tmp_path / "maps.md").read_text(encoding="utf-8")
    assert not re.search(r"[{}]", text)
    rows = re.findall(r"^\| [\d,]+ \| ([\d.]+) \|", text, re.MULTILINE)
    assert len(rows) == 1 + maps.ZOOMS
    assert all(1 <= float(value) <= 2 for value in rows)
    drawn = re.findall(r"\.github/([a-z-]+\.png)", text)
    assert {*drawn, "map.png"} == {path.name for path in tmp_path.glob("*.png")}
    for name in drawn:
        with Image.open(tmp_path / name) as picture:
            assert picture.mode == "P"


def test_a_magnified_axis_is_a_tenth_within_the_axis():
    from attnlogic.studies import read_axis

    axis = read_axis("x", "lr=0..1:101")
    for first in (-7, 0, 50, 91, 100):
        part = maps.magnified(axis, first, 64)
        low, high = part.values[[0, -1]]
        assert high - low == pytest.approx(0.1)
        assert 0 <= low < high <= 1
        assert len(part.values) == 64
