"""An optimizer's numbers: made Python's own, once, and refused where a precision lacks them."""

import numpy as np
import pytest

from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS, Optimizer, optimizer, real_numbers, structure
from attnlogic.studies import Study


@pytest.mark.parametrize("lr", [0.25, np.float64(0.25), np.float32(0.25)])
def test_numpys_numbers_become_pythons(lr):
    made = Optimizer("sgd", (("lr", lr), ("momentum", np.float32(0.5)), ("nesterov", np.True_)))
    assert made == optimizer("sgd(lr=0.25, momentum=0.5, nesterov=true)")
    assert {type(value) for value in made.step_settings.values()} == {float, bool}
    assert str(made) == "sgd(lr=0.25,momentum=0.5,nesterov=True)"
    (max_iter,) = [
        value
        for key, value in Optimizer("lbfgs", (("max_iter", np.int64(4)),)).hyperparameters
        if key == "max_iter"
    ]
    assert (max_iter, type(max_iter)) == (4, int)


def test_an_optimizer_that_is_built_is_filled_in():
    assert Optimizer("adam") == optimizer("adam")
    assert Optimizer("lbfgs", (("max_iter", 40),)) == optimizer("lbfgs(max_iter=40)")
    assert Optimizer("adam", {"lr": 0.1}) == optimizer("adam(lr=0.1)")


@pytest.mark.parametrize(
    ("name", "settings", "fragment"),
    [
        ("shampoo", (), "unknown optimizer 'shampoo'"),
        (None, (), "expected a name, got None"),
        ("adam", (("lr", 0),), "lr of adam"),
        ("adam", (("rl", 1),), "unknown setting of adam 'rl'"),
        ("sgd", (("nesterov", True),), "momentum above 0"),
        ("adam", "lr=0.1", "pairs of a name and a value"),
    ],
)
def test_an_optimizer_that_is_built_is_checked(name, settings, fragment):
    with pytest.raises(InputError, match=fragment):
        Optimizer(name, settings)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_every_default_fits_every_precision(precision):
    for name in OPTIMIZERS:
        optimizer(name).check_precision(precision)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(
    "text", ["adam(weight_decay=0)", "adam(beta1=0)", "lbfgs(tolerance_grad=0)", "polyak(f_min=-1)"]
)
def test_zero_itself_is_kept(text, precision):
    optimizer(text).check_precision(precision)


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("adam(lr=1e-60)", ["lr=1e-60 of adam in float32", "a magnitude in 1.18e-38 … 3.4e+38"]),
        ("adam(eps=1e-50)", ["eps=1e-50", "got 1e-50"]),
        ("sgd(weight_decay=1e-39)", ["weight_decay=1e-39"]),
        ("sgd(lr=1e300)", ["lr=1e+300 of sgd", "… 3.4e+38"]),
        ("polyak(f_min=-1e39)", ["f_min=-1e+39"]),
        ("rprop(step_size_max=1e39)", ["step_size_max=1e+39 of rprop"]),
        ("lbfgs(tolerance_change=1e-60)", ["tolerance_change=1e-60"]),
        ("adam(schedule=cosine(final=1e-50))", ["final=1e-50 of cosine in float32"]),
        ("optax:adam(eps=1e-50)", ["eps=1e-50 of optax:adam in float32"]),
        ("torch:Adam(betas=(0.9, 1e-50))", ["betas[1]=1e-50 of torch:Adam"]),
        ("adam(beta2=0.999999999)", ["beta2=0.999999999 of adam in float32", "below 1, got 1.0"]),
    ],
)
def test_a_number_that_float32_cannot_hold_is_refused(text, fragments):
    chosen = optimizer(text)
    with pytest.raises(InputError) as error:
        chosen.check_precision("float32")
    for fragment in fragments:
        assert fragment in str(error.value)
    chosen.check_precision("float64")


def test_a_study_refuses_it_before_any_work():
    with pytest.raises(InputError, match=r"lr=1e-60 of adam in float32"):
        Study(["xor"], ["adam(lr=1e-60)"])
    assert Study(["xor"], ["adam(lr=1e-60)"], precision="float64").conditions
    with pytest.raises(InputError, match="unknown precision 'float16'"):
        optimizer("adam").check_precision("float16")


@pytest.mark.parametrize("wrong", [3, None, ["adam"], {"lr": 0.1}, b"adam", 0.05], ids=repr)
def test_what_is_no_optimizer_says_what_one_is(wrong):
    with pytest.raises(InputError) as error:
        optimizer(wrong)
    for fragment in (repr(wrong)[:40], type(wrong).__name__, "such as 'adam(lr=0.01)'"):
        assert fragment in str(error.value)


# --- what is compiled and what is data ----------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("adam", "adam(lr=0.1, beta1=0.5, eps=1e-4)", True),
        ("adam", "adamw", False),
        ("adam", "adam(amsgrad=True)", False),
        ("adam", "adam(gamma=0.99)", False),
        ("adam(gamma=0.9)", "adam(gamma=0.99)", True),
        ("sgd(momentum=0.9)", "sgd(momentum=0.5)", True),
        ("sgd(momentum=0.9)", "sgd", False),
        ("lbfgs", "lbfgs(max_iter=19)", False),
        ("lbfgs", "lbfgs(line_search=strong_wolfe)", False),
        ("lbfgs", "lbfgs(tolerance_grad=0)", True),
    ],
)
def test_numbers_are_data_and_all_else_is_structure(one, other, same):
    one, other = optimizer(one), optimizer(other)
    assert (structure(one) == structure(other)) == same
    assert (hash(structure(one)) == hash(structure(other))) == same
    assert (real_numbers(one).keys() == real_numbers(other).keys()) or not same


def test_a_number_that_is_off_is_no_data():
    assert real_numbers(optimizer("sgd")) == {"lr": 0.05}
    assert real_numbers(optimizer("sgd(weight_decay=0.1)")) == {"lr": 0.05, "weight_decay": 0.1}
