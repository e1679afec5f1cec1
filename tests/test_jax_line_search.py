"""The strong Wolfe search against torch's own, on functions with many valleys."""

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch.optim.lbfgs import _strong_wolfe

from attnlogic_jax.line_search import Point, strong_wolfe
from attnlogic_jax.method import Evaluated

COUNT, TRIALS = 400, 24


def test_it_takes_torchs_step_and_as_many_evaluations():
    """Each function is a sum of waves and a bowl along one direction, from a random start.

    The first steps are not so short that a cubic is laid through two points nearly the same, which
    amplifies rounding a millionfold.
    """
    random = np.random.default_rng(0)
    height, speed, phase = (
        random.uniform(lo, hi, (3, COUNT)) for lo, hi in ((0, 2), (0, 9), (0, 6))
    )
    bowl, first = random.uniform(0, 1, COUNT), 10 ** random.uniform(-1, 1.5, COUNT)

    def value(u, sin, which=slice(None)):
        waves = height[:, which] * sin(speed[:, which] * u[None] + phase[:, which])
        return waves.sum(0) + bowl[which] * u * u

    def slope(u, cos, which=slice(None)):
        waves = (
            height[:, which] * speed[:, which] * cos(speed[:, which] * u[None] + phase[:, which])
        )
        return waves.sum(0) + 2 * bowl[which] * u

    direction = -np.sign(slope(np.zeros(COUNT), np.cos)) * random.uniform(0.5, 2, COUNT)

    def evaluate(packed):  # one parameter counts; five stand still
        u, none = packed[0], jnp.zeros((5, packed.shape[1]))
        rows = jnp.stack([value(u, jnp.sin), slope(u, jnp.cos)])
        return Evaluated(jnp.concatenate([rows, none]), ())

    with jax.enable_x64(True):
        start = jnp.zeros((6, COUNT))
        way = start.at[0].set(jnp.asarray(direction))
        at = evaluate(start)
        origin = Point(jnp.zeros(COUNT), at, at.gradient[0] * way[0])
        found, spent = jax.jit(lambda t: strong_wolfe(
            evaluate, start, way, origin, t, jnp.ones(COUNT, bool), jnp.full(COUNT, TRIALS),
            1e-9, TRIALS + 1,
        ))(jnp.asarray(first))  # fmt: skip
    kinds = set()
    for i in range(COUNT):
        which = slice(i, i + 1)

        def at(x, t, d, which=which):
            u = (x + t * d).numpy()
            return float(value(u, np.sin, which)[0]), torch.tensor(slope(u, np.cos, which))

        x, d = torch.zeros(1, dtype=torch.float64), torch.tensor(direction[which])
        f, g = at(x, 0.0, d)
        loss, _, t, evaluations = _strong_wolfe(at, x, first[i], d, f, g, g.dot(d), max_ls=TRIALS)
        np.testing.assert_allclose(found.t[i], float(t), rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(found.loss[i], loss, rtol=1e-8, atol=1e-12)
        assert int(spent[i]) == evaluations
        kinds.add(evaluations)
    assert len(kinds) > 6
