"""What a person reads of a run: the notebook's lines, and formulas that compute."""

import math
import re

import numpy as np
import pytest
from helpers import XOR
from hypothesis import example, given
from hypothesis import strategies as st

from attnlogic.backend import Training
from attnlogic.history import History, outcome
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import NONE
from attnlogic.problems.gates import ROWS
from attnlogic.problems.neuron import invariant, pack, predict, unpack
from attnlogic.problems.random_starts import Initialization
from attnlogic.studies.single_run import Run, train
from attnlogic.view.run_in_words import formulas, run_text

FOUND = unpack([-1.0343, -0.7918, -0.6119, 1.9998, 1.9997, -0.0005])  # the notebook's XOR run


def run(losses, final=FOUND, stopped_at=NONE, threshold=1.0, epochs=100):
    """A run with these losses and these learned parameters."""
    losses = np.array(losses, float)
    final, own = np.array(pack(final), np.float64), {"C": np.zeros_like(losses)}
    history = History(losses, own, final, final, stopped_at, np.ones(losses.size, int), 0.0)
    training = Training(XOR, optimizer("adam"), epochs, threshold, "float64")
    return Run(training, 3, "abacus", Initialization(), history, outcome(history, threshold, XOR))


# --- one run ------------------------------------------------------------------------------------


def test_the_notebooks_trace():
    text = run_text(train("xor", "adamw", 0, epochs=301))
    got = re.findall(r"^Epoch (\d+), loss = (\d\.\d{4}|\de?.*)$", text, re.MULTILINE)
    printed = [0.8390, 0.1130, 0.0257, 0.0036, 0.0005, 0.0001]
    assert [int(epoch) for epoch, _ in got] == [*range(0, 301, 50)]
    # Four places are printed, and the last may be rounded the other way.
    assert [float(loss) for _, loss in got[:6]] == pytest.approx(printed, abs=1.01e-4)
    assert re.fullmatch(r"\d\.\de-05", got[6][1])  # what would be 0.0000 has its digits
    assert text.startswith(
        "xor · adamw · seed 0 · jax float32 · 301 epochs\n\nEpoch 0, loss = 0.8390\n"
    )


def test_all_that_is_printed_of_a_run():
    losses = [4, 2, 0.5, 0.75, 3, 1 / 3]
    assert run_text(run(losses, epochs=6), every=2).split("\n") == [
        "xor · adam · seed 3 · abacus float64 · 6 epochs",
        "",
        "Epoch 0, loss = 4.0000",
        "Epoch 2, loss = 0.5000",
        "Epoch 4, loss = 3.0000",
        "",
        "Threshold 1: first reached at epoch 2.",
        "Epochs after it whose loss rose: 2: 3, 4",
        "Last loss: 0.333333333333 (solved)",
        "",
        "Learned parameters: wq = −1.0343, wk = −0.7918, wv = −0.6119, w1 = 1.9998, w2 = 1.9997, "
        "b = −0.0005",
        "C = wq·wk·wv = −0.5011",
        "out = (1.9998·x1 + 1.9997·x2)(−0.5011·(x1² + x2²) + 1) − 0.0005",
        "    = 0.9977·x1 + 0.9976·x2 − 2.0042·x1·x2 − 0.0005   on inputs 0 and 1",
    ]


@pytest.mark.parametrize(
    ("every", "epochs"), [(1, range(7)), (3, [0, 3, 6]), (6, [0, 6]), (7, [0]), (1000, [0])]
)
def test_the_trace_has_every_so_many_epochs(every, epochs):
    text = run_text(run([0.1 * t for t in range(7)]), every)
    assert re.findall(r"^Epoch .*$", text, re.MULTILINE) == [
        f"Epoch {t}, loss = {0.1 * t:.4f}" for t in epochs
    ]


