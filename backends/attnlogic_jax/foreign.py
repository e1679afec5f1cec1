"""Other packages' optimizers on this backend: optax transformations, by name or as objects.

Each seed is trained by itself, on the model's own tensors; see ``per_seed``. A schedule-free
optimizer is trained at the point y where optax evaluates the gradient: losses and final parameters
are those of y, not those of ``optax.contrib.schedule_free_eval_params``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from attnlogic import optimizers
from attnlogic.errors import InputError, described
from attnlogic.optimizers import Optimizer, Structure
from attnlogic.outside import users_code
from attnlogic_jax.elementwise import Numbers
from attnlogic_jax.per_seed import updated
from attnlogic_jax.rates import learning_rate

if TYPE_CHECKING:
    import optax

RATE = "learning_rate"
"""The argument of optax's factories that a schedule changes."""


def factory(optimizer: Optimizer) -> Callable[..., Any]:
    """What makes the transformation.

    Raises:
      InputError: it cannot be had, or is torch's.
    """
    what, settings = f"optimizer '{optimizer.name}'", optimizer.settings
    by_torch = f"{what} is torch's, and this is the jax backend: use --backend torch"
    if (optimizer.source or "").partition(".")[0] == "torch":
        raise InputError(by_torch)
    found = optimizers.factory_of(optimizer)
    if optimizers.is_made_by_torch(found):
        raise InputError(by_torch)
    if optimizers.is_transformation(found):
        return lambda: found
    if not callable(found):
        raise InputError(f"{what}: expected an optax transformation, got {described(found)}")
    if optimizers.missing_arguments(found, settings)[:1] == ["params"]:
        raise InputError(
            f"{what} takes the parameters, as torch's optimizers do, and this is the jax backend: "
            "use --backend torch"
        )
    made_by: Callable[..., Any] = found
    return made_by


@functools.lru_cache(4096)
def structure(optimizer: Optimizer) -> Structure:
    """What is compiled of another package's optimizer; ``enabled`` are the numbers that are data.

    Its real numbers are data if its factory can be traced with them. Those that it branches on are
    compiled in, as are whole numbers, words and tuples.

    Raises:
      InputError: it cannot be had, its factory has other arguments or raises, or it makes no
        transformation.
    """
    function = factory(optimizer)
    settings, schedule = optimizers.call_of(optimizer, function)
    with users_code(f"optimizer '{optimizer}'"):
        made = function(**settings)
    if not optimizers.is_transformation(made):
        raise InputError(
            f"optimizer '{optimizer.name}': expected an optax.GradientTransformation from it, "
            f"got {described(made)}: use --backend torch for what makes torch's"
        )
    if schedule.structure:
        settings = settings | {RATE: _rate(optimizer, function, settings)}
    how = Structure(
        optimizer.name, tuple(settings.items()), frozenset(), schedule.structure, optimizer.of
    )
    alike = tuple((name, _alike(value)) for name, value in how.choices)
    found = _with_data(how, _data(how._replace(choices=alike, schedule=())))
    if how.schedule and RATE not in found.enabled:
        raise InputError(
            f"optimizer '{optimizer.name}': its {RATE} cannot change while it trains: "
            "leave schedule, warmup and gamma out"
        )
    if how.schedule and not _steps_by_rate(found._replace(schedule=()), settings):
        raise InputError(
            f"optimizer '{optimizer.name}': its {RATE} is used before the first step alone, which "
            "no schedule changes: leave schedule, warmup and gamma out"
        )
    return found


def _steps_by_rate(how: Structure, settings: dict[str, Any]) -> bool:
    """Whether a step from one state depends on the learning rate."""
    params = {"weight": jnp.array([[1.0, -0.5]]), "bias": jnp.array([2.0])}
    own = {name: settings[name] for name in how.enabled}
    rate = own.get(RATE) or 0.5

    def step(rate: float, state: Any) -> Any:
        made = transformation(how, own | {RATE: rate})
        given = {"value": _any_loss(params), "grad": params, "value_fn": _any_loss}
        return updated(made, params, state, params, **given)

    with jax.enable_x64(False), jax.numpy_rank_promotion("allow"):
        try:
            _, state = step(rate, transformation(how, own).init(params))
            full, half = (jax.tree.leaves(step(r, state)) for r in (rate, rate / 2))
        except Exception:  # what it cannot do with these parameters it may do with others
            return True
    return not all(jnp.array_equal(a, b) for a, b in zip(full, half, strict=True))


