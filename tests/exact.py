"""The model's derivatives by SymPy, and parameters that are fractions."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
import sympy

from attnlogic.problems import ROWS, Params, loss, pack, unpack

SOME = [Fraction(0), Fraction(1), Fraction(-7, 3), Fraction(11, 5)]


def at(C, w, b):
    return Params(Fraction(C), Fraction(1), Fraction(1), w, b)


@lru_cache
def derivatives():
    """Gradient and Hessian of four times the loss, by SymPy: of six parameters and four targets.

    Four times: the coefficients are whole, so that fractions stay fractions.
    """
    parameters, targets = sympy.symbols("a:6"), sympy.symbols("t:4")
    value = sympy.expand(4 * loss(unpack(parameters), ROWS, targets))
    first = [sympy.diff(value, p) for p in parameters]
    second = [[sympy.diff(d, p) for p in parameters] for d in first]
    arguments = [*parameters, *targets]
    return sympy.lambdify(arguments, first), sympy.lambdify(arguments, second)


def gradient(params, targets):
    return derivatives()[0](*pack(params), *targets)


def curvatures(params, targets):
    second = derivatives()[1](*map(float, pack(params)), *targets)
    return np.linalg.eigvalsh(np.array(second, float))
