"""How is the loss curved where runs end? Minimum or saddle, how sharp, how many flat directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attnlogic.statistics.chart import Chart
from attnlogic.statistics.statistic import Column, Row, Statistic, by_condition
from attnlogic.view import CONDITION, Heading, Sheet, numbers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from attnlogic.results import Known

RUNS_AT_ONCE = 2**12
"""Runs whose derivatives are in memory at once: 80 MB for five bits."""

ROUNDING = 1e-4
"""An eigenvalue is zero up to this share of the largest one's magnitude: at a solution the
others are more than ten times as large, and a float32 end leaves some 1e-6."""

AROUND_SOLUTION = ("solved", "near")
"""The endings around an exact solution. The solution is a minimum, with the loss 0, so whatever
curves downwards next to it does so because the run is not quite there."""

COLUMNS = by_condition(
    Column("ended", str, "", "where the runs ended: see endings"),
    Column("runs", int, "runs", "runs that ended there, at finite parameters"),
    Column("sharpness_q05", float, "", "largest eigenvalue of the Hessian: 5 % quantile"),
    Column("sharpness_median", float, "", "likewise: median"),
    Column("sharpness_q95", float, "", "likewise: 95 % quantile"),
    Column("least_median", float, "", "smallest eigenvalue of the Hessian: median"),
    Column("saddles", int, "runs", "runs with an eigenvalue below zero"),
    Column("negative", float, "directions", "eigenvalues below zero: mean"),
    Column("flat", float, "directions", "eigenvalues that are zero: mean"),
    Column("positive", float, "directions", "eigenvalues above zero: mean"),
)


def _rows(conditions: Iterable[pl.DataFrame]) -> Iterator[Row]:
    """The eigenvalues of the Hessian where runs ended, by condition and ending.

    Gradient descent is stable only where the largest is below 2/lr. What counts as zero: see
    ``zero_within``. Runs whose end is not finite are left out, and so are models whose Hessian
    theory does not know: all but attention with raw scores and one head, on a gate. Its parameters
    must be columns.
    """
    import numpy as np

    from attnlogic.results import condition, ending, known_of
    from attnlogic.theory import ENDINGS

    for part in conditions:
        key = condition(part)
        of = known_of(key)
        if of is None or not {*_names(of)} <= {*part.columns}:  # several heads have other names
            continue
        ended = part.select(ending(of).alias("ended"))["ended"].to_numpy()
        around = np.isin(ended, AROUND_SOLUTION) & of.solvable
        values, zero = eigenvalues(part, of), zero_within(part, around, of)
        finite = np.isfinite(values).all(axis=1)
        for place in ENDINGS:
            chosen = finite & (ended == place)
            if chosen.any():
                yield {**key, "ended": place, **_shape(values[chosen], zero[chosen])}


def _names(of: Known) -> tuple[str, ...]:
    """The parameters of the model with one head, in the order of ``unpack``."""
    from attnlogic.problems import problem

    return problem(of.gate, f"attention(bias={of.form.bias})").names


def _ends(rows: pl.DataFrame, of: Known) -> npt.NDArray[np.float64]:
    """Where runs ended: (P, N), NaN where an end is not finite."""
    import polars as pl

    columns = pl.col(_names(of)).cast(pl.Float64).fill_null(float("nan"))
    return rows.select(columns).to_numpy().T


def _in_blocks(
    function: Callable[..., npt.NDArray[np.float64]], *arrays: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """A function of arrays (…, N) with the result (N, …), of ``RUNS_AT_ONCE`` runs at a time."""
    import numpy as np

    blocks = range(RUNS_AT_ONCE, arrays[0].shape[-1], RUNS_AT_ONCE)
    each = [np.split(array, blocks, axis=-1) for array in arrays]
    with np.errstate(over="ignore", invalid="ignore"):
        return np.concatenate([function(*some) for some in zip(*each, strict=True)])


def eigenvalues(rows: pl.DataFrame, of: Known) -> npt.NDArray[np.float64]:
    """The Hessian's eigenvalues at the ends of runs of one gate.

    Args:
      rows: N runs, with a column for each of the model's P parameters.
      of: the gate, and the form of the model, which has one head.

    Returns:
      Shape (N, P), ascending; NaN for a run whose end is not finite.
    """
    from attnlogic.problems import unpack
    from attnlogic.theory import hessian

    def spectra(ends: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return _spectra(hessian(of.gate, unpack([*ends], bias=of.form.bias), of.form))

    return _in_blocks(spectra, _ends(rows, of))


def zero_within(
    rows: pl.DataFrame, around_solution: npt.NDArray[np.bool_], of: Known
) -> npt.NDArray[np.float64]:
    """Up to which magnitude an eigenvalue at a run's end counts as zero.

    - Rounding: ``ROUNDING`` times the largest eigenvalue's magnitude.
    - Around a solution, the distance from it: the run's end is moved onto the nearest solution by
      Gauss and Newton's steps, and by Weyl's inequality no eigenvalue differs between the two
      points by more than the spectral norm of the Hessians' difference. At the solution none is
      below zero.

    Args:
      rows: as for ``eigenvalues``.
      around_solution: (N,): the runs that ended around a solution.
      of: as for ``eigenvalues``.

    Returns:
      Shape (N,): the larger of the two.
    """
    import numpy as np

    from attnlogic.problems import unpack
    from attnlogic.theory import hessian, nearest_solution

    def within(
        ends: npt.NDArray[np.float64], around: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float64]:
        here = hessian(of.gate, unpack([*ends], bias=of.form.bias), of.form)
        zero: npt.NDArray[np.float64] = ROUNDING * np.abs(_spectra(here)).max(axis=1)
        if around.any():
            some = unpack([*ends[:, around]], bias=of.form.bias)
            there = nearest_solution(of.gate, some, of.form)
            moved = hessian(of.gate, there, of.form) - here[around]
            zero[around] = np.maximum(zero[around], np.abs(_spectra(moved)).max(axis=1))
        return zero

    return _in_blocks(within, _ends(rows, of), around_solution)


def _spectra(matrices: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The eigenvalues of symmetric matrices, (N, P) ascending; NaN where one is not finite."""
    import numpy as np

    finite = np.isfinite(matrices).all(axis=(1, 2))
    values = np.full(matrices.shape[:2], np.nan)
    values[finite] = np.linalg.eigvalsh(matrices[finite])
    return values


