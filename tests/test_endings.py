"""Where runs end: on runs whose end is known, made up and trained."""

import numpy as np
import polars as pl
import pytest

import attnlogic
from attnlogic import theory
from attnlogic.problems import GATES, ROWS, Params, gate, loss, predict
from attnlogic.results import Known, ending
from attnlogic.statistics.endings import statistic as endings
from attnlogic.theory import ENDING_MEANINGS, ENDINGS, regions_of

UNSOLVED = "unsolved"


def row(name, C, w1, w2, b, *, status=UNSOLVED, gradient_norm=0.0):
    """A run that ended with this C and this readout; its loss is the model's."""
    at = Params(float(C), 1.0, 1.0, (float(w1), float(w2)), float(b))
    return pl.DataFrame(
        {
            "status": [status],
            "final_loss": [float(loss(at, ROWS, gate(name).targets))],
            "gradient_norm": [float(gradient_norm)],
            "C": [float(C)],
            "w1": [float(w1)],
            "w2": [float(w2)],
        }
    )


def ended(name, rows):
    known = Known(gate(name), theory.NOTEBOOK)
    return rows.select(ending(known).alias("ended"))["ended"].to_list()


def best(name, C):
    """The row of the best readout at this C."""
    at = theory.readout(gate(name), C)
    return row(name, C, *at.w, at.b)


FAILING = [g.name for g in GATES if g.name not in ("true", "false")]


@pytest.mark.parametrize("name", FAILING)
def test_a_run_at_a_place_of_theory_is_found_there(name):
    """Each plateau that is attained; a valley at a C well on its way."""
    shape = theory.landscape(gate(name))
    for point in theory.points(gate(name)):
        short = point.name.split()[0]
        if point.kind == "not critical" or point.kind == "solution":
            continue
        if point.readout is not None and "plateau" in point.name:
            found = ended(name, row(name, point.C, *point.readout))
            # XOR's two plateaus are one point: C = 0 and w = 0.
            assert found == [short] or (point.C == 0 and found == ["linear"])
        elif point.name == "runaway valley":
            for distance in (3, 100, 10_000):
                C = float(shape.maximum) + np.sign(shape.falls_towards) * distance
                assert ended(name, best(name, C)) == ["runaway"]
        elif point.name == "cancellation valley":
            assert ended(name, best(name, -1 + 1e-3)) == ["cancellation"]
            assert ended(name, best(name, -1 - 1e-3)) == ["cancellation"]


@pytest.mark.parametrize("name", FAILING)
def test_the_other_side_of_the_maximum_is_not_the_runaway_valley(name):
    """There V falls towards the solution: such a run is on its way."""
    shape = theory.landscape(gate(name))
    between = float(shape.zero + (shape.maximum - shape.zero) * 3 / 4)
    found = best(name, between).with_columns(gradient_norm=pl.lit(0.1))
    assert ended(name, found)[0] in ("moving", "linear", "cancellation")
    beyond = float(shape.zero) - 5 * float(np.sign(shape.falls_towards))
    assert ended(name, best(name, beyond).with_columns(gradient_norm=pl.lit(0.1))) == ["moving"]


@pytest.mark.parametrize("name", FAILING)
def test_a_run_beside_the_solution_is_near(name):
    solution = theory.solution(gate(name))
    w = solution.w or (solution.w_sum / 2, solution.w_sum / 2)
    for off in (0.01, -0.01):
        found = row(name, solution.C + off, *w, solution.b, status="lost", gradient_norm=0.2)
        assert ended(name, found) == ["near"]


def least_squares_loss(name, C):
    """V(C) by NumPy: what the best readout leaves of the targets."""
    units = [((1, 0), 0), ((0, 1), 0), ((0, 0), 1)]
    A = np.array([[predict(Params(C, 1, 1, w, b), x) for w, b in units] for x in ROWS], float)
    targets = np.array(gate(name).targets, float)
    return np.mean((A @ np.linalg.lstsq(A, targets, rcond=None)[0] - targets) ** 2)


