"""torch with the seeds side by side: ``torch.func`` on the notebook's module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from attnlogic.backend import Training
from attnlogic.optimizers import Optimizer
from attnlogic.problems import ROWS, Params, pack
from attnlogic_torch import RawAttentionWithTopNeuron
from bench.work import Result, SkippedError


def constructor(optimizer: Optimizer) -> Callable[[list[torch.Tensor]], Any]:
    """torch's optimizer for stacked parameters: elementwise, so each seed has its own."""
    s: dict[str, Any] = optimizer.settings
    match optimizer.name:
        case "adam" | "adamw":
            kind = torch.optim.AdamW if optimizer.name == "adamw" else torch.optim.Adam
            betas, decay = (s["beta1"], s["beta2"]), s["weight_decay"]
            return lambda stacked: kind(
                stacked, s["lr"], betas, s["eps"], weight_decay=decay, fused=True
            )
        case "sgd":
            return lambda stacked: torch.optim.SGD(stacked, s["lr"], fused=True)
    raise SkippedError(f"torch.optim has no {optimizer.name} that keeps stacked seeds apart")


def prepare(training: Training, initial: Params) -> Callable[[], Result]:
    """Stack the modules, and give what trains them; see ``work.Contender``."""
    construct = constructor(training.optimizer)
    module = RawAttentionWithTopNeuron()
    names = list(stack_module_state([module])[0])
    wq, wk, wv, w1, w2, b = (torch.tensor(leaf) for leaf in pack(initial))
    leaves = [v[:, None, None] for v in (wq, wk, wv)]
    leaves += [torch.stack([w1, w2], 1)[:, None], b[:, None]]
    x = torch.tensor(ROWS, dtype=torch.float32)
    targets = torch.tensor([float(t) for t in training.gate.targets])[:, None]

    def loss(params: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.mse_loss(functional_call(module, params, (x,)), targets)

    evaluate = vmap(grad_and_value(loss))

    def run() -> Result:
        params = {name: leaf.clone() for name, leaf in zip(names, leaves, strict=True)}
        optimizer = construct(list(params.values()))
        first_hit = torch.full((len(b),), -1)
        with torch.no_grad():
            for epoch in range(training.epochs):
                gradients, losses = evaluate(params)
                first_hit[(losses <= training.threshold) & (first_hit < 0)] = epoch
                for name, leaf in params.items():
                    leaf.grad = gradients[name]
                optimizer.step()
        return Result(np.asarray(first_hit), len(b) * training.epochs)

    return run
