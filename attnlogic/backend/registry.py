"""Backends by name: any package can register one.

A backend is imported when it is first used: to know the names imports no framework.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from attnlogic.backend.protocol import Backend
from attnlogic.errors import InputError, unknown

T = TypeVar("T")

GROUP = "attnlogic.backends"
"""The entry-point group under which a package registers its backend."""


@cache
def _registered() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        # An editable install on top of another lists the same entry twice: not a conflict.
        if entry.name in found and found[entry.name].value != entry.value:
            raise InputError(
                f"two packages register a backend named '{entry.name}' "
                f"({found[entry.name].value} and {entry.value}): uninstall one of them"
            )
        found[entry.name] = entry
    return found


def names() -> list[str]:
    """The names of the registered backends; imports none of them."""
    return sorted(_registered())


def backend(name: str | Backend) -> Backend:
    """The backend with this name, imported now if it was not before.

    Raises:
      InputError: no such backend is registered, or what it needs is not installed.
    """
    if isinstance(name, Backend):
        return name
    if not isinstance(name, str):
        raise InputError(f"a backend is a name or a Backend, got {name!r}")
    entries = _registered()
    if name not in entries:
        raise unknown("backend", name, entries)
    try:
        loaded = entries[name].load()
    except ModuleNotFoundError as error:
        ours = name in ("torch", "torch-plain")
        raise InputError(
            f"backend '{name}' needs the package '{error.name}', which is not installed: "
            + ("pip install 'attnlogic[torch]'" if ours else "install it with pip")
        ) from error
    except Exception as error:
        raise InputError(
            f"backend '{name}' ({entries[name].value}) fails on import: {error!r}: "
            "mend or uninstall the package that registers it"
        ) from error
    if not isinstance(loaded, Backend):
        raise InputError(
            f"backend '{name}' ({entries[name].value}) lacks methods of attnlogic.backend.Backend"
        )
    return loaded


def on_device(trainer: Backend, device: str) -> Backend:
    """The same backend on another device: it has a method ``on`` for that.

    Raises:
      InputError: it has none, or no such device.
    """
    on: Callable[[str], Backend] | None = getattr(trainer, "on", None)
    if on is None:
        hint = ", or set JAX_PLATFORMS" if trainer.name == "jax" else ""
        raise InputError(
            f"the {trainer.name} backend chooses its device by itself: leave --device out{hint}"
        )
    return on(device)


@contextmanager
def closed(work: Iterator[T]) -> Iterator[Iterator[T]]:
    """An iterator of a backend's, closed at the end of the ``with`` block: then its work ends."""
    try:
        yield work
    finally:
        close = getattr(work, "close", None)  # generators have it, other iterators need not
        if close is not None:
            close()
