"""Every model is one function, whatever arithmetic evaluates it, and torch's module is that too."""

from fractions import Fraction
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from attnlogic.errors import InputError
from attnlogic.problems import (
    FLOATS,
    MODELS,
    SYMBOLS,
    Data,
    Problem,
    mean_squared_error,
    model,
    problem,
)
from attnlogic_torch.modules import load, module_for
from attnlogic_torch.namespace import TORCH

ATTENTION = [
    f"attention(residual={residual},bias={bias},scores={scores},heads={heads})"
    for residual, bias, scores, heads in product(
        (True, False), (True, False), ("raw", "softmax"), (1, 2)
    )
]
MLP = [
    f"mlp(hidden={hidden},activation={activation})"
    for hidden, activation in product((1, 2, 5), ("tanh", "relu", "sigmoid", "identity"))
]
ALL = ["linear", *ATTENTION, *MLP]
RATIONAL = [text for text in ALL if not any(w in text for w in ("softmax", "tanh", "sigmoid"))]

# Outputs stay below 1e4 here, the sum of some hundred products of a few numbers below 3: their
# roundings of 2^-53 each stay below this.
CLOSE = {"rtol": 1e-12, "atol": 1e-10}


def on(text, n, rows=4, seed=0):
    """A model on random rows of n inputs, with random parameters, all in float64."""
    random = np.random.default_rng([seed, n])
    inputs = tuple(map(tuple, random.uniform(-1.5, 1.5, (rows, n)).tolist()))
    found = Problem(model(text), Data("random", inputs, tuple(random.uniform(-1, 1, rows))))
    return found, random.uniform(-1.5, 1.5, len(found.names))


def outputs(found, packed, xp):
    return [found.predict(packed, x, xp) for x in found.data.inputs]


def module_with(found, packed):
    module = module_for(found.model, found.data.n).double()
    load(module, packed)
    return module


@pytest.mark.parametrize("n", [1, 2, 3, 32])
@pytest.mark.parametrize("text", ALL)
def test_every_arithmetic_and_torchs_module_give_one_output(text, n):
    found, packed = on(text, n)
    x = torch.tensor(found.data.inputs, dtype=torch.float64)
    with torch.no_grad():
        expected = module_with(found, packed)(x).squeeze(-1).numpy()
    by_floats = outputs(found, packed.tolist(), FLOATS)
    assert all(type(output) is float for output in by_floats)
    by_torch = outputs(found, torch.tensor(packed).unbind(), TORCH)
    with jax.enable_x64(True):
        by_jax = np.asarray(outputs(found, jnp.asarray(packed), jnp))
    for got in (by_floats, outputs(found, packed, np), by_jax, torch.stack(by_torch).numpy()):
        np.testing.assert_allclose(got, expected, **CLOSE)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("text", ALL)
def test_jax_and_torch_give_one_gradient_of_the_loss(text, n):
    found, packed = on(text, n)

    def loss(packed):
        return mean_squared_error(outputs(found, packed, jnp), found.data.targets)

    with jax.enable_x64(True):
        by_jax = jax.grad(loss)(jnp.asarray(packed))
    module = module_with(found, packed)
    x, y = (torch.tensor(v, dtype=torch.float64) for v in (found.data.inputs, found.data.targets))
    nn.functional.mse_loss(module(x).squeeze(-1), y).backward()
    expected = torch.cat([p.grad.reshape(-1) for p in module.parameters()])
    np.testing.assert_allclose(by_jax, expected, **CLOSE)

    leaf = torch.tensor(packed, requires_grad=True)
    mean_squared_error(outputs(found, leaf.unbind(), TORCH), found.data.targets).backward()
    np.testing.assert_allclose(leaf.grad, expected, **CLOSE)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("text", RATIONAL)
