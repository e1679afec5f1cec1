"""Draws for any number of parameters are torch's, from however many outputs of its generator."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from attnlogic.problems.torch_generator import TorchGenerator, outputs

SEEDS = np.array(
    [0, 1, 2**31 - 1, 2**31, 2**32 - 1, *np.random.default_rng(0).integers(0, 2**32, 20)],
    np.uint32,
)


def by_numpy(seed, count):
    twister = np.random.MT19937(0)
    twister._legacy_seeding(int(seed))  # init_genrand, which a SeedSequence does not use
    return twister.random_raw(count)


# 227 outputs come from the seeded state alone; 624 are one state.
@pytest.mark.parametrize("count", [1, 226, 227, 228, 397, 398, 623, 624, 625, 1248, 1249, 3000])
def test_any_number_of_outputs_is_the_mersenne_twisters(count):
    expected = np.stack([by_numpy(seed, count) for seed in SEEDS], axis=1)
    np.testing.assert_array_equal(outputs(SEEDS, count), expected)


@given(st.integers(0, 2**32 - 1), st.integers(1, 700))
def test_more_outputs_begin_with_the_same(seed, count):
    seeds = np.array([seed], np.uint32)
    np.testing.assert_array_equal(outputs(seeds, count), outputs(seeds, 1300)[:count])


def by_torch(seed, sizes, change):
    parameters = [torch.empty(size) for size in sizes]
    torch.manual_seed(int(seed))
    for parameter in parameters:
        change(parameter)
    return torch.cat(parameters).numpy()


@pytest.mark.parametrize("size", [1, 227, 228, 2177])
def test_uniform_draws_of_any_size_are_torchs_bit_for_bit(size):
    def change(p):
        nn.init.uniform_(p, -0.3, 0.3)

    expected = np.stack([by_torch(seed, [size], change) for seed in SEEDS], axis=1)
    np.testing.assert_array_equal(TorchGenerator(SEEDS).uniform([0.3] * size), expected)


SMALL = [[1], [1] * 5, [2, 1, 1], [15, 15], [3, 4, 5], [1] * 300]
LARGE = [[16], [17], [31], [32], [1, 16, 1], [1, 16, 2], [3, 33, 1, 40, 2], [15, 16], [2048, 64, 1]]


@pytest.mark.parametrize("scale", [1.0, 0.3, 7.0])
@pytest.mark.parametrize("sizes", SMALL, ids=str)
def test_normals_of_small_tensors_are_torchs(sizes, scale):
    """The second normal of a pair is the first one of the next tensor, where a size is odd."""
    got = TorchGenerator(SEEDS).normal(sizes, scale)
    expected = [by_torch(seed, sizes, lambda p: nn.init.normal_(p, std=scale)) for seed in SEEDS]
    # Two libraries' cosines may differ in the last bit of a float64, which rounding to float32
    # turns into one float32 step, rarely.
    np.testing.assert_array_max_ulp(got, np.stack(expected, axis=1), maxulp=1)


@pytest.mark.parametrize("scale", [1.0, 0.3, 7.0])
@pytest.mark.parametrize("sizes", LARGE, ids=str)
def test_normals_of_large_tensors_are_torchs(sizes, scale):
    got = TorchGenerator(SEEDS).normal(sizes, scale)
    expected = [by_torch(seed, sizes, lambda p: nn.init.normal_(p, std=scale)) for seed in SEEDS]
    # torch computes these in float32, on some machines with an angle below 2π that is rounded
    # otherwise (by 2^-22), which moves a normal of radius below 5.8 by 1.4e-6 at most.
    np.testing.assert_allclose(got, np.stack(expected, axis=1), rtol=0, atol=2e-6 * scale)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_any_sequence_of_tensors_is_drawn_as_torch_does(sizes, seed):
    got = TorchGenerator(np.array([seed], np.uint32)).normal(sizes, 1.0)
    expected = by_torch(seed, sizes, nn.init.normal_)
    np.testing.assert_allclose(got[:, 0], expected, rtol=0, atol=2e-6)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_a_seeds_normals_do_not_depend_on_its_neighbours(sizes, seed):
    alone = TorchGenerator(np.array([seed], np.uint32)).normal(sizes, 1.0)
    among = TorchGenerator(np.array([7, seed, 9], np.uint32)).normal(sizes, 1.0)
    np.testing.assert_array_equal(alone[:, 0], among[:, 1])
