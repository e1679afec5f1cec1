"""Pictures: what is drawn, that Vega-Lite takes it, and that files are what their names say."""

import json
import re

import altair as alt
import numpy as np
import pytest

from attnlogic.errors import InputError
from attnlogic.studies.single_run import train
from attnlogic.view import file_format, loss_history, run_history, save
from attnlogic.view.loss_chart import HEIGHT, WIDTH

LOSSES = [0.9, 0.1, 0.01, 5e-5, 2e-4, 3e-5, 4e-5]
MARKED = {"threshold": 1e-4, "first_hit": 3, "rises": [4, 6]}


def layers(chart):
    """The spec's layers by the name of their mark; the spec is held against Vega-Lite's schema."""
    spec = chart.to_dict(validate=True)
    named = {}
    for layer in spec["layer"]:
        data = {**spec, **layer}["data"]["name"]  # altair keeps what layers share above them
        name = layer["transform"][0]["calculate"].strip("'")
        named[name] = {**layer, "points": spec["datasets"][data]}
    return named


def points(layer):
    return layer["points"]


def axis(layer, channel):
    encoding = layer["encoding"][channel]
    return encoding["scale"]["domain"], encoding["axis"]["values"]


def test_losses_alone_are_a_curve():
    (curve,) = layers(loss_history(LOSSES)).values()
    assert curve["mark"]["type"] == "line"
    assert points(curve) == [{"epoch": e, "loss": loss} for e, loss in enumerate(LOSSES)]
    assert curve["encoding"]["y"]["scale"]["type"] == "log"
    assert curve["encoding"]["color"]["legend"] is None  # there is nothing to tell apart
    assert loss_history(LOSSES).to_dict()["title"]["text"] == ""


MARKS = {"loss", "threshold", "first hit", "rise"}


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ({}, []),
        ({"threshold": None}, ["threshold"]),
        ({"first_hit": None}, ["first hit"]),
        ({"rises": ()}, ["rise"]),
        ({"rises": np.array([4])}, []),
        ({"start": 3}, []),
        ({"start": 4}, ["first hit"]),
        ({"start": 6, "rises": [4, 5]}, ["first hit", "rise"]),
        ({"rises": [7, 100]}, ["rise"]),
    ],
    ids=str,
)
def test_what_is_asked_for_is_marked_and_in_the_legend(asked, missing):
    drawn = layers(loss_history(LOSSES, **{**MARKED, **asked}))
    assert {*drawn} == MARKS - {*missing}
    for channel in ("color", "strokeDash"):  # equal in all layers: one legend
        (scale,) = {json.dumps(layer["encoding"][channel]) for layer in drawn.values()}
        scale = json.loads(scale)
        assert {*scale["scale"]["domain"]} == {*drawn}
        assert len(scale["scale"]["range"]) == len(drawn)
        assert scale["legend"]["orient"] == "bottom"


def test_marks_stand_where_they_belong():
    drawn = layers(loss_history(LOSSES, **MARKED))
    assert points(drawn["threshold"]) == [{"loss": 1e-4}]
    assert points(drawn["first hit"]) == [{"epoch": 3}]
    assert rises(drawn["rise"]) == [4, 6]
    assert drawn["threshold"]["encoding"].keys() == {"y", "color", "strokeDash"}
    assert drawn["first hit"]["encoding"].keys() == {"x", "color", "strokeDash"}
    # Along the edge, on the curve's own epochs: thousands of them hide nothing of it.
    assert drawn["rise"]["encoding"]["x"] == drawn["loss"]["encoding"]["x"]
    assert drawn["rise"]["encoding"]["y"] == drawn["loss"]["encoding"]["y"]
    lowest = drawn["loss"]["encoding"]["y"]["scale"]["domain"][0]
    ends = {p["loss"] for p in points(drawn["rise"])} - {None}
    assert min(ends) == lowest
    assert max(ends) < 2 * lowest


def test_a_mark_keeps_its_color_whatever_stands_beside_it():
    def colors(**marks):
        scale = layers(loss_history(LOSSES, **marks))["loss"]["encoding"]["color"]["scale"]
        return dict(zip(scale["domain"], scale["range"], strict=True))

    everything = colors(**MARKED)
    assert len({*everything.values()}) == 4
    for name, value in MARKED.items():
        assert colors(**{name: value}).items() <= everything.items()


def rises(layer):
    """The epochs of the strokes: each has two ends, and a gap behind it."""
    epochs = [p["epoch"] for p in points(layer)]
    assert epochs[0::3] == epochs[1::3] == epochs[2::3]
    assert {p["loss"] for p in points(layer)[2::3]} == {None}
    return epochs[0::3]


