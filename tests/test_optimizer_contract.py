"""Every optimizer, with the settings that matter: one trajectory on both backends.

torch's own optimizers are the reference, of whose formulas the JAX backend has its own copy. In
float64 and for few epochs rounding is not amplified, so that a tolerance of fixed size will do;
``test_agreement`` follows some of these until it is.
"""

from functools import partial

import helpers
import numpy as np
import pytest
import torch
from helpers import seeds, torch_side_by_side, trained, whole_history

from attnlogic.optimizers import OPTIMIZERS, optimizer
from attnlogic_jax import JAX
from attnlogic_torch import TORCH
from attnlogic_torch.optimizers import TORCH_OPTIMIZERS

condition = partial(helpers.condition, precision="float64")

EPOCHS = 40
SEEDS = range(8)
TOLERANCE = 1e-10
"""Relative to the loss. An epoch adds some ten roundings of 1e-16, which these optimizers amplify
to 3e-12 at most within 40 epochs (nadam(lr=0.05), measured). A formula or a number that is not
torch's shows by 1e-6 or more."""

ELEMENTWISE = [
    "adam",
    "adam(beta1=0, beta2=0)",
    "adam(lr=0.01, beta1=0.8, beta2=0.99, eps=1e-4)",
    "adam(weight_decay=0.1)",
    "adam(gamma=0.9)",
    "adam(amsgrad=True, beta2=0.6)",
    "adamw",
    "adamw(weight_decay=0.1, gamma=0.95)",
    "adamw(amsgrad=True, beta2=0.6)",
    "amsgrad",
    "amsgrad(beta2=0.6, weight_decay=0.1)",
    "nadam",
    "nadam(lr=0.01, beta2=0.9)",
    "nadam(momentum_decay=0.5, beta1=0.7, eps=1e-4)",
    "nadam(weight_decay=0.1, gamma=0.9)",
    "nadam(weight_decay=0.1, decoupled_weight_decay=True)",
    "nadamw",
    "nadamw(weight_decay=0.1)",
    "radam",
    "radam(lr=0.05, beta2=0.9, eps=1e-3)",
    "radam(beta1=0, beta2=0)",  # ρ is 1 throughout
    "radam(beta2=0.5)",  # the root is never divided by
    "radam(lr=0.05, weight_decay=0.1)",
    "radam(lr=0.05, weight_decay=0.1, decoupled_weight_decay=True, gamma=0.9)",
    "adamax",
    "adamax(lr=0.05, beta1=0.5, beta2=0.9, eps=0.01, weight_decay=0.1, gamma=0.9)",
    "sgd",
    "sgd(momentum=0.9)",
    "sgd(momentum=0.9, nesterov=True)",
    "sgd(momentum=0.9, dampening=0.3, weight_decay=0.1)",
    "sgd(dampening=0.3)",
    "sgd(lr=0.5, gamma=0.9)",
    "asgd",
    "asgd(lr=0.3, lambd=0.1, alpha=0.5, t0=3)",
    "asgd(weight_decay=0.1, gamma=0.9)",
    "rprop",
    "rprop(eta_minus=0.3, eta_plus=1.5, lr=0.1)",
    "rprop(step_size_min=0.02, step_size_max=0.05)",
    "rmsprop",
    "rmsprop(lr=0.02, alpha=0.5, eps=0.01)",
    "rmsprop(centered=True, alpha=0.9)",
    "rmsprop(momentum=0.5, weight_decay=0.1, gamma=0.9)",
    "rmsprop(momentum=0.5, centered=True)",
    "adagrad",
    "adagrad(lr=0.1, lr_decay=0.1, initial_accumulator_value=0.1)",
    "adagrad(eps=0.1, weight_decay=0.1, gamma=0.9)",
    "adadelta",
    "adadelta(lr=5, rho=0.5, eps=1e-3, weight_decay=0.1, gamma=0.9)",
]

TOGETHER = [  # with the epochs before rounding is amplified
    ("polyak", 6),
    ("polyak(f_min=0.01, tolerance=0.05)", 6),
    ("lbfgs", 1),
    ("lbfgs(max_iter=1, tolerance_grad=0.1)", 20),
    ("lbfgs(max_iter=3, history_size=2, gamma=0.9)", 4),
    ("lbfgs(max_iter=1, line_search=strong_wolfe)", 12),
    ("lbfgs(lr=1, max_iter=3, max_eval=9, line_search=strong_wolfe)", 3),
    ("lbfgs(lr=30, max_iter=2, max_eval=20, line_search=strong_wolfe)", 3),
    ("lbfgs(max_iter=2, max_eval=2, line_search=strong_wolfe)", 6),
    ("lbfgs(max_iter=4, tolerance_change=1e-3, line_search=strong_wolfe)", 4),
]


