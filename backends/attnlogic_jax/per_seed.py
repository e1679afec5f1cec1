"""optax's own transformations, each seed by itself: they never see two seeds as one tensor.

For those that look across parameters, or that evaluate the loss themselves. Seeds are mapped over,
which takes some 1.6 times as long as the rules of ``elementwise`` on all seeds at once.

optax is imported when one of them is built: studies of our own optimizers start sooner without it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from attnlogic.optimizers import Structure
from attnlogic_jax.elementwise import Numbers
from attnlogic_jax.method import Evaluate, Evaluated, Goal, Method, Report, State
from attnlogic_jax.tensors import PACKED, Form

if TYPE_CHECKING:
    import optax

Transformation = Callable[[Numbers], "optax.GradientTransformation"]
"""An optimizer of optax's from the numbers of one seed, each ()."""


def per_seed(
    transformation: Transformation,
    numbers: Numbers,
    *,
    searches: bool,
    form: Form = PACKED,
    shares_counters: bool = False,
) -> Method:
    """A transformation of optax's as a method.

    Args:
      transformation: makes it; with the value, the gradient and the loss as extra arguments.
      numbers: see ``method``.
      searches: whether it has a line search, whose evaluations are counted beside the one that an
        epoch begins with.
      form: how it takes the parameters of a seed, their gradient and its updates.
      shares_counters: whether the whole numbers in its state are the same for all seeds, and kept
        once: what is computed from them, such as Adam's bias corrections, is computed once, too.
    """
    import optax

    axes = {name: -1 if number.ndim else None for name, number in numbers.items()}

    def init(packed: jax.Array) -> State:
        def one(numbers: Numbers, packed: jax.Array) -> State:
            state = transformation(numbers).init(form.unpack(packed))
            return jax.tree.map(jnp.asarray, state)

        packed = _flat(packed)
        if packed.ndim == 1:
            return one(numbers, packed)
        state = jax.eval_shape(one, _of_one(numbers), packed[:, 0])
        kept = jax.tree.map(partial(seed_axis, shared=shares_counters), state)
        return jax.vmap(one, in_axes=(axes, -1), out_axes=kept)(numbers, packed)

    def step(
        evaluate: Evaluate, packed: jax.Array, state: State
    ) -> tuple[jax.Array, State, Report]:
        here, shape = evaluate(packed), packed.shape
        packed, seeds = _flat(packed), shape[1:]
        loss_of = _loss(lambda p: _flat(evaluate(p.reshape(-1, *seeds)).stacked), packed)

        def one(
            numbers: Numbers, packed: jax.Array, here: Evaluated, before: State
        ) -> tuple[jax.Array, State, jax.Array]:
            params, gradient = form.unpack(packed), form.unpack(here.gradient)
            updates, state = updated(
                transformation(numbers),
                gradient,
                before,
                params,
                value=here.loss,
                grad=gradient,
                value_fn=lambda params: loss_of(form.pack(params)),
            )
            spent = optax.tree.get(state, "num_linesearch_steps", 0) if searches else 0
            state = jax.tree.map(lambda new, old: new.astype(old.dtype), state, before)
            moved = form.pack(optax.apply_updates(params, updates))
            return moved, state, jnp.asarray(1 + spent, jnp.int32)

        # optax relies on both.
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            every: Callable[..., Any] = one
            if packed.ndim > 1:
                kept = jax.tree.map(lambda leaf: -1 if leaf.ndim else None, state)
                every = jax.vmap(one, in_axes=(axes, -1, -1, kept), out_axes=(-1, kept, -1))
            moved, state, spent = every(numbers, packed, jax.tree.map(_flat, here), state)
        loss = here.loss
        # A run at no number stays there, and spends no more on its search.
        finite = jnp.isfinite(loss)
        moved = jnp.where(finite[None], moved.reshape(shape), packed.reshape(shape))
        evaluations = jnp.where(finite, spent.reshape(seeds), 1) if searches else None
        return moved, state, Report(loss, here.quantities, evaluations)

    return Method(init, step, counts_evaluations=searches)