def test_a_rational_model_is_exact(text, n):
    """Fractions of small numbers: symbols give the same number, and floats all but roundings."""
    found, packed = on(text, n)
    parameters = [Fraction(round(8 * p), 8) for p in packed]
    x = [Fraction(round(8 * value), 8) for value in found.data.inputs[0]]
    exact = found.predict(parameters, x, FLOATS)
    assert isinstance(exact, Fraction)
    as_symbols = [sympy.Rational(p.numerator, p.denominator) for p in (*parameters, *x)]
    by_symbols = found.predict(as_symbols[: len(packed)], as_symbols[len(packed) :], SYMBOLS)
    assert by_symbols == sympy.Rational(exact.numerator, exact.denominator)
    assert found.predict([*map(float, parameters)], [*map(float, x)], FLOATS) == pytest.approx(
        float(exact), rel=1e-12, abs=1e-12
    )


@pytest.mark.parametrize(
    "text", ["mlp(hidden=1)", "attention(scores=softmax)", "mlp(activation=relu)"]
)
def test_symbols_become_the_number_that_floats_give(text):
    found, packed = on(text, 2)
    names = sympy.symbols([*found.names, "x1", "x2"], real=True)
    formula = found.predict(names[:-2], names[-2:], SYMBOLS)
    x = found.data.inputs[0]
    got = formula.subs(dict(zip(names, [*packed.tolist(), *x], strict=True)))
    assert float(got) == pytest.approx(found.predict(packed.tolist(), x, FLOATS), rel=1e-12)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("text", ALL)
def test_torch_differentiates_a_batch_at_once_as_one_by_one(text, n):
    found, _ = on(text, n)
    packed = torch.tensor(found.initial(range(3)), dtype=torch.float64)

    def loss(column):
        return mean_squared_error(outputs(found, column.unbind(), TORCH), found.data.targets)

    gradient = torch.func.grad(loss)
    together = torch.func.vmap(gradient, in_dims=1)(packed)
    each = torch.stack([gradient(packed[:, i]) for i in range(3)])
    np.testing.assert_allclose(together, each, **CLOSE)


@pytest.mark.parametrize("xp", [np, jnp, TORCH], ids=["numpy", "jax", "torch"])
@pytest.mark.parametrize("text", ["mlp(activation=relu)", "mlp", "attention(scores=softmax)"])
def test_a_batch_is_its_runs_side_by_side_in_its_own_precision(text, xp):
    found = problem("xor", text)
    packed = found.initial(range(5))
    rows = torch.tensor(packed) if xp is TORCH else xp.asarray(packed)
    output = found.predict(list(rows), (1, 1), xp)
    assert str(output.dtype).endswith("float32")
    each = [found.predict(list(rows[:, i]), (1, 1), xp) for i in range(5)]
    np.testing.assert_allclose(output, np.array([*map(float, each)], np.float32), rtol=1e-6)


# --- relu ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-1.0, 0.0, -0.0, 2.0, np.inf, -np.inf, np.nan])
def test_relu_is_torchs_at_every_kind_of_number(value):
    found = Problem(model("mlp(hidden=1,activation=relu)"), Data("one", ((1.0,),), (0.0,)))

    def output(v):
        return found.predict([v, 0.0, 1.0, 0.0], (1.0,), jnp)

    expected = torch.tensor(value, requires_grad=True)
    torch.relu(expected).backward()
    np.testing.assert_array_equal(output(value), torch.relu(expected).item())
    if not np.isnan(value):
        assert float(jax.grad(output)(value)) == expected.grad.item()


@pytest.mark.parametrize("value", [-1e4, -50.0, 50.0, 1e4])
def test_sigmoid_and_softmax_neither_overflow_nor_lose_their_gradient(value):
    sigmoid = Problem(model("mlp(hidden=1,activation=sigmoid)"), Data("one", ((1.0,),), (0.0,)))
    softmax = Problem(model("attention(scores=softmax)"), Data("two", ((1.0, 2.0),), (0.0,)))

    def by_sigmoid(v):
        return sigmoid.predict([v, 0.0, 1.0, 0.0], (1.0,), jnp)

    def by_softmax(q):
        return softmax.predict([q, 1.0, 1.0, 1.0, 1.0, 0.0], (1.0, 2.0), jnp)

    assert float(by_sigmoid(value)) == pytest.approx(float(value > 0), abs=1e-6)
    assert jnp.isfinite(jax.grad(by_sigmoid)(value))
    assert jnp.isfinite(by_softmax(value))
    assert jnp.isfinite(jax.grad(by_softmax)(value))


