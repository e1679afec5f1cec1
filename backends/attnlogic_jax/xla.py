"""What XLA, JAX's compiler, is asked for beyond its defaults."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from threading import RLock
from typing import Any

import jax
from jax.experimental.xla_metadata import set_xla_metadata

from attnlogic_jax.contexts import setting
from attnlogic_jax.platforms import Platform

Names = str | tuple[str, ...]
"""Names of arguments."""

VECTORS = {"xla_cpu_prefer_vector_width": 512}
"""XLA's CPU compiler keeps to vectors of 256 bits if nothing else is asked for; where the processor
has wider ones training is a third faster with them."""

NO_LIBRARY = {"xla_cpu_experimental_ynn_fusion_type": ""}
"""XLA's CPU compiler hands matrix products, which a user's loss may have, to a library that cannot
be called from code for one core. A version without this option has no such library."""


@cache
def options(platform: Platform) -> dict[str, Any]:
    """The compiler's options that this version of XLA knows; other compilers than a CPU's get none.

    Args:
      platform: what is compiled for; its compiler is asked.
    """
    if platform.name != "cpu":
        return {}
    every = VECTORS | NO_LIBRARY
    if _refused(every) is None:
        return every
    found: dict[str, Any] = {}
    for option in (VECTORS, NO_LIBRARY):
        refused = _refused(option)
        if refused is None:
            found |= option
        elif option is VECTORS:
            warnings.warn(
                f"this version of XLA refuses {option} ({refused}): training goes on without, and "
                "takes about a third longer on processors with vectors of 512 bits",
                stacklevel=2,
            )
    return found


def _refused(option: dict[str, Any]) -> str | None:
    """What XLA says against an option; None if it knows it."""
    try:
        jax.jit(lambda x: x, compiler_options=option).lower(0.0).compile()
    except Exception as error:  # whatever XLA makes of an option that it has dropped
        return str(error).splitlines()[0]
    return None


class jit:  # noqa: N801  # it is JAX's jit, but for when it asks XLA what it knows
    """``jax.jit`` with ``options``, made when the function is first used, in whatever thread.

    The function's first argument is a plan, or what is left of one at the end, with the platform
    that it is compiled for. While JAX
    searches for NaN nothing is donated: it calls a function again to find its origin.
    """

    _first_use = RLock()

    def __init__(
        self, function: Callable[..., Any], *, static: Names = (), donated: Names = ()
    ) -> None:
        self._function, self._static, self._donated = function, static, donated
        self._made: dict[tuple[Names, Platform], Any] = {}

    def jitted(self, platform: Platform) -> Any:
        """JAX's own function, which can also be lowered without being called."""
        donated = () if setting("debug_nans") else self._donated
        with self._first_use:
            if (donated, platform) not in self._made:
                self._made[donated, platform] = jax.jit(
                    self._function,
                    compiler_options=options(platform),
                    static_argnames=self._static,
                    donate_argnames=donated,
                )
            return self._made[donated, platform]

    def __call__(self, plan: Any, *arguments: Any, **named: Any) -> Any:
        return self.jitted(plan.platform)(plan, *arguments, **named)


def on_one_core(function: Callable[[Any], Any], tree: Any) -> Any:
    """Call a function, compiled as a whole for one core of a CPU.

    The attributes are XLA's: ``xla_cpu_small_call`` makes a call one function without threads
    within, and ``inlineable`` keeps it a call until then. Without them this is as right, but slow.
    """
    attributes = {"xla_cpu_small_call": "true", "inlineable": "false"}
    called = jax.jit(function)(tree)
    return set_xla_metadata(called, **attributes)  # type: ignore[no-untyped-call]  # JAX's own
