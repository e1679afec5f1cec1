"""Expressions over the columns of a run's row, as a person types them, in SQL's words.

Only known columns, numbers, text in single quotes, operators and the functions below are read; the
rest of SQL never comes to be parsed. Each row is judged by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import polars as pl

from attnlogic.errors import InputError, described, unknown

FUNCTIONS = (
    "abs", "ceil", "coalesce", "exp", "floor", "greatest", "least", "ln", "log10", "log2", "pow",
    "round", "sign", "sqrt",
)  # fmt: skip
"""Functions of one row's values."""

_WORDS = ("and", "or", "not", "is", "in", "null", "between", "like", "true", "false")

_OPERATORS = {
    "==": "=", "!=": "<>", **{o: o for o in ("<>", "<=", ">=", "=", "<", ">", "+", "-", "*", "/")},
    **{o: o for o in ("%", "(", ")", ",")},
}  # fmt: skip

_EXAMPLE = "\"status == 'lost' and C < -0.6\""

_TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<text>'(?:[^']|'')*') | (?P<quoted>"[^"]*")
    | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w)) | (?P<name>[^\W\d]\w*)
    | (?P<operator>==|!=|<>|<=|>=|[=<>+\-*/%(),])""",
    re.VERBOSE,
)


class Where(NamedTuple):
    """A condition on rows.

    Attributes:
      text: as it was given.
      expression: true of the rows that are meant.
      columns: those that it reads.
    """

    text: str
    expression: pl.Expr
    columns: tuple[str, ...]

    def of(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows that are meant; a column that they lack is null in all of them."""
        there = rows.collect_schema()
        missing = [name for name in self.columns if name not in there]
        nulls = [pl.lit(None).alias(name) for name in missing]
        return rows.with_columns(nulls).filter(self.expression).drop(missing)


def where(text: object, columns: Mapping[str, Any]) -> Where:
    """Read an expression that is true or false of each row.

    Args:
      text: such as ``"status == 'lost' and C < -0.6"``. ``==`` may stand for ``=``; a column with
        other characters than letters, digits and ``_`` may stand as it is or in double quotes.
      columns: the names of the columns with their polars types.

    Raises:
      InputError: it cannot be read, names an unknown column or function, or is not true or false.

    Example:
      >>> rows = pl.LazyFrame({"C": [-0.7, -0.5], "first_hit_1e-4": [3, 9]})
      >>> found = where("C == -0.7 or first_hit_1e-4 > 9", rows.collect_schema())
      >>> found.of(rows).collect()["C"].to_list()
      [-0.7]
    """
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"where: expected an expression such as {_EXAMPLE}, got {described(text)}")
    tokens = [*_tokens(text, columns)]
    try:
        # Without parentheses a last word of its own would be the result's name, and mean nothing.
        expression = pl.sql_expr(f"({' '.join(token for token, _ in tokens)})")
        kind = pl.LazyFrame(schema=columns).select(expression).collect().dtypes[0]
    except pl.exceptions.PolarsError as error:
        raise InputError(f"where: cannot read {described(text)}: {_reason(error)}") from error
    if kind != pl.Boolean:
        raise InputError(
            f"where: expected what is true or false of each run, such as {_EXAMPLE}, "
            f"got {described(text)}"
        )
    return Where(text.strip(), expression, tuple(dict.fromkeys(c for _, c in tokens if c)))


def _reason(error: Exception) -> str:
    first = str(error).splitlines()[0]
    return first.split("(found ")[-1].rstrip(")") if "(found " in first else first


def _tokens(text: str, columns: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The words of the expression as SQL has them, each with the column that it names."""
    longest = sorted(columns, key=len, reverse=True)
    place = 0
    while place < len(text):
        column = next((c for c in longest if _stands(text, place, c)), None)
        if column is not None and (place == 0 or not _inside(text[place - 1])):
            yield _quoted(column, columns[column]), column
            place += len(column)
            continue
        found = _TOKEN.match(text, place)
        if found is None:
            raise InputError(f"where: cannot read {_at(text, place)} in {described(text)}")
        kind, token = found.lastgroup, found.group()
        place = found.end()
        if kind == "quoted":
            if token[1:-1] not in columns:
                raise unknown("column", token[1:-1], columns)
            yield _quoted(token[1:-1], columns[token[1:-1]]), token[1:-1]
        elif kind == "name":
            yield _word(token, text[place:].lstrip(), columns), ""
        elif kind == "operator":
            yield _OPERATORS[token], ""
        elif kind != "space":
            yield token, ""


def _stands(text: str, place: int, name: str) -> bool:
    """Whether a name stands at a place, and ends there."""
    end = place + len(name)
    return text.startswith(name, place) and not (_inside(name[-1]) and _inside(text[end : end + 1]))


def _inside(character: str) -> bool:
    return character == "_" or character.isalnum()


def _quoted(column: str, kind: Any) -> str:
    name = '"' + column.replace('"', '""') + '"'
    return f"CAST({name} AS VARCHAR)" if isinstance(kind, pl.Enum) else name


def _word(token: str, rest: str, columns: Mapping[str, Any]) -> str:
    """A word that is no column, with what follows it."""
    plain = token.casefold()
    if plain in _WORDS:
        return plain.upper()
    if rest.startswith("("):
        if plain not in FUNCTIONS:
            raise unknown("function", token, FUNCTIONS)
        if rest[1:].lstrip().startswith(")"):  # polars would panic
            raise InputError(f"where: {token}() has no argument: name a column, as in {token}(C)")
        return plain.upper()
    raise unknown("column", token, columns, f". Text stands in single quotes: '{token}'")


def _at(text: str, place: int) -> str:
    meant = {"&": "write and for &", "|": "write or for |", "'": "a quote has no end"}
    hint = meant.get(text[place], "")
    return f"'{text[place]}'" + (f" ({hint})" if hint else "")