# --- what a model says of itself ----------------------------------------------------------------


@given(st.sampled_from(ALL), st.integers(1, 32))
def test_the_scalars_are_named_once_each(text, n):
    tensors = model(text).tensors(n)
    scalars = [entry for tensor in tensors for entry in tensor.entries]
    assert len(set(scalars)) == len(scalars)
    assert len({tensor.name for tensor in tensors}) == len(tensors)
    assert all(len(t.entries) == np.prod(t.shape) and 1 <= t.fan_in <= 64 for t in tensors)


@pytest.mark.parametrize("text", ALL)
def test_a_model_is_written_as_it_is_read_and_packs_what_it_unpacks(text):
    found, packed = on(text, 3)
    assert model(str(found.model)) is found.model
    assert found.pack(found.unpack(packed.tolist())) == tuple(packed.tolist())


def test_names_of_the_scalars():
    assert problem("xor", "linear").names == ("w1", "w2", "b")
    assert problem("xor", "mlp").names == (
        "v1_1", "v1_2", "v2_1", "v2_2", "c1", "c2", "w1", "w2", "b",
    )  # fmt: skip
    assert problem("xor", "attention(heads=2,bias=False)").names == (
        "wq1", "wk1", "wv1", "wq2", "wk2", "wv2", "w1", "w2",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("attention", "(w·x)(C Σx² + 1) + b"),
        ("attention(residual=False, bias=False)", "(w·x)(C Σx²)"),
        ("attention(scores=softmax)", "w·(Σ_j softmax_j(q_i k_j) v_j + x_i) + b"),
        ("linear", "w·x + b"),
        ("mlp(activation=relu)", "Σ_h w_h relu(v_h·x + c_h) + b"),
        ("mlp(activation=identity)", "Σ_h w_h (v_h·x + c_h) + b"),
    ],
)
def test_formulas(text, formula):
    assert model(text).formula == formula


@pytest.mark.parametrize("text", [t for t in ATTENTION if "softmax" not in t])
def test_attention_equals_its_formula_and_has_c(text):
    found, packed = on(text, 3)
    params, x = found.unpack(packed), found.data.inputs[0]
    wx, squares = np.dot(params.w, x), np.dot(x, x)
    rest = (1 if "residual=True" in text else 0, params.b or 0)
    expected = wx * (found.quantities(packed)["C"] * squares + rest[0]) + rest[1]
    assert found.predict(packed, x) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("text", ["linear", "mlp", "attention(scores=softmax)"])
def test_what_has_no_quantity_of_its_own_has_none(text):
    found, packed = on(text, 2)
    assert found.quantities(packed) == {}


def test_every_family_can_be_built_and_says_what_is_known():
    for name, record in MODELS.items():
        assert (record.name, model(name).family) == (name, name)
        assert record.summary
        assert record.theory
        assert all(setting.meaning for setting in record.settings.values())


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("mpl", ["unknown model 'mpl'", "did you mean 'mlp'", "attention, linear, mlp"]),
        ("mlp(hidden=0)", ["hidden of mlp", "1 … 64", "got 0"]),
        ("mlp(hidden=65)", ["1 … 64", "got 65"]),
        ("mlp(hidden=2.5)", ["whole number", "2.5"]),
        ("mlp(activation=gelu)", ["activation of mlp", "'gelu'", "relu"]),
        ("mlp(width=3)", ["unknown setting of mlp 'width'", "hidden"]),
        ("attention(heads=9)", ["heads of attention", "1 … 8", "got 9"]),
        ("attention(scores=cosine)", ["'cosine'", "raw", "softmax"]),
        ("linear(hidden=2)", ["linear has no settings", "hidden"]),
        ("mlp(3)", ["give each setting its name"]),
        (3, ["expected a Model", "3 (int)"]),
    ],
    ids=str,
)
def test_a_bad_model_says_what_is_wrong(text, fragments):
    with pytest.raises(InputError) as error:
        model(text)
    for fragment in fragments:
        assert fragment in str(error.value)
