"""Training lowered for a platform, without compiling it: for the tests of other platforms."""

import re

import jax
import numpy as np
from jax import export

from attnlogic_jax import compiled
from attnlogic_jax.contexts import captured
from attnlogic_jax.given import given
from attnlogic_jax.platforms import Platform

GROUPS, SEEDS = 8, 512


def lowered(platform, training, function=compiled.advance, devices=()):
    """A compiled function of training, as ``jax.export`` has it.

    Args:
      platform: its name.
      training: the training, of seeds in several groups; only of one for a trace.
      function: one of ``compiled``.
      devices: those that share the seeds; whatever they are, they stand for others.
    """
    on = Platform(platform, devices)
    plan = compiled.Plan.of(training, on)
    groups = 1 if function in (compiled.trace, compiled.gradient_norm) else GROUPS
    numbers = jax.tree.map(np.asarray, given([training] * groups))
    epochs = jax.ShapeDtypeStruct((), np.int32)
    with captured(training.precision, on)():
        packed = jax.ShapeDtypeStruct((len(plan.problem.names), SEEDS), training.precision)
        more = {compiled.start: lambda: (packed,), compiled.gradient_norm: lambda: (packed,)}
        more[compiled.advance] = lambda: (carry(plan, numbers, packed), epochs)
        more[compiled.finish] = lambda: (packed, carry(plan, numbers, packed))
        more[compiled.trace] = lambda: ((packed, state(plan, numbers, packed)), epochs, 64, 1)
        exporting = export.export(function.jitted(on), platforms=[platform])
        first = plan.ending(numbers) if function is compiled.finish else plan
        return exporting(first, numbers, *more[function]())


def instructions(exported):
    """The text of what was exported, without the places in our code that JAX notes beside it.

    Which place it notes depends on who traced the same expression first.
    """
    return re.sub(r" loc\((?:#loc\d*|unknown)\)|(?m:^#loc.*\n)", "", exported.mlir_module())


def carry(plan, numbers, packed):
    """The shapes of what is carried from epoch to epoch."""
    return compiled.start.jitted(plan.platform).eval_shape(plan, numbers, packed)


def state(plan, numbers, packed):
    """The shapes of the optimizer's state."""
    return compiled.state.jitted(plan.platform).eval_shape(plan, numbers, packed)
