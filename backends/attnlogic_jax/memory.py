"""How many seeds are trained at once: as many as keep a device busy, and fit in its memory."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import jax

from attnlogic.backend import Training
from attnlogic_jax import compiled
from attnlogic_jax.compiled import Plan
from attnlogic_jax.given import given as numbers
from attnlogic_jax.groups import of_group
from attnlogic_jax.jaxprs import equations
from attnlogic_jax.method import LANES


def limits(plan: Plan, training: Training) -> tuple[int, int]:
    """The most seeds that a device trains in one chunk, and in one group.

    Args:
      plan: the training's.
      training: any of its kind.
    """
    sizes, platform = plan.record.sizes, plan.platform
    parameters = len(plan.problem.names)
    taken = 0 if platform.memory is None else seed_bytes(plan, training)
    chunk = sizes.of_chunk(platform, parameters, taken)
    return chunk, min(chunk, sizes.of_group(platform, parameters))


def seed_bytes(plan: Plan, training: Training) -> int:
    """Bytes of a device's memory that one seed takes, at most.

    They are those of its start, of what is carried from epoch to epoch, of its outcome, which is no
    larger than both, and of every array that an evaluation makes, as if none took another's place.
    """
    plan = plan._replace(platform=replace(plan.platform, devices=()))
    with jax.enable_x64(training.precision == "float64"):
        given = numbers([training])
        packed = jax.ShapeDtypeStruct((len(plan.problem.names), LANES), training.precision)  # type: ignore[no-untyped-call]  # JAX's own
        carry = compiled.start.jitted(plan.platform).eval_shape(plan, given, packed)
        evaluated = jax.make_jaxpr(partial(_evaluated, plan))(given, packed)
    made = [out.aval for equation in equations(evaluated.jaxpr) for out in equation.outvars]
    kept = jax.tree.leaves((packed, carry))
    return sum(map(_bytes, [*kept, *kept, *made])) // LANES


def _evaluated(plan: Plan, given: Any, packed: jax.Array) -> Any:
    return plan.evaluation(of_group(0, given))(packed)


def _bytes(array: Any) -> int:
    return int(array.size * array.dtype.itemsize)
