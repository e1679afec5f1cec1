"""The roughness of borders: figures whose dimension is known."""

import math

import numpy as np
import pytest

from attnlogic.errors import InputError
from attnlogic.statistics import box_counting


def test_a_border_lies_where_neighbours_differ():
    codes = np.zeros((4, 5), np.uint8)
    codes[2:, 3:] = 7
    assert box_counting.border(codes).astype(int).tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 0, 1, 1],
        [0, 0, 1, 0, 0],
        [0, 0, 1, 0, 0],
    ]


def sierpinski(side):
    """Binomials that are odd (Sierpiński's triangle): 3 of 4 halves, so its dimension is log₂ 3."""
    place = np.arange(side)
    return (place[:, None] & place) == 0


KNOWN = {
    "line": (np.eye(512, dtype=bool), 1),
    "area": (np.ones((512, 512), bool), 2),
    "Sierpinski": (sierpinski(512), math.log2(3)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_dimension_of_known_figures(name):
    edge, known = KNOWN[name]
    found = box_counting.dimension(edge)
    assert found.value == pytest.approx(known, abs=1e-12)  # exact at powers of two
    assert found.low <= known + 1e-12
    assert found.high >= known - 1e-12
    assert found.sizes == (2, 4, 8, 16, 32, 64)
    boxes = edge.reshape(64, 8, 64, 8).any(axis=(1, 3)).sum()
    assert found.counts[2] == boxes


def test_the_interval_tells_how_much_places_differ():
    edge = np.zeros((512, 512), bool)
    edge[:, 40] = True
    alike = box_counting.dimension(edge)
    edge[:256, 300:] = True
    mixed = box_counting.dimension(edge)
    assert alike.high - alike.low == pytest.approx(0, abs=1e-12)
    assert mixed.high - mixed.low > 0.1
    assert mixed == box_counting.dimension(edge, seed=0)
    assert mixed != box_counting.dimension(edge, seed=1)
    narrow = box_counting.dimension(edge, level=0.5)
    assert mixed.low < narrow.low < narrow.high < mixed.high


@pytest.mark.parametrize("edge", [np.ones((192, 300), bool), np.zeros((512, 512), bool)])
def test_too_little_of_a_border_is_refused(edge):
    with pytest.raises(InputError, match="expected a border in at least 16 tiles"):
        box_counting.dimension(edge)


def test_the_busiest_window_has_most_of_the_border():
    edge = np.random.default_rng(0).random((40, 64)) < 0.2
    rows, columns = box_counting.busiest(edge, 8)
    inside = {
        (i, j): edge[i : i + 5, j : j + 8].sum() for i in range(40 - 4) for j in range(64 - 7)
    }
    assert (rows.stop - rows.start, columns.stop - columns.start) == (5, 8)
    assert inside[rows.start, columns.start] == max(inside.values())
