"""Settings: values become Python's own, and what does not fit is refused."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlogic.errors import InputError, described
from attnlogic.grammar import parse, write
from attnlogic.settings import Setting, complete, look_up, real, truth, whole

# Any finite float, and the short ones that people write.
short = st.builds(lambda n, digits: n / 10**digits, st.integers(-(10**7), 10**7), st.integers(0, 7))
numbers = st.floats(allow_nan=False, allow_infinity=False) | short
values = st.one_of(numbers, st.integers(-(2**40), 2**40), st.booleans())
names = st.sampled_from(["lr", "beta1", "weight_decay", "eps", "x", "scale_2"])


def of_type(value):
    return {bool: st.booleans(), int: st.integers(-(2**40), 2**40), float: numbers}[type(value)]


@st.composite
def defaults_and_settings(draw):
    defaults = draw(st.dictionaries(names, values))
    return defaults, {key: draw(of_type(value)) for key, value in defaults.items()}


@given(defaults_and_settings())
def test_what_is_written_is_read_back(both):
    defaults, settings = both
    name, given_settings = parse("thing", write("thing", settings, defaults), "thing(x=1)")
    known = {key: Setting(value, "") for key, value in defaults.items()}
    assert name == "thing"
    assert complete("thing", given_settings, known) == settings
    assert all(settings[key] != defaults[key] for key in given_settings)  # nothing superfluous


KNOWN = {
    "rate": Setting(0.5, "a number"),
    "count": Setting(3, "a whole number", low=-10, high=5000),
    "flag": Setting(False, "a switch"),
    "share": Setting(0.5, "half open", low=0, high=1, open_high=True),
    "word": Setting("tanh", "one of two words", choices=("tanh", "relu")),
    "fall": Setting("none", "a choice", choices={"none": {}, "step": {"by": Setting(0.5, "")}}),
}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("rate", 2, 2.0),
        ("rate", -0.25, -0.25),
        ("rate", np.float64(0.25), 0.25),
        ("rate", np.float32(0.1), float(np.float32(0.1))),
        ("rate", np.int64(2), 2.0),
        ("rate", Fraction(1, 4), 0.25),
        ("count", 4.0, 4),
        ("count", 1e3, 1000),
        ("count", np.int64(4), 4),
        ("count", np.uint8(4), 4),
        ("count", np.float32(4), 4),
        ("count", 5000, 5000),
        ("count", -10, -10),
        ("flag", True, True),
        ("flag", 1, True),
        ("flag", 0, False),
        ("flag", np.True_, True),
        ("flag", np.bool_(False), False),
        ("flag", "true", True),
        ("flag", "FALSE", False),
        ("flag", "True", True),
        ("word", "ReLU", "relu"),
        ("word", " tanh ", "tanh"),
        ("fall", "none()", "none"),
        ("fall", "Step(by=0.5)", "step"),
        ("fall", "step( by = 1 )", "step(by=1)"),
        ("fall", "step(by=0.30000000000000004)", "step(by=0.30000000000000004)"),
        ("share", 0, 0.0),
        ("share", 1 - 2**-53, 1 - 2**-53),
    ],
)
def test_a_value_becomes_pythons_own_of_the_type_of_its_default(key, value, expected):
    got = complete("t", {key: value}, KNOWN)
    assert got == {**{name: setting.default for name, setting in KNOWN.items()}, key: expected}
    assert type(got[key]) is type(expected)
    assert list(got) == list(KNOWN)


@pytest.mark.parametrize(
    ("key", "value", "fragments"),
    [
        ("rate", "fast", ["rate of t: expected a finite number, got 'fast' (str)"]),
        ("rate", None, ["a finite number", "None (NoneType)"]),
        ("rate", True, ["a finite number", "True (bool)"]),
        ("rate", np.True_, ["a finite number"]),
        ("rate", 1j, ["a finite number"]),
        ("rate", [1.0], ["a finite number", "(list)"]),
        ("rate", np.ones(1000), ["a finite number", "… (ndarray)"]),
        ("rate", float("nan"), ["finite", "nan (float)"]),
        ("rate", np.float32("nan"), ["finite"]),
        ("rate", float("-inf"), ["finite"]),
        ("rate", 10**400, ["finite"]),
        ("rate", 10**5000, ["finite", "too long to print (int)"]),
        ("count", 2.5, ["a whole number in -10 … 5000", "2.5"]),
        ("count", 5001, ["a whole number in -10 … 5000", "got 5001 (int)"]),
        ("count", -11, ["a whole number in -10 … 5000"]),
        ("count", True, ["whole number", "True (bool)"]),
        ("count", float("inf"), ["whole number", "inf"]),
        ("count", 10**400, ["whole number"]),
        ("flag", 2, ["True or False", "2 (int)"]),
        ("flag", "yes", ["True or False", "'yes' (str)"]),
        ("flag", [], ["True or False"]),
        ("flag", ([],), ["True or False"]),
        ("flag", np.ones(2), ["True or False"]),
        ("word", "sigmoid", ["unknown word of t 'sigmoid'", "known: relu, tanh"]),
        ("word", 3, ["word of t: expected a name, got 3 (int): known: relu, tanh"]),
        ("word", "", ["word of t '' is not of the form"]),
        ("fall", "stop", ["unknown fall of t 'stop': did you mean 'step'? known: none, step"]),
        ("fall", "step(by=x)", ["by of step: expected a finite number, got 'x' (str)"]),
        ("fall", "none(by=1)", ["none has no settings, got 'by'"]),
        ("share", 1, ["a number of at least 0 and below 1", "1 (int)"]),
        ("share", -1e-9, ["a number of at least 0 and below 1"]),
        (
            "rats",
            1.0,
            ["setting of t", "'rats'", "did you mean 'rate'", "known: count, fall, flag, rate"],
        ),
        (3, 1.0, ["setting of t", "expected a name, got 3 (int)"]),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) else str(hash(value)),
)
def test_a_value_that_does_not_fit_is_refused(key, value, fragments):
    with pytest.raises(InputError) as error:
        complete("t", {key: value}, KNOWN)
    for fragment in fragments:
        assert fragment in str(error.value)


def test_a_choice_without_settings_says_so():
    with pytest.raises(InputError, match="thing has no settings, got 'lr'"):
        complete("thing", {"lr": 1.0}, {})


@pytest.mark.parametrize("given", [0.1, "lr", [("lr",)], [["lr", 1, 2]]])
def test_settings_that_are_no_pairs_are_refused(given):
    with pytest.raises(InputError, match="settings of t: expected pairs of a name and a value"):
        complete("t", given, KNOWN)


LIMIT = 2.0**60  # exact in a float


@given(st.floats(-LIMIT, LIMIT), st.floats(-LIMIT, LIMIT), st.floats(-LIMIT, LIMIT))
def test_bounds_are_kept_open_or_closed(value, low, high):
    for open_low in (False, True):
        for open_high in (False, True):
            fits = (low < value or (value == low and not open_low)) and (
                value < high or (value == high and not open_high)
            )
            if fits:
                got = real("x", value, low, high, open_low=open_low, open_high=open_high)
                assert got == value
                continue
            with pytest.raises(InputError) as error:
                real("x", value, low, high, open_low=open_low, open_high=open_high)
            assert str(low) in str(error.value)
            assert str(high) in str(error.value)


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ({}, "a finite number,"),
        ({"low": 0}, "a finite number of at least 0,"),
        ({"low": 0, "open_low": True}, "a finite number above 0,"),
        ({"high": 1}, "a finite number of at most 1,"),
        ({"low": 0, "high": 1}, "a number in 0 … 1,"),
        ({"low": 0, "high": 1, "open_high": True}, "a number of at least 0 and below 1,"),
    ],
)
def test_a_message_gives_each_end_that_there_is(bounds, words):
    with pytest.raises(InputError, match=rf"^x: expected {words} got inf \(float\)$"):
        real("x", math.inf, **bounds)


@given(st.integers(-(2**60), 2**60), st.sampled_from([int, np.int64]))
def test_whole_numbers_are_kept_exactly(value, kind):
    got = whole("n", kind(value))
    assert (got, type(got)) == (value, int)


def test_truth_is_no_number_and_a_number_no_truth():
    for function, value in [(whole, True), (real, False), (truth, 0.5)]:
        with pytest.raises(InputError, match="x: expected"):
            function("x", value)


def test_a_look_up_suggests_the_nearest_name():
    assert look_up("fruit", "apple", {"apple": 1, "pear": 2}) == 1
    with pytest.raises(InputError, match="unknown fruit 'Aple': did you mean 'apple'"):
        look_up("fruit", "Aple", {"apple": 1, "pear": 2})
    for got in (None, 3, ["apple"], {}):
        with pytest.raises(InputError, match=r"fruit: expected a name, got .*: known: apple, pear"):
            look_up("fruit", got, {"apple": 1, "pear": 2})


def test_a_long_value_is_cut_in_a_message():
    assert described("a" * 1000) == "'" + "a" * 78 + "… (str)"
