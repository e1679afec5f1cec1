"""Every statistic of the list: complete, honest about its columns, and reachable by its name."""

import inspect

import polars as pl
import pytest

import attnlogic
from attnlogic.errors import InputError
from attnlogic.results import CONDITION
from attnlogic.statistics import STATISTICS
from attnlogic.statistics.statistic import CONDITION as FIRST
from attnlogic.statistics.statistic import SETTINGS
from attnlogic.view import markdown

EVERY = pytest.mark.parametrize("statistic", STATISTICS.values(), ids=list(STATISTICS))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A sweep, a gate that has solutions, a constant one, and runs that diverge."""
    study = attnlogic.Study(["xor", "true"], ["adam", "sgd(lr=[0.05,50])"], seeds=12, epochs=300)
    folder = tmp_path_factory.mktemp("study") / "demo"
    return attnlogic.run(study, out=folder, progress=False)


@EVERY
def test_it_is_an_attribute_of_the_package_and_of_its_file(statistic):
    assert getattr(attnlogic, statistic.name) is statistic
    assert statistic.name in dir(attnlogic)
    assert repr(statistic) == f"<statistic {statistic.name}: {statistic.question}>"


@EVERY
def test_its_frame_has_its_columns(statistic, runs):
    frame = statistic(runs)
    assert frame.schema == statistic.schema
    assert len(frame)
    for column in statistic.columns:
        assert column.type in (str, int, float)
        if column.type is int:  # a count is of something
            assert column.unit, column.name


@EVERY
def test_its_docstring_names_question_options_and_columns(statistic):
    text = inspect.getdoc(statistic)
    assert text.startswith(statistic.question)
    assert statistic.question.endswith("?")
    for column in statistic.columns:
        assert f"{column.name}" in text
        assert column.meaning
        assert column.meaning in text
    for option in statistic.options:
        assert f"{option.name}={option.default!r}: {option.help}" in text


@EVERY
def test_its_sheet_is_made_of_any_frame_of_its_own(statistic, runs):
    for frame in (statistic(runs), pl.DataFrame(schema=statistic.schema)):
        sheet = statistic.sheet(frame, statistic.settings({}))
        assert sheet.note
        assert all(len(row) == len(sheet.headings) for row in sheet.rows)
        assert markdown(sheet).count("\n") >= 3
    told = sheet.caption()
    assert "told" not in told


@EVERY
def test_a_tally_will_do_unless_it_needs_rows(statistic, runs):
    tally = attnlogic.tally(runs)
    if statistic.needs_rows:
        with pytest.raises(InputError, match=f"{statistic.name} needs every run"):
            statistic(tally)
    else:
        exact = [c.name for c in statistic.columns if c.type is not float]
        assert statistic(tally)[exact].equals(statistic(runs)[exact]) or statistic.name == "starts"


@EVERY
def test_an_unknown_option_is_refused(statistic, runs):
    with pytest.raises(InputError, match=f"unknown option of {statistic.name} 'levle'"):
        statistic(runs, levle=0.9)


@EVERY
def test_a_level_changes_intervals_and_what_the_sheet_says(statistic, runs):
    if "level" not in [option.name for option in statistic.options]:
        return
    usual, wide = statistic(runs), statistic(runs, level=0.999)
    assert not usual.equals(wide)
    sheet = statistic.sheet(wide, statistic.settings({"level": 0.999}))
    assert "99.9 %" in sheet.caption() or statistic.name == "ladder"
    for value in (0, 1, -1, "high", None):
        with pytest.raises(InputError, match="level"):
            statistic(runs, level=value)


def test_the_columns_of_a_condition_are_those_of_results():
    assert [column.name for column in (*FIRST, *SETTINGS)] == [*CONDITION]
    types = {column.name: column.type for column in (*FIRST, *SETTINGS)}
    assert types == {name: kind.to_python() for name, kind in CONDITION.items()}


@pytest.fixture(scope="module", params=["attention(scores=softmax)", "attention(heads=2)"])
def other(request, tmp_path_factory):
    """A study of a model without C, or with other parameters."""
    study = attnlogic.Study(
        ["xor", "true"], ["adam", "adam(lr=0.1)"], seeds=6, epochs=60, models=request.param
    )
    return attnlogic.run(study, out=tmp_path_factory.mktemp("study") / "demo", progress=False)


@EVERY
def test_a_model_without_c_or_with_other_parameters_fails_no_statistic(statistic, other):
    """It has the numbers that every run has; what needs C or a column that is not there is null."""
    frame = statistic(other)
    assert frame.schema == statistic.schema
    assert statistic.sheet(frame, statistic.settings({})).note
    assert statistic(other.table()).equals(frame)
    if not statistic.needs_rows:
        assert statistic(attnlogic.tally(other)).schema == frame.schema
