"""The charts of every statistic: valid, honest about their numbers, safe, and of bounded size."""

import json
import math
import re
import xml.etree.ElementTree as ElementTree

import polars as pl
import pytest
from charting import WITHOUT_ROWS, caption, chart, layers, marks, spec, study
from synthetic import rows

import attnlogic
from attnlogic.errors import InputError
from attnlogic.results import select
from attnlogic.statistics import CHARTS, STATISTICS
from attnlogic.view import save

TRAINED = "paths"
"""The chart that trains: see test_paths_chart."""

DRAWN = [name for name in CHARTS if name != TRAINED]
EVERY = pytest.mark.parametrize("name", DRAWN)


@pytest.fixture(scope="module")
def runs():
    return study()


def test_every_statistic_has_a_chart_and_every_chart_a_name_of_its_own():
    names = [chart.name for statistic in STATISTICS.values() for chart in statistic.charts]
    assert len({*names}) == len(names) == len(CHARTS)
    for statistic in STATISTICS.values():
        assert statistic.charts
        for one in statistic.charts:
            assert CHARTS[one.name] is statistic
            assert one.about
            assert "\n" not in one.about
    with pytest.raises(InputError, match="unknown chart of solutions 'V'"):
        attnlogic.solutions.chart(study(seeds=range(2)), "V")


@EVERY
def test_it_is_valid_says_what_it_shows_and_fits_a_column(runs, name, tmp_path):
    found = spec(runs, name)
    told = caption(found)
    assert re.search(r"\bn\s=|solved", told), told
    if "level" in [option.name for option in CHARTS[name].options] and name != "drift":
        assert "95 %" in told
    drawn = [*layers(found)]
    assert sum(len(values) for *_, values in drawn) > 0
    for _, _, encoding, _ in drawn:
        for channel, about in encoding.items():  # fields are ours: no text of a user's is one
            assert re.fullmatch(r"[A-Za-z_0-9]+", about.get("field", "x")), channel
    save(chart(runs, name), tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text()
    assert "NaN" not in svg
    assert "undefined" not in svg
    width = float(ElementTree.fromstring(svg).attrib["width"].removesuffix("px"))
    assert width <= 560  # 480, and labels that stand out


@EVERY
def test_the_caption_says_which_runs_are_drawn(runs, name):
    some = select(runs, gate="xor", where="C_initial < 10")
    told = "Only runs of: gate xor, where C_initial < 10."
    assert caption(spec(some, name)).endswith(f" {told}")
    assert caption(spec(select(runs, gate="xor"), name)).count("Only runs of: gate xor.") == 1
    assert "Only runs" not in caption(spec(runs, name))


@EVERY
def test_logarithmic_axes_hold_positive_values_alone(runs, name):
    for _, _, encoding, values in layers(spec(runs, name)):
        for channel, about in encoding.items():
            if about.get("scale", {}) and about["scale"].get("type") == "log":
                numbers = [row[about["field"]] for row in values if row[about["field"]] is not None]
                assert all(0 < number < math.inf for number in numbers), channel


@EVERY
def test_more_runs_make_no_larger_chart(runs, name):
    """Fifty times as many runs are drawn by about as many marks: it draws aggregates."""
    many = pl.concat(runs.with_columns(pl.col("seed") + 1000 * k) for k in range(50))
    sizes = [len(json.dumps(spec(some, name))) for some in (runs, many)]
    assert sizes[1] < 1.2 * sizes[0] < 100_000


@EVERY
def test_a_tally_gives_the_same_chart_where_it_will_do(runs, name):
    statistic = CHARTS[name]
    one = next(chart for chart in statistic.charts if chart.name == name)
    tally = attnlogic.tally(runs)
    if one.needs_rows or statistic.needs_rows:
        with pytest.raises(InputError, match=f"{name} needs every run"):
            chart(tally, name)
    elif name in WITHOUT_ROWS:
        assert spec(tally, name) == spec(runs, name)
    else:
        assert caption(spec(tally, name)) == caption(spec(runs, name))


NASTY = [
    "</script><script>alert(1)</script>",
    "a.b[0]['c']\\\"d\"",
    "datum.x || alert(1)",
    ' class="x" opacity="1"',
]


@EVERY
def test_text_of_users_stays_text(runs, name, tmp_path):
    """As a gate, which is a file's name, and as an optimizer with its settings."""
    gates = pl.col("gate").replace_strict({"xor": NASTY[0], "nand": NASTY[1]})
    others = {"adam": "adam", "adamw": NASTY[2], "adam(lr=0.1)": "adam(lr=0.1)"}
    more = runs.filter(pl.col("optimizer") == "adam").with_columns(optimizer=pl.lit(NASTY[3]))
    named = runs.with_columns(optimizer=pl.col("optimizer").replace_strict(others))
    of_users = pl.concat([named, more]).with_columns(gate=gates)
    if name in ("C", "basins", "curvature"):  # theory knows no such gate
        with pytest.raises(InputError, match="nothing to draw"):
            chart(of_users, name)
        return
    drawn = chart(of_users, name)
    save(drawn, tmp_path / "a.svg")
    save(drawn, tmp_path / "a.html")
    tree = ElementTree.fromstring((tmp_path / "a.svg").read_text())
    shown = "".join(tree.itertext())
    assert NASTY[0] in shown
    assert NASTY[1] in shown
    assert 'class="x" opacity="1"' in shown or name in ("sweep", "sweep_times")
    assert not [element for element in tree.iter() if element.tag.endswith("script")]
    page = (tmp_path / "a.html").read_text()
    assert "<script>alert" not in page
    assert page.count("</script>") == 2


def test_what_cannot_be_drawn_is_said():
    none = rows("xor", "adam").clear()
    for name in DRAWN:
        with pytest.raises(InputError, match=r"nothing to|there is no sweep"):
            chart(none, name)
    other = rows("xor", "adam", model="attention(scores=softmax)")
    for name in ("C", "basins", "curvature"):
        with pytest.raises(InputError, match=r"nothing to draw: .* C|curvature is known"):
            chart(other, name)
    diverged = rows("xor", "adam").filter(pl.col("status") == "diverged")
    assert len(diverged)
    with pytest.raises(InputError, match="nothing to draw"):
        chart(diverged, "C")
    assert marks(spec(diverged, "endings"), "bar") == [
        {"row": "xor", "ending": "diverged", "from": 0, "to": 1, "panel": "adam"}
    ]


@pytest.mark.parametrize(
    ("name", "most"),
    [("summary", 60), ("endings", 60), ("stability", 60), ("times", 24), ("starts", 24),
     ("ladder", 12), ("C", 12), ("readout", 12)],
)  # fmt: skip
def test_of_many_conditions_it_says_how_many_it_leaves_out(name, most):
    base = rows("xor", "adam", range(8))
    many = pl.concat(
        base.with_columns(optimizer=pl.lit(f"adam(lr={k})"), seed=pl.col("seed"))
        for k in range(1, 71)
    )
    told = caption(spec(many, name))
    count = re.search(rf"The first {most} of (\d+) conditions", told)
    assert count, told
    assert len(json.dumps(spec(many, name))) < 1_000_000


def test_options_reach_the_chart(runs):
    usual, wide = (spec(runs, "summary", level=level) for level in (0.95, 0.999))
    spans = [[row["high"] - row["low"] for row in marks(one, "rule")] for one in (usual, wide)]
    assert all(a < b for a, b in zip(*spans, strict=True))
    assert "99.9 % intervals" in caption(wide)
    with pytest.raises(InputError, match="level"):
        chart(runs, "summary", level=2)
