"""One run in words, as the notebook prints it: trace, threshold, parameters, formula."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attnlogic.outcomes import NONE
from attnlogic.studies import Run
from attnlogic.view.numbers import loss, minus
from attnlogic.words import counted

MAX_PARAMETERS = 64
"""Parameters that are printed, at most."""

MAX_TRACE_LINES = 12
"""Lines of a run's trace, at most, if no step is asked for: a small terminal holds it all."""


def trace_step(epochs: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, … that gives ``MAX_TRACE_LINES`` or fewer.

    Example:
      >>> trace_step(8000)
      1000
    """
    powers: Iterator[int] = (10**k for k in range(12))
    steps = (m * power for power in powers for m in (1, 2, 5))
    return next(step for step in steps if -(-epochs // step) <= MAX_TRACE_LINES)


def run_text(run: Run, every: int | None = None, *, trace: bool = True) -> str:
    """One run as the notebook prints it: trace, threshold analysis, parameters, formula.

    Args:
      run: the run.
      every: the trace has the epochs 0, every, 2·every, …; None for ``trace_step``.
      trace: whether to have one.
    """
    training, outcome, losses = run.training, run.outcome, run.history.losses
    step = every or trace_step(len(losses))
    lines = [
        f"{training} · seed {run.seed} · {run.backend} "
        f"{training.precision} · {training.epochs} epochs",
        "",
        *(f"Epoch {e}, loss = {loss(losses[e])}" for e in range(0, len(losses), step) if trace),
        *([""] if trace else []),
        *_threshold_lines(run),
        "",
    ]
    if outcome.diverged_at != NONE:
        return "\n".join([*lines, "There are no learned parameters: they are not finite."])
    what = training.problem
    values = [*zip(what.names, outcome.final, strict=True)]
    more = f", … ({len(values)} in all)" if len(values) > MAX_PARAMETERS else ""
    shown = ", ".join(f"{n} = {_number(v)}" for n, v in values[:MAX_PARAMETERS])
    return "\n".join(
        [
            *lines,
            f"Learned parameters: {shown}{more}",
            *(
                f"{own.name} = {own.meaning} = {_number(outcome.quantities[own.name])}"
                for own in what.own
            ),
            *formulas(run),
        ]
    )


def runs_text(runs: Sequence[Run]) -> str:
    """Several runs of one condition, a line each."""
    first = runs[0]
    heading = (
        f"{first.training} · {first.backend} {first.training.precision} · "
        f"{first.training.epochs} epochs"
    )
    return "\n".join([heading, "", *map(_line, runs)])


def _line(run: Run) -> str:
    hit = int(run.outcome.first_hit)
    when = "never hit" if hit == NONE else f"first hit {hit:,}, {counted(len(run.rises), 'rise')}"
    own = "".join(f", {name} = {_number(value)}" for name, value in run.outcome.quantities.items())
    return f"seed {run.seed}: {run.status}, {when}, last loss {run.outcome.final_loss:.2g}{own}"


def _threshold_lines(run: Run) -> list[str]:
    outcome, threshold = run.outcome, f"{run.training.threshold:g}"
    if outcome.first_hit == NONE:
        lines = [f"Threshold {threshold}: never reached."]
    else:
        rises = run.rises
        more = ", …" if len(rises) > 10 else ""
        listed = f": {', '.join(map(str, rises[:10]))}{more}" if rises else ""
        lines = [
            f"Threshold {threshold}: first reached at epoch {outcome.first_hit}.",
            f"Epochs after it whose loss rose: {len(rises)}{listed}",
        ]
    if outcome.stopped_at != NONE:
        lines.append(f"Stopped by its own rule at epoch {outcome.stopped_at}.")
    if outcome.diverged_at != NONE:
        lines.append(f"Diverged: the loss of epoch {outcome.diverged_at} is not finite.")
    return [*lines, f"Last loss: {outcome.final_loss:.12f} ({run.status})"]


def formulas(run: Run) -> list[str]:
    """The collapsed form and the expanded one, with the run's numbers put in.

    Of another model than the notebook's neuron: its formula.
    """
    if run.coefficients is None:
        return [f"out = {run.training.problem.formula}"]
    final = run.training.problem.unpack(tuple(run.outcome.final))
    w1, w2 = final.w
    x1, x2, x1x2, bias = run.coefficients.values()
    C = run.outcome.quantities["C"]
    return [
        f"out = ({_number(w1)}·x1 {_signed(w2)}·x2)({_number(C)}·(x1² + x2²) + 1) "
        f"{_signed(final.b)}",
        f"    = {_number(x1)}·x1 {_signed(x2)}·x2 {_signed(x1x2)}·x1·x2 {_signed(bias)}   "
        "on inputs 0 and 1",
    ]


def _number(value: Any) -> str:
    """Four decimals; four significant digits where that is more: a tiny weight times a huge C."""
    number = float(value) + 0.0  # no −0
    form = ".4g" if 0 < abs(number) < 0.1 else ".4f"
    return minus(format(number, form))


def _signed(value: Any) -> str:
    sign = "−" if float(value) < 0 else "+"
    return f"{sign} {_number(abs(float(value)))}"
