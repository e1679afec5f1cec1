"""A user's own arithmetic model is a problem like any, and is tried before any work."""

import pytest

from attnlogic.errors import InputError
from attnlogic.problems import Model, Tensor, problem


def own(**changed):
    """A quadratic neuron of a user's."""
    given = {
        "name": "quadratic",
        "formula": "(w·x + b)²",
        "tensors": lambda n: (
            Tensor("b", (), ("b",), n),
            Tensor("layer.weight", (1, n), tuple(f"w{i}" for i in range(n)), n),
        ),
        "predict": lambda p, x, xp: (
            (sum(w * xi for w, xi in zip(p["layer.weight"][0], x, strict=True)) + p["b"]) ** 2
        ),
    }
    return Model(**{**given, **changed})


def test_a_models_own_is_a_problem_like_any():
    found = problem("xor", own())
    assert found.names == ("b", "w0", "w1")
    assert found.predict([1.0, 2.0, 3.0], (1, 1)) == 36
    assert found.framework is None


@pytest.mark.parametrize(
    ("changed", "fragments"),
    [
        ({"tensors": lambda n: ()}, ["no parameters to train"]),
        (
            {"tensors": lambda n: 1 / 0},
            ["tensors(2) raises ZeroDivisionError", "own_model.py"],
        ),
        ({"tensors": lambda n: ("w",)}, ["expected a Tensor", "'w'"]),
        ({"tensors": lambda n: (Tensor("w", (2,), ("w",), 1),)}, ["2 scalars", "got 1"]),
        ({"tensors": lambda n: (Tensor("w", (1,), ("w",), 0),)}, ["fan_in 0"]),
        (
            {"tensors": lambda n: (Tensor("w", (), ("w",), 1), Tensor("v", (), ("w",), 1))},
            ["two entries are called 'w'"],
        ),
        ({"predict": lambda p, x, xp: p["c"]}, ["predict raises KeyError: 'c'", "line"]),
        ({"predict": lambda p, x, xp: p}, ["expected one real number", "dict"]),
        ({"predict": lambda p, x, xp: xp.nothing(p)}, ["predict raises", "nothing"]),
    ],
    ids=["none", "raises", "no tensor", "entries", "fan_in", "twice", "key", "dict", "namespace"],
)
def test_a_models_own_is_tried_before_any_work(changed, fragments):
    with pytest.raises(InputError) as error:
        problem("xor", own(**changed))
    for fragment in ["model 'quadratic'", *fragments]:
        assert fragment in str(error.value)
