"""Axes of planes: what they are read from, their values, and parts of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlogic.errors import InputError
from attnlogic.studies import Axis, read_axis


@pytest.mark.parametrize("text", ["lr=0.01..10:log:7", " lr = 0.01..10:log:7 "])
def test_an_axis_is_a_name_and_a_range(text):
    axis = read_axis("x", text)
    assert (axis.name, axis.parameter) == ("lr", None)
    np.testing.assert_allclose(axis.values, np.geomspace(0.01, 10, 7), rtol=1e-15)
    assert read_axis("x", axis) is axis
    assert read_axis("x", str(axis)) == axis


def test_a_parameter_of_the_start_has_a_name_of_two_parts():
    assert read_axis("y", "start.wq=-1..1:3").parameter == "wq"


@pytest.mark.parametrize("log", ["", "log:"])
@given(points=st.integers(2, 60))
def test_points_lie_in_the_middle_of_their_pixels(log, points):
    axis = read_axis("x", f"lr=0.5..8:{log}{points}")
    low, high = axis.pixel_edges
    edges = (np.geomspace if log else np.linspace)(low, high, points + 1)
    middle = np.sqrt(edges[1:] * edges[:-1]) if log else (edges[1:] + edges[:-1]) / 2
    np.testing.assert_allclose(middle, axis.values, rtol=1e-12)


@given(first=st.integers(0, 900), length=st.integers(1, 99), log=st.sampled_from(["", "log:"]))
def test_a_part_is_between_its_points(first, length, log):
    axis = read_axis("x", f"lr=0.5..0.5001:{log}1000")
    last = first + length
    zoomed = axis.zoomed(axis.part(first, last))
    step = axis.values[1] - axis.values[0]
    # Three digits of what is shown: the ends may lie a tenth of the shortest part away.
    assert abs(zoomed.values[0] - axis.values[first]) < length * step / 10
    assert abs(zoomed.values[-1] - axis.values[last]) < length * step / 10
    assert (len(zoomed.values), zoomed.range.log) == (1000, bool(log))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("0.1..2", "no part of 0..1:5"),
        ("0.5..0.1", "is empty"),
        ("0.5", "expected a range"),
        ("0.5..0.5", "both its ends are equal"),
    ],
)
def test_what_is_no_part_is_refused(part, message):
    with pytest.raises(InputError, match=message):
        read_axis("x", "momentum=0..1:5").zoomed(part)


def test_the_ends_of_the_axis_are_a_part():
    axis = read_axis("x", "momentum=0..1:5")
    assert axis.zoomed("0..1") == Axis("momentum", axis.range)
