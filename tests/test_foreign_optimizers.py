"""Other packages' optimizers: named by text or given as objects, and never imported for reading."""

import functools
import subprocess
import sys

import numpy as np
import optax
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attnlogic.errors import InputError
from attnlogic.optimizers import FOREIGN_EPOCHS, OPTIMIZERS, Optimizer, optimizer, optimizers

literals = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)
settings = st.dictionaries(st.sampled_from(["lr", "b1", "betas", "eps"]), literals)


@given(settings)
def test_an_optimizer_is_read_back_from_what_it_writes(given_settings):
    made = Optimizer("optax.contrib:Prodigy", tuple(given_settings.items()))
    again = optimizer(str(made))
    assert (again, str(again), hash(again)) == (made, str(made), hash(made))
    assert repr(again.settings) == repr({k: given_settings[k] for k in sorted(given_settings)})


@pytest.mark.parametrize(
    ("text", "written", "source"),
    [
        ("optax:lion(learning_rate=1e-3)", "optax:lion(learning_rate=0.001)", "optax"),
        ("optax.contrib:prodigy()", "optax.contrib:prodigy", "optax.contrib"),
        ("torch:Adafactor(lr=0.01)", "torch:Adafactor(lr=0.01)", "torch"),
        ("my.own_package:make.It(w=3, b='x')", "my.own_package:make.It(b='x',w=3)",
         "my.own_package"),
        ("object:mine", "object:mine", "object"),
        ("adam", "adam", None),
    ],
)  # fmt: skip
def test_a_name_keeps_its_case_and_its_source(text, written, source):
    assert str(optimizer(text)) == written
    assert optimizer(text).source == source
    assert optimizer(written) == optimizer(text)


def test_what_is_known_of_it():
    lion = optimizer("optax:lion(learning_rate=1e-3)")
    assert lion.epochs == FOREIGN_EPOCHS
    assert lion.record.summary == "as optax.lion defines it"
    assert lion.settings == lion.step_settings == lion.flat_settings == {"learning_rate": 0.001}
    assert lion.enabled("amsgrad", "learning_rate") == []
    assert "optax:lion" not in OPTIMIZERS


def test_values_of_equal_numbers_but_other_types_are_other_optimizers():
    """Another package may read True and 1 differently."""
    several = [optimizer(f"optax:a(x={x})") for x in ("1", "1.0", "True", "(1,)", "(1.0,)")]
    assert len(set(several)) == len(several)


def test_the_order_of_settings_does_not_matter():
    assert optimizer("optax:a(x=1, y=2)") == optimizer("optax:a(y=2, x=1)")


def test_numpys_numbers_become_pythons():
    made = Optimizer("optax:a", {"x": np.float32(0.5), "y": (np.int64(3), np.True_)})
    assert repr(made.settings) == "{'x': 0.5, 'y': (3, True)}"


@pytest.mark.parametrize(
    ("name", "given_settings", "fragment"),
    [
        ("optax:", {}, "such as optax:lion or package.module:factory, got 'optax:'"),
        (":lion", {}, "got ':lion'"),
        ("a:b:c", {}, "got 'a:b:c'"),
        ("optax:li-on", {}, "got 'optax:li-on'"),
        ("optax:lion", {"b1": [0.9]}, "b1 of optax:lion: expected a finite number, a bool, a text"),
        ("optax:lion", {"b1": np.ones(2)}, "b1 of optax:lion: expected a finite number"),
        ("optax:lion", {"b1": float("nan")}, "expected a finite number"),
        ("optax:lion", {"mask": print}, "mask of optax:lion: expected a finite number"),
        ("optax:lion", "b1=3", "pairs of a name and a value"),
    ],
)
def test_a_wrong_one_is_refused(name, given_settings, fragment):
    with pytest.raises(InputError) as error:
        Optimizer(name, given_settings)
    assert fragment in str(error.value)


# --- objects ------------------------------------------------------------------------------------


