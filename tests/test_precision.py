"""Numbers that a precision can hold are rounded as NumPy does; others are refused."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attnlogic.errors import InputError
from attnlogic.precision import NORMAL_NUMBERS, in_precision

short = st.builds(lambda n, digits: n / 10**digits, st.integers(-(10**7), 10**7), st.integers(0, 7))
numbers = st.floats(allow_nan=False, allow_infinity=False) | short


@given(numbers)
@example(3.4028235e38)
@example(3.41e38)
@example(-1e300)
@example(1.2e-38)
@example(1.1e-38)
@example(-1e-60)
def test_a_number_is_rounded_as_numpy_does_or_refused(value):
    with np.errstate(over="ignore", under="ignore"):
        expected = np.float32(value)
    normal = np.finfo(np.float32).smallest_normal <= abs(expected) <= np.finfo(np.float32).max
    if value == 0 or normal:
        assert in_precision("x", value, "float32") == expected
    else:
        with pytest.raises(InputError, match=r"x: expected a magnitude in 1.18e-38 … 3.4e\+38"):
            in_precision("x", value, "float32")


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_numbers_that_a_precision_holds_are_numpys(precision):
    about = np.finfo(precision)
    assert NORMAL_NUMBERS[precision] == (about.smallest_normal, about.max)
    for number in NORMAL_NUMBERS[precision]:
        assert in_precision("x", -number, precision) == -number
    with pytest.raises(InputError, match="x: expected a magnitude"):
        in_precision("x", float(about.smallest_normal) / 2, precision)
    with pytest.raises(InputError, match="unknown precision 'float16'"):
        in_precision("x", 1.0, "float16")
