"""Colours of charts: light and dark, one for each optimizer and ending; pages that follow both."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlogic.errors import InputError
from attnlogic.theory import ENDINGS
from attnlogic.view import (
    COLORS,
    ENDING_COLORS,
    THEMES,
    loss_history,
    optimizer_colors,
    save,
    themed,
)
from attnlogic.view.chart_theme import INK, config, heading

CHART = loss_history([1.0, 0.1, 0.01], threshold=0.05)


def luminance(color):
    """Of WCAG 2: of a colour #rrggbb."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_and_reference_lines_stand_out(theme):
    colors = config(theme)
    ground = colors["background"]
    for part in ("axis", "legend", "title"):
        for name, color in colors[part].items():
            if re.search("label|title|subtitle|^color", name):
                assert contrast(color, ground) > 7, name  # WCAG's AAA for text
    assert contrast(INK, ground) > 3  # WCAG's for graphics


def test_a_chart_is_themed_without_being_changed():
    before = CHART.to_dict()
    dark = themed(CHART, "dark").to_dict(validate=True)
    assert dark["config"]["background"] == config("dark")["background"]
    assert CHART.to_dict() == before
    assert "axis" not in before.get("config", {})
    with pytest.raises(InputError, match="unknown theme 'drak': did you mean 'dark'"):
        themed(CHART, "drak")


@pytest.mark.parametrize(("theme", "ground"), [("auto", "#ffffff"), ("dark", "#14171a")])
def test_a_picture_has_its_theme(tmp_path, theme, ground):
    save(CHART, tmp_path / "a.svg", theme)
    assert f'fill="{ground}"' in (tmp_path / "a.svg").read_text()
    with pytest.raises(InputError, match="unknown theme 'white'"):
        save(CHART, tmp_path / "b.svg", "white")
    assert not (tmp_path / "b.svg").exists()


def test_a_page_has_both_themes_and_follows_its_reader(tmp_path):
    save(CHART, tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text()
    configs = json.loads(re.search(r"const configs = (.*);", page)[1])
    assert configs == {name: config(name) for name in THEMES}
    assert 'configs["auto"] ??' in page
    save(CHART, tmp_path / "b.html", "dark")
    assert 'configs["dark"] ??' in (tmp_path / "b.html").read_text()


def test_the_default_studys_optimizers_have_one_color_in_every_study():
    every = optimizer_colors(["adam", "adamw", "sgd", "lbfgs", "polyak"])
    assert len({*every.values()}) == 5
    for name, color in every.items():
        assert optimizer_colors(["nadam", name])[name] == color
    swept = optimizer_colors(["nadam", "adam(lr=0.1)", "adam"])
    assert swept["adam(lr=0.1)"] == every["adam"]  # the first of its kind
    assert len({*swept.values()}) == 3


@given(st.lists(st.text(max_size=9), max_size=30))
def test_every_name_has_a_color_and_few_of_them_their_own(names):
    colors = optimizer_colors(names)
    assert colors.keys() == {*names}
    assert all(re.fullmatch("#[0-9a-fA-F]{6}", color) for color in colors.values())
    if len(colors) <= 6:
        assert len({*colors.values()}) == len(colors)
        assert {*colors.values()} <= {*COLORS[:6]}


def test_every_ending_has_a_color_of_its_own():
    assert {*ENDING_COLORS} == {*ENDINGS}
    assert len({*ENDING_COLORS.values()}) == len(ENDINGS)


def test_a_caption_is_broken_into_lines_that_fit():
    title = heading("A title", "One sentence.", "", "Another one. " * 20)
    assert title.text == "A title"
    assert max(map(len, title.subtitle)) <= 80
    assert " ".join(title.subtitle).startswith("One sentence. Another one.")
    assert isinstance(heading("word " * 40).text, list)
