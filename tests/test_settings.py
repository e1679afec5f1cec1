"""name(key=value, …): what is written is read back, and what is not of the form is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attnlogic import settings as spec
from attnlogic.errors import InputError

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
    name, given_settings = spec.parse("thing", spec.write("thing", settings, defaults))
    assert name == "thing"
    assert spec.complete("thing", name, given_settings, defaults) == settings
    assert all(settings[key] != defaults[key] for key in given_settings)  # nothing superfluous


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adam", ("adam", {})),
        ("SGD", ("sgd", {})),
        (" AdamW() ", ("adamw", {})),
        ("SGD(lr=1, nesterov=True)", ("sgd", {"lr": 1, "nesterov": True})),
        ("a(x=-1e-3,y=+2,)", ("a", {"x": -1e-3, "y": 2})),
        ("a(x=fast)", ("a", {"x": "fast"})),
    ],
)
def test_the_form(text, expected):
    assert spec.parse("thing", text) == expected


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("", ["not of the form name or name(key=value"]),
        ("adamw(", ["'adamw('", "not of the form"]),
        ("sgd lr=0.1", ["not of the form"]),
        ("lr=0.1", ["not of the form"]),
        ("1", ["not of the form"]),
        ("torch.adam(lr=1)", ["not of the form"]),
        ("a(**b)", ["not of the form"]),
        ("a\0", ["not of the form"]),
        ("a(x=" + "-" * 100_000 + "1)", ["not of the form"]),
        ("a(0.1)", ["give each setting its name"]),
        ("a(x=1, x=2)", ["'x' twice"]),
        (3, ["thing", "got 3"]),
        (None, ["got None"]),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_not_of_the_form_is_refused(text, fragments):
    with pytest.raises(InputError) as error:
        spec.parse("thing", text)
    for fragment in fragments:
        assert fragment in str(error.value)


@given(st.text("ab1(){}[]=,.*-+e'\" ", max_size=20))
@example("a(x={[1]: 2})")
@example("a(x=f(1))")
def test_any_text_is_read_or_refused(text):
    try:
        name, settings = spec.parse("thing", text)
    except InputError:
        return
    assert name.isidentifier()
    assert all(key.isidentifier() for key in settings)


DEFAULTS = {"rate": 0.5, "count": 3, "flag": False}


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("rate", 2, 2.0),
        ("rate", -0.25, -0.25),
        ("count", 4.0, 4),
        ("count", 1e3, 1000),
        ("flag", True, True),
        ("flag", 1, True),
        ("flag", 0, False),
    ],
)
def test_a_value_takes_the_type_of_its_default(key, value, expected):
    got = spec.complete("thing", "t", {key: value}, DEFAULTS)
    assert got == {**DEFAULTS, key: expected}
    assert type(got[key]) is type(expected)
    assert list(got) == list(DEFAULTS)


@pytest.mark.parametrize(
    ("key", "value", "fragments"),
    [
        ("rate", "fast", ["t(rate=fast)", "a number", "'fast'"]),
        ("rate", None, ["a number"]),
        ("rate", True, ["a number", "True"]),
        ("rate", 1j, ["a number"]),
        ("rate", float("nan"), ["finite"]),
        ("rate", float("-inf"), ["finite"]),
        ("rate", 10**400, ["finite"]),
        ("count", 2.5, ["whole number", "2.5"]),
        ("count", float("inf"), ["finite"]),
        ("flag", 2, ["True or False", "2"]),
        ("flag", "yes", ["True or False"]),
        ("flag", [], ["True or False"]),
        ("rats", 1.0, ["parameter of t", "'rats'", "did you mean 'rate'", "count, flag, rate"]),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_value_that_does_not_fit_is_refused(key, value, fragments):
    with pytest.raises(InputError) as error:
        spec.complete("thing", "t", {key: value}, DEFAULTS)
    for fragment in fragments:
        assert fragment in str(error.value)


def test_a_choice_without_parameters_says_so():
    with pytest.raises(InputError, match="thing 't' has no parameters, got 'lr'"):
        spec.complete("thing", "t", {"lr": 1.0}, {})
