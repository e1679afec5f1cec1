"""What a traced function consists of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax


def equations(jaxpr: Any) -> Iterator[Any]:
    """All equations of a jaxpr, those within others included.

    Example:
      >>> closed = jax.make_jaxpr(jax.jit(lambda x: 2 * x + 1))(1.0)
      >>> [equation.primitive.name for equation in equations(closed.jaxpr)]
      ['jit', 'mul', 'add']
    """
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.tree.leaves(
            [*equation.params.values()], is_leaf=lambda it: hasattr(it, "eqns")
        ):
            if hasattr(inner, "eqns"):
                yield from equations(inner)
