"""The Hessian where runs end, against JAX's, theory's free directions, and by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest

import attnlogic
from attnlogic import theory
from attnlogic.problems import mean_squared_error, problem
from attnlogic.problems.gates import GATES, ROWS, gate
from attnlogic.problems.neuron import NAMES, loss, pack, unpack
from attnlogic.results.rows.known import known_of
from attnlogic.results.rows.run_columns import schema
from attnlogic.statistics.curvature import eigenvalues, zero_within
from attnlogic.statistics.curvature import statistic as curvature
from attnlogic.theory.derivatives import gradient, hessian

XOR = known_of({"gate": "xor", "model": "attention", "encoding": "01"})
NUMBERS = np.random.default_rng(0).normal(size=(6, 50))


@pytest.mark.parametrize("name", ["xor", "nand", "x1", "implication"])
def test_derivatives_are_those_of_jax(name):
    targets = gate(name).targets
    with jax.enable_x64(True):

        def of_packed(packed):
            return loss(unpack(tuple(packed)), ROWS, targets)

        points = jnp.asarray(NUMBERS.T)
        expected = np.asarray(jax.vmap(jax.hessian(of_packed))(points))
        slopes = np.asarray(jax.vmap(jax.grad(of_packed))(points)).T
    np.testing.assert_allclose(
        hessian(gate(name), unpack([*NUMBERS])), expected, rtol=1e-9, atol=1e-9
    )
    found = gradient(gate(name), unpack([*NUMBERS]))
    np.testing.assert_allclose(found.T, slopes, rtol=1e-9, atol=1e-9)


def frame(name, points, status="solved"):
    """Runs of a gate that ended at these points, each of six numbers."""
    about = {
        "gate": name, "optimizer": "adam", "status": status, "final_loss": 0.0, "C": 0.0,
        "gradient_norm": 0.0, "epochs": 10, "threshold": 1e-4, "backend": "jax",
        "precision": "float64", "init": "torch", "until": "budget", "model": "attention",
        "encoding": "01",
    }  # fmt: skip
    rows = [{**about, "seed": i, **dict(zip(NAMES, p, strict=True))} for i, p in enumerate(points)]
    return pl.DataFrame(rows, schema=schema("float64"))


@pytest.mark.parametrize("name", [g.name for g in GATES if g.name not in ("true", "false")])
def test_a_solution_has_as_many_flat_directions_as_theory_says(name):
    """Each that theory calls free, and no other; for C = 0 with one of the three at 0."""
    solution = theory.solution(gate(name))
    w = solution.w or (solution.w_sum / 3, solution.w_sum * 2 / 3)
    point = (float(solution.C), 1.0, 1.0, *map(float, w), float(solution.b))
    found = curvature(frame(name, [point])).row(0, named=True)
    assert (found["negative"], found["flat"]) == (0, solution.free)
    assert found["positive"] == 6 - solution.free
    assert found["saddles"] == 0


@pytest.mark.parametrize("name", ["and", "nand", "or", "nor"])
def test_the_linear_plateau_of_these_is_a_strict_saddle(name):
    at = theory.readout(gate(name), 0)
    # Two of the three are 0.
    point = (0.0, 0.0, 1.0, *map(float, (*at.w, at.b)))
    found = curvature(frame(name, [point], status="unsolved")).row(0, named=True)
    assert found["saddles"] == 1
    assert found["negative"] == 1
    assert found["least_median"] < 0


def test_places_are_told_apart_and_ends_that_are_not_finite_left_out(tmp_path):
    study = attnlogic.Study(["xor"], ["adam", "sgd(lr=50)"], 20, epochs=1000)
    runs = attnlogic.run(study, out=tmp_path / "demo", progress=False)
    found = curvature(runs)
    assert found.schema == curvature.schema
    assert found["optimizer"].unique().to_list() == ["adam"]
    assert found["runs"].sum() == 20
    rows = runs.table().filter(optimizer="adam")
    values = eigenvalues(rows, XOR)
    assert values.shape == (20, 6)
    assert (np.diff(values, axis=1) >= 0).all()
    solved = values[(rows["status"] == "solved").to_numpy()]
    (told,) = found.filter(ended="solved").iter_rows(named=True)
    assert told["sharpness_median"] == pytest.approx(np.median(solved[:, -1]))
    # No descent with a step of 0.05 is stable there, as the notebook's SGD shows.
    assert told["sharpness_q05"] > 2 / 0.05


@pytest.mark.parametrize(
    ("name", "model", "encoding"),
    [
        ("and3", "attention", "01"),
        ("nand", "attention(bias=False)", "01"),
        ("or", "attention(residual=False)", "01"),
        ("or3", "attention", "pm1"),
    ],
)
def test_the_hessian_of_other_forms_and_more_bits_is_that_of_jax(name, model, encoding, tmp_path):
    study = attnlogic.Study(
        name, "adam", 40, epochs=300, models=model, encoding=encoding, precision="float64"
    )
    runs = attnlogic.run(study, out=tmp_path / "demo", progress=False).table()
    of = problem(name, model, encoding)
    ends = runs.select(of.names).to_numpy()
    with jax.enable_x64(True):

        def loss_of(packed):
            outs = [of.predict(tuple(packed), x) for x in of.data.inputs]
            return mean_squared_error(outs, of.data.targets)

        expected = np.linalg.eigvalsh(jax.vmap(jax.hessian(loss_of))(jnp.asarray(ends)))
    known = known_of({"gate": name, "model": model, "encoding": encoding})
    np.testing.assert_allclose(eigenvalues(runs, known), expected, rtol=1e-7, atol=1e-9)
    found = curvature(runs)
    assert found["runs"].sum() == 40
    assert (found.select(pl.sum_horizontal("negative", "flat", "positive")) > 0).to_series().all()
    counts = found["negative"] + found["flat"] + found["positive"]
    np.testing.assert_allclose(counts, len(of.names))


def test_blocks_of_runs_are_joined_in_order(monkeypatch):
    rows, around = beside_solution(1e-3), np.arange(200) % 3 == 0
    whole = eigenvalues(rows, XOR), zero_within(rows, around, XOR)
    monkeypatch.setattr("attnlogic.statistics.curvature.RUNS_AT_ONCE", 64)
    np.testing.assert_array_equal(eigenvalues(rows, XOR), whole[0])
    np.testing.assert_allclose(zero_within(rows, around, XOR), whole[1], rtol=1e-9)


def test_models_without_such_a_theory_are_left_out(tmp_path):
    models = ["attention(heads=2)", "attention(scores=softmax)", "mlp"]
    study = attnlogic.Study("xor", "adam", 4, epochs=10, models=models)
    assert curvature(attnlogic.run(study, out=tmp_path / "demo", progress=False)).is_empty()


def test_the_sharpest_direction_is_what_a_small_step_feels():
    """Along its vector the loss grows as half the eigenvalue times the distance squared."""
    point = np.array([-0.5, 1.0, 1.0, 2.0, 2.0, 0.0])
    (matrix,) = hessian(gate("xor"), unpack([*point[:, None]]))
    values, vectors = np.linalg.eigh(matrix)
    moved = unpack([*(point + 1e-4 * vectors[:, -1])])
    assert loss(moved, ROWS, gate("xor").targets) == pytest.approx(values[-1] / 2 * 1e-8, rel=1e-3)
    assert len(pack(moved)) == 6


def test_no_runs_no_rows():
    assert curvature(pl.DataFrame(schema=schema("float32"))).is_empty()


# --- what counts as zero ------------------------------------------------------------------------


def beside_solution(distance, seeds=200):
    """Ends at a distance from a solution of XOR, in random directions, as rows."""
    rng = np.random.default_rng(0)
    exact = np.array([-1.0, 1.0, 0.5, 2.0, 2.0, 0.0])
    off = rng.normal(size=(seeds, 6))
    ends = exact + distance * off / np.linalg.norm(off, axis=1, keepdims=True)
    return pl.DataFrame({"gate": ["xor"] * seeds, **dict(zip(NAMES, ends.T, strict=True))})


@pytest.mark.parametrize("distance", [1e-4, 1e-3, 1e-2])
def test_no_end_beside_a_solution_is_a_saddle(distance):
    """The solution is a minimum, so a negative eigenvalue is the end's distance from it."""
    rows = beside_solution(distance)
    values, zero = eigenvalues(rows, XOR), zero_within(rows, np.ones(len(rows), bool), XOR)
    assert (values[:, 0] < 0).any()
    assert (values[:, 0] >= -zero).all()
    # The tolerance shrinks with the distance, and leaves the steep directions alone.
    assert zero.max() < 500 * distance + 1.1e-4 * values.max()
    assert (values[:, -1] > zero).all()


