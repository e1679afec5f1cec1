"""V(C) of gates of three bits and more and of all forms of the model, held to NumPy and SciPy."""

import time
from fractions import Fraction
from itertools import islice, permutations, product

import numpy as np
import pytest
import sympy
from forms import FORMS, WITH_BIAS, design, form_id, least_losses, searched
from scipy.optimize import least_squares

from attnlogic.errors import InputError
from attnlogic.problems import GATES, Gate, all_gates, gate, loss, predict, problem
from attnlogic.theory import (
    Form,
    V,
    gates_theory,
    landscape,
    linear_least_loss,
    readout,
    solutions,
    solvable,
)
from attnlogic.theory.form import form_of

THREE = list(all_gates(3))
SOME = [
    *(gate(name) for name in ("parity3", "majority3", "and4", "exactly_two4", "x2_of5", "or5")),
    *(gate(bits) for bits in ("01101000", "00000010", "0001100010100110", "01" * 10 + "1" * 12)),
]
CS = [Fraction(c) for c in ("-3", "-1", "-1/2", "-1/3", "-1/4", "0", "7/10", "40")]

every_form = pytest.mark.parametrize("form", FORMS, ids=form_id)


@every_form
@pytest.mark.parametrize("gate", SOME, ids=str)
def test_V_is_what_least_squares_leaves(gate, form):  # noqa: N802
    targets = np.array([gate.targets], float)
    for C in CS:
        expected = least_losses(gate.n, form, float(C), targets)[0]
        assert float(V(gate, C, form)) == pytest.approx(expected, abs=1e-12)


@every_form
@pytest.mark.parametrize("gate", SOME, ids=str)
def test_the_formula_of_V_is_V_but_at_the_jump(gate, form):  # noqa: N802
    shape = landscape(gate, form)
    for C in (Fraction(n, 12) for n in range(-40, 41)):
        if shape.jump is not None and shape.jump.C == C:
            assert V(gate, C, form) == shape.jump.V > shape.jump.beside == shape.least_loss(C)
        else:
            assert shape.least_loss(C) == V(gate, C, form)
    grid = np.array([[0.3, -2.0], [1.5, 7.0]])
    exact = [[float(V(gate, Fraction(C), form)) for C in row] for row in grid]
    # Polynomials of degree four: a few roundings, and near a zero only the zero's factor is small.
    np.testing.assert_allclose(shape.least_loss(grid), exact, rtol=1e-12)


@pytest.mark.parametrize(
    "form", [f for f in FORMS if f.residual and f.encoding == "01"], ids=form_id
)
@pytest.mark.parametrize("gate", SOME[:4], ids=str)
def test_the_best_readout_leaves_V_by_the_models_own_loss(gate, form):  # noqa: N802
    for C in map(Fraction, (-2, -1, 0, 3)):
        params = readout(gate, C, form)
        assert loss(params, gate.rows, gate.targets) == V(gate, C, form)
        assert len(params.w) == gate.n
        for x in gate.rows:
            w = sum(a * b for a, b in zip(params.w, x, strict=True))
            assert predict(params, x) == w * (C * sum(x) + 1) + params.b


@every_form
def test_all_three_bit_gates_have_the_least_loss_that_a_search_finds(form):
    """So the gates that can be solved are those for which a search over all C finds a loss of 0."""
    targets = np.array([g.targets for g in THREE], float)
    found = searched(3, form, targets)
    for one, value in zip(THREE, found, strict=True):
        shape = landscape(one, form)
        # A search by thirds ends within 1e-8 of the best C, where V is flat.
        assert float(shape.least) == pytest.approx(value, abs=1e-10)
        assert shape.solvable == (value < 1e-10)


