"""What a hit costs against a swept setting: ERT with its band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attnlogic.statistics.sweep_chart import picture

if TYPE_CHECKING:
    import polars as pl


def draw(frame: pl.DataFrame, given: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """ERT with its interval against each swept setting.

    Raises:
      InputError: no run reached the threshold.
    """
    return picture(frame, "ert", options)
