"""A condition's digest: equal for what gives equal rows, another for all else."""

from dataclasses import replace

import numpy as np
import pytest
from abacus import Abacus, Counting, work

from attnlogic.errors import InputError
from attnlogic.problems import Data, Model, OwnLoss, model
from attnlogic.results import digest
from attnlogic.studies import Study
from attnlogic.studies.describing import describe


def digests(*given, backend=None, **rest):
    """The digests of a study's conditions, in order."""
    said = describe(Study(*given, **rest), backend or Abacus(), 1)
    return [one["digest"] for one in said["conditions"]]


PLAIN = {"gates": "xor", "optimizers": "adam", "seeds": 10}
SAME = [
    {"gates": ["0110"]},
    {"optimizers": "adam(lr=0.05, beta1=0.9)"},
    {"seeds": 2000},
    {"seeds": None},
    {"epochs": 8000},
    {"threshold": np.float64(1e-4)},
    {"models": "attention(residual=true)"},
    {"init": "torch"},
    {"parameters": ["w?", "wq", "b", "*"]},
]
ANOTHER = [
    {"gates": "or"},
    {"gates": Data("xor", ((0, 0), (0, 1), (1, 0), (1, 1)), (0, 1, 1, 1))},
    {"optimizers": "adam(lr=0.0500001)"},
    {"optimizers": "adam(beta1=0.91)"},
    {"optimizers": "adamw"},
    {"optimizers": "optax:adam(learning_rate=0.05)"},
    {"epochs": 7999},
    {"threshold": 1.0000001e-4},
    {"precision": "float64"},
    {"init": "normal"},
    {"init": "normal(scale=2)"},
    {"until": "hit"},
    {"models": "attention(residual=False)"},
    {"models": "linear"},
    {"encoding": "pm1"},
    {"parameters": "wq"},
    {"parameters": "w*"},
]


@pytest.mark.parametrize("given", SAME, ids=str)
def test_what_gives_the_same_rows_has_the_same_digest(given):
    assert digests(**PLAIN | given) == digests(**PLAIN)


def test_whatever_changes_a_row_changes_the_digest():
    class Other(Abacus):
        name = "slide rule"

    found = [digests(**PLAIN), digests(**PLAIN, backend=Other())]
    found += [digests(**PLAIN | given) for given in ANOTHER]
    assert len({one for (one,) in found}) == len(ANOTHER) + 2


def test_a_digest_does_not_depend_on_the_conditions_beside_it():
    every = digests(["xor", "or"], ["adam", "sgd"], seeds=10)
    assert len({*every}) == 4
    assert digests(["or"], ["sgd"]) == [every[3]]
    assert [*reversed(digests(["or", "xor"], ["sgd", "adam"]))] == every


def test_it_is_that_of_the_values_and_not_of_their_order_or_type():
    assert digest({"a": 1, "b": [1.5, None]}) == digest({"b": (1.5, None), "a": 1})
    assert digest([1, 2]) != digest([2, 1]) != digest(["2", 1])


def own(predict):
    """A model of a user's own with this output."""
    return Model("mine", "mine", model("linear").tensors, predict)


def test_the_text_of_a_users_own_code_counts(tmp_path):
    def one(params, x, xp):
        return x[0]

    def other(params, x, xp):
        return x[1]

    found = [digests("xor", "sgd", models=own(how)) for how in (one, other, one)]
    assert found[0] == found[2] != found[1]
    losses = [
        OwnLoss(lambda seed: {"w": seed / 2.0**32}, lambda p: (p["w"] - 1) ** 2, "parabola"),
        OwnLoss(lambda seed: {"w": seed / 2.0**32}, lambda p: (p["w"] - 2) ** 2, "parabola"),
    ]
    assert digests(models=losses[0]) != digests(models=losses[1])
    study = Study("xor", "sgd", 4, models=own(one))
    runs = work(tmp_path / "study", study=study)
    assert len(work(tmp_path / "study", study=study)) == len(runs)
    with pytest.raises(InputError, match="the code of a model or optimizer of your own"):
        work(tmp_path / "study", study=replace(study, models=own(other)))


def test_two_models_of_one_name_and_text_stay_apart():
    made = [own(lambda params, x, xp, n=n: x[n]) for n in (0, 1)]
    assert len({*digests("xor", "sgd", models=made)}) == 2


def test_a_study_of_a_users_own_code_is_trained_again_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = Study("xor", "sgd", 4, models=own(lambda params, x, xp: x[0]))
    first = work(None, study=study)
    again = Counting()
    assert work(None, again, study).directory != first.directory
    assert len(again.trained) == 4