def at_place(name, C, value, *, gradient_norm=0.1):
    """Where a run of this C and loss ended, whatever its readout."""
    found = row(name, C, 0, 0, 0).with_columns(
        final_loss=pl.lit(float(value)), gradient_norm=pl.lit(float(gradient_norm))
    )
    return ended(name, found)[0]


@pytest.mark.parametrize("name", FAILING)
def test_the_runaway_valley_is_within_a_factor_of_five_quarters_of_V(name):  # noqa: N802
    """A loss below V(C) is that before an update which changed C: the run hops."""
    shape = theory.landscape(gate(name))
    for distance in (2, 10, 1000):
        C = float(shape.maximum) + np.sign(shape.falls_towards) * distance
        V = least_squares_loss(name, C)
        assert at_place(name, C, 1.249 * V) == "runaway"
        assert at_place(name, C, 1.251 * V) == "moving"
        assert at_place(name, C, V / 1.249) == "runaway"
        assert at_place(name, C, V / 1.251) == "moving"


@pytest.mark.parametrize("name", FAILING)
def test_the_runaway_valley_begins_at_the_maximum_of_V(name):  # noqa: N802
    shape = theory.landscape(gate(name))
    top, outward = float(shape.maximum), np.sign(shape.falls_towards)
    inside = regions_of(gate(name))["runaway"]
    for step in (1e-6, 1e-3):
        assert inside(top + outward * step, least_squares_loss(name, top + outward * step))
        assert not inside(top - outward * step, least_squares_loss(name, top - outward * step))


def test_a_run_is_at_rest_up_to_a_gradient_of_a_thousandth():
    for norm, where in [(0.000999, "other"), (0.001, "other"), (0.001001, "moving")]:
        assert at_place("xor", -0.3, 3, gradient_norm=norm) == where
    for norm in (np.nan, np.inf):
        assert at_place("xor", -0.3, 3, gradient_norm=norm) == "moving"


# C and loss of each place, from the fractions in the README and in test_theory.
PLACES = [
    ("xor", "linear", 0, 1 / 4),
    ("nand", "linear", 0, 1 / 16),
    ("nand", "constant", -2 / 5, 3 / 16),
    ("or", "constant", -2 / 3, 3 / 16),
    ("x1", "cancellation", -1, 1 / 24),
]


@pytest.mark.parametrize(("name", "where", "C", "value"), PLACES)
def test_a_plateau_is_a_tenth_of_C_and_a_twentieth_of_its_loss_around(name, where, C, value):  # noqa: N802
    for off in (-0.0999, 0, 0.0999):
        for share in (0.9501, 1, 1.0499):
            assert at_place(name, C + off, share * value) == where
    for off in (-0.1001, 0.1001):
        assert at_place(name, C + off, value) != where
    for share in (0.9499, 1.0501):
        assert at_place(name, C, share * value) != where


@pytest.mark.parametrize(
    ("name", "C", "least"),
    [("xor", -1 / 2, 2 / 9), ("nand", -1, 1 / 72), ("or", -1 / 3, 1 / 16), ("x1", 0, 1 / 72)],
)
def test_near_is_a_tenth_of_C_and_half_the_least_failing_loss(name, C, least):  # noqa: N802
    for off in (-0.0999, 0, 0.0999):
        for share in (1e-3, 0.4999, 0.5):  # a tie is near
            assert at_place(name, C + off, share * least) == "near"
    assert at_place(name, C, 0.5001 * least) != "near"
    for off in (-0.1001, 0.1001):
        assert at_place(name, C + off, 0.4999 * least) != "near"


@pytest.mark.parametrize("name", [g.name for g in GATES])
def test_regions_are_the_same_on_floats_arrays_and_columns(name):
    rng = np.random.default_rng(0)
    # Around every place, and far out.
    Cs = np.concatenate([rng.uniform(-1.5, 0.5, 2000), rng.normal(scale=100, size=500)])
    losses = rng.choice([1 / 4, 3 / 16, 1 / 16, 1 / 24, 1 / 72, 0.01], Cs.size)
    losses *= rng.uniform(0.5, 1.5, Cs.size)
    frame = pl.DataFrame({"C": Cs, "loss": losses})
    for where, inside in regions_of(gate(name)).items():
        mask = inside(Cs, losses)
        assert mask.dtype == bool
        column = frame.select(inside(pl.col("C"), pl.col("loss"))).to_series()
        assert column.to_list() == mask.tolist()
        one_by_one = [inside(C, value) for C, value in zip(Cs.tolist(), losses, strict=True)]
        assert one_by_one == mask.tolist()
        assert mask.any(), where
        assert not mask.all()