def test_a_hit_before_the_tail_is_said():
    chart = loss_history(LOSSES, **MARKED, start=6, title="a run").to_dict()
    subtitle = "from epoch 6; first hit before, at epoch 3"
    assert (chart["title"]["text"], chart["title"]["subtitle"]) == ("a run", [subtitle])


def test_decades_of_rounding_below_the_threshold_are_not_drawn():
    """A loss near 0 is rounding: its spikes downwards would fill the picture."""
    noise = 10.0 ** np.random.default_rng(0).uniform(-16, -3, 400)
    noise[:10] = 1
    curve = layers(loss_history(noise, threshold=1e-4))["loss"]
    (low, high), _ = axis(curve, "y")
    assert high == 1
    assert low == 10.0 ** np.floor(np.median(np.log10(noise)) - 4)


def test_thousands_of_points_are_thinned_to_what_can_be_seen():
    """Each column of pixels keeps its first, lowest, highest and last loss."""
    losses = 10.0 ** np.random.default_rng(0).normal(-3, 1, 50_000)
    drawn = {p["epoch"]: p["loss"] for p in points(layers(loss_history(losses))["loss"])}
    assert len(drawn) <= 4 * WIDTH
    for part in np.array_split(np.arange(50_000), WIDTH):
        kept = [e for e in drawn if part[0] <= e <= part[-1]]
        assert kept[0] == part[0]
        assert kept[-1] == part[-1]
        assert min(drawn[e] for e in kept) == losses[part].min()
        assert max(drawn[e] for e in kept) == losses[part].max()


@pytest.mark.parametrize("start", [0, 3, 6])
def test_the_tail(start):
    curve = layers(loss_history(LOSSES, start=start))["loss"]
    assert [p["epoch"] for p in points(curve)] == [*range(start, 7)]
    assert curve["encoding"]["x"]["scale"]["domain"] == [start, 7]


@pytest.mark.parametrize(
    ("losses", "threshold", "domain", "ticks"),
    [
        ([0.8, 0.03], None, [1e-2, 1], [1e-2, 1e-1, 1]),
        ([0.8, 0.03], 1e-4, [1e-5, 1], [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]),  # off the edge
        ([0.8, 0.03], 5e-3, [1e-3, 1], [1e-3, 1e-2, 1e-1, 1]),
        ([1e-3, 1e-3], None, [1e-3, 1e-2], [1e-3, 1e-2]),  # an axis has a length
        ([0.0], None, [1e-308, 1e-307], [1e-308, 1e-307]),
        ([1, 1e-20], None, [1e-20, 1], [10.0**e for e in range(-20, 1, 2)]),  # labels do not touch
        ([1.7e308, 1e307], None, [1e307, 1e308], [1e307, 1e308]),
    ],
    ids=str,
)
def test_the_loss_axis_goes_from_one_power_of_ten_to_another(losses, threshold, domain, ticks):
    curve = layers(loss_history(losses, threshold=threshold))["loss"]
    assert axis(curve, "y") == (domain, pytest.approx(ticks, rel=1e-12))


def test_losses_that_a_log_axis_lacks():
    nan, inf = np.nan, np.inf
    curve = layers(loss_history([1, nan, 0.5, 0, inf, 0.25, -1]))["loss"]
    assert points(curve) == [
        {"epoch": 0, "loss": 1}, {"epoch": 2, "loss": 0.5}, {"epoch": 3, "loss": 0.25},
        {"epoch": 5, "loss": 0.25}, {"epoch": 6, "loss": 0.25},
    ]  # fmt: skip
    # The list that a run's dict has: None for what is not finite. The rise to it is marked.
    drawn = layers(loss_history([1, 0.5, None], rises=[2]))
    assert [p["epoch"] for p in points(drawn["loss"])] == [0, 1]
    assert rises(drawn["rise"]) == [2]


@pytest.mark.parametrize(
    ("losses", "how", "fragment"),
    [
        ([], {}, "nothing to draw from epoch 0: the run has 0 epochs"),
        ([1, 2], {"start": 2}, "nothing to draw from epoch 2: the run has 2 epochs"),
        ([1, 2], {"start": -1}, "epoch -1"),
        ([1, np.nan, np.inf], {"start": 1}, "nothing to draw from epoch 1"),
        (np.ones((3, 4)), {}, "one run, got an array of shape (3, 4)"),
        (1.0, {}, "one run, got an array of shape ()"),
        ([1, 2], {"threshold": 0}, "threshold: expected a finite loss above 0, got 0"),
        ([1, 2], {"threshold": np.nan}, "threshold"),
    ],
    ids=str,
)
def test_what_cannot_be_drawn_is_refused(losses, how, fragment):
    with pytest.raises(InputError) as error:
        loss_history(losses, **how)
    assert fragment in str(error.value)


