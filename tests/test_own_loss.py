"""A user's loss over any pytree: packed, drawn from seeds, and checked before any work."""

from dataclasses import dataclass
from typing import NamedTuple

import equinox
import flax.linen
import flax.nnx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attnlogic.errors import InputError
from attnlogic.problems import OwnLoss, OwnModule, problem
from attnlogic.problems.pytree_starts import SEEDS_AT_ONCE

X, Y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32"), np.array([0, 1, 1, 0], "float32")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Layer:
    weight: jax.Array
    bias: float


@dataclass(frozen=True)
class Unregistered:
    weight: float


class Pair(NamedTuple):
    first: object
    second: object


def layers(key):
    first, second = jax.random.split(key)
    return {
        "layers": [Layer(jax.random.normal(first, (2, 3)), 0.5), Pair(jnp.ones(2), (1.0,))],
        "a.b": jax.random.uniform(second),
        "activation": jnp.tanh,
        "word": "kept",
    }


def sum_of_squares(params):
    return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(params) if hasattr(leaf, "dtype"))


LAYERS = OwnLoss(layers, sum_of_squares, "mine")


def test_names_are_paths_with_an_index():
    assert problem(None, LAYERS).names == (
        "['a.b']",
        *(f"layers[0].weight[{i},{j}]" for i in (0, 1) for j in (0, 1, 2)),
        "layers[0].bias",
        "layers[1].first[0]",
        "layers[1].first[1]",
        "layers[1].second[0]",
    )


def test_a_lone_array_has_a_name_too():
    found = problem(None, OwnLoss(lambda seed: jnp.ones(2) * seed, jnp.sum))
    assert found.names == ("params[0]", "params[1]")
    assert found.initial([3]).tolist() == [[3.0], [3.0]]
    assert problem(None, OwnLoss(lambda seed: seed / 2.0, lambda p: p)).names == ("params",)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_packed_floats_and_the_pytree_are_one_thing(dtype):
    found = problem(None, LAYERS)
    with jax.enable_x64(True):
        packed = jnp.arange(len(found.names), dtype=dtype)
        params = found.unpack(packed)
        assert {leaf.dtype for leaf in jax.tree.leaves(params) if hasattr(leaf, "dtype")} == {
            jnp.dtype(dtype)
        }
        assert params["activation"] is jnp.tanh
        assert params["layers"][0].weight.shape == (2, 3)
        assert list(map(float, found.pack(params))) == packed.tolist()
        loss = jax.jit(found.prepared.loss)(packed)
        assert (loss.shape, loss.dtype) == ((), jnp.dtype(dtype))
        assert loss == sum(i**2 for i in range(len(packed)))
        # Along a batch of seeds, and differentiated, as a backend does.
        both = jnp.stack([packed, 2 * packed], axis=1)
        assert jax.vmap(found.prepared.loss, in_axes=1)(both).tolist() == [loss, 4 * loss]
        assert jax.grad(found.prepared.loss)(packed).tolist() == (2 * packed).tolist()


@pytest.mark.parametrize("name", ["key", "rng", "prng"])
def test_a_key_is_jaxs_of_the_seed(name):
    scope = {}
    exec(f"import jax\ndef init({name}): return jax.random.normal({name}, (3,))", scope)
    found = problem(None, OwnLoss(scope["init"], jnp.sum))
    seeds = [0, 1, 2**31, 2**32 - 1]
    expected = [jax.random.normal(jax.random.key(np.uint32(seed)), (3,)) for seed in seeds]
    np.testing.assert_array_equal(found.initial(seeds), np.stack(expected, axis=1))


