"""torch with the seeds side by side: ``torch.func`` on the notebook's module."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from attnlogic.backend import Training
from attnlogic.optimizers import Optimizer
from attnlogic.problems import ROWS
from attnlogic_torch import RawAttentionWithTopNeuron
from attnlogic_torch.optimizers import record
from bench.machine import cxx
from bench.work import Result, SkippedError, Starts


def constructor(optimizer: Optimizer) -> Callable[[list[torch.Tensor]], torch.optim.Optimizer]:
    """How to build torch's optimizer on stacked parameters, so that each seed has its own.

    Raises:
      SkippedError: a seed's step would depend on the other seeds' gradients, or the rate decays.
    """
    how, settings = record(optimizer), optimizer.step_settings
    if not how.elementwise or optimizer.schedule.structure:
        raise SkippedError(f"torch.optim has no {optimizer} that keeps stacked seeds apart")
    return lambda stacked: how.build(stacked, **settings, fused=True)


def prepare(training: Training, initial: Starts, *, compiled: bool = False) -> Callable[[], Result]:
    """Stack the modules, and give what trains them; see ``work.Contender``.

    Args:
      training, initial: the work.
      compiled: whether losses and gradients are computed by ``torch.compile``'s code. torch's fused
        optimizer stays as it is: compiled in one function with the rest it was no faster.
    """
    construct = constructor(training.optimizer)
    if compiled and cxx() is None:
        raise SkippedError("torch.compile needs a C++ compiler (g++ or clang++)")
    module = RawAttentionWithTopNeuron()
    names = list(stack_module_state([module])[0])
    wq, wk, wv, w1, w2, b = map(torch.tensor, initial)
    leaves = [v[:, None, None] for v in (wq, wk, wv)]
    leaves += [torch.stack([w1, w2], 1)[:, None], b[:, None]]
    x = torch.tensor(ROWS, dtype=torch.float32)
    targets = torch.tensor([float(t) for t in training.problem.data.targets])[:, None]

    def loss(params: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.mse_loss(functional_call(module, params, (x,)), targets)

    evaluate = vmap(grad_and_value(loss))
    if compiled:
        torch.compiler.reset()  # what another optimizer has compiled is compiled once more
        evaluate = torch.compile(evaluate, dynamic=False)

    def run() -> Result:
        params = {name: leaf.clone() for name, leaf in zip(names, leaves, strict=True)}
        optimizer = construct(list(params.values()))
        first_hit = torch.full((len(b),), -1)
        with torch.no_grad():
            for epoch in range(training.epochs):
                gradients, losses = evaluate(params)
                hits = (losses <= training.threshold) & (first_hit < 0)
                first_hit.masked_fill_(hits, epoch)
                for name, leaf in params.items():
                    leaf.grad = gradients[name]
                optimizer.step()
        return Result(np.asarray(first_hit), len(b) * training.epochs)

    return run