def _shape(values: npt.NDArray[np.float64], zero: npt.NDArray[np.float64]) -> Row:
    """The columns of n ends from their eigenvalues, (n, P) ascending, and what counts as zero."""
    import numpy as np

    negative, positive = values < -zero[:, None], values > zero[:, None]
    low, middle, high = np.quantile(values[:, -1], [0.05, 0.5, 0.95])
    return {
        "runs": len(values),
        "sharpness_q05": float(low),
        "sharpness_median": float(middle),
        "sharpness_q95": float(high),
        "least_median": float(np.median(values[:, 0])),
        "saddles": int(negative.any(axis=1).sum()),
        "negative": float(negative.sum(axis=1).mean()),
        "flat": float((~negative & ~positive).sum(axis=1).mean()),
        "positive": float(positive.sum(axis=1).mean()),
    }


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    from attnlogic.theory import ENDING_MEANINGS

    def cells(row: Row) -> list[str]:
        middle, low, high = (f"{row[f'sharpness_{q}']:.3g}" for q in ("median", "q05", "q95"))
        return [
            row["gate"],
            row["optimizer"],
            row["ended"],
            numbers.count(row["runs"]),
            f"{middle} ({low}–{high})",
            numbers.significant(row["least_median"]),
            numbers.count(row["saddles"]),
            *(f"{row[sign]:.1f}" for sign in ("negative", "flat", "positive")),
        ]

    seen = [name for name in ENDING_MEANINGS if name in set(frame["ended"])]
    mean = "−, 0, +: how many eigenvalues, of one a parameter, are below, at and above zero: mean."
    headings = (
        *CONDITION,
        Heading("ended", " ".join(f"{name}: {ENDING_MEANINGS[name]}." for name in seen), text=True),
        Heading("runs"),
        Heading("sharpness", "sharpness: the largest eigenvalue, median (5 %–95 %)."),
        Heading("least", "least: the smallest, median.", optional=True),
        Heading("saddles", "saddles: runs with an eigenvalue below zero."),
        *(Heading(sign, mean) for sign in "−0+"),
    )
    note = (
        f"The Hessian where runs ended. An eigenvalue is zero within {ROUNDING:g} of the largest "
        "(rounding) and, of runs around a solution, within the Hessian's change on the way to it."
    )
    return Sheet(headings, [cells(row) for row in frame.iter_rows(named=True)], note)


statistic = Statistic(
    name="curvature",
    question="Do runs end in minima or on saddles, how sharp, and how flat?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "The sharpness is the largest eigenvalue of the loss's Hessian where a run ended; "
        "gradient descent cannot rest where it exceeds 2/lr. A negative eigenvalue means a "
        "saddle, a zero one a flat direction."
    ),
    needs_rows=True,
    charts=(Chart("curvature", "The sharpness of the loss where runs end, by ending"),),
)
