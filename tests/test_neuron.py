"""The model is one polynomial, whatever arithmetic evaluates it."""

from fractions import Fraction
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st
from notebook_modules import NotebooksModel
from torch import nn

from attnlogic.problems import neuron
from attnlogic.problems.gates import GATES, ROWS, gate
from attnlogic.problems.neuron import (
    NAMES,
    Params,
    coefficients,
    invariant,
    loss,
    pack,
    predict,
    unpack,
)

fractions = st.fractions(-3, 3, max_denominator=12)
# Eighths between -2 and 2 have five bits. The loss, of degree eight in them, then fits into the 53
# bits of a float64: every arithmetic must agree to the last bit, in whatever order it adds.
eighths = st.integers(-16, 16).map(lambda n: Fraction(n, 8))
gates = st.sampled_from(GATES)
floats = st.floats(-3, 3)


def six(values):
    return st.tuples(*[values] * 6).map(unpack)


def pairs(values):
    return st.tuples(values, values)


def params_as(convert, params):
    return unpack([convert(value) for value in pack(params)])


# --- what the polynomial is ---------------------------------------------------------------------


@given(six(fractions), pairs(fractions))
def test_attention_equals_the_collapsed_form(params, x):
    (x1, x2), (w1, w2), C = x, params.w, invariant(params)
    assert predict(params, x) == (w1 * x1 + w2 * x2) * (C * (x1**2 + x2**2) + 1) + params.b


@given(six(fractions))
def test_coefficients_give_the_output_on_bits(params):
    k = coefficients(params)
    for x1, x2 in ROWS:
        assert predict(params, (x1, x2)) == k.x1 * x1 + k.x2 * x2 + k.x1x2 * x1 * x2 + k.bias


@given(six(fractions), pairs(fractions))
def test_flipping_two_of_the_three_attention_weights_changes_nothing(params, x):
    q, k, v = params[:3]
    flips = [(-q, -k, v), (-q, k, -v), (q, -k, -v)]
    assert {predict(Params(*f, params.w, params.b), x) for f in flips} == {predict(params, x)}


@given(six(fractions))
def test_the_model_is_linear_in_plus_and_minus_one(params):
    a, b, c, d = (predict(params, (s, t)) for s in (-1, 1) for t in (-1, 1))
    assert a + d == b + c


def test_symbols_expand_to_the_expected_polynomial():
    q, k, v, w1, w2, b, x1, x2 = symbols = sympy.symbols("wq wk wv w1 w2 b x1 x2")
    params, C = unpack(symbols[:6]), q * k * v
    expected = w1 * x1 + w2 * x2 + C * (w1 * x1 + w2 * x2) * (x1**2 + x2**2) + b
    assert sympy.expand(predict(params, (x1, x2)) - expected) == 0

    on_bits = sympy.reduced(predict(params, (x1, x2)), [x1**2 - x1, x2**2 - x2], x1, x2)[1]
    polynomial = sympy.Poly(on_bits, x1, x2)
    monomials = (x1, x2, x1 * x2, 1)
    for got, monomial in zip(coefficients(params), monomials, strict=True):
        assert sympy.expand(got - polynomial.coeff_monomial(monomial)) == 0


# --- which arithmetic evaluates it --------------------------------------------------------------


@jax.jit
def jax_loss(params, targets):
    return loss(params, ROWS, targets)


@jax.jit
def jax_gradient(params, targets):
    return jax.grad(jax_loss)(params, targets)


@given(six(eighths), gates)
def test_every_arithmetic_gives_the_same_loss(params, gate):
    exact = loss(params, ROWS, gate.targets)
    assert isinstance(exact, Fraction)

    doubles = params_as(float, params)
    assert loss(doubles, ROWS, gate.targets) == exact
    assert float(loss(params_as(np.float64, params), ROWS, gate.targets)) == exact
    tensors = params_as(lambda p: torch.tensor(float(p), dtype=torch.float64), params)
    assert loss(tensors, ROWS, gate.targets).item() == exact
    with jax.enable_x64(True):
        targets = jnp.asarray(gate.targets, jnp.float64)
        assert float(jax_loss(params_as(jnp.float64, doubles), targets)) == exact


@given(six(eighths), pairs(eighths))
def test_symbols_give_the_same_number(params, x):
    rational = params_as(lambda p: sympy.Rational(p.numerator, p.denominator), params)
    tokens = [sympy.Rational(t.numerator, t.denominator) for t in x]
    assert predict(rational, tokens) == predict(params, x)


@given(st.lists(six(eighths), min_size=1, max_size=5), gates)
def test_a_batch_is_its_runs_side_by_side(runs, gate):
    batch = unpack([np.array(leaf, np.float64) for leaf in zip(*map(pack, runs), strict=True)])
    each = [loss(params, ROWS, gate.targets) for params in runs]
    assert loss(batch, ROWS, gate.targets).shape == (len(runs),)
    assert list(loss(batch, ROWS, gate.targets)) == each
    grid = unpack([leaf[:, None] for leaf in pack(batch)])
    assert loss(grid, ROWS, gate.targets).shape == (len(runs), 1)


