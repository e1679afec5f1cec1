"""A user's own models and data in studies: outcomes, storage, statistics, the command line."""

import sys
import textwrap

import numpy as np
import polars as pl
import pytest

import attnlogic
from attnlogic import Model, OwnLoss, OwnModule, Study, Tensor
from attnlogic.cli import main
from attnlogic.errors import InputError
from attnlogic.results import load

MINE = textwrap.dedent(
    """
    # Models of a user's own.
    import jax, jax.numpy as jnp, torch
    from attnlogic import Model, OwnLoss, Tensor

    def net(width=4):
        def init(key):
            a, b = jax.random.split(key)
            return {"inner": jax.random.normal(a, (2, width)),
                    "outer": jax.random.normal(b, (width,))}
        def loss(params, x, y):
            return ((jnp.tanh(x @ params["inner"]) @ params["outer"] - y) ** 2).mean()
        return OwnLoss(init, loss)

    def bowl():
        return OwnLoss(lambda seed: {"x": jax.random.normal(jax.random.key(seed), (3,))},
                       lambda params: (params["x"] ** 2).sum())

    def product():
        return Model("product", "u·x1·x2 + v", lambda n: (Tensor("p", (2,), ("u", "v"), n),),
                     lambda p, x, xp: p["p"][0] * x[0] * x[1] + p["p"][1])

    class Net(torch.nn.Module):
        def __init__(self, width=3):
            super().__init__()
            self.layers = torch.nn.Sequential(
                torch.nn.Linear(2, width), torch.nn.Tanh(), torch.nn.Linear(width, 1))
        def forward(self, x):
            return self.layers(x)
    """
)