@pytest.mark.parametrize("name", ["majority3", "00000010", "00000110", "not_all_equal3", "and4"])
def test_no_search_over_all_parameters_gets_below_the_least_loss(name):
    of = gate(name)
    targets, form, rng = np.array(of.targets, float), Form(), np.random.default_rng(5)

    def residuals(p):
        return (design(of.n, form, p[0]) @ p[1:] - targets) / 2 ** (of.n / 2)

    least = landscape(of).least
    starts = rng.normal(scale=2, size=(30, of.n + 2))
    accurate = {"xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14}
    ends = [2 * least_squares(residuals, start, **accurate).cost for start in starts]
    assert min(ends) > float(least.low) - 1e-13
    assert min(ends) == pytest.approx(float(least), abs=1e-9)


def constructed(n):
    """Every gate of n inputs with t(0…0) = 0 that has a solution, from the equations themselves.

    b = 0 and ``w_i (C+1)`` is a bit e_i. If C ≠ -1 and e is not 0, ``(e_i + e_j)(2C+1)/(C+1)`` is a
    bit as well: C is 0, -1/2 or -1/3. If C = -1 every ``-(w_i + w_j)`` is a bit, and three of these
    bits and those with w_1 give all of w.
    """
    found = {"0" * 2**n}
    for bits in product((0, 1), repeat=n):
        for C in (Fraction(0), Fraction(-1, 2), Fraction(-1, 3)):
            found.add(output(n, C, [e / (C + 1) for e in bits]))
        ones = [Fraction(bits[1] - bits[0] - bits[2], 2)]  # pairs (1, 2), (2, 3), (1, 3)
        ones += [-e - ones[0] for e in (bits[0], bits[2], *bits[3:])]
        found.add(output(n, Fraction(-1), ones))
    return {bits for bits in found if bits}


def output(n, C, w):
    """The model's outputs as a bit string; empty where they are no bits."""
    rows = list(product((0, 1), repeat=n))
    values = [(C * sum(x) + 1) * sum(a * b for a, b in zip(w, x, strict=True)) for x in rows]
    return "".join(str(int(v)) for v in values) if set(values) <= {0, 1} else ""


def negated(bits):
    return bits.translate(str.maketrans("01", "10"))


@pytest.mark.parametrize(("n", "count"), [(2, 16), (3, 16), (4, 10)])
def test_the_solvable_gates_are_those_that_can_be_constructed(n, count):
    exact = constructed(n) if n > 2 else {g.bits for g in GATES if not g.targets[0]}
    began = time.process_time()
    found = list(gates_theory(all_gates(n)))
    assert time.process_time() - began < 60  # all 65,536 of four bits, on one processor
    assert {g.bits for g in found if g.solvable} == exact | {negated(b) for b in exact}
    assert 2 * len(exact) == count


def test_of_five_bits_only_tokens_and_constants_can_be_solved():
    names = ["false5", *(f"x{i}_of5" for i in range(1, 6))]
    assert constructed(5) == {gate(name).bits for name in names}
    assert all(solvable(gate(name)) for name in names)
    assert all(solvable(gate(negated(gate(name).bits))) for name in names)
    rng = np.random.default_rng(6)
    for bits in rng.integers(2, size=(50, 32)):
        assert not solvable(gate("".join(map(str, bits))))


@pytest.mark.parametrize("n", [3, 4, 5])
def test_of_parity_nothing_can_be_learnt(n):
    """The output is of degree two in the inputs, and parity is orthogonal to all below degree n."""
    shape = landscape(gate(f"parity{n}"))
    assert shape.constant
    assert shape.least.equals(Fraction(1, 4))


@pytest.mark.parametrize("form", WITH_BIAS, ids=form_id)
def test_negating_the_output_changes_nothing_of_V(form):  # noqa: N802
    for one in islice(THREE, 0, 128, 5):
        assert landscape(one, form) == landscape(gate(negated(one.bits)), form)


@every_form
def test_swapping_inputs_changes_nothing_of_V(form):  # noqa: N802
    for one in islice(THREE, 3, None, 23):
        table = dict(zip(one.rows, one.targets, strict=True))
        for order in permutations(range(3)):
            swapped = tuple(table[tuple(x[i] for i in order)] for x in one.rows)
            assert landscape(Gate("swapped", swapped), form) == landscape(one, form)


@pytest.mark.parametrize("residual", [True, False])
def test_on_inputs_of_plus_and_minus_one_the_model_is_linear(residual):
    form = Form(residual=residual, encoding="pm1")
    assert landscape(gate("xor"), form).least.equals(Fraction(1, 4))
    for n in (2, 3, 4):
        every = all_gates(n) if n < 4 else islice(all_gates(4), 0, None, 61)
        for one in every:
            shape = landscape(one, form)
            assert shape.constant
            assert shape.least.equals(linear_least_loss(one, "pm1"))
            assert shape.least.equals(linear_least_loss(one))  # the same functions, by other bits
    assert [sum(solvable(g, form) for g in all_gates(n)) for n in (2, 3)] == [6, 8]


def test_without_the_bias_those_that_are_0_on_zeros_are_left():
    form = Form(bias=False)
    assert not solvable(gate("nand"), form)
    for one in (*GATES, *THREE):
        assert solvable(one, form) == (solvable(one) and one.targets[0] == 0)


def test_without_the_residual_only_constants_can_be_solved():
    for one in (*GATES, *THREE):
        assert solvable(one, Form(residual=False)) == (len(set(one.targets)) == 1)
        assert solvable(one, Form(residual=False, bias=False)) == (not any(one.targets))


@every_form
def test_at_every_solution_the_output_is_the_gate(form):
    for one in (*GATES, *THREE):
        found = solutions(one, form)
        assert bool(found) == solvable(one, form)
        for s in found:
            for C in (0.3, -2.0) if s.C is None else [float(s.C)]:
                scale = 1.0 if s.scale is None else s.scale[0] * C + s.scale[1]
                w = s.w
                if w is None:  # any of a line, or any at all
                    rest = np.random.default_rng(1).normal(size=one.n - 1)
                    total = 0.4 if s.w_sum is None else float(s.w_sum)
                    w = (*rest, total - rest.sum())
                params = [*(float(v) / scale for v in w), *([float(s.b)] if form.bias else [])]
                outputs = design(one.n, form, C) @ np.array(params)
                np.testing.assert_allclose(outputs, one.targets, atol=1e-12)


@pytest.mark.parametrize("name", ["00000010", "0001100010100110", "00000110", "0000000000101000"])
def test_extrema_are_sympys(name):
    C = sympy.Symbol("C", real=True)
    shape = landscape(gate(name))
    value = sympy.cancel(shape.least_loss(C))
    slope = sympy.Poly(sympy.numer(sympy.cancel(sympy.diff(value, C))), C)
    roots = sorted(set(sympy.real_roots(slope)))
    assert len(roots) == len(shape.extrema)
    for root, extremum in zip(roots, shape.extrema, strict=True):
        low, high = (sympy.Rational(str(end)) for end in extremum.C)
        at = value.subs(C, root).evalf(40)
        lowest, highest = (sympy.Rational(str(end)) for end in extremum.value)
        assert low <= root.evalf(40) <= high or low == root
        assert lowest <= at <= highest or abs(lowest - at) < sympy.Float("1e-35")
        assert extremum.value.high - extremum.value.low <= Fraction(1, 10**12)
        if not extremum.C.exact:
            polynomial = sympy.Poly(extremum.polynomial[::-1], C)
            assert sympy.rem(polynomial, sympy.minimal_polynomial(root, C, polys=True)) == 0
        second = sympy.diff(value, C, 2).subs(C, root).evalf(40)
        assert extremum.flat == (abs(second) < 1e-30)
        kinds = {"minimum": second > 0, "maximum": second < 0, "inflection": extremum.flat}
        assert kinds[extremum.kind]


def test_an_unknown_encoding_is_refused():
    with pytest.raises(InputError, match=r"unknown encoding 'pm2'.*known: 01, pm1"):
        landscape(gate("xor"), Form(encoding="pm2"))


@pytest.mark.parametrize(
    ("model", "encoding", "form"),
    [
        ("attention", "01", Form()),
        ("attention(residual=False)", "01", Form(residual=False)),
        ("attention(bias=False)", "pm1", Form(bias=False, encoding="pm1")),
        ("attention(heads=2)", "01", Form()),
        ("attention(scores=softmax)", "01", None),
    ],
)
def test_the_form_of_a_problem(model, encoding, form):
    assert form_of(problem("majority3", model, encoding)) == form
