"""A user's torch module: its start is a seed's, its loss a scalar, or it is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from attnlogic.errors import InputError
from attnlogic.problems import OwnModule, problem
from attnlogic_torch.modules import load, module_for, read


class Net(nn.Module):
    def __init__(self, width=3):
        super().__init__()
        self.inner = nn.Linear(2, width)
        self.scale = nn.Parameter(torch.randn(()))
        self.register_buffer("mask", torch.ones(width))
        self.outer = nn.Linear(width, 1)

    def forward(self, x):
        return self.scale * self.outer(torch.tanh(self.inner(x)) * self.mask)


SEEDS = [0, 1, 2**31, 2**32 - 1]


def test_a_seed_is_torchs_construction_bit_for_bit():
    found = problem("xor", Net)
    drawn = found.initial(SEEDS)
    assert drawn.dtype == np.float32
    for column, seed in enumerate(SEEDS):
        torch.manual_seed(seed)
        np.testing.assert_array_equal(drawn[:, column], read(Net()))
    np.testing.assert_array_equal(found.initial(1), drawn[:, 1])


def test_names_are_torchs_with_an_index():
    assert problem("xor", Net).names == (
        "scale",
        *(f"inner.weight[{i},{j}]" for i in range(3) for j in range(2)),
        *(f"inner.bias[{i}]" for i in range(3)),
        *(f"outer.weight[0,{i}]" for i in range(3)),
        "outer.bias[0]",
    )


def test_the_loss_is_the_mean_squared_error_or_ones_own():
    found = problem("xor", Net)
    module = module_for(found.model, 2)
    load(module, found.initial(3))
    x, y = (torch.tensor(v, dtype=torch.float32) for v in (found.data.inputs, found.data.targets))
    expected = nn.functional.mse_loss(module(x), y.unsqueeze(-1))
    assert torch.allclose(found.prepared.loss(module, x, y), expected)

    own = OwnModule(Net, lambda module, x, y: (module(x).squeeze(-1) - y).abs().sum(), "absolute")
    expected = (module(x).squeeze(-1) - y).abs().sum()
    assert torch.equal(problem("xor", own).prepared.loss(module, x, y), expected)

    alone = problem(None, OwnModule(Net, lambda module: module.scale**2, "alone"))
    assert torch.equal(alone.prepared.loss(module), module.scale**2)


def test_parameters_are_packed_and_unpacked():
    found = problem("xor", Net)
    packed = tuple(range(len(found.names)))
    assert found.unpack(packed)["inner.weight"] == ((1, 2), (3, 4), (5, 6))
    assert found.pack(found.unpack(packed)) == packed


def test_other_initialisations_are_torchs_on_each_parameter():
    drawn = problem("xor", Net).initial(SEEDS, "uniform(scale=0.5)")
    for column, seed in enumerate(SEEDS):
        module = Net()
        torch.manual_seed(seed)
        for parameter in module.parameters():
            nn.init.uniform_(parameter, -0.5, 0.5)
        np.testing.assert_array_equal(drawn[:, column], read(module))


class Frozen(Net):
    def __init__(self):
        super().__init__()
        self.scale.requires_grad = False


class RandomFeatures(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("features", torch.randn(2, 5))
        self.out = nn.Linear(5, 1)

    def forward(self, x):
        return self.out(x @ self.features)


class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(2))

    def forward(self, x):
        return x @ self.w


def dropout():
    return nn.Sequential(nn.Linear(2, 50), nn.Dropout(0.5), nn.Linear(50, 1))


@pytest.mark.parametrize(
    ("construct", "loss", "fragments"),
    [
        (lambda: 1 / 0, None, ["construct raises ZeroDivisionError", "test_own_module.py, line"]),
        (lambda: 3, None, ["expected a torch.nn.Module", "3 (int)"]),
        (lambda: nn.Linear(2, 2), None, ["one output a row, (4, 1), got (4, 2)"]),
        (
            lambda: nn.Linear(3, 1),
            None,
            ["loss raises RuntimeError", "shapes cannot be multiplied"],
        ),
        pytest.param(
            lambda: nn.LazyLinear(1),
            None,
            ["gets its shape at the first call"],
            marks=pytest.mark.filterwarnings("ignore:Lazy modules"),
        ),
        (nn.Identity, None, ["no parameters to train"]),
        (Frozen, None, ["scale", "requires_grad=False"]),
        (RandomFeatures, None, ["the buffer features depends on the seed"]),
        (dropout, None, ["two values at the same parameters"]),
        (Flat, lambda m, x, y: m(x), ["shape (4,) of torch.float32"]),
        (Flat, lambda m, x, y: 0.5, ["one real number, got 0.5 (float)"]),
        (Flat, lambda m, x, y: y.sum(), ["one without a gradient"]),
        (Flat, lambda m, x, y: 1 / 0, ["loss raises ZeroDivisionError"]),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_work(construct, loss, fragments):
    own = OwnModule(construct, *([loss] if loss else []), name="mine")
    with pytest.raises(InputError) as error:
        problem("xor", own)
    for fragment in ["model 'mine'", *fragments]:
        assert fragment in str(error.value)


def test_a_start_that_is_not_finite_names_parameter_and_seed():
    def construct():
        module = Flat()
        if torch.initial_seed() == 3:
            nn.init.constant_(module.w, torch.inf)
        return module

    found = problem("xor", OwnModule(construct, name="mine"))
    with pytest.raises(InputError, match="w holds inf for seed 3: expected finite numbers"):
        found.initial(range(5))


def test_a_module_that_changes_with_the_seed_is_refused():
    def construct():
        width = 2 + torch.initial_seed() % 2
        return nn.Sequential(nn.Linear(2, width), nn.Linear(width, 1))

    found = problem("xor", OwnModule(construct, name="mine"))
    with pytest.raises(InputError, match="of seed 1 has other parameters than that of seed 0"):
        found.initial([0, 1])
