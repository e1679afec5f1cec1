"""Every model on both backends: one trajectory in float64, and the same starts."""

import numpy as np
import pytest
from helpers import whole_history

from attnlogic.backend import Training, backend, checked
from attnlogic.optimizers import optimizer
from attnlogic.problems import problem

MODELS = [
    "attention",
    "attention(residual=False)",
    "attention(bias=False)",
    "attention(scores=softmax)",
    "attention(heads=2)",
    "linear",
    "mlp",
    "mlp(hidden=3,activation=relu)",
    "mlp(activation=sigmoid)",
    "mlp(hidden=1,activation=identity)",
]
EVERY_SETTING = "attention(residual=False,bias=False,scores=softmax,heads=2)"
OF_THREE_BITS = ["attention", EVERY_SETTING, "linear", "mlp"]
"""What a setting does to a model is the same for any number of bits."""
EPOCHS = 60


@pytest.mark.parametrize(
    ("model", "gate", "encoding"),
    [
        *((model, "xor", "01") for model in (*MODELS, EVERY_SETTING)),
        *((model, "majority3", "pm1") for model in OF_THREE_BITS),
    ],
)
def test_both_backends_train_it_alike(model, gate, encoding):
    what = problem(gate, model, encoding)
    training = checked(Training(what, optimizer("adam"), EPOCHS, precision="float64"))
    for seed in (0, 3):
        start = what.initial(seed)
        ours, theirs = (whole_history(backend(name), training, start) for name in ("jax", "torch"))
        # Adam divides by the root of a mean of squares: where it is small, rounding (1e-16) grows
        # by some ten epochs' factors, to 1e-12 at most in 60 epochs of these runs.
        np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(ours.final, theirs.final, rtol=1e-8, atol=1e-10)
        assert ours.quantities.keys() == theirs.quantities.keys() == {q.name for q in what.own}
        for name, trace in ours.quantities.items():
            np.testing.assert_allclose(trace, theirs.quantities[name], rtol=1e-8, atol=1e-10)
        np.testing.assert_array_equal(ours.initial, theirs.initial)
        np.testing.assert_array_equal(ours.initial, start.astype(float))