def make_lion(learning_rate):
    return optax.lion(learning_rate)


@pytest.mark.parametrize(
    ("given_object", "text"),
    [
        (torch.optim.Adafactor, "object:Adafactor"),
        (functools.partial(torch.optim.Adam, lr=0.1), "object:Adam"),
        (functools.partial(functools.partial(torch.optim.SGD), lr=0.1), "object:SGD"),
        (make_lion, "object:make_lion"),
        (lambda params: torch.optim.Adam(params), "object:lambda"),
        (optax.scale_by_lion(), "object:scale_by_lion"),
        (optax.adam(0.1), "object:chain"),
    ],
    ids=[str(i) for i in range(7)],
)
def test_an_object_is_named_after_itself(given_object, text):
    made = optimizer(given_object)
    assert (str(made), made.of, made.source) == (text, given_object, "object")
    assert made.of is given_object
    assert made == optimizer(given_object)
    assert optimizers(given_object) == optimizers([given_object, made]) == (made,)
    assert str(optimizer(given_object, name="mine")) == "object:mine"


def test_two_objects_are_two_optimizers_and_need_two_names():
    one, other = optax.adam(0.1), optax.adam(0.2)
    assert optimizer(one) != optimizer(other)
    with pytest.raises(InputError, match="two different objects are called 'object:chain': give"):
        optimizers([one, other])
    named = [optimizer(one, name="slow"), optimizer(other, name="fast")]
    assert list(map(str, optimizers(named))) == ["object:slow", "object:fast"]


def test_an_objects_text_is_read_without_the_object():
    made = optimizer(torch.optim.Adafactor)
    read = optimizer(str(made))
    assert (str(read), read.of) == (str(made), None)
    assert read != made


def test_a_constructor_may_have_settings_a_transformation_is_finished():
    made = Optimizer("object:mine", {"lr": 0.1}, torch.optim.Adafactor)
    assert str(made) == "object:mine(lr=0.1)"
    with pytest.raises(InputError, match="finished transformation, which takes no settings"):
        Optimizer("object:mine", {"x": 0.1}, optax.adam(0.1))


@pytest.mark.parametrize(
    ("work", "fragment"),
    [
        (lambda: optimizer(torch.optim.Adam([torch.zeros(1)])), "made already for some parameters"),
        (lambda: optimizer(torch.zeros(1)), "expected a text such as 'adam(lr=0.01)', an optax"),
        (lambda: optimizer(make_lion, name="my lion"), "expected a name such as 'mine', got 'my l"),
        (lambda: optimizer(make_lion, name=""), "expected a name such as 'mine', got ''"),
        (lambda: optimizer(make_lion, name=3), "expected a name such as 'mine', got 3 (int)"),
        (lambda: optimizer("adam", name="mine"), "optimizer 'adam' has a name of its own"),
        (
            lambda: optimizer(optimizer("adam"), name="mine"),
            "has a name of its own, got name",
        ),
        (lambda: Optimizer("adam", (), make_lion), "an object's name starts with 'object:'"),
        (lambda: Optimizer("optax:lion", (), make_lion), "an object's name starts with 'object:'"),
    ],
)
def test_what_is_no_object_of_ours_is_refused(work, fragment):
    with pytest.raises(InputError) as error:
        work()
    assert fragment in str(error.value)


# --- nothing is imported ------------------------------------------------------------------------

SCRIPT = """
import sys
from attnlogic.optimizers import optimizer
for text in ("optax:lion(b1=0.9)", "torch:Adafactor(lr=0.01)", "json.tool:main", "object:mine"):
    by = optimizer(text)
    str(by), by.record, by.schedule, by.settings, by.check_precision("float32")
found = {"optax", "torch", "jax", "numpy", "json.tool"} & set(sys.modules)
assert not found, found
"""


def test_reading_a_text_imports_nothing():
    """A stored study is read where its packages are missing, and its text may be a stranger's."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
