"""Other packages' optimizers on the jax backend: numbers as data, schedules, models, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from foreign_forms import in_float64, optax_loop, tensors, xor_loss
from helpers import condition, seed, seed_range, trained, whole_history

import attnlogic
from attnlogic.backend import Batch, Training, in_order
from attnlogic.errors import InputError
from attnlogic.optimizers import factor, optimizer, optimizers
from attnlogic.problems import OwnLoss, initial_params, problem
from attnlogic_jax import JAX, trainer
from attnlogic_jax.devices import here
from attnlogic_jax.model import evaluation
from attnlogic_jax.optimizers import as_arrays, method, numbers, record, structure

EPOCHS = 12
HERE = f"{__name__}:"


# --- numbers are data -------------------------------------------------------------------------


def branching(learning_rate, momentum=0.0, power=1):
    """SGD that asks whether there is momentum: a question that no traced number answers."""
    parts = [optax.trace(momentum)] if momentum > 0 else []
    return optax.chain(*parts, optax.scale(-(learning_rate**power)))


def batch_of(by, starts, epochs=EPOCHS):
    """All optimizers of a text on the same seeds, in one batch, in float64."""
    several = tuple(in_float64(one, epochs) for one in optimizers(by))
    which = np.repeat(np.arange(len(several), dtype=np.int32), starts.shape[1])
    return Batch(several, which, np.tile(starts, len(several)))


def test_a_sweep_over_real_numbers_is_compiled_once(compilations):
    starts = seed_range(8)
    batch = batch_of("optax:lion(learning_rate=1e-4..0.1:log:25, b1=[0.8, 0.9])", starts)
    assert len({training.kind for training in batch.trainings}) == 1
    compilations.clear()
    runs = in_order(JAX.train(batch))
    assert compilations.count("jit(advance)") + compilations.count("advance") == 1
    for k in (0, 17, 49):
        by = batch.trainings[k].optimizer
        _, final = optax_loop(str(by), starts[:, 3], EPOCHS)
        np.testing.assert_allclose(runs.final[:, 8 * k + 3], final, rtol=1e-9)


def test_a_number_that_the_factory_branches_on_is_compiled_in_for_each_value(compilations):
    starts = seed_range(8)
    batch = batch_of(f"{HERE}branching(learning_rate=[0.1, 0.2], momentum=[0.0, 0.5])", starts)
    compilations.clear()
    runs = in_order(JAX.train(batch))
    assert compilations.count("jit(advance)") + compilations.count("advance") <= 2
    for k, training in enumerate(batch.trainings):
        _, final = optax_loop(str(training.optimizer), starts[:, 3], EPOCHS)
        np.testing.assert_allclose(runs.final[:, 8 * k + 3], final, rtol=1e-9)


@pytest.mark.parametrize(
    ("by", "data"),
    [
        ("optax:adamw(learning_rate=0.1, b1=0.8, weight_decay=0.1)", {"learning_rate", "b1",
                                                                      "weight_decay"}),
        ("optax:adam(learning_rate=1, nesterov=True)", set()),
        ("optax.contrib:prodigy(betas=(0.8, 0.9))", set()),
        (HERE + "branching(learning_rate=0.1, momentum=0.5)", {"learning_rate"}),
        (HERE + "branching(learning_rate=0.1, power=2)", {"learning_rate"}),
    ],
)  # fmt: skip
def test_which_numbers_are_data(by, data):
    chosen = optimizer(by)
    assert structure(chosen).enabled == numbers(chosen).keys() == data


def test_seeds_with_numbers_of_their_own_train_as_if_all_had_them():
    """So groups of several conditions are trained at once on a GPU."""
    xor, starts = problem("xor"), jnp.asarray(seed_range(64))
    one, other = optimizers("optax:lamb(learning_rate=[0.1, 0.2], b1=[0.9], warmup=3)")
    how, dtype = structure(one), starts.dtype
    both = {
        name: jnp.stack([number, as_arrays(numbers(other), dtype)[name]] * 32)
        for name, number in as_arrays(numbers(one), dtype).items()
    }
    evaluate = evaluation(xor, xor.data.targets, here())

    def end(numbers):
        by = method(how, numbers, problem=xor)
        packed, state = starts, by.init(starts)
        for _ in range(4):
            packed, state, _ = by.step(evaluate, packed, state)
        return packed

    mixed = np.asarray(jax.jit(end)(both))
    for k, by in enumerate((one, other)):
        alone = np.asarray(jax.jit(end)(as_arrays(numbers(by), dtype)))
        np.testing.assert_allclose(mixed[:, k::2], alone[:, k::2], rtol=1e-5)  # float32
    assert np.abs(mixed[:, 0] / alone[:, 0] - 1).max() > 1e-3


# --- schedules --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    ["gamma=0.8", "schedule='cosine(epochs=10, final=0.1)'", "schedule=step(every=3), warmup=4"],
)
def test_a_schedule_changes_the_learning_rate_of_each_epoch(settings):
    """As ``optax.inject_hyperparams`` does with the same factors."""
    by = optimizer(f"optax:adam(learning_rate=0.1, {settings})")
    called = attnlogic.optimizers.call_of(by, optax.adam)

    def rate(count):
        return 0.1 * factor(called.schedule, count, jnp)

    run = trained("jax", in_float64(by, EPOCHS), seed_range(8))
    injected = optimizer(optax.inject_hyperparams(optax.adam)(rate), name="injected")
    _, final = optax_loop(injected, seed(3), EPOCHS)
    np.testing.assert_allclose(run.final[:, 3], final, rtol=1e-9)
    _, constant = optax_loop("optax:adam(learning_rate=0.1)", seed(3), EPOCHS)
    assert np.abs(final / constant - 1).max() > 1e-3


def test_a_schedule_is_written_as_for_our_own_optimizers():
    by = optimizer("optax:lion(learning_rate=0.1, schedule=cosine(epochs=9, final=0.5))")
    assert by == optimizer("optax:lion(learning_rate=0.1, schedule='cosine(epochs=9, final=0.5)')")
    assert optimizer(str(by)) == by
    swept = optimizers("optax:lion(learning_rate=0.1, schedule=[cosine,step])")
    assert [*map(str, swept)] == [
        "optax:lion(learning_rate=0.1,schedule='cosine')",
        "optax:lion(learning_rate=0.1,schedule='step')",
    ]


def test_a_schedule_that_would_change_nothing_is_refused():
    """optax's rprop, as torch's, takes its learning rate for the first step's size alone."""
    with pytest.raises(InputError, match="its learning_rate is used before the first step alone"):
        structure(optimizer("optax:rprop(learning_rate=0.1, warmup=3)"))


