"""Ranges: exact ends, the nearest float of every point, and one clear error for each mistake."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from attnlogic.errors import InputError
from attnlogic.ranges import MAX_CONDITIONS, read_range

short = st.builds(lambda n, digits: n / 10**digits, st.integers(1, 10**5), st.integers(0, 5))
counts = st.integers(2, 60)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("0..1:11", [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        ("1e-4..1:log:5", [0.0001, 0.001, 0.01, 0.1, 1]),
        ("0.01..100:log:5", [0.01, 0.1, 1, 10, 100]),
        ("-1..1:5", [-1, -0.5, 0, 0.5, 1]),
        ("+.5..1.5 : 3", [0.5, 1, 1.5]),
        ("1E-3 .. 2e-3:2", [0.001, 0.002]),
        ("2..2:1", [2]),
        ("2..2:log:1", [2]),
    ],
)
def test_points_are_those_that_one_would_write(text, points):
    assert read_range("lr", text).floats() == points


@given(short, short, counts)
def test_a_linear_range_is_numpys_with_exact_ends(low, high, count):
    assume(low < high)
    points = read_range("lr", f"{low!r}..{high!r}:{count}").floats()
    # linspace rounds the step and its multiples: a few roundings of the largest number.
    np.testing.assert_allclose(points, np.linspace(low, high, count), rtol=1e-14, atol=high * 1e-15)
    assert (points[0], points[-1]) == (low, high)
    assert points == sorted(points)


@given(short, short, counts)
def test_a_logarithmic_range_holds_the_nearest_floats(low, high, count):
    assume(low < high)
    points = read_range("lr", f"{low!r}..{high!r}:log:{count}").floats()
    assert (points[0], points[-1]) == (low, high)
    with mpmath.workdps(50):
        first, last = mpmath.mpf(repr(low)), mpmath.mpf(repr(high))
        exact = [first * (last / first) ** (mpmath.mpf(i) / (count - 1)) for i in range(count)]
        assert points == [float(one) for one in exact]


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("1..10:10", list(range(1, 11))),
        ("10..20:3", [10, 15, 20]),
        ("1e3..3e3:3", [1000, 2000, 3000]),
        ("1..100:log:6", [1, 3, 6, 16, 40, 100]),
        ("1..4:log:20", [1, 2, 3, 4]),
        ("8..8:1", [8]),
    ],
)
def test_whole_points(text, points):
    found = read_range("width", text).wholes("width")
    assert found == points
    assert {type(point) for point in found} == {int}


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("1..10:4", None),
        ("1..10:5", "point 2 of 1..10:5 is 3.25"),
        ("0.5..4:log:3", "point 1 of 0.5..4:log:3 is 0.5"),
        ("1..4.5:log:3", "point 3 of 1..4.5:log:3 is 4.5"),
    ],
)
def test_points_that_are_not_whole_are_refused_for_whole_numbers(text, fragment):
    given_range = read_range("width", text)
    if fragment is None:
        assert given_range.wholes("width") == [1, 4, 7, 10]
        return
    with pytest.raises(InputError) as error:
        given_range.wholes("width of mlp")
    for part in (fragment, "width of mlp: expected whole numbers", "[1, 2, 5]"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("1..5:3", int), ("1..1000:log:4", int), ("1..2:3", float), ("1.0..5:3", float),
     ("1..1e1:10", float), ("1..10:log:3", float)],
)  # fmt: skip
def test_points_of_an_unknown_type_are_ints_only_where_all_can_be(text, kind):
    assert {type(point) for point in read_range("x", text).numbers()} == {kind}


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("1..0:5", "range 1..0:5 is empty, its end lies below its start: write 0..1"),
        ("0..1:log:5", "a logarithmic range starts above 0, got 0..1:log:5"),
        ("-1..1:log:5", "starts above 0"),
        ("1..2:1", "range 1..2:1: one point cannot meet both ends"),
        ("2..2:5", "range 2..2:5: both its ends are equal: write the value alone"),
        ("1..2", "lacks its number of points: write 1..2:11, say"),
        ("1..2:log", "lacks its number of points: write 1..2:log:11, say"),
        ("1..2:0", "has no point"),
        ("1..2:1000000", "expected 2 … 100,000 points, got range 1..2:1000000"),
        ("1..2:" + "9" * 5000, "expected 2 … 100,000 points"),
        ("0..1e999:5", "the ends of range 0..1e999:5 do not fit a float"),
        ("1e-4...1:log:25", "expected a range start..end:points or start..end:log:points"),
        ("1e-4:1:log:25", "such as 0..1:11 or 1e-4..1:log:25, got '1e-4:1:log:25'"),
        ("1e-4..1:25:log", "expected a range start..end:points"),
        ("1e-4..1:ln:25", "expected a range"),
        ("1..2:3.5", "expected a range"),
        ("1..2:-3", "expected a range"),
        ("1..inf:3", "expected a range"),
        ("nan..1:3", "expected a range"),
        ("1..2..3", "expected a range"),
        ("..2:3", "expected a range"),
        ("a..b:3", "expected a range"),
    ],
    ids=lambda text: text[:24],
)
def test_a_wrong_range_says_what_is_wrong(text, fragment):
    with pytest.raises(InputError) as error:
        read_range("lr of adam", text)
    assert str(error.value).startswith("lr of adam: ")
    assert fragment in str(error.value)


def test_as_many_points_as_a_study_has_conditions():
    points = read_range("lr", f"1e-300..1e300:log:{MAX_CONDITIONS}").floats()
    assert len(set(points)) == MAX_CONDITIONS
    assert all(map(math.isfinite, points))