@given(six(eighths), gates)
def test_gradients_of_jax_and_torch_are_the_same(params, gate):
    leaves = [torch.tensor(float(p), dtype=torch.float64, requires_grad=True) for p in pack(params)]
    by_torch = torch.autograd.grad(loss(unpack(leaves), ROWS, gate.targets), leaves)
    with jax.enable_x64(True):
        arrays = params_as(lambda p: jnp.asarray(float(p), jnp.float64), params)
        by_jax = pack(jax_gradient(arrays, jnp.asarray(gate.targets, jnp.float64)))
    # Eighths again: nothing is rounded, so the two must be equal.
    assert [float(g) for g in by_jax] == [g.item() for g in by_torch]


# --- what it is a copy of -----------------------------------------------------------------------


class Notebook(NamedTuple):
    module: NotebooksModel

    def outputs(self, rows: torch.Tensor) -> torch.Tensor:
        return self.module(rows).squeeze(-1)

    def set(self, params: Params) -> None:
        attention, readout = self.module.raw_attention, self.module.attn_out
        with torch.no_grad():
            attention.Wq.weight.fill_(params.wq)
            attention.Wk.weight.fill_(params.wk)
            attention.Wv.weight.fill_(params.wv)
            readout.weight.copy_(torch.tensor([params.w], dtype=torch.float64))
            readout.bias.fill_(params.b)

    def gradients(self) -> list[float]:
        attention, readout = self.module.raw_attention, self.module.attn_out
        scalars = [attention.Wq.weight, attention.Wk.weight, attention.Wv.weight]
        grads = [p.grad for p in (*scalars, readout.weight, readout.bias)]
        return torch.cat([g.reshape(-1) for g in grads]).tolist()


@pytest.fixture(scope="module")
def notebook():
    return Notebook(NotebooksModel().double())


# Outputs and gradients stay below 2e3 here; some forty roundings of 2^-53 of that are below 1e-11.
CLOSE = {"rel": 1e-12, "abs": 1e-11}


@given(six(floats), st.lists(pairs(floats), min_size=1, max_size=4))
def test_predict_is_the_notebooks_module(notebook, params, rows):
    notebook.set(params)
    with torch.no_grad():
        got = notebook.outputs(torch.tensor(rows, dtype=torch.float64)).tolist()
    assert [predict(params, x) for x in rows] == pytest.approx(got, **CLOSE)


@given(six(floats), gates)
def test_gradients_of_jax_are_the_notebooks(notebook, params, gate):
    notebook.set(params)
    notebook.module.zero_grad()
    rows, targets = (torch.tensor(v, dtype=torch.float64) for v in (ROWS, gate.targets))
    nn.functional.mse_loss(notebook.outputs(rows), targets).backward()
    with jax.enable_x64(True):
        arrays = params_as(lambda p: jnp.asarray(p, jnp.float64), params)
        got = [float(g) for g in pack(jax_gradient(arrays, jnp.asarray(gate.targets, jnp.float64)))]
    # A gradient is a sum of four residuals of up to 170 times slopes of up to 170.
    assert got == pytest.approx(notebook.gradients(), rel=1e-12, abs=1e-9)


# --- the small things ---------------------------------------------------------------------------


@given(st.tuples(*[fractions] * 6))
def test_pack_and_unpack_are_inverse_in_the_order_of_the_names(values):
    params = unpack(values)
    assert pack(params) == values
    assert unpack(pack(params)) == params
    named = dict(zip(NAMES, values, strict=True))
    assert (params.wq, params.wk, params.wv, params.b) == tuple(
        named[n] for n in ("wq", "wk", "wv", "b")
    )
    assert params.w == (named["w1"], named["w2"])


@pytest.mark.parametrize("tokens", [1, 2, 3, 32])
def test_unpack_takes_any_number_of_tokens(tokens):
    params = unpack(range(4 + tokens))
    assert params.w == tuple(range(3, 3 + tokens))
    assert params.b == 3 + tokens


@pytest.mark.parametrize("heads", [1, 2, 8])
def test_heads_lie_side_by_side(heads):
    params = unpack(range(3 * heads + 2), bias=False, heads=heads)
    assert params.w == (3 * heads, 3 * heads + 1)
    assert params.b is None
    by_head = [(0, 1, 2)] if heads == 1 else [(3 * h, 3 * h + 1, 3 * h + 2) for h in range(heads)]
    assert neuron._heads(params) == by_head


def test_unpack_takes_no_fewer_than_the_weights_of_attention():
    with pytest.raises(ValueError, match="unpack"):
        unpack([1, 2])


def test_a_row_without_a_target_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        loss(unpack([1.0] * 6), ROWS, (0, 1, 1))


def test_the_notebooks_solution_of_xor():
    params = Params(-1.0343, -0.7918, -0.6119, (1.9998, 1.9997), -0.0005)
    # The notebook prints C from parameters of full precision: half a unit of the fourth place.
    assert invariant(params) == pytest.approx(-0.5011, abs=5e-5)
    assert loss(params, ROWS, gate("xor").targets) < 1e-4
