"""Array namespaces for arithmetic that has none: Python's floats and fractions, and SymPy.

A model calls the functions of the namespace that it is handed by NumPy's names: ``exp``, ``tanh``,
``maximum``, ``where`` and so on. ``numpy`` and ``jax.numpy`` are such namespaces themselves;
``torch`` has the same names, and ``attnlogic_torch.namespace.TORCH`` lets its ``maximum`` and
``minimum`` take plain numbers too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


class Floats:
    """For Python's floats, and for ``Fraction``, which all but the transcendental ones keep."""

    @staticmethod
    def where(condition: Any, chosen: Any, other: Any) -> Any:
        """One of two numbers."""
        return chosen if condition else other

    @staticmethod
    def maximum(a: Any, b: Any) -> Any:
        """The larger one; NaN where there is one, as NumPy's."""
        return a if a >= b or a != a else b

    @staticmethod
    def minimum(a: Any, b: Any) -> Any:
        """The smaller one; NaN where there is one, as NumPy's."""
        return a if a <= b or a != a else b

    abs = staticmethod(abs)

    def __getattr__(self, name: str) -> Callable[..., float]:
        """NumPy's function of that name, of floats."""
        import numpy as np

        by_numpy = getattr(np, name)
        by_python = getattr(math, name, None)

        def function(*numbers: Any) -> float:
            try:
                if by_python is not None:
                    return float(by_python(*numbers))
            except (OverflowError, ValueError):  # where NumPy has an infinity or NaN
                pass
            with np.errstate(all="ignore"):
                return float(by_numpy(*map(float, numbers)))

        return function


FLOATS = Floats()
"""The functions for Python's floats and fractions."""


class Symbols:
    """For SymPy's expressions."""

    @staticmethod
    def where(condition: Any, chosen: Any, other: Any) -> Any:
        """One of two expressions."""
        import sympy

        return sympy.Piecewise((chosen, condition), (other, True))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """SymPy's function for NumPy's name."""
        import sympy

        function: Callable[..., Any] = getattr(sympy, _BY_SYMPY.get(name, name))
        return function


_BY_SYMPY = {
    "maximum": "Max",
    "minimum": "Min",
    "abs": "Abs",
    "arctan": "atan",
    "arcsin": "asin",
    "arccos": "acos",
}
"""SymPy's names, where they are not NumPy's."""

SYMBOLS = Symbols()
"""The functions for SymPy's expressions."""
