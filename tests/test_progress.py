"""Progress: a bar on a terminal, lines elsewhere, nothing for short work."""

import pytest

from attnlogic.studies import Progress, progress


@pytest.fixture
def clock(monkeypatch):
    """The time, which a test sets; no other time passes."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def lines(capsys, clock, steps, total=10_000, show=None):
    """What is printed while work is done in steps of (seconds, runs)."""
    with Progress(total, show=show) as bar:
        bar.describe("xor · adam")
        for seconds, runs in steps:
            clock[0] += seconds
            bar.advance(runs)
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_long_work_prints_a_line_now_and_then(capsys, clock):
    steps = [(9.9, 100), (0.1, 100), (5, 100), (4.9, 0.5), (0.1, 99.5), (30, 1600)]
    assert lines(capsys, clock, steps) == [
        "xor · adam: 200 of 10,000 runs, 8 min left",  # 9,800 runs at 20 a second
        "xor · adam: 400 of 10,000 runs, 8 min left",
        "xor · adam: 2,000 of 10,000 runs, 3 min left",  # 8,000 at 40
    ]


@pytest.mark.parametrize(
    ("done", "left"),
    [(9_900, "0 s"), (5_000, "10 s"), (1_000, "90 s"), (50, "33 min"), (0.5, "56 h")],
)
def test_the_time_left_is_in_a_fitting_unit(capsys, clock, done, left):
    (line,) = lines(capsys, clock, [(10, done)])
    assert line.endswith(f"{int(done):,} of 10,000 runs, {left} left")


def test_short_work_prints_nothing(capsys, clock):
    assert lines(capsys, clock, [(1, 1000)] * 9 + [(0.9, 1000)]) == []


def test_nothing_is_shown_if_so_asked(capsys, clock):
    assert lines(capsys, clock, [(60, 1000)] * 10, show=False) == []


def test_on_a_terminal_or_if_so_asked_it_is_a_bar(capsys, clock, monkeypatch):
    (line,) = lines(capsys, clock, [(60, 1000)] * 10, show=True)
    assert "10,000 of 10,000 runs 17 runs/s" in line
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    shown = "\n".join(lines(capsys, clock, [(60, 1000)] * 10))
    assert "10,000 of 10,000 runs" in shown
    assert "17 runs/s" in shown
    assert "min left\n" not in shown


@pytest.mark.parametrize("shares", [[0.1] * 10, [1 / 3] * 3, [1 / 7] * 7])
def test_shares_of_a_run_add_up_to_one(capsys, clock, shares):
    shown = "\n".join(lines(capsys, clock, [(1, share) for share in shares], 1, show=True))
    assert "1 of 1 runs" in shown
