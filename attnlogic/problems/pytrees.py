"""The floats of a JAX pytree, packed: their names, their order, and the way back."""

from __future__ import annotations

import dataclasses
import sys
from itertools import product
from typing import Any, NamedTuple

from attnlogic.errors import InputError, described
from attnlogic.problems.architecture import Tensor


class Pytree(NamedTuple):
    """The form of a pytree.

    Attributes:
      tensors: its leaves that are floats. ``fan_in`` is 0: none is known.
      structure: JAX's ``PyTreeDef``.
      leaves: one a leaf: its index in ``tensors``, or what stands there and is not trained.
    """

    tensors: tuple[Tensor, ...]
    structure: Any
    leaves: tuple[Any, ...]

    def unravel(self, packed: Any) -> Any:
        """The pytree of P packed floats, (P,), in their dtype."""
        arrays, at = [], 0
        for tensor in self.tensors:
            size = len(tensor.entries)
            arrays.append(packed[at : at + size].reshape(tensor.shape))
            at += size
        leaves = [arrays[leaf.at] if isinstance(leaf, _Float) else leaf for leaf in self.leaves]
        return self.structure.unflatten(leaves)


class _Float(NamedTuple):
    """Stands for the float leaf of this index."""

    at: int


def packed(tree: Any) -> tuple[Any, Pytree]:
    """The floats of a pytree in one array, (P,), and its form. JAX can trace it.

    Functions and words among the leaves are kept as they are, as are the plain numbers of an
    Equinox module.

    Raises:
      InputError: a leaf is an integer, or an object that JAX does not know; or there is no float.
    """
    import jax
    import jax.numpy as jnp

    with_paths, structure = jax.tree_util.tree_flatten_with_path(tree)
    arrays: list[Any] = []
    tensors: list[Tensor] = []
    leaves: list[Any] = []
    for path, leaf in with_paths:
        if _is_kept(leaf, tree):
            leaves.append(leaf)
            continue
        name = _written(path)
        if not hasattr(leaf, "dtype") and not isinstance(leaf, float | int | complex):
            raise InputError(_unknown_to_jax(name, leaf))
        array = jnp.asarray(leaf)
        if not jnp.issubdtype(array.dtype, jnp.floating):
            raise InputError(
                f"{name or 'the parameter'} has the type {array.dtype}: every parameter is a "
                "float; keep other numbers out of the pytree"
            )
        leaves.append(_Float(len(tensors)))
        tensors.append(entry_names(name or "params", array.shape))
        arrays.append(array.reshape(-1))
    if not sum(len(tensor.entries) for tensor in tensors):
        raise InputError(f"expected a pytree with floats in it, got {described(tree)}")
    return jnp.concatenate(arrays), Pytree(tuple(tensors), structure, tuple(leaves))


def entry_names(name: str, shape: tuple[int, ...]) -> Tensor:
    """A tensor whose entries are named by their index: ``"w[0,1]"``; a scalar by itself."""
    indices = product(*map(range, shape))
    entries = [f"{name}[{','.join(map(str, index))}]" if index else name for index in indices]
    return Tensor(name, tuple(shape), tuple(entries), fan_in=0)


def _is_kept(leaf: Any, tree: Any) -> bool:
    if hasattr(leaf, "dtype"):
        return False
    equinox = sys.modules.get("equinox")
    if equinox is not None and isinstance(tree, equinox.Module):
        return True  # what it trains are arrays
    return callable(leaf) or isinstance(leaf, str | bytes)


def _unknown_to_jax(name: str, leaf: Any) -> str:
    where = f"{name} is" if name else "it is"
    told = f"{where} {described(leaf)}, which is no float"
    if dataclasses.is_dataclass(leaf):
        told += f": register {type(leaf).__name__} with jax.tree_util.register_dataclass"
    return told


def _written(path: tuple[Any, ...]) -> str:
    """A path as Python would write it: ``layers[0].weight``."""
    import jax

    keys = jax.tree_util
    text = ""
    for key in path:
        if isinstance(key, keys.GetAttrKey):
            text += f".{key.name}"
        elif isinstance(key, keys.DictKey):
            word = isinstance(key.key, str) and key.key.isidentifier()
            text += f".{key.key}" if word else f"[{key.key!r}]"
        elif isinstance(key, keys.SequenceKey):
            text += f"[{key.idx}]"
        elif isinstance(key, keys.FlattenedIndexKey):
            text += f"[{key.key}]"
        else:
            text += f"[{key}]"
    return text.removeprefix(".")
