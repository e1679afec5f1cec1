"""The draws are torch's own, bit for bit, whatever seeds stand beside them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from attnlogic.errors import InputError
from attnlogic.problems import (
    INITIALIZATIONS,
    ROWS,
    SEED_LIMIT,
    Initialization,
    gate,
    initial_params,
    initialization,
    loss,
    pack,
)
from attnlogic.problems.initial_parameters import SEEDS_AT_ONCE

EDGES = [0, 1, 2, 12345, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
SEEDS = [*EDGES, *np.random.default_rng(0).integers(0, SEED_LIMIT, 40).tolist()]
KINDS = ["torch", "uniform", "uniform(scale=0.3)", "normal", "normal(scale=2.5)"]

seeds = st.integers(0, SEED_LIMIT - 1)
kinds = st.sampled_from(KINDS).map(initialization)


def scaled(name, scale):
    return Initialization(name, (("scale", scale),))


def table(params):
    """The six parameters as one array, (6, N)."""
    return np.stack(pack(params))


def by_torch(seed, change=None):
    """The six parameters of the notebook's layers, built after torch.manual_seed."""
    torch.manual_seed(seed)
    layers = [*(nn.Linear(1, 1, bias=False) for _ in range(3)), nn.Linear(2, 1)]
    parameters = [p for layer in layers for p in layer.parameters()]
    if change is not None:
        torch.manual_seed(seed)
        for p in parameters:
            change(p)
    return torch.cat([p.detach().reshape(-1) for p in parameters]).numpy()


def test_the_notebooks_own_start_is_torchs_bit_for_bit():
    expected = np.stack([by_torch(s) for s in SEEDS], axis=1)
    np.testing.assert_array_equal(table(initial_params(SEEDS)), expected)


@pytest.mark.parametrize("scale", [1.0, 0.3, 7.0])
def test_uniform_is_torchs_bit_for_bit(scale):
    expected = [by_torch(s, lambda p: nn.init.uniform_(p, -scale, scale)) for s in SEEDS]
    got = initial_params(SEEDS, scaled("uniform", scale))
    np.testing.assert_array_equal(table(got), np.stack(expected, axis=1))


@pytest.mark.parametrize("scale", [1.0, 0.3, 7.0])
def test_normal_is_torchs(scale):
    expected = [by_torch(s, lambda p: nn.init.normal_(p, std=scale)) for s in SEEDS]
    got = initial_params(SEEDS, scaled("normal", scale))
    # Two libraries' cosines may differ in the last bit of a float64, which rounding to float32
    # turns into one float32 step, rarely.
    np.testing.assert_array_max_ulp(table(got), np.stack(expected, axis=1), maxulp=1)


def test_the_notebooks_first_loss():
    # AdamW on XOR with seed 0 prints 0.8390 for epoch 0: four places.
    assert loss(initial_params(0), ROWS, gate("xor").targets) == pytest.approx(0.8390, abs=5e-5)


@given(kinds, st.lists(st.lists(seeds, max_size=6), min_size=1, max_size=4))
def test_a_seeds_draw_does_not_depend_on_its_chunk(how, chunks):
    arrays = [np.array(c, np.uint32) for c in chunks]
    whole = table(initial_params(np.concatenate(arrays), how))
    parts = np.concatenate([table(initial_params(a, how)) for a in arrays], axis=1)
    np.testing.assert_array_equal(whole, parts)


@pytest.mark.parametrize("how", KINDS)
def test_nor_on_the_block_it_is_worked_on_in(how):
    how, count = initialization(how), 40_000
    assert count > 2 * SEEDS_AT_ONCE
    whole = table(initial_params(np.arange(count), how))
    borders = [0, SEEDS_AT_ONCE - 1, SEEDS_AT_ONCE, 2 * SEEDS_AT_ONCE, count - 1]
    for seed in borders:
        np.testing.assert_array_equal(whole[:, seed], table(initial_params(seed, how)))


@given(kinds, st.sampled_from([(), (0,), (1,), (3,), (2, 3)]), st.data())
def test_leaves_are_float32_of_the_shape_of_the_seeds(how, shape, data):
    size = int(np.prod(shape))
    flat = np.array(data.draw(st.lists(seeds, min_size=size, max_size=size)), np.int64)
    leaves = pack(initial_params(flat.reshape(shape), how))
    assert {leaf.shape for leaf in leaves} == {shape}
    assert {leaf.dtype for leaf in leaves} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(table(initial_params(flat, how)), np.stack(leaves).reshape(6, -1))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint64])
def test_seeds_are_left_as_they_are_whatever_their_dtype(dtype):
    array = np.array([0, 1, 100], dtype)
    np.testing.assert_array_equal(table(initial_params(array)), table(initial_params([0, 1, 100])))
    assert array.tolist() == [0, 1, 100]


@pytest.mark.parametrize(
    ("bad", "fragments"),
    [
        (-1, ["0 … 4294967295", "-1"]),
        (2**32, ["0 … 4294967295", "4294967296"]),
        ([0, 2**32], ["got 4294967296"]),
        ([3, -7], ["got -7"]),
        (2**63, ["4294967295"]),
        (1.0, ["whole numbers", "float64"]),
        ([0.5, 1], ["whole numbers"]),
        (2**64, ["whole numbers"]),
        (True, ["whole numbers", "bool"]),
        ("0", ["whole numbers"]),
        ([[0], [1, 2]], ["array of whole numbers"]),
        (None, ["whole numbers"]),
    ],
    ids=str,
)
def test_bad_seeds_are_refused(bad, fragments):
    with pytest.raises(InputError) as error:
        initial_params(bad)
    for fragment in fragments:
        assert fragment in str(error.value)