def test_a_constant_gate_has_no_regions():
    assert regions_of(gate("true")) == {} == regions_of(gate("false"))


def test_regions_come_in_the_order_of_the_endings_and_each_ending_has_a_meaning():
    for one in GATES:
        names = [*regions_of(one)]
        assert names == [name for name in ENDINGS if name in names]
    assert tuple(ENDING_MEANINGS) == ENDINGS
    assert all(ENDING_MEANINGS.values())


def test_a_single_precision_C_far_out_is_in_the_valley():  # noqa: N802
    """Its square is infinite in float32."""
    found = best("xor", 10**6).with_columns(pl.lit(3e30, pl.Float32).alias("C"))
    assert ended("xor", found.with_columns(final_loss=pl.lit(2 / 9))) == ["runaway"]
    assert ended("xor", found.with_columns(final_loss=pl.lit(0.5), gradient_norm=1.0)) == ["moving"]


def test_status_goes_before_place():
    rows = [
        row("xor", -0.5, 2, 2, 0, status="solved"),
        row("xor", 0, 0, 0, 0.5, status="diverged"),
    ]
    assert ended("xor", pl.concat(rows)) == ["solved", "diverged"]


def test_a_run_above_the_valleys_floor_hops():
    high = best("nand", 5).with_columns(pl.col("final_loss") * 2, gradient_norm=pl.lit(2.0))
    assert ended("nand", high) == ["moving"]


def test_a_run_at_rest_at_no_known_place_is_other():
    assert ended("xor", row("xor", -0.3, 5, -5, 3)) == ["other"]
    gone = row("xor", -0.3, 5, -5, 3, gradient_norm=np.inf)
    assert ended("xor", gone) == ["moving"]


KNOWN = [
    ("xor", "lbfgs", 0, "runaway"),  # the notebook's: its loss stays at 2/9
    ("nand", "lbfgs", 0, "runaway"),  # 1/72
    ("xor", "sgd(lr=50)", 0, "diverged"),
    ("xor", "polyak", 0, "solved"),
    ("xor", "sgd", 0, "near"),  # it cycles around the solution: the step is too large for it
    ("xor", "sgd", 10, "linear"),  # the long plateau at 1/4
    ("xor", "adamw", 25, "linear"),  # decay has worn attention and readout away
]


@pytest.mark.parametrize(("name", "by", "seed", "where"), KNOWN)
def test_trained_runs_end_where_they_are_known_to(tmp_path, name, by, seed, where):
    epochs = 400 if by == "lbfgs" else None
    study = attnlogic.Study([name], [by], range(seed, seed + 1), epochs=epochs)
    counts = endings(attnlogic.run(study, out=tmp_path / "demo", progress=False))
    assert counts.select(ENDINGS).row(0, named=True) == {
        **dict.fromkeys(ENDINGS, 0),
        where: 1,
    }


def test_counts_add_up_condition_by_condition(tmp_path):
    study = attnlogic.Study(["xor", "nand", "true"], ["adam", "sgd(lr=50)"], 20, epochs=300)
    runs = attnlogic.run(study, out=tmp_path / "demo", progress=False)
    counts = endings(runs)
    assert counts.select("gate", "optimizer").rows() == [
        (name, by) for name in ("xor", "nand", "true") for by in ("adam", "sgd(lr=50)")
    ]
    assert counts["runs"].to_list() == [20] * 6
    assert counts.select(pl.sum_horizontal(ENDINGS)).to_series().to_list() == [20] * 6
    summary = attnlogic.summary(runs)
    assert counts["solved"].to_list() == summary["solved"].to_list()
    assert counts["diverged"].to_list() == summary["diverged"].to_list()


def test_no_runs_no_rows():
    from attnlogic.results.rows.run_columns import schema

    assert endings(pl.DataFrame(schema=schema("float32"))).is_empty()