@pytest.fixture(autouse=True)
def mine(tmp_path, monkeypatch):
    """A module of a user's own on Python's path."""
    (tmp_path / "mine_for_tests.py").write_text(MINE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("mine_for_tests", None)


def run(tmp_path, *args, backend="jax", **options):
    study = Study(*args, epochs=60, **options)
    return attnlogic.run(study, backend, tmp_path / "runs", progress=False)


def test_a_loss_over_a_pytree_is_trained_stored_and_summed_up(tmp_path):
    runs = run(
        tmp_path, ["xor", "and"], "adam(lr=0.1)", seeds=40, models="mine_for_tests:net(width=3)"
    )
    table = load(tmp_path / "runs").table()
    assert table.height == 80
    assert table["model"].unique().to_list() == ["mine_for_tests:net(width=3)"]
    names = [f"inner[{i},{j}]" for i in range(2) for j in range(3)] + [
        f"outer[{i}]" for i in range(3)
    ]
    assert {*names, *(f"{name}_initial" for name in names)} <= {*table.columns}
    assert "C" not in table.columns
    for name, statistic in attnlogic.STATISTICS.items():
        if name not in ("compare", "sweep"):  # one optimizer, no sweep
            statistic(runs)


def test_a_loss_with_matrix_products_has_the_losses_of_a_plain_loop(tmp_path):
    import jax
    import optax
    from mine_for_tests import net

    own = net()
    run_ = attnlogic.train(
        "xor", "adam(lr=0.1)", 5, epochs=40, model="mine_for_tests:net", progress=False
    )
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    y = np.array([0, 1, 1, 0], np.float32)
    params, by, losses = own.init(jax.random.key(5)), optax.adam(0.1), []
    state = by.init(params)
    for _ in range(40):
        loss, gradient = jax.value_and_grad(own.loss)(params, x, y)
        losses.append(float(loss))
        updates, state = by.update(gradient, state)
        params = optax.apply_updates(params, updates)
    # float32: Adam amplifies rounding of 1e-7 by some factors in 40 epochs.
    np.testing.assert_allclose(run_.history.losses, losses, rtol=2e-4)


def test_a_loss_of_its_parameters_alone_has_no_gate(tmp_path):
    runs = run(tmp_path, ["xor", "and"], ["adam", "sgd"], seeds=8, models="mine_for_tests:bowl")
    assert runs.table()["gate"].unique().to_list() == ["none"]
    assert attnlogic.summary(runs)["runs"].to_list() == [8, 8]


def test_arithmetic_trains_on_both_backends_from_the_same_starts(tmp_path):
    tables = [
        run(tmp_path / name, "and", "adam", seeds=3, backend=name, precision="float64",
            models="mine_for_tests:product").table()
        for name in ("jax", "torch")
    ]  # fmt: skip
    ours, theirs = tables
    assert ours["u_initial"].equals(theirs["u_initial"])
    np.testing.assert_allclose(ours["final_loss"], theirs["final_loss"], rtol=1e-9)


def test_a_module_of_torchs_is_trained_by_torch_alone(tmp_path):
    runs = run(tmp_path, "xor", "adam", seeds=2, models="mine_for_tests:Net", backend="torch")
    assert "layers.0.weight[0,0]" in runs.table().columns
    with pytest.raises(InputError, match=r"trained by torch alone.*--backend torch"):
        run(tmp_path / "jax", "xor", "adam", seeds=2, models="mine_for_tests:Net")
    assert not (tmp_path / "jax").exists()


def test_a_study_is_read_without_the_users_module(tmp_path, monkeypatch):
    run(tmp_path, "xor", "adam", seeds=4, models="mine_for_tests:net")
    sys.modules.pop("mine_for_tests", None)
    (tmp_path / "mine_for_tests.py").unlink()
    runs = load(tmp_path / "runs")
    assert attnlogic.endings(runs)["runs"].to_list() == [4]
    assert "mine_for_tests" not in sys.modules


def wide(parameters):
    return OwnLoss(
        lambda seed: {"w": np.full(parameters, 0.5, np.float32)},
        lambda params: (params["w"] ** 2).sum(),
        name="wide",
    )


@pytest.mark.parametrize(
    ("parameters", "asked", "expected"),
    [(64, (), 64), (65, (), 0), (65, ("w[0]", "w[6*]"), 7), (3, ("w[1]",), 1)],
)
def test_parameters_are_columns_while_there_are_few(tmp_path, parameters, asked, expected):
    runs = run(tmp_path, "xor", "sgd", seeds=2, models=wide(parameters), parameters=asked)
    found = [
        name for name in runs.table().columns if name.startswith("w[") and "initial" not in name
    ]
    assert len(found) == expected


@pytest.mark.parametrize("asked", [("w9",), ("nothing*", "w1"), (3,)])
def test_a_parameter_that_no_model_has_is_refused_before_any_work(tmp_path, asked):
    with pytest.raises(InputError, match="is no parameter of any model here"):
        run(tmp_path, "xor", "sgd", seeds=2, parameters=asked)
    assert not (tmp_path / "runs").exists()


def test_objects_are_models_too(tmp_path):
    torch = pytest.importorskip("torch")
    parabola = Model(
        "parabola",
        "a x²",
        lambda n: (Tensor("a", (1,), ("a",), n),),
        lambda p, x, xp: p["a"][0] * x[0] ** 2,
    )
    assert len(run(tmp_path / "a", "x1", "sgd", seeds=3, models=parabola)) == 3
    own = OwnModule(lambda: torch.nn.Linear(2, 1), name="line")
    assert len(run(tmp_path / "b", "x1", "sgd", seeds=2, models=own, backend="torch")) == 2


def test_rows_of_a_file_are_fitted(tmp_path, capsys, monkeypatch):
    file = tmp_path / "line.csv"
    file.write_text("x1,x2,y\n0,0,1\n1,0,3\n0,1,0\n1,1,2\n", encoding="utf-8")
    out = tmp_path / "runs"
    command = ["study", "--data", str(file), "-m", "linear", "-o", "adam(lr=0.1)", "--seeds", "20"]
    monkeypatch.setattr(sys, "argv", ["attnlogic", *command, "--epochs", "1500", "--out", str(out)])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    rows = load(out).table()
    assert rows["gate"].unique().to_list() == ["line.csv"]
    assert rows["status"].unique().to_list() == ["solved"]
    exact = {"w1": 2, "w2": -1, "b": 1}
    for name, value in exact.items():
        np.testing.assert_allclose(rows[name], value, atol=0.05)  # loss ≤ 1e-4
    assert load(out).description["data"]["line.csv"]["targets"] == [1, 3, 0, 2]


def test_inputs_of_minus_one_and_one_make_attention_linear(tmp_path):
    runs = run(
        tmp_path, ["xor", "x1"], "adam(lr=0.1)", seeds=20, encoding="pm1", models="attention"
    )
    solved = attnlogic.summary(runs).select("gate", "reached", "encoding")
    assert solved.filter(pl.col("gate") == "xor")["reached"].item() == 0
    assert solved["encoding"].unique().to_list() == ["pm1"]
