"""Where runs ended, as an expression over the columns of ``schema``."""

from __future__ import annotations

import polars as pl

from attnlogic.results.rows.known import Known
from attnlogic.theory import ENDINGS, MAX_GRADIENT_NORM_AT_REST, regions_of


def ending(of: Known | None) -> pl.Expr:
    """Where a run ended: the first of ``theory.ENDINGS`` that fits.

    Args:
      of: what theory knows of the runs that it is applied to; None where it knows nothing, so that
        no place has a name.

    Returns:
      An expression of the type ``pl.Enum(ENDINGS)``.
    """
    status = pl.col("status")
    at_rest = pl.col("gradient_norm") <= MAX_GRADIENT_NORM_AT_REST
    places = {} if of is None else regions_of(of.gate, of.form)
    # In float64: the square of a large float32 C would be infinite.
    C, loss = pl.col("C").cast(pl.Float64), pl.col("final_loss").cast(pl.Float64)
    cases = {
        "solved": status == "solved",
        "diverged": status == "diverged",
        **{name: inside(C, loss) for name, inside in places.items()},
        "moving": ~at_rest,  # NaN and infinity are not at rest
    }
    names = [pl.when(fits).then(pl.lit(name)) for name, fits in cases.items()]
    return pl.coalesce(*names, pl.lit("other")).cast(pl.Enum(ENDINGS))