def updated(
    transformation: optax.GradientTransformation,
    gradient: Any,
    state: Any,
    params: Any,
    **given: Any,
) -> tuple[Any, Any]:
    """The updates and the state after a step, with those extra arguments that are taken."""
    import optax

    chosen = optax.with_extra_args_support(transformation)
    parameters = inspect.signature(chosen.update).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        given = {name: value for name, value in given.items() if name in parameters}
    updates, after = chosen.update(gradient, state, params, **given)
    return updates, after


def seed_axis(leaf: Any, *, shared: bool) -> int | None:
    """The axis of the seeds of a leaf of one seed's state; None for a whole number that all share.

    Args:
      leaf: the leaf.
      shared: whether whole numbers are shared.
    """
    whole = not leaf.ndim and jnp.issubdtype(leaf.dtype, jnp.integer)
    return None if shared and whole else -1


def _of_one(numbers: Numbers) -> Numbers:
    return {name: number[0] if number.ndim else number for name, number in numbers.items()}


def _flat(rows: jax.Array) -> jax.Array:
    """Rows (R, …) with one axis of seeds, or none."""
    return rows if rows.ndim <= 2 else rows.reshape(rows.shape[0], -1)


def _loss(
    evaluate: Callable[[jax.Array], jax.Array], like: jax.Array
) -> Callable[[jax.Array], jax.Array]:
    """The loss of one seed, (P,) to (), whose gradient is the one ``evaluate`` gives with it.

    Mapped over seeds it is evaluated for all of them, packed as elsewhere: what each seed has of
    its own, such as targets, lies in ``evaluate`` with the seeds' axis.

    Args:
      evaluate: the loss and its gradient, stacked; on one seed, or on all.
      like: packed parameters (P,) or (P, N), as it will be given.
    """
    if like.ndim == 1:
        stacked = evaluate
    else:
        converted, data = jax.closure_convert(evaluate, like)
        rows = jax.eval_shape(evaluate, like).shape[0]

        @jax.custom_batching.custom_vmap
        def mapped(packed: jax.Array, *data: jax.Array) -> jax.Array:
            return jnp.zeros(rows, packed.dtype)  # its shape: it is always mapped

        @mapped.def_vmap
        def _(
            size: int, batched: Any, packed: jax.Array, *data: jax.Array
        ) -> tuple[jax.Array, bool]:
            # A loop makes copies of the data, one for each seed.
            own = [d[0] if copied else d for d, copied in zip(data, batched[1:], strict=True)]
            return converted(packed.T, *own).T, True

        def stacked(packed: jax.Array) -> jax.Array:
            found: jax.Array = mapped(packed, *data)
            return found

    @jax.custom_vjp
    def loss(packed: jax.Array) -> jax.Array:
        return stacked(packed)[0]

    def forward(packed: jax.Array) -> tuple[jax.Array, jax.Array]:
        both = stacked(packed)
        return both[0], both[1 : 1 + len(packed)]

    loss.defvjp(forward, lambda gradient, slope: (slope * gradient,))
    # optax's own numbers are of JAX's widest dtype, and so may be its trials.
    return lambda packed: loss(packed.astype(like.dtype))


def lbfgs_zoom(how: Structure, numbers: Numbers, goal: Goal) -> Method:
    """``optax.lbfgs`` with its zoom line search: one iteration an epoch."""
    import optax

    settings = how.chosen

    def transformation(numbers: Numbers) -> optax.GradientTransformation:
        search = optax.scale_by_zoom_linesearch(
            max_linesearch_steps=int(settings["max_linesearch_steps"]),
            slope_rtol=numbers["slope_rtol"],
            curv_rtol=numbers["curv_rtol"],
            initial_guess_strategy="one",
        )
        return optax.lbfgs(
            memory_size=int(settings["memory_size"]),
            scale_init_precond=bool(settings["scale_init_precond"]),
            linesearch=search,
        )

    return per_seed(transformation, numbers, searches=True)