def by_jax(by, epochs):
    training = condition("xor", by, epochs)
    return [whole_history(JAX, training, helpers.seed(seed)) for seed in SEEDS]


def test_every_optimizer_of_both_backends_is_in_the_tables():
    listed = {optimizer(by).name for by in [*ELEMENTWISE, *(by for by, _ in TOGETHER)]}
    assert listed == OPTIMIZERS.keys() & TORCH_OPTIMIZERS.keys()
    for by in ELEMENTWISE:
        assert TORCH_OPTIMIZERS[optimizer(by).name].elementwise


def test_every_setting_is_in_the_tables():
    texts = [optimizer(by) for by in [*ELEMENTWISE, *(by for by, _ in TOGETHER)]]
    changed = {
        (SAME_RULE.get(one.name, one.name), key)
        for one in texts
        for key, value in one.settings.items()
        if value != one.record.settings[key].default
    }
    for name in TORCH_OPTIMIZERS:
        settings = OPTIMIZERS[name].settings.keys() - OF_EVERY_RATE
        assert {(SAME_RULE.get(name, name), key) for key in settings} <= changed


SAME_RULE = {"adamw": "adam", "amsgrad": "adam", "nadamw": "nadam"}
"""Optimizers whose settings enter by the rule of another."""


OF_EVERY_RATE = {"schedule", "warmup"}
"""They enter as gamma does, as a factor of the rate: ``test_schedules`` has all their factors."""


@pytest.mark.parametrize("by", ELEMENTWISE)
def test_an_elementwise_optimizer_has_torchs_trajectory(by):
    ours = np.stack([run.losses for run in by_jax(by, EPOCHS)], axis=1)
    theirs = torch_side_by_side(condition("xor", by, EPOCHS), seeds(*SEEDS))
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE)
    run = whole_history(TORCH, condition("xor", by, EPOCHS), helpers.seed(SEEDS[0]))
    np.testing.assert_allclose(run.losses, ours[:, 0], rtol=TOLERANCE)


@pytest.mark.parametrize(("by", "epochs"), TOGETHER)
def test_an_optimizer_of_all_parameters_has_torchs_trajectory(by, epochs):
    for seed, ours in zip(SEEDS, by_jax(by, epochs), strict=True):
        theirs = whole_history(TORCH, condition("xor", by, epochs), helpers.seed(seed))
        np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-8)
        np.testing.assert_array_equal(ours.evaluations, theirs.evaluations)


@pytest.mark.parametrize("by", ELEMENTWISE)
def test_a_setting_that_is_given_makes_a_difference(by):
    """Else the test above could not see whether it is heeded."""
    plain = optimizer(by).name
    if by == plain or by in NO_DIFFERENCE:
        return
    training = condition("xor", by, EPOCHS)
    one, other = (
        torch_side_by_side(one, seeds(*SEEDS))
        for one in (training, condition("xor", plain, EPOCHS))
    )
    assert np.abs(one / other - 1).max() > 1e-5


NO_DIFFERENCE = {"sgd(dampening=0.3)"}
"""Without momentum there is nothing to dampen."""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("amsgrad(lr=0.01, beta2=0.6)", "adam(lr=0.01, beta2=0.6, amsgrad=True)"),
        ("nadamw(weight_decay=0.1)", "nadam(weight_decay=0.1, decoupled_weight_decay=True)"),
    ],
)
@pytest.mark.parametrize("name", ["jax", "torch"])
def test_a_name_of_its_own_means_the_same_optimizer(one, other, name):
    one, other = (trained(name, condition("xor", by, 30), seeds(0, 1)) for by in (one, other))
    helpers.assert_same(one, other)


def test_what_torch_does_in_float32_is_done_in_the_trainings_precision():
    """torch makes NAdam's product and ASGD's rate of its default dtype; within 1e-8 both agree."""
    for by, theirs in [
        ("nadam(lr=0.01)", partial(torch.optim.NAdam, lr=0.01)),
        ("asgd", torch.optim.ASGD),
    ]:
        x = torch.tensor([0.3, -2.0], dtype=torch.float64, requires_grad=True)
        y = x.detach().clone().requires_grad_()
        built, own = TORCH_OPTIMIZERS[optimizer(by).name], theirs([x])
        ours = built.build([y], **optimizer(by).step_settings)
        for _ in range(30):
            for parameter, stepped in ((x, own), (y, ours)):
                stepped.zero_grad()
                parameter.square().sum().backward()
                stepped.step()
        apart = np.abs(x.detach().numpy() / y.detach().numpy() - 1).max()
        assert 1e-12 < apart < 1e-7