MANY = np.arange(20_000)


@pytest.mark.parametrize(
    ("how", "bounds"),
    [
        ("torch", [1, 1, 1, 0.5**0.5, 0.5**0.5, 0.5**0.5]),
        ("uniform(scale=0.3)", [0.3] * 6),
        ("uniform(scale=2)", [2.0] * 6),
    ],
)
def test_uniform_fills_its_range_and_stays_in_it(how, bounds):
    for values, bound in zip(pack(initial_params(MANY, initialization(how))), bounds, strict=True):
        assert np.abs(values).max() <= np.float32(bound)
        # The seeds are fixed, so this cannot flicker; a wrong range or shape has p = 0.
        assert stats.kstest(values, "uniform", (-bound, 2 * bound)).pvalue > 1e-3


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_normal_is_normal(scale):
    leaves = pack(initial_params(MANY, scaled("normal", scale)))
    for values in leaves:
        assert stats.kstest(values, stats.norm(scale=scale).cdf).pvalue > 1e-3
    # Box-Muller makes them in pairs: they must not be correlated (5 standard errors).
    off_diagonal = np.corrcoef(np.stack(leaves)) - np.eye(6)
    assert np.abs(off_diagonal).max() < 5 / np.sqrt(MANY.size)


@pytest.mark.parametrize(
    ("text", "expected", "written"),
    [
        ("torch", Initialization("torch"), "torch"),
        ("Torch()", Initialization("torch"), "torch"),
        ("uniform", scaled("uniform", 1.0), "uniform"),
        ("uniform(scale=2)", scaled("uniform", 2.0), "uniform(scale=2)"),
        ("NORMAL(scale=.5)", scaled("normal", 0.5), "normal(scale=0.5)"),
        ("normal(scale=1)", scaled("normal", 1.0), "normal"),
    ],
)
def test_an_initialization_is_read_and_written(text, expected, written):
    assert initialization(text) == expected
    assert str(expected) == written
    assert initialization(written) == expected
    assert initialization(expected) is expected


@given(st.sampled_from(["uniform", "normal"]), st.floats(1e-6, 1e6))
def test_any_scale_is_read_back(name, scale):
    how = scaled(name, scale)
    assert initialization(str(how)) == how
    assert hash(initialization(str(how))) == hash(how)


def test_a_text_is_read_where_seeds_are_drawn():
    np.testing.assert_array_equal(
        table(initial_params(EDGES, "normal(scale=2)")),
        table(initial_params(EDGES, scaled("normal", 2))),
    )


@pytest.mark.parametrize("scale", [2, np.float64(2), np.float32(2), np.int64(2)])
def test_a_scale_of_any_kind_is_the_same_python_number(scale):
    how = scaled("uniform", scale)
    assert how == initialization("uniform(scale=2)")
    assert type(how.settings["scale"]) is float
    assert str(how) == "uniform(scale=2)"


@pytest.mark.parametrize(
    ("name", "values", "fragment"),
    [
        ("gaussian", (), "unknown initialization 'gaussian'"),
        (None, (), "expected a name, got None"),
        ("uniform", (("scale", 0),), "got 0"),
        ("uniform", (("scale", True),), "got True"),
        ("uniform", 2.0, "pairs of a name and a value, got 2.0"),
    ],
)
def test_what_is_built_is_checked_as_what_is_read(name, values, fragment):
    with pytest.raises(InputError, match=fragment):
        Initialization(name, values)


@pytest.mark.parametrize("name", INITIALIZATIONS)
def test_draws_stay_finite_over_the_whole_range_of_settings(name):
    record = INITIALIZATIONS[name]
    assert record.name == name
    assert all(setting.meaning for setting in record.settings.values())
    for end in ("low", "high"):
        values = [(key, getattr(setting, end)) for key, setting in record.settings.items()]
        drawn = table(initial_params(MANY, Initialization(name, tuple(values))))
        assert np.isfinite(drawn).all()
        # A normal draw reaches down to some 1e-5 of the scale, a uniform one to 2^-24.
        assert np.count_nonzero(drawn) > 0.999 * drawn.size


@pytest.mark.parametrize("name", ["uniform", "normal"])
def test_a_scale_left_out_is_one(name):
    default = initial_params(EDGES, Initialization(name))
    np.testing.assert_array_equal(table(default), table(initial_params(EDGES, scaled(name, 1))))


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("unifrom", ["unknown initialization 'unifrom'", "did you mean 'uniform'", "normal"]),
        ("torch(scale=1)", ["torch has no settings", "'scale'"]),
        ("uniform(sigma=1)", ["unknown setting of uniform 'sigma'", "scale"]),
        ("uniform(2)", ["give each setting its name"]),
        ("uniform(scale=0)", ["scale of uniform", "in 1e-37 … 1e+37", "got 0 (int)"]),
        ("normal(scale=-1)", ["scale of normal", "in 1e-37 … 1e+37", "got -1 (int)"]),
        ("normal(scale=wide)", ["a number", "'wide'"]),
        (7, ["initialization", "7 (int)", "normal(scale=0.5)"]),
        (None, ["initialization", "None (NoneType)", "normal(scale=0.5)"]),
        (torch.nn.init.uniform_, ["initialization", "(function)", "normal(scale=0.5)"]),
    ],
)
def test_a_bad_initialization_says_what_is_wrong(text, fragments):
    with pytest.raises(InputError) as error:
        initialization(text)
    for fragment in fragments:
        assert fragment in str(error.value)
