"""The notebook's own figures, in float32 from seed 0, by both backends.

They are figures of one processor. Where training amplifies rounding another one has others: there
the notebook's and the backend's must both lie among those of runs that start one rounding aside.
"""

import numpy as np
import pytest
from copies import assert_as_close_as_copies, first, with_copies
from helpers import condition, seed, torch_side_by_side, whole_history

from attnlogic.backend import backend as find
from attnlogic.outcomes import NONE
from attnlogic.problems import invariant, unpack

pytestmark = pytest.mark.parametrize("name", ["jax", "torch"])

PRINTED = 5e-5
"""Half of the last place that the notebook prints."""


def run(name, training):
    return whole_history(find(name), training, seed(0))


def losses_and_C(name, training):  # noqa: N802
    history = run(name, training)
    return history.losses, history.quantities["C"]


def test_adamw_on_xor_prints_what_the_notebook_prints(name):
    training, epochs = condition("xor", "adamw", 401), np.arange(0, 401, 50)
    start = seed(0)[:, None]
    signs = np.random.default_rng(0).choice([-1, 0, 1], (6, 64))
    aside = torch_side_by_side(training, start * (1 + signs * 2.0**-23))[epochs]
    low, high = aside.min(axis=1) - PRINTED, aside.max(axis=1) + PRINTED
    # At epoch 250 some of them print 0.0002 and the others 0.0001; elsewhere all print the same.
    assert (high - low < 2e-4).all()
    notebook = np.array([0.8390, 0.1130, 0.0257, 0.0036, 0.0005, 0.0001, 0.0001, 0.0, 0.0])
    for losses in (notebook, run(name, training).losses[epochs]):
        assert ((low <= losses) & (losses <= high)).all()


def test_polyak_on_xor_ends_as_the_notebooks_run_does(name):
    training = condition("xor", "polyak", 800)
    copies = with_copies(training, [0])
    own = run(name, training)
    assert_as_close_as_copies(copies, 0, own.losses, own.evaluations)  # its first epochs, that is
    assert f"{own.losses[0]:.4f}" == "0.8390"
    assert own.losses.min() < 1e-9
    assert invariant(unpack(own.final)) == pytest.approx(-0.5, abs=1e-4)
    # The notebook's figures: 0.0219 at epoch 50, 0.0000 at 250, and its guard ended the 579th
    # epoch; epochs count from 0. (One copy in twenty never stops, but circles close to the end.)
    losses, stopped_at = copies.losses[:, :, 0], first(copies.stopped)[:, 0]
    stopped_at = stopped_at[stopped_at != NONE]
    assert losses[50].min() < 0.0219 < losses[50].max()
    assert np.median(losses[250]) < PRINTED
    assert len(stopped_at) > 0.7 * losses.shape[1]
    assert stopped_at.min() < 578 < stopped_at.max()


@pytest.mark.parametrize(("gate_name", "valley"), [("xor", 2 / 9), ("nand", 1 / 72)])
def test_lbfgs_runs_away_into_the_valley(name, gate_name, valley):
    losses, C = losses_and_C(name, condition(gate_name, "lbfgs", 96))
    # It falls towards the valley's loss as 1/epoch: 1e-6 to 3e-5 are left, by how it rounds.
    assert losses[-1] == pytest.approx(valley, abs=1e-4)
    assert abs(C[-1]) > 1000 > abs(C[0])


def test_sgd_on_xor_leaves_the_plateau_late(name):
    losses = run(name, condition("xor", "sgd", 2000)).losses
    assert losses[100:1000] == pytest.approx(1 / 4, abs=1e-3)
    assert losses[-1] < 0.02


def test_sgd_on_nand_crawls_at_a_positive_C(name):  # noqa: N802
    losses, C = losses_and_C(name, condition("nand", "sgd", 1500))
    assert C[100:].min() > 0
    assert 0.01 < losses[-1] < losses[-500] < losses[-1000] < 0.05