def test_any_other_argument_is_the_seed():
    def init(s):
        return [(s % 2**16) / 1.0, (s // 2**16) / 1.0]

    found = problem(None, OwnLoss(init, sum_of_squares))
    assert found.initial([5, 2**32 - 1]).tolist() == [[5.0, 65535.0], [0.0, 65535.0]]


def test_init_may_be_numpys():
    """JAX cannot trace it: it is called with one seed after the other."""

    def init(seed):
        return {"w": np.random.default_rng(seed).normal(size=2)}

    found = problem(None, OwnLoss(init, sum_of_squares))
    seeds = [0, 7, 2**32 - 1]
    expected = np.stack([init(seed)["w"] for seed in seeds], axis=1)
    np.testing.assert_array_equal(found.initial(seeds), expected.astype(np.float32))


def test_a_seeds_parameters_do_not_depend_on_its_neighbours_nor_on_the_precision():
    found = problem(None, LAYERS)
    seeds = np.arange(SEEDS_AT_ONCE + 40)
    together = found.initial(seeds)
    assert together.dtype == np.float32
    for seed in (0, 3, SEEDS_AT_ONCE - 1, SEEDS_AT_ONCE, SEEDS_AT_ONCE + 39):
        np.testing.assert_array_equal(found.initial(seed), together[:, seed])
    with jax.enable_x64(True):
        np.testing.assert_array_equal(problem(None, LAYERS).initial(seeds), together)


def test_other_initialisations_are_torchs_on_each_leaf():
    found = problem(None, LAYERS)
    assert np.abs(found.initial(range(50), "uniform(scale=2)")).max() <= 2
    assert found.initial(range(50), "normal").shape == (len(found.names), 50)


def test_bad_seeds_are_refused():
    with pytest.raises(InputError, match="got -1"):
        problem(None, LAYERS).initial([-1])


def test_gates_with_the_same_rows_compile_their_start_once(compilations):
    own = OwnLoss(lambda key, x: jax.random.normal(key, x.shape[1:]), lambda p, x, y: p.sum())
    problem("xor", own).initial(range(3))
    compilations.clear()
    problem("nand", own).initial(range(700))
    assert not compilations


# --- networks -----------------------------------------------------------------------------------


class Flax(flax.linen.Module):
    @flax.linen.compact
    def __call__(self, x):
        return flax.linen.Dense(1)(jnp.tanh(flax.linen.Dense(3)(x)))


def by_equinox():
    own = OwnLoss(lambda key: equinox.nn.MLP(2, "scalar", 3, 1, activation=jnp.tanh, key=key))

    def output(module):
        return jax.vmap(module)(X)

    return own, lambda key: equinox.nn.MLP(2, "scalar", 3, 1, activation=jnp.tanh, key=key), output


def by_flax():
    def init(key, x):
        return Flax().init(key, x)

    def loss(params, x, y):
        return jnp.mean((Flax().apply(params, x).squeeze(-1) - y) ** 2)

    return (
        OwnLoss(init, loss, "flax"),
        lambda key: Flax().init(key, X),
        lambda params: Flax().apply(params, X).squeeze(-1),
    )


def by_nnx():
    def build(key):
        rngs = flax.nnx.Rngs(key)
        return flax.nnx.Sequential(
            flax.nnx.Linear(2, 3, rngs=rngs), jnp.tanh, flax.nnx.Linear(3, 1, rngs=rngs)
        )

    return OwnLoss(build, name="nnx"), build, lambda module: jax.vmap(module)(X).squeeze(-1)


@pytest.mark.parametrize("network", [by_equinox, by_flax, by_nnx])
def test_networks_of_other_packages_have_their_own_start_and_loss(network):
    own, build, output = network()
    found = problem("xor", own)
    assert len(found.names) == 13
    key = jax.random.key(5)
    packed = found.initial(5)
    loss = jax.jit(found.prepared.loss)(jnp.asarray(packed), jnp.asarray(X), jnp.asarray(Y))
    # float32 rounds each of some twenty operations by 6e-8.
    assert float(loss) == pytest.approx(float(jnp.mean((output(build(key)) - Y) ** 2)), rel=1e-5)
    gradient = jax.grad(found.prepared.loss)(jnp.asarray(packed), X, Y)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


# --- what cannot be trained ---------------------------------------------------------------------


def zeros(seed):
    return {"w": jnp.zeros(2)}


def per_seed(seed):
    return {"w": np.zeros(1 + int(seed) % 3)}


def nan_for_seed_3(seed):
    return {"w": jnp.where(seed == 3, jnp.nan, 1.0) * jnp.array([1.0, 0.0])}


@pytest.mark.parametrize(
    ("init", "loss", "fragments"),
    [
        (
            zeros,
            lambda p: p["w"],
            ["loss that is one real number", "shape (2,) of float32", "mean"],
        ),
        (zeros, lambda p: p, ["one real number, got dict"]),
        (zeros, lambda p: 1 / 0, ["loss raises ZeroDivisionError", "test_own_loss.py, line"]),
        (zeros, lambda p: p["v"].sum(), ["loss raises KeyError: 'v'"]),
        (zeros, lambda p: jnp.sum(p["w"]) * 1j, ["shape () of complex64"]),
        (zeros, lambda p: jnp.argmax(p["w"]), ["shape () of int32"]),
        (lambda seed: 1 / 0, sum_of_squares, ["init raises ZeroDivisionError", "line"]),
        (lambda seed: {"w": jnp.arange(3)}, sum_of_squares, ["w has the type int32", "float"]),
        (lambda seed: {"w": 1}, sum_of_squares, ["w has the type int32"]),
        (lambda seed: {"w": 1j}, sum_of_squares, ["w has the type complex64"]),
        (lambda seed: jnp.ones(2, bool), sum_of_squares, ["the parameter has the type bool"]),
        (lambda key: {"k": key, "w": 1.0}, sum_of_squares, ["k has the type key"]),
        (lambda seed: {}, sum_of_squares, ["expected a pytree with floats", "{}"]),
        (lambda seed: None, sum_of_squares, ["expected a pytree with floats", "None"]),
        (lambda seed: jnp.zeros(0), sum_of_squares, ["expected a pytree with floats"]),
        (
            lambda seed: {"w": Unregistered(1.0)},
            sum_of_squares,
            ["w is Unregistered", "jax.tree_util.register_dataclass"],
        ),
        (lambda seed: {"w": jnp.array([1.0, jnp.inf])}, sum_of_squares, ["w[1] = inf", "seed 0"]),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_work(init, loss, fragments):
    with pytest.raises(InputError) as error:
        problem(None, OwnLoss(init, loss, "mine"))
    for fragment in ["model 'mine'", *fragments]:
        assert fragment in str(error.value)


def test_a_start_that_is_not_finite_names_parameter_and_seed():
    found = problem(None, OwnLoss(nan_for_seed_3, sum_of_squares, "mine"))
    found.initial(range(3))
    with pytest.raises(InputError, match=r"w\[0\] = nan for seed 3: expected a finite number"):
        found.initial(range(5))


def test_a_structure_that_changes_with_the_seed_is_refused():
    found = problem(None, OwnLoss(per_seed, sum_of_squares, "mine"))
    found.initial([0, 3])
    with pytest.raises(InputError, match="another structure for seed 1 than for seed 0"):
        found.initial([0, 1])


def test_parameters_of_another_form_are_refused():
    with pytest.raises(InputError, match="expected a pytree as init returns it"):
        problem(None, LAYERS).pack({"w": jnp.ones(2)})


def test_a_network_with_two_outputs_needs_a_loss_of_its_own():
    own = OwnLoss(lambda key: equinox.nn.Linear(2, 2, key=key), name="two")
    with pytest.raises(InputError, match=r"'two': loss: expected one output a row.*\(2,\)"):
        problem("xor", own)


@pytest.mark.parametrize("kind", [OwnLoss, OwnModule])
def test_functions_of_another_form_are_refused(kind):
    with pytest.raises(InputError, match=r"expected loss\((params|module)\) or"):
        kind(lambda key: key, lambda a, b: a)
    with pytest.raises(InputError, match="expected a function, got 3"):
        kind(3)


def test_a_loss_has_no_output():
    with pytest.raises(TypeError, match="it has a loss and no output"):
        problem(None, LAYERS).predict([0.0], (1.0,))
