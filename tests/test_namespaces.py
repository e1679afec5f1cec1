"""The functions that a model calls are NumPy's, whatever the arithmetic."""

import numpy as np
import pytest
import sympy
import torch

from attnlogic.problems import FLOATS, SYMBOLS
from attnlogic_torch.namespace import TORCH


@pytest.mark.parametrize("value", [0.3, 0.0, -2.0, 1e3, np.inf, np.nan])
def test_floats_have_numpys_values_also_where_python_raises(value):
    with np.errstate(all="ignore"):
        for name in ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sinh", "cosh", "abs"):
            np.testing.assert_allclose(
                getattr(FLOATS, name)(value), getattr(np, name)(value), rtol=1e-14, err_msg=name
            )
        assert np.arctan(value) == FLOATS.arctan(value) or np.isnan(value)
        for other in (1.0, np.nan):
            for name in ("maximum", "minimum"):
                got = getattr(FLOATS, name)(value, other)
                np.testing.assert_array_equal(got, getattr(np, name)(value, other))


def test_torchs_maximum_takes_plain_numbers_and_keeps_the_precision():
    x = torch.tensor([-1.0, 2.0], dtype=torch.float64)
    for got in (TORCH.maximum(x, 0), TORCH.maximum(0.0, x)):
        assert got.dtype == torch.float64
        assert got.tolist() == [0.0, 2.0]
    assert TORCH.minimum(x, 0).tolist() == [-1.0, 0.0]


def test_symbols_have_numpys_names_and_values():
    for name in ("exp", "tanh", "abs", "arctan", "sqrt", "log"):
        got = getattr(SYMBOLS, name)(sympy.Rational(3, 2))
        assert float(got) == pytest.approx(float(getattr(np, name)(1.5)), rel=1e-15)
    x = sympy.Symbol("x", real=True)
    assert SYMBOLS.maximum(x, 1).subs(x, 3) == 3
    assert SYMBOLS.minimum(x, 1).subs(x, 3) == 1
    assert SYMBOLS.where(x <= 0, 0, x).subs(x, -1) == 0


@pytest.mark.parametrize("namespace", [FLOATS, SYMBOLS, TORCH])
def test_a_function_that_there_is_not_is_an_attribute_error(namespace):
    with pytest.raises(AttributeError, match="nothing"):
        _ = namespace.nothing
