"""Array namespaces for arithmetic that has none: Python's floats and fractions, and SymPy.

A model calls the functions of the namespace that it is handed by NumPy's names: ``exp``, ``tanh``,
``maximum``, ``where`` and so on. ``numpy`` and ``jax.numpy`` are such namespaces themselves;
``torch`` has the same names, and ``attnlogic_torch.namespace.TORCH`` lets its ``maximum`` and
``minimum`` take plain numbers too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

FUNCTIONS = (
    "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "abs",
    "maximum", "minimum", "where",
)  # fmt: skip
"""What every namespace here has; NumPy's, JAX's and torch's too."""


def _where(condition: Any, chosen: Any, other: Any) -> Any:
    return chosen if condition else other


def _larger(a: Any, b: Any) -> Any:
    return a if a >= b or a != a else b  # NaN, where there is one, as NumPy


def _smaller(a: Any, b: Any) -> Any:
    return a if a <= b or a != a else b


def _real(function: Callable[[float], float], x: Any) -> float:
    """The function, with NumPy's NaN or infinity where Python raises an error."""
    try:
        return function(x)
    except (OverflowError, ValueError):
        import numpy as np

        with np.errstate(all="ignore"):
            return float(getattr(np, function.__name__)(float(x)))


FLOATS = SimpleNamespace(
    **{name: partial(_real, getattr(math, name)) for name in FUNCTIONS[:11]},
    abs=abs,
    maximum=_larger,
    minimum=_smaller,
    where=_where,
)
"""For Python's floats and ``Fraction``, which ``abs``, ``maximum``, ``minimum``, ``where`` keep."""


def symbols() -> SimpleNamespace:
    """The functions for SymPy's expressions.

    Example:
      >>> import sympy
      >>> symbols().where(sympy.Symbol("x", real=True) <= 0, 0, 1)
      Piecewise((0, x <= 0), (1, True))
    """
    import sympy

    found = {name: getattr(sympy, name) for name in FUNCTIONS[:11] if hasattr(sympy, name)}
    return SimpleNamespace(
        **found,
        expm1=lambda x: sympy.exp(x) - 1,
        log1p=lambda x: sympy.log(1 + x),
        abs=sympy.Abs,
        maximum=sympy.Max,
        minimum=sympy.Min,
        where=lambda condition, a, b: sympy.Piecewise((a, condition), (b, True)),
    )
