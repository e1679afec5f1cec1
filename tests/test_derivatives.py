"""Derivatives and nearest solutions of all forms and numbers of bits, held to exact differences."""

import numpy as np
import pytest
from forms import FORMS, form_id, gradient, hessian, loss

from attnlogic import theory
from attnlogic.problems import GATES as TWO_BITS
from attnlogic.problems import Params, gate
from attnlogic.theory import derivatives, solutions

GATES = [gate(name) for name in ("xor", "x1", "majority3", "00000010", "or4")]


def packed(form, n, count=3, seed=8):
    return np.random.default_rng(seed).normal(size=(3 + n + form.bias, count))


def params(values, n):
    wq, wk, wv, *rest = values
    return Params(wq, wk, wv, tuple(rest[:n]), rest[n] if rest[n:] else None)


@pytest.mark.parametrize("form", FORMS, ids=form_id)
@pytest.mark.parametrize("gate", GATES, ids=str)
def test_derivatives_are_exact_differences(gate, form):
    values = packed(form, gate.n)
    slopes = derivatives.gradient(gate, params(values, gate.n), form)
    matrices = theory.hessian(gate, params(values, gate.n), form)
    for at, slope, matrix in zip(values.T, slopes, matrices, strict=True):
        # In doubles: differences of losses of some 100 leave 1e-12.
        np.testing.assert_allclose(slope, gradient(list(at), gate, form), atol=1e-10)
        np.testing.assert_allclose(matrix, hessian(list(at), gate, form), atol=1e-9)


@pytest.mark.parametrize("form", FORMS, ids=form_id)
def test_the_nearest_solution_solves_the_gate_and_is_near(form):
    for name in ("xor", "and", "x1", "not_all_equal3", "00000011", "x2_of3", "false4"):
        of = gate(name)
        found = solutions(of, form)
        if not found or found[0].w is None or found[0].C == 0:
            continue
        C = -0.8 if found[0].C is None else float(found[0].C)
        scale = 1.0 if found[0].scale is None else found[0].scale[0] * C + found[0].scale[1]
        w = [float(v) / scale for v in found[0].w]
        exact = np.array([1.5, 1.0, C / 1.5, *w, *([float(found[0].b)] if form.bias else [])])
        assert loss(list(exact), of, form) < 1e-25
        off = np.random.default_rng(1).normal(scale=1e-3, size=(len(exact), 20))
        start = exact[:, None] + off
        end = theory.nearest_solution(of, params(start, of.n), form)
        leaves = [end.wq, end.wk, end.wv, *end.w, *([end.b] if form.bias else [])]
        ends = np.stack(leaves)
        assert max(loss(list(at), of, form) for at in ends.T) < 1e-25
        # The exact point is one solution, and so the nearest is hardly farther than it.
        away, most = (np.linalg.norm(d, axis=0) for d in (ends - start, off))
        assert (away < 1.05 * most).all()


@pytest.mark.parametrize("form", FORMS, ids=form_id)
def test_the_free_directions_of_a_solution_are_those_that_leave_the_outputs_alone(form):
    rng = np.random.default_rng(9)
    more = ("x1_of3", "not_all_equal3", "00000011", "true3", "false4")
    for of in (*TWO_BITS, *map(gate, more)):
        for s in solutions(of, form):
            C = 0.7 if s.C is None else float(s.C)
            scale = 1.0 if s.scale is None else s.scale[0] * C + s.scale[1]
            w = s.w
            if w is None:
                rest = rng.normal(size=of.n - 1)
                w = (*rest, (1.3 if s.w_sum is None else float(s.w_sum)) - rest.sum())
            values = [C, 1.0, 1.0, *(float(v) / scale for v in w), float(s.b)]
            values = np.array(values[: 3 + of.n + form.bias])[:, None]
            there = derivatives.outputs(of, params(values, of.n), form)
            np.testing.assert_allclose(there.residuals, 0, atol=1e-14)
            rank = np.linalg.matrix_rank(there.first[0], tol=1e-9)
            assert s.free == len(values) - rank