def test_an_argument_of_the_factory_is_the_factorys():
    assert structure(optimizer("optax:noisy_sgd(learning_rate=0.1, gamma=0.3, key=1)")).enabled == {
        "learning_rate", "gamma",
    }  # fmt: skip


def test_the_default_learning_rate_has_a_schedule_too():
    chosen = optimizer("optax.contrib:prodigy(warmup=5)")
    assert numbers(chosen) == {"learning_rate": 1.0, "schedule.warmup": 5}


# --- what else trains -------------------------------------------------------------------------


def test_the_trainer_and_the_history_run_the_same_epochs():
    by = "optax:lamb(learning_rate=0.1)"
    train = jax.jit(jax.vmap(trainer("xor", by, epochs=EPOCHS)))
    runs = train(initial_params(range(8)))
    fast = trained("jax", condition("xor", by, EPOCHS), seed_range(8))
    np.testing.assert_allclose(runs.final.b, fast.final[-1], rtol=1e-5)  # float32
    run = whole_history(JAX, condition("xor", by, EPOCHS), seed(3))
    np.testing.assert_array_equal(run.final, fast.final[:, 3])


def test_a_users_own_pytree_is_what_the_transformation_sees():
    seen = []

    def look(updates, params):
        seen.append(jax.tree.map(jnp.shape, params))
        return jax.tree.map(lambda u: -0.1 * u, updates)

    own = OwnLoss(
        lambda seed: {"w": [jnp.ones((2, 3)), jnp.ones(())], "act": jnp.tanh, "a": jnp.ones(2)},
        lambda p: (p["act"](p["w"][0]) ** 2).sum() + (p["w"][1] - p["a"].sum()) ** 2,
        "pytree",
    )
    what = problem(None, own)
    by = optimizer(optax.stateless(look), name="look")
    runs = trained("jax", Training(what, by, EPOCHS), what.initial(np.arange(4)))
    assert seen[-1] == {"w": [(2, 3), ()], "act": None, "a": (2,)}
    same = trained(
        "jax", Training(what, optimizer("sgd(lr=0.1)"), EPOCHS), what.initial(np.arange(4))
    )
    np.testing.assert_allclose(runs.final, same.final, rtol=1e-5)  # float32