@pytest.fixture(scope="module")
def solved():
    return train("xor", "adamw", 0, epochs=300, threshold=1e-3)


def test_a_run_is_drawn_with_everything_marked(solved):
    drawn = layers(run_history(solved))
    assert {*drawn} == MARKS
    assert len(points(drawn["loss"])) == 300
    np.testing.assert_array_equal([p["loss"] for p in points(drawn["loss"])], solved.history.losses)
    assert points(drawn["threshold"]) == [{"loss": 1e-3}]
    assert points(drawn["first hit"]) == [{"epoch": int(solved.outcome.first_hit)}]
    assert rises(drawn["rise"]) == solved.rises
    assert run_history(solved).to_dict()["title"]["text"] == "xor · adamw · seed 0"
    tail = layers(run_history(solved, start=250))
    assert [p["epoch"] for p in points(tail["loss"])] == [*range(250, 300)]


def test_a_run_that_never_hit_has_neither_hit_nor_rise():
    never = train("xor", "adamw", 0, epochs=300, threshold=1e-9)
    assert {*layers(run_history(never))} == {"loss", "threshold"}


def test_altairs_limit_on_rows_does_not_matter():
    drawn = layers(loss_history(np.ones(6000), rises=range(5001)))
    assert len(rises(drawn["rise"])) == 5001


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.svg", "a.SVG", "a.b.png", "deep/a.Html"])
def test_a_files_ending_says_what_it_is(tmp_path, name):
    assert file_format(tmp_path / name) == name.rpartition(".")[2].lower()


@pytest.mark.parametrize("name", ["a", "a.", "a.jpg", "a.svg.gz", ".png", "svg"])
def test_another_ending_is_refused(tmp_path, name):
    for refuse in (file_format, lambda path: save(loss_history([1, 2]), path)):
        with pytest.raises(InputError, match=r"ends in \.svg, \.png, \.pdf, \.html"):
            refuse(tmp_path / name)
    assert [*tmp_path.iterdir()] == []


def test_pictures_are_what_their_names_say(tmp_path, solved):
    chart = run_history(solved)
    for name in ("a.svg", "a.png", "a.pdf", "a.html"):
        save(chart, tmp_path / name)

    svg = (tmp_path / "a.svg").read_text()
    assert svg.startswith("<svg")
    assert svg.endswith("</svg>")
    labels = re.findall(r">([^<>]+)</text>", svg)
    assert {"epoch", "loss", "threshold", "first hit", "rise", "xor · adamw · seed 0"} <= {*labels}
    # Every decade once, and no other number on the loss axis.
    assert [label for label in labels if re.match(r"1$|1e", label)] == [
        "1e-5", "1e-4", "1e-3", "1e-2", "1e-1", "1",
    ]  # fmt: skip

    png = (tmp_path / "a.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(png[at : at + 4]) for at in (16, 20))
    assert width > 2 * WIDTH  # twice as fine as a screen's
    assert height > 2 * HEIGHT

    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")

    page = (tmp_path / "a.html").read_text()
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert '"xor \\u00b7 adamw' in page or "xor · adamw" in page
    # The page needs no network: nothing is loaded by address.
    assert re.findall(r"<[^>]*(?:src|href)\s*=\s*[\"']?(?:https?:)?//[^>]*>", page) == []
    assert re.findall(r"\b(?:import|from)\s*\(?\s*[\"']https?:[^\"']*", page) == []


@pytest.mark.parametrize("kind", ["svg", "png", "pdf", "html"])
def test_a_file_that_cannot_be_written_is_named(tmp_path, kind):
    chart = loss_history([1, 2])
    (tmp_path / f"folder.{kind}").mkdir()
    for name in (f"missing/a.{kind}", f"folder.{kind}"):
        with pytest.raises(InputError) as error:
            save(chart, tmp_path / name)
        assert f"cannot write '{tmp_path / name}': " in str(error.value)
        assert not str(error.value).endswith("None")


def test_a_chart_can_stand_beside_another():
    # No configuration within: a notebook may lay charts side by side, and theme them.
    both = alt.hconcat(loss_history(LOSSES, **MARKED), loss_history(LOSSES))
    assert len(both.configure_axis(labelFontSize=9).to_dict()["hconcat"]) == 2
