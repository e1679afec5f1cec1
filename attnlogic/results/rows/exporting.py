"""A frame for other libraries: pandas, and whatever reads Arrow."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import polars as pl

from attnlogic.errors import InputError

if TYPE_CHECKING:
    import numpy as np

_NULLABLE = {
    pl.Int32: "Int32", pl.Int64: "Int64", pl.UInt32: "UInt32", pl.UInt8: "UInt8",
    pl.Boolean: "boolean",
}  # fmt: skip
"""The pandas types that have a value for what does not exist."""


class Exported(ABC):
    """What has a table can be given to other libraries."""

    @abstractmethod
    def table(self) -> pl.DataFrame:
        """All rows, in memory."""

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame; see ``exporting.to_pandas``.

        Raises:
          InputError: pandas is not installed, or the rows cannot be read.
        """
        return to_pandas(self.table())

    def to_arrow(self) -> Any:
        """The rows as a ``pyarrow.Table``. Other readers of Arrow take this object as it is.

        Raises:
          InputError: pyarrow is not installed, or the rows cannot be read.
        """
        return to_arrow(self.table())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table().__arrow_c_stream__(requested_schema)


def to_pandas(frame: pl.DataFrame) -> Any:
    """The frame as a pandas DataFrame; it needs pandas, and no pyarrow.

    Returns:
      Integers and truths as pandas' nullable types, where ``<NA>`` stands for what does not exist;
      real numbers with NaN; an enumeration, such as the status, as a categorical; text as objects.

    Raises:
      InputError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise InputError("this needs pandas: pip install pandas") from error
    return pd.DataFrame({column.name: _pandas(column) for column in frame})


def _pandas(column: pl.Series) -> Any:
    import pandas as pd

    if isinstance(column.dtype, pl.Enum):
        places = column.to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
        return pd.Categorical.from_codes(places, categories=column.dtype.categories.to_list())
    name = _NULLABLE.get(column.dtype.base_type())
    if name is None:
        return column.to_numpy(writable=True)
    missing: np.ndarray[Any, Any] = column.is_null().to_numpy()
    values = column.fill_null(False if name == "boolean" else 0).to_numpy(writable=True)
    kind = pd.arrays.BooleanArray if name == "boolean" else pd.arrays.IntegerArray
    return kind(values, missing.copy())


def to_arrow(frame: pl.DataFrame) -> Any:
    """The frame as a ``pyarrow.Table``.

    Raises:
      InputError: pyarrow is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise InputError(
            "this needs pyarrow: pip install pyarrow. What reads Arrow's C stream (polars, duckdb, "
            "nanoarrow, …) takes these runs as they are, without it"
        ) from error
    return pyarrow.table(frame)


def to_file(frame: pl.DataFrame, form: str) -> bytes:
    """The content of a file with the frame: ``"parquet"``, or ``"arrow"`` for Arrow's IPC."""
    content = io.BytesIO()  # whole first: polars' own error for a closed pipe is not Python's
    if form == "parquet":
        frame.write_parquet(content)
    else:
        frame.write_ipc(content, compat_level=pl.CompatLevel.oldest())
    return content.getvalue()