def test_far_from_a_solution_a_saddle_is_a_saddle():
    """At C = 0 with w = 0 XOR's gradient vanishes, and the Hessian has a negative eigenvalue."""
    on_plateau = [0.0, 0.0, 1.0, 1.0, 1.0, 0.5]
    rows = pl.DataFrame(
        {"gate": ["xor"], **{n: [v] for n, v in zip(NAMES, on_plateau, strict=True)}}
    )
    values, zero = eigenvalues(rows, XOR), zero_within(rows, np.zeros(1, bool), XOR)
    assert zero[0] == pytest.approx(1e-4 * np.abs(values).max())


@pytest.mark.parametrize("name", ["xor", "nand", "or", "x1"])
def test_the_nearest_solution_is_one_and_is_near(name):
    rng = np.random.default_rng(1)
    found = theory.solution(gate(name))
    w = found.w or (found.w_sum / 2,) * 2
    exact = np.array([float(found.C), 1.0, 1.0, *map(float, w), float(found.b)])
    ends = exact[:, None] + 1e-2 * rng.normal(size=(6, 50))
    nearest = np.array(pack(theory.nearest_solution(gate(name), unpack([*ends]))))
    assert np.abs(loss(unpack([*nearest]), ROWS, gate(name).targets)).max() < 1e-24
    # No farther than the exact one that the ends were made from, but for the steps' own curve.
    assert (
        np.linalg.norm(nearest - ends, axis=0)
        < 1.05 * np.linalg.norm(ends - exact[:, None], axis=0)
    ).all()
