"""Another package's optimizer, tried without any arithmetic: what it needs, and what it does."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attnlogic.errors import InputError
from attnlogic.optimizers import Structure
from attnlogic.outside import users_code
from attnlogic.problems import Problem
from attnlogic_jax.elementwise import Numbers
from attnlogic_jax.foreign import transformation
from attnlogic_jax.jaxprs import equations
from attnlogic_jax.method import LANES
from attnlogic_jax.per_seed import seed_axis, updated
from attnlogic_jax.tensors import form_of

LARGE = 16
"""Numbers that an optimizer keeps for each parameter, up to which as many seeds are trained at once
as with ours."""

STEPS = "num_linesearch_steps"
"""What optax calls a line search's count of evaluations in a state."""

WITH_THREADS = (
    "scatter", "svd", "eigh", "eig", "qr", "lu", "cholesky", "triangular_solve", "householder",
    "schur", "sort", "top_k", "fft", "tridiagonal", "ffi_call", "pure_callback", "io_callback",
    "debug_callback",
)  # fmt: skip
"""Beginnings of the names of JAX's operations for which XLA has no code for one core: scatters, and
calls into libraries."""


class Traits(NamedTuple):
    """What an optimizer turned out to do.

    Attributes:
      searches: whether it has a line search, whose evaluations are counted.
      shares_counters: whether the whole numbers that it keeps are the same for all seeds.
      one_core: whether a CPU can train it by one function for one core.
      large: whether it keeps more than ``LARGE`` numbers for each parameter.
    """

    searches: bool
    shares_counters: bool
    one_core: bool
    large: bool


@functools.lru_cache(4096)
def traits(how: Structure, problem: Problem, precision: str = "float32") -> Traits:
    """Trace one step of one seed.

    Args:
      how: see ``foreign.structure``.
      problem: what is trained; its targets do not matter.
      precision: of the training.

    Raises:
      InputError: it raises, needs an argument that it is not given here, changes the shapes or
        types of parameters or of its state, or evaluates the loss uncounted.
    """
    what, form, asked = f"optimizer '{how.name}'", form_of(problem), []
    how = how._replace(schedule=())  # it changes a number alone

    def loss(params: Any) -> jax.Array:
        asked.append(True)
        return ((form.pack(params) - 1) ** 2).sum()

    def begin(numbers: Numbers, packed: jax.Array) -> Any:
        return transformation(how, numbers).init(form.unpack(packed))

    def step(numbers: Numbers, packed: jax.Array, state: Any) -> tuple[Any, Any]:
        params = form.unpack(packed)
        given = {"value": packed.sum(), "grad": params, "value_fn": loss}
        return updated(transformation(how, numbers), params, state, params, **given)

    with (
        jax.enable_x64(precision == "float64"),
        jax.numpy_rank_promotion("allow"),
        jax.numpy_dtype_promotion("standard"),
    ):
        number = jnp.zeros((), precision)
        numbers = dict.fromkeys(how.enabled, number)
        packed = jnp.zeros(len(problem.names), precision)
        with users_code(f"{what}: its init"):
            state = jax.eval_shape(begin, numbers, packed)
        with users_code(f"{what}: its update, which is given value, grad and value_fn,"):
            updates, after = jax.eval_shape(step, numbers, packed, state)
        params = jax.eval_shape(form.unpack, packed)
        _check_same(f"{what}: its updates", updates, "the parameters", params)
        _check_same(f"{what}: its state after a step", after, "before it", state)
        searches = sum(_name(path) == STEPS for path, _ in jax.tree.leaves_with_path(state))
        if asked and searches != 1:
            raise InputError(
                f"{what} evaluates the loss itself, and does not say how often: its evaluations "
                "could not be counted"
            )
        shared = True
        try:
            operations = _over_seeds(step, numbers, packed, state, shared=True)
        except ValueError:  # what counts does not count the same for all
            shared, operations = False, _over_seeds(step, numbers, packed, state, shared=False)
    kept = sum(leaf.size for leaf in jax.tree.leaves(state))
    return Traits(
        searches=searches == 1,
        shares_counters=shared,
        one_core=not any(name.startswith(WITH_THREADS) for name in operations),
        large=kept > LARGE * len(problem.names),
    )


def _over_seeds(
    step: Callable[..., Any], numbers: Numbers, packed: Any, state: Any, *, shared: bool
) -> set[str]:
    """The operations of a step of several seeds side by side."""
    axis = functools.partial(seed_axis, shared=shared)

    def several(one: Any) -> Any:
        shape = one.shape if axis(one) is None else (*one.shape, LANES)
        return jax.ShapeDtypeStruct(shape, one.dtype)  # type: ignore[no-untyped-call]  # JAX's own

    axes = jax.tree.map(axis, state)
    mapped = jax.vmap(step, in_axes=(-1, -1, axes), out_axes=(-1, axes))
    seeds = jax.tree.map(several, (numbers, packed, state))
    traced = jax.make_jaxpr(mapped)(*seeds).jaxpr
    return {equation.primitive.name for equation in equations(traced)}


def _check_same(what: str, got: Any, where: str, expected: Any) -> None:
    """Refuse another structure, shape or type."""
    forms: list[Any] = [jax.tree.structure(tree) for tree in (got, expected)]
    if forms[0] != forms[1]:
        raise InputError(f"{what} have another structure than {where}, which cannot be trained on")
    leaves = zip(jax.tree.leaves_with_path(expected), jax.tree.leaves(got), strict=True)
    for (path, one), other in leaves:
        if (one.shape, one.dtype) != (other.shape, other.dtype):
            raise InputError(
                f"{what} have the shape {other.shape} of {other.dtype} at "
                f"{jax.tree_util.keystr(path)}, and {where} {one.shape} of {one.dtype}: "
                "expected the same"
            )


def _name(path: tuple[Any, ...]) -> str:
    """The last key of a path."""
    return str(getattr(path[-1], "name", "")) if path else ""