def test_a_run_that_diverges_is_seen():
    runs = trained("jax", condition("xor", "optax:sgd(learning_rate=1e9)", 60), seed_range(8))
    assert (runs.diverged_at > 0).all()


def test_until_the_first_hit():
    training = condition("xor", "optax:adam(learning_rate=0.05)", 3000, until="hit")
    runs = trained("jax", training, seed_range(64))
    hit = runs.first_hit >= 0
    assert 0 < hit.sum() < 64
    tree = jax.vmap(tensors)(jnp.asarray(runs.final[:, hit].T))
    with jax.numpy_rank_promotion("allow"):
        assert (jax.vmap(xor_loss)(tree) <= 1.001e-4).all()  # they stand where they hit; float32


def test_one_function_for_one_core_where_xla_has_one():
    xor = problem("xor")
    assert record(structure(optimizer("optax:adam(learning_rate=0.1)")), xor).one_core
    assert record(structure(optimizer("optax.contrib:muon(learning_rate=0.1)")), xor).one_core
    assert not record(structure(optimizer("optax:lbfgs")), xor).one_core


def test_a_study_has_other_packages_optimizers(tmp_path):
    study = attnlogic.Study(
        ["xor"], ["optax:lion(learning_rate=[0.01, 0.02])", "adam"], seeds=8, epochs=20
    )
    runs = attnlogic.run(study, out=tmp_path / "study", progress=False)
    assert len([*runs.conditions()]) == 3


# --- errors -----------------------------------------------------------------------------------


def wrong_shape():
    return optax.stateless(lambda updates, _: jax.tree.map(jnp.sum, updates))


def growing():
    def update(updates, state, params=None):
        return updates, jnp.concatenate([state, state])

    return optax.GradientTransformation(lambda params: jnp.zeros(1), update)


def asking():
    def update(updates, state, params=None, *, loss_fn, **rest):
        return updates, state

    return optax.GradientTransformationExtraArgs(lambda params: (), update)


def evaluating():
    def update(updates, state, params=None, *, value_fn, **rest):
        return jax.tree.map(lambda u: value_fn(params) * u, updates), state

    return optax.GradientTransformationExtraArgs(lambda params: (), update)


class Unhashable(list):
    """Can be called, and cannot be a key."""

    def __call__(self):
        return optax.sgd(0.1)


def test_an_object_that_cannot_be_hashed_is_refused():
    with pytest.raises(InputError, match="expected an object that can be hashed"):
        optimizer(Unhashable(), name="mine")


def raising():
    raise RuntimeError("no luck today")


@pytest.mark.parametrize(
    ("by", "fragment"),
    [
        (
            HERE + "wrong_shape",
            "updates have the shape () of float32 at ['attn_out.bias']",
        ),
        (HERE + "growing", "its state after a step have the shape (2,)"),
        (HERE + "asking", "missing 1 required keyword-only argument: 'loss_fn'"),
        (HERE + "evaluating", "evaluates the loss itself, and does not say how often"),
        (HERE + "raising", "raises RuntimeError: no luck today"),
        (HERE + "HERE", "expected an optax transformation, got"),
        (HERE + "seed(number=3)", "expected an optax.GradientTransformation from it, got array"),
        ("optax:sgd", "lacks learning_rate: write optax:sgd(learning_rate=…)"),
        ("optax:lyon(learning_rate=0.1)", "module 'optax' has no 'lyon': did you mean 'lion'?"),
        ("optax:lion(lr=0.1)", "unknown argument of optax:lion 'lr': known: b1, b2, gamma"),
        ("optax.contrub:muon", "there is no module 'optax.contrub'"),
        ("torch:Adam(lr=0.1)", "is torch's, and this is the jax backend: use --backend torch"),
        (torch.optim.Adam, "use --backend torch"),
        (lambda params: torch.optim.Adam(params), "use --backend torch"),
        ("object:mine", "train it through the API, with the object itself"),
        ("optax:identity(warmup=3)", "a schedule needs a number as its learning_rate, got None"),
        ("optax:lion(learning_rate=0.1, schedule='cosin')", "unknown schedule of optax:lion 'cosi"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(by, fragment):
    with pytest.raises(InputError) as error:
        JAX.check(condition("xor", by, EPOCHS), 1)
    assert fragment in str(error.value)
    assert "foreign" not in str(error.value).replace("test_foreign", "")  # no line of ours
