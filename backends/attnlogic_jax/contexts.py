"""JAX's settings while this backend works: the caller's, in every thread, and the backend's own.

A ``with`` block of JAX's, such as ``jax.default_device(…)``, holds in its own thread only, and
chunks are trained in others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import jax

from attnlogic_jax.platforms import Platform

CARRIED = (
    "check_tracer_leaks", "debug_nans", "default_device", "default_matmul_precision", "disable_jit",
    "explain_cache_misses", "log_compiles", "numpy_dtype_promotion", "numpy_rank_promotion",
)  # fmt: skip
"""The settings of JAX's that are the caller's: each is a context manager of ``jax`` and, with
``jax_`` before its name, a value of ``jax.config``."""


def setting(name: str) -> Any:
    """The value of a setting of JAX's, here and now."""
    return getattr(jax.config, f"jax_{name}")


def captured(precision: str, platform: Platform) -> Callable[[], AbstractContextManager[None]]:
    """The calling thread's settings with the backend's own, to be entered in any thread.

    Args:
      precision: float64 is allowed within if it is ``"float64"``, and nowhere else.
      platform: where it trains.

    Returns:
      A function that gives a new context, as often as it is called.
    """
    callers = {name: setting(name) for name in CARRIED}
    if callers["default_matmul_precision"] is None:
        callers["default_matmul_precision"] = platform.matmul_precision

    @contextmanager
    def entered() -> Iterator[None]:
        with ExitStack() as stack:
            for name, value in callers.items():
                stack.enter_context(getattr(jax, name)(value))
            stack.enter_context(jax.enable_x64(precision == "float64"))
            # In the folded statistics infinity is the largest loss, as its definition has it.
            stack.enter_context(jax.debug_infs(False))
            # Every transfer here is meant: starts in, outcomes out.
            stack.enter_context(jax.transfer_guard("allow"))
            yield

    return entered
