"""What is said of optax's own optimizers: their defaults, and where they leave torch's path."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from helpers import XOR, condition, seed, seeds, torch_side_by_side, whole_history

from attnlogic.optimizers import OPTIMIZERS, optimizer
from attnlogic_jax.devices import here
from attnlogic_jax.differences import LACKING, TWINS, Twins, differences
from attnlogic_jax.model import evaluation
from attnlogic_torch import TORCH

EPOCHS, SEEDS = 40, (0, 1, 2, 3)
SETTINGS = {  # which show what the sentence says
    "radam": "radam(lr=0.05, eps=0.01)",
    "rmsprop": "rmsprop(eps=0.1)",
    "adagrad": "adagrad(eps=0.1)",
    "lbfgs": "lbfgs(max_iter=1, line_search=strong_wolfe)",
    "sgd": "sgd(momentum=0.9, nesterov=True)",
    "adamw": "adamw(weight_decay=0.1)",
}


def by_optax(by, **rest):
    """Losses (epochs, N) of optax's own optimizer, each seed by itself, in float64."""
    twins, settings = TWINS[optimizer(by).name], optimizer(by).settings
    given = {name: settings[key] for key, name in twins.arguments.items()} | rest
    transformation = optax.with_extra_args_support(getattr(optax, twins.optax)(**given))
    evaluate = evaluation(XOR, XOR.data.targets, here())

    def value(packed):
        return evaluate(packed).loss

    def epoch(at, _):
        packed, state = at
        here = evaluate(packed)
        loss, gradient = here.loss, here.gradient
        updates, state = transformation.update(
            gradient, state, packed, value=loss, grad=gradient, value_fn=value
        )
        return (optax.apply_updates(packed, updates), state), loss

    def train(packed):
        at = packed, transformation.init(packed)
        return jax.lax.scan(epoch, at, None, length=EPOCHS)[1]

    with jax.enable_x64(True):
        starts = jnp.asarray(seeds(*SEEDS), "float64")
        return np.asarray(jax.jit(jax.vmap(train, in_axes=1, out_axes=1))(starts))


def apart(by, **rest):
    training = condition("xor", by, EPOCHS, precision="float64")
    theirs = torch_side_by_side(training, seeds(*SEEDS))
    return np.abs(by_optax(by, **rest) / theirs - 1).max()


@pytest.mark.parametrize("name", [name for name in TWINS if name != "lbfgs"])
def test_optax_leaves_torchs_path_where_a_sentence_says_so_and_only_there(name):
    distance = apart(SETTINGS.get(name, name))
    if TWINS[name].formula is None:
        assert distance < 1e-10  # rounding; see test_optimizer_contract
    else:
        assert distance > 1e-6


def test_rmsprop_comes_back_to_it_as_the_sentence_says():
    assert apart("rmsprop(eps=0.1)", eps_in_sqrt=False) < 1e-10


def test_lbfgs_of_optax_takes_other_steps():
    by = SETTINGS["lbfgs"]
    losses = by_optax(by, learning_rate=None)
    training = condition("xor", by, 5, precision="float64")
    theirs = whole_history(TORCH, training, seed(SEEDS[0])).losses
    assert losses[0, 0] == pytest.approx(theirs[0])
    assert np.abs(losses[:5, 0] / theirs - 1).max() > 1e-3


def test_every_optimizer_is_compared():
    assert TWINS.keys() | LACKING.keys() == OPTIMIZERS.keys() - {"lbfgs_zoom"}  # optax's alone
    assert not TWINS.keys() & LACKING.keys()
    for name in LACKING:
        assert hasattr(torch.optim, name.upper()) != hasattr(optax, f"{name}_sgd")


def test_the_defaults_are_read_from_what_is_installed():
    said = {(line.optimizer, line.what): (line.torch, line.optax) for line in differences()}
    decay = inspect.signature(optax.adamw).parameters["weight_decay"].default
    assert said["adamw", "weight_decay"] == ("0.01", str(decay))
    assert said["adagrad", "initial_accumulator_value"] == ("0", "0.1")
    assert said["sgd", "dampening"] == ("0", "-")
    assert said["adam", "lr"] == ("0.001", "required")
    assert ("adam", "beta2") not in said
    assert ("sgd", "momentum") not in said


def test_a_default_that_changes_is_seen(monkeypatch):
    def rprop(learning_rate, eta_minus=0.25):
        """Another version of it."""

    monkeypatch.setattr(optax, "rprop", rprop)
    defaults = Twins("Rprop", "rprop").optax_defaults
    assert defaults == {"lr": inspect.Parameter.empty, "eta_minus": 0.25}


def test_the_command_prints_them(type_in):
    code, out, _ = type_in("optimizers", "--differences")
    assert code == 0
    for words in ("optimizer", "torch", "optax", "initial_accumulator_value", "required"):
        assert words in out
    assert "rmsprop: torch divides by √v + eps; optax divides by √(v + eps)" in out
