"""The ways to train seeds that are timed side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from attnlogic.backend import Finished, Training, in_order, one_condition
from attnlogic_jax.backend import JaxBackend
from attnlogic_torch import PLAIN, TORCH
from bench import fast_jax, native, plain_equinox, plain_jax, torch_batched
from bench.work import Contender, Result, Starts


def attnlogic(training: Training, initial: Starts) -> Callable[[], Result]:
    """The fast path, all its statistics and their way to NumPy included."""
    return lambda: _result(JaxBackend().train(one_condition(training, initial)))


def torch_one(training: Training, initial: Starts) -> Callable[[], Result]:
    """The notebook's way: one seed after the other, on one core."""
    return lambda: _result(PLAIN.train(one_condition(training, initial)))


def torch_many(training: Training, initial: Starts, *, jobs: int = 1) -> Callable[[], Result]:
    """The torch backend: many seeds at once, in so many processes of one thread each."""
    return lambda: _result(TORCH.train(one_condition(training, initial), jobs=jobs))


def _result(finished: Iterable[Finished]) -> Result:
    outcome = in_order(finished)
    return Result(outcome.first_hit, int(outcome.evaluations.sum()))


def of_any_model(*, peer_epochs: int | None = None) -> list[Contender]:
    """Those that train any model, attnlogic first.

    Args:
      peer_epochs: how many epochs the others train; None for all.
    """
    return [
        Contender("attnlogic", attnlogic),
        Contender("JAX, the fastest found", fast_jax.prepare, epochs=peer_epochs),
        Contender("JAX: jit(vmap(scan)), optax", plain_jax.prepare, epochs=peer_epochs),
    ]


def of_torch(*, alone_seeds: int) -> list[Contender]:
    """The torch backend, many seeds at once in one process and in one a core; its plain loop.

    Args:
      alone_seeds: how many seeds the plain loop trains.
    """
    everywhere = partial(torch_many, jobs=TORCH.default_jobs)
    return [
        Contender("torch, many seeds at once", torch_many),
        Contender("torch, many seeds at once, a process a core", everywhere),
        Contender("torch, one seed at a time", torch_one, seeds=alone_seeds),
    ]


def contenders(*, torch_seeds: int, peer_epochs: int, torch_epochs: int) -> list[Contender]:
    """attnlogic first: the others are compared with it.

    Args:
      torch_seeds: how many seeds torch trains one by one.
      peer_epochs: how many epochs the others train that are much slower than attnlogic.
      torch_epochs: how many epochs torch trains all seeds side by side.
    """
    ours, fastest, plain = of_any_model()
    compiled = partial(torch_batched.prepare, compiled=True)
    return [
        ours,
        fastest,
        plain._replace(epochs=peer_epochs),
        Contender("Equinox: filter_jit(filter_vmap)", plain_equinox.prepare, epochs=peer_epochs),
        Contender("torch.func, torch.compile", compiled, epochs=torch_epochs),
        Contender("torch.func", torch_batched.prepare, epochs=torch_epochs),
        Contender("torch, one seed at a time", torch_one, seeds=torch_seeds, epochs=peer_epochs),
        Contender("C, AVX2, in registers", native.prepare),
    ]
