"""The examples of models of a user's own train as they stand."""

import pytest

import attnlogic

HERE = "attnlogic.examples.own_models:"


@pytest.mark.parametrize(
    ("model", "backend", "parameters"),
    [
        ("product", "jax", 4),
        ("product", "torch", 4),
        ("equinox_network(width=3)", "jax", 13),
        ("flax_network(width=3)", "jax", 13),
        ("valley(curvature=3.0)", "jax", 2),
        ("TorchNetwork", "torch", 9),
    ],
)
def test_it_trains(tmp_path, model, backend, parameters):
    study = attnlogic.Study("xor", "adam(lr=0.05)", seeds=4, epochs=80, models=HERE + model)
    runs = attnlogic.run(study, backend, tmp_path / "runs", progress=False)
    rows = runs.table()
    assert len(study.conditions[0].training.problem.names) == parameters
    assert (rows["min_loss"] < rows["initial_loss"]).all()
    assert rows["diverged_at"].null_count() == 4
    assert ("total" in rows.columns) == (model == "product")
