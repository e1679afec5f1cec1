"""Where runs ended, as an expression over the columns of ``schema``."""

from __future__ import annotations

import polars as pl

from attnlogic.problems import Gate
from attnlogic.theory import regions


def ending(gate: Gate) -> pl.Expr:
    """Where a run ended: the first of ``theory.ENDINGS`` that fits.

    Args:
      gate: the gate of all runs that it is applied to.

    Returns:
      An expression of the type ``pl.Enum(ENDINGS)``.
    """
    # In float64: the square of a large float32 C would be infinite.
    C, loss = pl.col("C").cast(pl.Float64), pl.col("final_loss").cast(pl.Float64)
    status = pl.col("status")
    at_rest = pl.col("gradient_norm") <= regions.MAX_GRADIENT_NORM_AT_REST
    cases = {
        "solved": status == "solved",
        "diverged": status == "diverged",
        **{name: inside(C, loss) for name, inside in regions.regions_of(gate).items()},
        "moving": ~at_rest,  # NaN and infinity are not at rest
    }
    names = [pl.when(fits).then(pl.lit(name)) for name, fits in cases.items()]
    return pl.coalesce(*names, pl.lit("other")).cast(pl.Enum(regions.ENDINGS))
