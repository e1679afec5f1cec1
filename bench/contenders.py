"""The ways to train seeds that are timed side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attnlogic.backend import Finished, Training, in_order, one_condition
from attnlogic_jax.backend import JaxBackend
from attnlogic_torch import PLAIN
from bench import native, plain_jax, torch_batched
from bench.work import Contender, Result, Starts


def attnlogic(training: Training, initial: Starts) -> Callable[[], Result]:
    """The fast path, all its statistics and their way to NumPy included."""
    return lambda: _result(JaxBackend().train(one_condition(training, initial)))


def torch_one(training: Training, initial: Starts) -> Callable[[], Result]:
    """The notebook's way: one seed after the other, on one core."""
    return lambda: _result(PLAIN.train(one_condition(training, initial)))


def _result(finished: Iterable[Finished]) -> Result:
    outcome = in_order(finished)
    return Result(outcome.first_hit, int(outcome.evaluations.sum()))


def of_any_model(*, plain_epochs: int | None = None) -> list[Contender]:
    """Those that train any model, attnlogic first.

    Args:
      plain_epochs: how many epochs plain JAX trains; None for all.
    """
    return [
        Contender("attnlogic", attnlogic),
        Contender("JAX: jit(vmap(scan)), optax", plain_jax.prepare, epochs=plain_epochs),
    ]


def contenders(*, torch_seeds: int, batched_epochs: int) -> list[Contender]:
    """attnlogic first: the others are compared with it.

    Args:
      torch_seeds: how many seeds torch trains one by one.
      batched_epochs: how many epochs torch trains all seeds side by side.
    """
    return [
        *of_any_model(),
        Contender("torch, one seed at a time", torch_one, seeds=torch_seeds),
        Contender("torch.func, seeds batched", torch_batched.prepare, epochs=batched_epochs),
        Contender("C, AVX2, in registers", native.prepare),
    ]
