"""Each model's torch module: its parameters are the model's tensors, and its draws a seed's."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from attnlogic.errors import InputError
from attnlogic.problems import (
    Data,
    Model,
    OwnLoss,
    OwnModule,
    Problem,
    Tensor,
    initial_params,
    model,
    pack,
    problem,
)
from attnlogic_torch.model import RawAttentionWithTopNeuron
from attnlogic_torch.modules import Attention, load, module_for, read

OWN = Model(
    "own",
    "a (v·x + c)",
    # torch lists the parameters of a module before those of the modules in it.
    lambda n: (
        Tensor("layer.inner.weight", (1, n), tuple(f"v{i}" for i in range(n)), n),
        Tensor("a", (), ("a",), 3),
        Tensor("layer.bias", (1,), ("c",), n),
    ),
    lambda p, x, xp: (
        p["a"]
        * (
            sum(v * xi for v, xi in zip(p["layer.inner.weight"][0], x, strict=True))
            + p["layer.bias"][0]
        )
    ),
)
MODELS = [
    "linear",
    *(
        f"attention(residual={residual},bias={bias},scores={scores},heads={heads})"
        for residual, bias, scores, heads in product(
            (True, False), (True, False), ("raw", "softmax"), (1, 2, 8)
        )
    ),
    *(f"mlp(hidden={hidden},activation=relu)" for hidden in (1, 2, 15, 16, 64)),
    OWN,
]
SEEDS = [0, 1, 12345, 2**31, 2**32 - 1, *np.random.default_rng(1).integers(0, 2**32, 12).tolist()]


def rows_of(n):
    return Data("row", ((1.0,) * n,), (0.0,))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 32])
@pytest.mark.parametrize("text", MODELS, ids=str)
def test_parameters_are_the_tensors_in_their_order(text, n):
    found = model(text)
    named = [(name, tuple(p.shape)) for name, p in module_for(found, n).named_parameters()]
    assert named == [(tensor.name, tensor.shape) for tensor in found.tensors(n)]
    state = module_for(found, n).state_dict()
    assert {name: tuple(p.shape) for name, p in state.items()} == dict(named)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 32])
@pytest.mark.parametrize("text", MODELS, ids=str)
def test_a_seed_is_torchs_own_construction_bit_for_bit(text, n):
    found = Problem(model(text), rows_of(n))
    drawn = found.initial(SEEDS)
    for column, seed in enumerate(SEEDS):
        torch.manual_seed(seed)
        np.testing.assert_array_equal(drawn[:, column], read(module_for(found.model, n)))


@pytest.mark.parametrize("fan_in", range(1, 65))
def test_the_half_width_of_a_linear_layers_draw_is_one_over_root_fan_in(fan_in):
    """nn.Linear computes it as √3·gain(√5)/√fan_in; in float32 that is the same number."""
    half_width = fan_in**-0.5
    torch.manual_seed(5)
    layer = nn.Linear(fan_in, 4096)
    torch.manual_seed(5)
    weight = torch.empty(4096, fan_in).uniform_(-half_width, half_width)
    bias = torch.empty(4096).uniform_(-half_width, half_width)
    assert torch.equal(layer.weight, weight)
    assert torch.equal(layer.bias, bias)


@pytest.mark.parametrize("how", ["uniform", "uniform(scale=0.3)", "normal", "normal(scale=2)"])
@pytest.mark.parametrize(
    "text",
    ["linear", "attention(heads=2)", "mlp", "mlp(hidden=7)", "mlp(hidden=8)", "mlp(hidden=64)"],
)
def test_other_initialisations_are_torchs_on_each_tensor_in_order(text, how):
    """Layers of 14, 16 and 21 weights: torch draws normals otherwise from 16 on."""
    n = 3 if text == "mlp(hidden=7)" else 2
    found = Problem(model(text), rows_of(n))
    drawn = found.initial(SEEDS, how)
    scale = {"uniform": 1.0, "normal": 1.0, "uniform(scale=0.3)": 0.3}.get(how, 2.0)
    for column, seed in enumerate(SEEDS):
        module = module_for(found.model, n)
        torch.manual_seed(seed)
        for p in module.parameters():
            if how.startswith("uniform"):
                nn.init.uniform_(p, -scale, scale)
            else:
                nn.init.normal_(p, std=scale)
        if how.startswith("uniform"):
            np.testing.assert_array_equal(drawn[:, column], read(module))
        else:
            # See test_torch_generator.
            np.testing.assert_allclose(drawn[:, column], read(module), rtol=0, atol=2e-6 * scale)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("text", MODELS, ids=str)
def test_what_is_loaded_is_read(text, dtype):
    found = Problem(model(text), rows_of(3))
    module = module_for(found.model, 3).to(dtype)
    packed = np.arange(len(found.names), dtype=np.float32) / 7
    load(module, packed)
    np.testing.assert_array_equal(read(module).astype(np.float32), packed)
    assert read(module).dtype == str(dtype).removeprefix("torch.")
    load(module, packed.tolist())
    np.testing.assert_array_equal(read(module).astype(np.float32), packed)


def test_the_notebooks_model_is_the_notebooks_class_and_the_general_one_is_it_too():
    notebook = module_for(model("attention"), 2)
    assert type(notebook) is RawAttentionWithTopNeuron
    general = Attention(2)
    general.load_state_dict(notebook.state_dict())
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert torch.equal(notebook(x), general(x))


def test_the_notebooks_seeds_are_what_they_were():
    packed = problem("xor").initial(SEEDS)
    np.testing.assert_array_equal(packed, np.stack(pack(initial_params(SEEDS))))


def test_a_modules_output_has_a_column():
    for text in MODELS:
        assert module_for(model(text), 3)(torch.zeros(4, 3)).shape == (4, 1)
    constant = Model(
        "constant", "a", lambda n: (Tensor("a", (), ("a",), 1),), lambda p, x, xp: p["a"]
    )
    assert module_for(constant, 3)(torch.zeros(4, 3)).shape == (4, 1)


def test_a_model_of_ones_own_is_trained_by_torch():
    found = Problem(OWN, Data("two", ((1.0, 2.0), (0.0, 1.0)), (1.0, 0.0)))
    module = module_for(OWN, 2)
    load(module, found.initial(3))
    x = torch.tensor(found.data.inputs)
    expected = [found.predict(read(module), row) for row in found.data.inputs]
    # A handful of roundings of numbers below 3.
    np.testing.assert_allclose(module(x).detach().squeeze(-1), expected, atol=1e-6)
    module(x).square().sum().backward()
    assert all(p.grad is not None for p in module.parameters())


def test_a_users_module_is_constructed_and_a_loss_in_jax_refused():
    own = OwnModule(lambda: nn.Linear(2, 1))
    assert isinstance(module_for(own, 2), nn.Linear)
    with pytest.raises(InputError, match="'mine' is a loss in JAX: train it with the jax backend"):
        module_for(OwnLoss(lambda key: key, lambda p: p, "mine"), 2)