def _rate(optimizer: Optimizer, function: Callable[..., Any], settings: dict[str, Any]) -> float:
    """The learning rate that a schedule starts from."""
    rate = settings.get(RATE, optimizers.default_of(function, RATE))
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        raise InputError(
            f"optimizer '{optimizer.name}': a schedule needs a number as its {RATE}, got "
            f"{described(rate)}: give one, or leave schedule, warmup and gamma out"
        )
    return float(rate)


def _with_data(how: Structure, names: Sequence[str]) -> Structure:
    """A structure with some of its real numbers as data."""
    choices = tuple((key, value) for key, value in how.choices if key not in names)
    return how._replace(choices=choices, enabled=frozenset(names))


def _alike(value: Any) -> Any:
    """A number of the same sign, the same for all: a sweep is then tried once."""
    return math.copysign(0.5, value) if isinstance(value, float) and value else value


@functools.lru_cache(4096)
def _data(how: Structure) -> tuple[str, ...]:
    """The real numbers with which a factory and a step can be traced, keeping the same state.

    They are tried on parameters of no problem: which numbers are data does not depend on it.

    Args:
      how: without a schedule, all numbers among its choices.
    """
    tried = {"weight": jnp.zeros((1, 2), "float32"), "bias": jnp.zeros(1, "float32")}

    def step(how: Structure, numbers: Numbers) -> Any:
        made = transformation(how, numbers)
        state = made.init(tried)
        given = {"value": jnp.zeros(()), "grad": tried, "value_fn": _any_loss}
        return state, updated(made, tried, state, tried, **given)

    def form(names: Sequence[str]) -> Any:
        numbers = dict.fromkeys(names, jnp.zeros((), "float32"))
        try:
            with jax.enable_x64(False), jax.numpy_rank_promotion("allow"):
                return _form(
                    jax.eval_shape(functools.partial(step, _with_data(how, names)), numbers)
                )
        except Exception:  # whatever it makes of a traced number, or of these parameters
            return None

    real = [name for name, value in how.choices if isinstance(value, float)]
    plain = form([])
    if plain is None:
        return ()
    for names in (real, [name for name in real if form([name]) == plain]):
        if form(names) == plain:
            return tuple(names)
    return ()


def _form(tree: Any) -> Any:
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(leaf.shape, leaf.dtype) for leaf in leaves]


def _any_loss(params: Any) -> jax.Array:
    return jnp.asarray(sum(((leaf - 1) ** 2).sum() for leaf in jax.tree.leaves(params)))


def numbers(optimizer: Optimizer) -> dict[str, float]:
    """Its numbers that are data: those of ``structure``, and its schedule's.

    Raises:
      InputError: see ``structure``.
    """
    how, function = structure(optimizer), factory(optimizer)
    settings, schedule = optimizers.call_of(optimizer, function)
    if how.schedule:
        settings = settings | {RATE: _rate(optimizer, function, settings)}
    own = {name: settings[name] for name in sorted(how.enabled)}
    return own | {f"schedule.{key}": n for key, n in schedule.numbers.items()}


class Scheduled(NamedTuple):
    """``epoch`` () counts the epochs done; ``inner`` is the transformation's own state."""

    epoch: jax.Array
    inner: Any


def transformation(how: Structure, numbers: Numbers) -> optax.GradientTransformationExtraArgs:
    """The transformation of a structure.

    With a schedule it is made anew each epoch, with the learning rate of that epoch, as
    ``optax.inject_hyperparams`` does.

    Args:
      how: see ``structure``.
      numbers: those of ``numbers``, each ().
    """
    import optax  # see per_seed

    found = optimizers.factory_of(Optimizer(how.name, (), how.of))
    if optimizers.is_transformation(found):
        return optax.with_extra_args_support(found)
    settings = how.chosen | {name: numbers[name] for name in how.enabled}

    def made(**changed: Any) -> optax.GradientTransformationExtraArgs:
        return optax.with_extra_args_support(found(**settings | changed))

    def at(epoch: jax.Array) -> optax.GradientTransformationExtraArgs:
        return made(**{RATE: learning_rate(how, {**numbers, "lr": numbers[RATE]}, epoch)})

    def init(params: Any) -> Scheduled:
        epoch = jnp.zeros((), jnp.int32)
        return Scheduled(epoch, at(epoch).init(params))

    def update(
        gradient: Any, state: Scheduled, params: Any = None, **extra: Any
    ) -> tuple[Any, Scheduled]:
        updates, inner = at(state.epoch).update(gradient, state.inner, params, **extra)
        return updates, Scheduled(state.epoch + 1, inner)

    return optax.GradientTransformationExtraArgs(init, update) if how.schedule else made()
