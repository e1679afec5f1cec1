"""optax's own optimizers, every one: trained as optax defines it, or refused with the reason."""

from inspect import signature

import numpy as np
import optax
import optax.contrib
import pytest
from foreign_forms import in_float64, optax_loop, transformations
from helpers import condition, seed_range, trained

from attnlogic.errors import InputError
from attnlogic.optimizers import optimizer
from attnlogic_jax import JAX

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
"""Of optax's own: some are trained as long as it has them."""

EPOCHS = 10

SETTINGS = {
    "optax:noisy_sgd": "learning_rate=0.01, key=3",
    "optax:adafactor": "learning_rate=0.01, min_dim_size_to_factor=2",
    "optax:lars": "learning_rate=0.1, weight_decay=0.1, momentum=0.8",
    "optax:sgd": "learning_rate=0.01, momentum=0.9, nesterov=True",
    "optax:adamw": "learning_rate=0.01, b1=0.8, b2=0.99, weight_decay=0.1",
    "optax:polyak_sgd": "max_learning_rate=0.1",
    "optax:lbfgs": "memory_size=3",
    "optax.contrib:prodigy": "",
    "optax.contrib:dadapt_adamw": "",
    "optax.contrib:momo": "",
    "optax.contrib:cocob": "",
    "optax.contrib:galore": "learning_rate=0.01, rank=1",
    "optax.contrib:dpsgd": "learning_rate=0.01, l2_norm_clip=1.0, noise_multiplier=0.1, seed=3",
}
"""Settings that differ from ``learning_rate=0.01``."""

REFUSED = {
    # other transformations are their arguments, which no text can say
    "optax.contrib:mechanize": "lacks base_optimizer",
    "optax.contrib:sam": "lacks optimizer, adv_optimizer",
    "optax.contrib:schedule_free": "lacks base_optimizer",
    "optax.contrib:split_real_and_imaginary": "lacks inner",
    # they need more than a gradient, the loss and its value: gradients of each row, a Hessian
    "optax.contrib:differentially_private_aggregate": "lacks l2_norm_clip, noise_multiplier",
    "optax.contrib:dpsgd": "its updates have the shape",
    "optax.contrib:sophia": "obj_fn must be provided",
}
"""Which are refused, and why."""


CONTRIB_PARTS = ("normalize", "reduce_on_plateau")
"""Parts of optimizers, which by themselves go uphill."""


def aliases():
    for module, prefix in ((optax, "optax"), (optax.contrib, "optax.contrib")):
        for name, function in transformations(module):
            part = name.startswith("scale_by_") or name in CONTRIB_PARTS
            if not part and (prefix != "optax" or function.__module__ == "optax._src.alias"):
                yield f"{prefix}:{name}", function


ALIASES = dict(aliases())


def written(name):
    has_rate = "learning_rate" in ALIASES[name].__code__.co_varnames
    return f"{name}({SETTINGS.get(name, 'learning_rate=0.01' if has_rate else '')})"


def test_the_tables_name_what_optax_has():
    assert len(ALIASES) > 45
    assert {*SETTINGS, *REFUSED} <= ALIASES.keys()


@pytest.mark.parametrize("name", sorted(ALIASES.keys() - REFUSED.keys()))
def test_every_optimizer_trains_as_optax_defines_it(name):
    """Each seed as if it were alone, bit for bit, and on optax's own trajectory.

    Within 1e-7: XLA fuses, and so rounds, a loop's step otherwise than a single step, and cube
    roots (madgrad) and quotients of small numbers (polyak_sgd) make up to 1e5 of it.
    """
    training, starts = in_float64(written(name), EPOCHS), seed_range(40)
    together = trained("jax", training, starts)
    alone = trained("jax", training, starts[:, 7:8])
    np.testing.assert_array_equal(together.final[:, 7], alone.final[:, 0])
    losses, final = optax_loop(written(name), starts[:, 7], EPOCHS)
    assert np.isfinite(losses).all()
    assert losses[-1] != losses[0]
    np.testing.assert_allclose(alone.final[:, 0], final, rtol=1e-7)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_is_refused_with_the_reason(name):
    with pytest.raises(InputError) as error:
        JAX.check(condition("xor", written(name), EPOCHS), 1)
    assert REFUSED[name] in str(error.value)
    assert str(error.value).startswith(f"optimizer '{name}")


PARTS = [
    f"optax:{name}" for name, function in transformations(optax)
    if function.__module__ != "optax._src.alias"
]  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_every_part_of_an_optimizer_is_accepted_or_lacks_an_argument(name):
    rate = "(learning_rate=0.01)" if name in WITH_RATE else ""
    required = [p for p in signature(getattr(optax, name[6:])).parameters.values()
                if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]  # fmt: skip
    training = condition("xor", name + rate, EPOCHS)
    if required and not rate:
        with pytest.raises(InputError, match=f"lacks {required[0].name}"):
            JAX.check(training, 1)
    elif name == "optax:chain":
        with pytest.raises(InputError, match="not enough values"):
            JAX.check(training, 1)
    else:
        JAX.check(training, 1)


WITH_RATE = {"optax:scale_by_learning_rate", "optax:scale_by_rprop"}

OBJECTS = {
    "clipped": optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(0.5)),
    "mechanized": optax.contrib.mechanize(optax.sgd(0.1)),
    "two rates": optax.multi_transform(
        {"fast": optax.sgd(0.1), "slow": optax.sgd(0.01)},
        lambda tree: {name: "fast" if "bias" in name else "slow" for name in tree},
    ),
    "injected": optax.inject_hyperparams(optax.adam)(optax.cosine_decay_schedule(0.1, 8)),
    "plateau": optax.chain(optax.sgd(0.1), optax.contrib.reduce_on_plateau(0.5, 2)),
    "sam": optax.contrib.sam(optax.sgd(0.1), optax.contrib.normalize()),
    "backtracking": optax.chain(
        optax.sgd(1.0), optax.scale_by_backtracking_linesearch(max_backtracking_steps=5)
    ),
    "accumulating": optax.MultiSteps(optax.sgd(0.1), 2).gradient_transformation(),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_transformation_as_an_object_trains_each_seed_by_itself(name):
    by, starts = optimizer(OBJECTS[name], name=name.replace(" ", "_")), seed_range(40)
    together = trained("jax", in_float64(by, EPOCHS), starts)
    for seed in (0, 7):
        losses, final = optax_loop(by, starts[:, seed], EPOCHS, extras=name != "sam")
        np.testing.assert_allclose(together.final[:, seed], final, rtol=1e-9)
        assert len(set(losses)) > 4


def test_the_evaluations_of_a_line_search_are_counted():
    by = optimizer(OBJECTS["backtracking"], name="backtracking")
    runs = trained("jax", in_float64(by, EPOCHS), seed_range(8))
    assert (runs.evaluations > EPOCHS).all()
    plain = trained("jax", in_float64("optax:sgd(learning_rate=0.1)", EPOCHS), seed_range(8))
    assert (plain.evaluations == EPOCHS).all()
