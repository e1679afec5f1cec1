"""Another threshold after the fact is that of a training with it, as far as it is known."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from synthetic import rows

import attnlogic
from attnlogic.errors import InputError
from attnlogic.outcomes import LADDER, STATUSES
from attnlogic.results import select
from attnlogic.results.choosing.other_threshold import AFTER_HIT
from attnlogic.statistics import STATISTICS

UNKNOWN = [*AFTER_HIT, "C_first_hit"]
ROWS = rows("xor", "adam", range(150), threshold=1e-2)
"""Their losses come by chance, with every status."""


@pytest.mark.parametrize("rung", LADDER[:8])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_it_is_what_a_training_with_it_says(rung, precision):
    """The same losses, held to another threshold: by the definition of every number."""
    asked = select(rows("xor", "adam", range(150), precision, threshold=1e-2), threshold=rung)
    expected = rows("xor", "adam", range(150), precision, threshold=rung)
    found = asked.table()
    known = [name for name in expected.columns if name not in UNKNOWN]
    assert_frame_equal(found.select(known), expected.select(known))
    for name in UNKNOWN:
        assert rung == 1e-2 or found[name].null_count() == len(found)


def test_those_losses_have_every_status():
    assert {*rows("xor", "adam", range(150), threshold=1e-4)["status"]} == {*STATUSES}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A study by the usual threshold, and the same by another."""
    top = tmp_path_factory.mktemp("studies")
    what = {"gates": "nand", "optimizers": ["adam", "polyak"], "seeds": 40, "epochs": 300}
    return [
        attnlogic.run(attnlogic.Study(**what, threshold=t), out=top / f"{t}", progress=False)
        for t in (1e-4, 1e-6)
    ]


NOT_KNOWN = {
    "summary": ["held", "hold_rate", "hold_low", "hold_high"],
    "times": ["ert_evaluations", "ert_evaluations_low", "ert_evaluations_high"],
}


@pytest.mark.parametrize("name", [n for n in STATISTICS if n not in ("sweep", "stability")])
def test_every_statistic_is_that_of_the_other_training(trained, name):
    """What is not known is null; the rest is equal, value for value."""
    statistic, (usual, other) = STATISTICS[name], trained
    found = statistic(select(usual, threshold=1e-6))
    unknown = NOT_KNOWN.get(name, [])
    assert_frame_equal(found.drop(unknown), statistic(other).drop(unknown))
    for column in unknown:
        assert found[column].null_count() == len(found)


def test_a_threshold_that_all_runs_have_changes_nothing(trained):
    usual = trained[0]
    asked = select(usual, threshold=1e-4)
    assert asked.note == ""
    assert_frame_equal(asked.table(), usual.table())
    assert select(rows("xor", "adam", threshold=0.3), threshold=0.3).note == ""  # no rung


def test_studies_by_two_thresholds_become_one_condition(trained):
    found = attnlogic.summary(select(trained, threshold=1e-6))
    assert_frame_equal(found, attnlogic.summary(select(trained[0], threshold=1e-6)))


def test_what_happened_after_the_hit_is_refused(trained):
    with pytest.raises(InputError, match="stability says what happened after the first hit"):
        attnlogic.stability(select(trained[0], threshold=1e-6))


def test_expressions_see_the_status_by_that_threshold():
    found = select(ROWS, threshold=1e-1, where="status == 'lost'").table()
    expected = ROWS.filter(
        pl.col("first_hit_1e-1").is_not_null(),
        pl.col("final_loss") > 0.1,
        pl.col("diverged_at").is_null(),
    )
    assert found["seed"].equals(expected["seed"])
    assert len(found)


@pytest.mark.parametrize("threshold", [3e-4, 1e-11, 0, "1e-6x", True])
def test_what_is_no_rung_is_refused_with_the_rungs(threshold):
    with pytest.raises(InputError, match=r"threshold: expected.*1e-1, 1e-2, .*, 1e-10"):
        select(ROWS, threshold=threshold)


def test_runs_that_ended_at_their_hit_say_nothing_of_less():
    ended = rows("xor", "adam", range(20), until="hit", threshold=1e-2)
    with pytest.raises(InputError, match=r"xor · adam ended at their first loss ≤ 0.01"):
        select(ended, threshold=1e-4)
    assert len(select(ended, threshold=1e-1).table()) == 20


def test_a_tally_has_its_own_threshold():
    tally = attnlogic.tally(ROWS)
    assert attnlogic.summary(select(tally, threshold=1e-2)).equals(attnlogic.summary(tally))
    with pytest.raises(InputError, match="threshold: a tally does not keep how runs ended"):
        select(tally, threshold=1e-4)


def test_the_command_says_whose_threshold_it_is(type_in, trained):
    usual, other = (runs.directory for runs in trained)
    code, out, err = type_in("summary", usual, "--threshold", "1e-6")
    assert (code, err) == (0, "")
    assert "Threshold 1e-06, from the ladder: not that of the training." in " ".join(out.split())
    columns = ("--columns", "seed,status,first_hit", "--threshold", "1e-6")
    assert type_in("runs", usual, *columns)[1] == type_in("runs", other, *columns)[1]
    code, _, err = type_in("summary", usual, "--threshold", "2e-6")
    assert code == 2
    assert "1e-10" in err
