"""The census of the findings, with few seeds: it goes on, and its page has what it says."""

import polars as pl
import pytest

import attnlogic
from attnlogic.examples import census
from attnlogic.results import ending, kept_rows, known_of


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    out = tmp_path_factory.mktemp("census") / "polyak"
    census.train(out, 2000)
    return census.train(out, 2000)  # which trains nothing


def test_the_page_has_the_figures(runs):
    page = census.page(runs)
    assert "\n# Polyak on XOR, 2,000 seeds\n" in page
    rows = attnlogic.endings(runs)
    failed = 100 * (1 - rows["solved"].item() / 2000)
    assert f" {failed:.2f} % of the runs end elsewhere" in page
    for name in census.ASKED:
        assert f"## {name}" in page
    assert "- the latest first hit, epoch: " in page


def test_what_is_kept_has_every_run_on_the_plateau_and_in_the_valley(runs, tmp_path):
    rows, matching = kept_rows(runs)
    assert len(rows) == matching
    everything = attnlogic.run(
        attnlogic.Study("xor", "polyak", 2000), out=tmp_path / "rows", progress=False
    ).table()
    known = known_of(everything.row(0, named=True))
    stuck = everything.filter(ending(known).cast(pl.String).is_in(["linear", "runaway"]))
    assert {*stuck["seed"]} <= {*rows["seed"]} < {*everything["seed"]}