@pytest.mark.parametrize(
    ("rising", "expected"),
    [
        (0, "rose: 0"),
        (1, "rose: 1: 1"),
        (10, "rose: 10: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"),
        (11, "rose: 11: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …"),
    ],
)
def test_the_first_ten_rises_are_listed(rising, expected):
    text = run_text(run([0.01 * t for t in range(rising + 1)]))
    assert f"Epochs after it whose loss {expected}\n" in text


@pytest.mark.parametrize(
    ("made", "lines"),
    [
        (run([4, 3], threshold=1e-4),
         ["Threshold 0.0001: never reached.", "Last loss: 3.000000000000 (unsolved)"]),
        (run([4, 0.5, 2]),
         ["Threshold 1: first reached at epoch 1.", "Epochs after it whose loss rose: 1: 2",
          "Last loss: 2.000000000000 (lost)"]),
        (run([4, 0], stopped_at=1),
         ["Threshold 1: first reached at epoch 1.", "Epochs after it whose loss rose: 0",
          "Stopped by its own rule at epoch 1.", "Last loss: 0.000000000000 (solved)"]),
        (run([4, 3, math.nan], unpack([math.inf] * 6)),
         ["Threshold 1: never reached.", "Diverged: the loss of epoch 2 is not finite.",
          "Last loss: inf (diverged)"]),
        (run([4, 0.5, math.inf], unpack([math.nan] * 6)),
         ["Threshold 1: first reached at epoch 1.", "Epochs after it whose loss rose: 1: 2",
          "Diverged: the loss of epoch 2 is not finite.", "Last loss: inf (diverged)"]),
    ],
    ids=["unsolved", "lost", "stopped", "diverged", "diverged after a hit"],
)  # fmt: skip
def test_what_became_of_a_run(made, lines):
    _, _, analysis, *rest = run_text(made).split("\n\n")
    assert analysis.split("\n") == lines
    if made.status == "diverged":
        assert rest == ["There are no learned parameters: they are not finite."]
    else:
        assert rest[0].startswith("Learned parameters: wq = ")


def computed(formula, x1, x2):
    """The value of a formula as printed."""
    python = formula.replace("−", "-").replace("·", "*").replace("²", "**2").replace(")(", ")*(")
    return eval(python, {"__builtins__": {}}, {"x1": x1, "x2": x2})


weights = st.floats(-1e3, 1e3) | st.sampled_from([0.0, -0.0, 1e-9, -3e-5])


@given(st.tuples(*[weights] * 6))
@example((-19.339, 39.5494, -35.952, -4.04e-06, -4.04e-06, 0.6668))  # L-BFGS, run away: C is huge
@example((-1.0343, -0.7918, -0.6119, 1.9998, 1.9997, -0.0005))
def test_the_formulas_compute_what_the_model_predicts(values):
    made = run([1.0], unpack(values))
    collapsed, expanded = (line.partition("=")[2] for line in formulas(made))
    expanded, _, remark = expanded.partition("   ")
    assert remark == "on inputs 0 and 1"
    C, (w1, w2) = invariant(unpack(values)), unpack(values).w
    for x1, x2 in ROWS:
        exact = predict(unpack(values), (x1, x2))
        # Four decimals or four significant digits of each number: half of the last place.
        terms = (abs(w1) + abs(w2)) * (2 * abs(C) + 1)
        for formula in (collapsed, expanded):
            assert computed(formula.strip(), x1, x2) == pytest.approx(
                exact, abs=1e-3 * terms + 3e-4
            )


def test_only_zero_is_printed_as_zero_and_without_a_sign():
    (collapsed, _) = formulas(run([1.0], unpack([100.0, 100.0, 1.0, -4.0404e-06, 0.0, -0.0])))
    assert collapsed == "out = (−4.04e−06·x1 + 0.0000·x2)(10000.0000·(x1² + x2²) + 1) + 0.0000"
    (collapsed, _) = formulas(run([1.0], unpack([0.0, -1.0, 1.0, -0.0, -1e-9, 1.0])))
    assert collapsed == "out = (0.0000·x1 − 1e−09·x2)(0.0000·(x1² + x2²) + 1) + 1.0000"
