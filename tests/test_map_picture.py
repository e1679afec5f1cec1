"""Pictures of planes: every point is a pixel of its colour, within right axes and a legend."""

import numpy as np
import pytest
from PIL import Image

from attnlogic.errors import InputError
from attnlogic.outcomes import NONE
from attnlogic.studies import plane
from attnlogic.view import MAP_COLORS, map_chart, save
from attnlogic.view.chart_colors import ENDING_COLORS
from attnlogic.view.map_colors import ANCHORS, SHADES, colored
from attnlogic.view.map_picture import tick_labels, ticks


@pytest.fixture(scope="module")
def found():
    return plane(
        "nand", "sgd", "lr=0.1..30:log:60", "start.w1=-2..2:40", epochs=300, progress=False
    )


def rgb(color):
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


@pytest.mark.parametrize("by", MAP_COLORS)
def test_a_png_has_whole_pixels_for_each_point(found, by, tmp_path):
    save(map_chart(found, by), tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as image:
        picture = np.asarray(image.convert("RGB"))
    colors = colored(found, by)
    wanted = np.array([rgb(color) for color in colors.palette], np.uint8)[colors.codes[::-1]]
    wanted = wanted.repeat(26, axis=0).repeat(17, axis=1)  # 1024/40 and 1024/60 pixels, rounded
    h, w = wanted.shape[:2]
    places = [
        (i, j)
        for i in range(picture.shape[0] - h)
        for j in range(picture.shape[1] - w)
        if np.array_equal(picture[i + 5, j : j + w], wanted[5])
        and np.array_equal(picture[i : i + h - 2, j + 5], wanted[: h - 2, 5])
    ]
    ((i, j),) = places
    # The axes' lines cover the last pixel or two.
    inside = np.s_[2 : h - 2, 2 : w - 2]
    np.testing.assert_array_equal(picture[i : i + h, j : j + w][inside], wanted[inside])


def test_endings_have_the_colours_of_all_charts(found):
    colors = colored(found, "ending")
    seen = {*found.ending.ravel().tolist()}
    assert {*colors.names} == seen
    for name in seen:
        codes = {*colors.codes[found.ending == name].tolist()}
        assert [colors.palette[code] for code in codes] == [ENDING_COLORS[name]]
        assert colors.names[name] == ENDING_COLORS[name]


def test_first_hits_go_from_dark_to_light_and_others_stand_apart(found):
    colors = colored(found, "first_hit")
    hit = found.first_hit != NONE
    assert hit.any()
    order = np.argsort(found.first_hit[hit], kind="stable")
    assert (np.diff(colors.codes[hit][order].astype(int)) >= 0).all()
    assert (colors.codes[hit] < SHADES).all()
    diverged = (found.diverged_at != NONE) & ~hit
    assert {colors.palette[k] for k in colors.codes[diverged]} == {colors.names["diverged"]}
    never = ~hit & ~diverged
    assert {colors.palette[k] for k in colors.codes[never]} == {colors.names["never hit"]}
    assert (colors.palette[0], colors.palette[SHADES - 1]) == (ANCHORS[0], ANCHORS[-1])


def test_one_value_alone_has_a_scale(tmp_path):
    flat = plane(
        "xor", "sgd", "lr=1e-9..2e-9:2", "weight_decay=0..1e-9:2", epochs=1, progress=False
    )
    scale = colored(flat, "final_loss").gradient
    assert scale.low < flat.final_loss[0, 0] < scale.high
    save(map_chart(flat, "final_loss"), tmp_path / "map.svg")
    assert colored(flat, "first_hit").gradient is None  # nothing hit


def test_the_axes_are_in_the_words_of_the_settings(found):
    spec = map_chart(found).to_dict()
    (axes,) = (layer["encoding"] for layer in spec["layer"] if "x" in layer["encoding"]
               and "field" in layer["encoding"]["x"])  # fmt: skip
    assert axes["x"]["title"] == "lr: the learning rate"
    assert axes["y"]["title"] == "w1 at the start"
    assert axes["x"]["scale"]["type"] == "log"
    assert axes["y"]["scale"]["type"] == "linear"
    assert tuple(axes["x"]["scale"]["domain"]) == found.x.pixel_edges
    assert axes["x"]["axis"]["values"] == [0.1, 1.0, 10.0]
    said = " ".join(spec["title"]["subtitle"])
    assert "60 × 40 points is one training: 300 epochs, seed 0" in said
    assert spec["title"]["text"] == "nand · sgd"


@pytest.mark.parametrize(
    ("low", "high", "log", "wanted"),
    [
        (0, 0.5, False, ["0", "0.1", "0.2", "0.3", "0.4", "0.5"]),
        (-3, 3, False, ["−3", "−2", "−1", "0", "1", "2", "3"]),
        (0.54776, 0.54783, False, [
            "0.54776", "0.54778", "0.5478", "0.54782"
        ]),
        (0.01, 10, True, ["0.01", "0.1", "1", "10"]),
        (0.05, 2, True, ["0.05", "0.1", "0.2", "0.5", "1", "2"]),
        (0.3, 0.4, True, ["0.3", "0.32", "0.34", "0.36", "0.38", "0.4"]),
    ],
)  # fmt: skip
def test_marks_are_round_numbers(low, high, log, wanted):
    assert tick_labels(ticks(low, high, log=log)) == wanted


@pytest.mark.parametrize("kind", ["svg", "pdf", "html"])
def test_other_files_hold_the_image(found, kind, tmp_path):
    path = tmp_path / f"map.{kind}"
    save(map_chart(found, "first_hit"), path)
    content = path.read_bytes()
    assert b"/Image" in content if kind == "pdf" else b"data:image/png;base64," in content


def test_another_colouring_is_refused(found):
    with pytest.raises(InputError, match="did you mean 'final_loss'"):
        map_chart(found, "final loss")
