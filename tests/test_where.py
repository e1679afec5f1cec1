"""Expressions over the columns of a run's row: what they mean, and what they cannot say."""

import polars as pl
import pytest
from synthetic import rows

from attnlogic.errors import InputError
from attnlogic.results.rows.expressions import FUNCTIONS, where

ROWS = rows("xor", "adam", range(80)).with_columns(pl.lit(0.1).alias("lr"))
C, STATUS, HIT = pl.col("C"), pl.col("status").cast(pl.String), pl.col("first_hit")

MEANT = {
    "status == 'lost' and C < -0.6": (STATUS == "lost") & (C < -0.6),
    "status = 'lost' AND C < -.6": (STATUS == "lost") & (C < -0.6),
    "status in ('lost', 'diverged')": STATUS.is_in(["lost", "diverged"]),
    "status != 'solved'": STATUS != "solved",
    "status <> 'solved'": STATUS != "solved",
    "status like '%solved'": STATUS.str.ends_with("solved"),
    "not (status == 'lost' or C>0)": ~((STATUS == "lost") | (C > 0)),
    "first_hit is null": HIT.is_null(),
    "first_hit IS NOT NULL": HIT.is_not_null(),
    "first_hit_1e-4 < 10": pl.col("first_hit_1e-4") < 10,
    "first_hit_1e-10<70 and first_hit_1e-1 <3": (pl.col("first_hit_1e-10") < 70)
    & (pl.col("first_hit_1e-1") < 3),
    'first_hit - 1 < 10 and "first_hit_1e-1" >= 1': (HIT - 1 < 10) & (pl.col("first_hit_1e-1") > 0),
    "C between -0.6 and -0.4": C.is_between(-0.6, -0.4),
    "abs(C + 0.5) <= 1e-2": (C + 0.5).abs() <= 1e-2,
    "C*C>.25": C * C > 0.25,
    "C_initial < C": pl.col("C_initial") < C,
    "first_hit % 2 = 1": HIT % 2 == 1,
    "stopped_at - first_hit > 5": pl.col("stopped_at") - HIT > 5,
    "lr == 0.1 and epochs == 80": pl.lit(True),
    "gate == 'x''or'": pl.lit(False),
    "C --1 < 1": C + 1 < 1,
    "gate = 'C == 0 -- ;'": pl.lit(False),
}


@pytest.mark.parametrize(("text", "expected"), MEANT.items(), ids=MEANT)
def test_it_means_what_sql_means(text, expected):
    found = where(text, ROWS.schema)
    for some in (ROWS.lazy(), ROWS.rechunk().lazy()):
        assert found.of(some).collect().equals(ROWS.filter(expected))
    assert {*found.columns} <= {*ROWS.columns}


def test_some_of_them_tell_rows_apart():
    told = [text for text, e in MEANT.items() if 0 < len(ROWS.filter(e)) < len(ROWS)]
    assert len(told) >= 17


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_there_and_judges_each_row_by_itself(name):
    arguments = {"pow": "C, 2", "greatest": "C, 0", "least": "C, 0", "coalesce": "C, 0"}
    text = f"{name}({arguments.get(name, 'abs(C)')}) < 0.4"
    whole = where(text, ROWS.schema).of(ROWS.lazy()).collect()
    each = [where(text, ROWS.schema).of(row.lazy()).collect() for row in ROWS.iter_slices(1)]
    assert whole.equals(pl.concat(each))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Cc < 0", "unknown column 'Cc'.*known: C, "),
        ("c < 0", "unknown column 'c': did you mean 'C'"),
        ("stats == 'lost'", "unknown column 'stats': did you mean 'status'"),
        ('"firsthit" > 3', "unknown column 'firsthit': did you mean 'first_hit'"),
        ("status = lost", "unknown column 'lost'.*Text stands in single quotes: 'lost'"),
        ("C < (select max(C) from x)", "unknown column 'select'"),
        ("C < 0; drop table x", "cannot read ';'"),
        ("C < 0 /* x */", "cannot read|expected|unknown"),
        ("avg(C) < C", "unknown function 'avg'.*abs, ceil"),
        ("max(C) = C", "unknown function 'max'"),
        ("row_number() over (order by C) < 2", "unknown function 'row_number'"),
        ("read_csv('/etc/passwd') = 'a'", "unknown function 'read_csv'"),
        ("C", "expected what is true or false of each run"),
        ("C + 1", "expected what is true or false"),
        ("C < 'a'", "cannot compare string with numeric"),
        ("C < ", "cannot read"),
        ("C = 1 C = 2", "cannot read"),
        ("(C < 1", "cannot read"),
        ("C < 1 seed", "cannot read"),
        ("C < 1 'a'", "cannot read"),
        ("greatest( ) < 1", r"greatest\(\) has no argument"),
        ("C < 1 & C > 0", r"cannot read '&' \(write and for &\)"),
        ("C < 1 | C > 0", r"write or for \|"),
        ("status = 'lost", "a quote has no end"),
        ("C < 1e5x", "cannot read"),
        ("", "expected an expression such as"),
        (None, "expected an expression such as"),
        (3, "expected an expression such as"),
    ],
)
def test_what_it_cannot_say_is_refused(text, says):
    with pytest.raises(InputError, match=says):
        where(text, ROWS.schema)


def test_columns_with_other_characters_stand_as_they_are():
    odd = pl.DataFrame(
        {"w[0].x": [1, 2], "layers.0.bias": [3, 4], "param_seed": [5, 6], "w": [7, 8]}
    )
    for text in ("w[0].x = 2 and w = 8", '"w[0].x" = 2', "layers.0.bias > 3 and param_seed>5"):
        assert where(text, odd.schema).of(odd.lazy()).collect().rows() == [odd.row(1)]
