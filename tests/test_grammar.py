"""name(key=value, …): what is written is read back, and what is not of the form is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attnlogic.errors import InputError
from attnlogic.grammar import dotted, foreign, parse, write_foreign
from attnlogic.ranges import Range


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("adam", ("adam", {})),
        ("SGD", ("sgd", {})),
        (" AdamW() ", ("adamw", {})),
        ("SGD(lr=1, nesterov=True)", ("sgd", {"lr": 1, "nesterov": True})),
        ("a(x=-1e-3,y=+2,)", ("a", {"x": -1e-3, "y": 2})),
        ("a(x=fast)", ("a", {"x": "fast"})),
        ("a(x='b c, d')", ("a", {"x": "b c, d"})),
        ("a(x=b(c=1, d=(2, 3)), y=4)", ("a", {"x": "b(c=1, d=(2, 3))", "y": 4})),
        ("a(x=[1, 2], y=[fast, b(c=[3])])", ("a", {"x": [1, 2], "y": ["fast", "b(c=[3])"]})),
        ("a(x=[])", ("a", {"x": []})),
        ("a(\n  x = 1,\n  y = 2,\n)", ("a", {"x": 1, "y": 2})),
        ("optax:lion", ("optax:lion", {})),
        ("optax.contrib:Prodigy()", ("optax.contrib:Prodigy", {})),
        ("torch:Adam(betas=(0.9, 0.99))", ("torch:Adam", {"betas": (0.9, 0.99)})),
        (
            "p.q:A.b(x=None, y='z', w=[(1,), ('a',)])",
            ("p.q:A.b", {"x": None, "y": "z", "w": [(1,), ("a",)]}),
        ),
    ],
)
def test_the_form(text, expected):
    assert parse("thing", text, "thing(x=1)") == expected


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("", ["not of the form name or name(key=value"]),
        ("adamw(", ["'adamw('", "not of the form"]),
        ("sgd lr=0.1", ["not of the form"]),
        ("lr=0.1", ["not of the form"]),
        ("1", ["not of the form"]),
        ("torch.adam(lr=1)", ["not of the form", "is written package.module:name"]),
        ("a(**b)", ["not of the form"]),
        ("a\0", ["not of the form"]),
        ("a(x=" + "-" * 100_000 + "1)", ["not of the form"]),
        ("a(0.1)", ["give each setting its name"]),
        ("a(x=1, x=2)", ["'x' twice"]),
        ("a(x=)", ["give each setting its name and a value"]),
        ("a(x=1,,y=2)", ["give each setting its name and a value"]),
        ("a(x==1)", ["give each setting its name and a value"]),
        ("a(x=1))", ["not of the form"]),
        ("a(x=1)(y=2)", ["not of the form"]),
        ("a(x=(1])", ["not of the form"]),
        ("a(x='b)", ["not of the form"]),
        ("a(x=[1,,2])", ["x of a: expected a list such as [0.01, 0.05], got '[1,,2]'"]),
        ("a(x=[1][0])", ["x of a: expected a list", "got '[1][0]'"]),
        ("a:b:c", ["not of the form"]),
        (":adam", ["not of the form"]),
        ("optax:", ["not of the form"]),
        ("optax..contrib:a", ["not of the form"]),
        ("1a:b", ["not of the form"]),
        ("optax:lion(0.1)", ["give each setting its name"]),
        ("optax:lion(b1=fast)", ["b1 of optax:lion", "'text' in quotes", "got fast"]),
        ("optax:lion(nesterov=true)", ["expected a Python literal", "got true"]),
        (3, ["thing: expected a text such as 'thing(x=1)', got 3 (int)"]),
        (None, ["got None (NoneType)"]),
        (dict, ["got <class 'dict'> (type)"]),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_not_of_the_form_is_refused(text, fragments):
    with pytest.raises(InputError) as error:
        parse("thing", text, "thing(x=1)")
    for fragment in fragments:
        assert fragment in str(error.value)


@given(st.text("ab1(){}[]=,.:*-+e'\"\\ ", max_size=20))
@example("a(x={[1]: 2})")
@example("a(x=f(1))")
def test_any_text_is_read_or_refused(text):
    try:
        name, settings = parse("thing", text, "thing(x=1)")
    except InputError:
        return
    assert name.isidentifier() or all(map(dotted, foreign(name)))
    assert all(key.isidentifier() for key in settings)


@given(st.text("ab1.-:", min_size=1, max_size=12))
def test_a_range_is_what_has_two_dots_or_a_colon(text):
    try:
        _, settings = parse("thing", f"a(x={text})", "thing(x=1)")
    except InputError:
        assert ".." in text or ":" in text
        return
    assert isinstance(settings["x"], Range) == (".." in text)


literals = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["lr", "b1", "betas", "x"]), literals))
@example({"x": "a,b=c) ]'\"\\"})
@example({"x": "1..2:3"})
def test_another_packages_settings_are_read_back(settings):
    text = write_foreign("optax.contrib:Prodigy", settings)
    name, found = parse("thing", text, "")
    assert name == "optax.contrib:Prodigy"
    assert repr(found) == repr(settings)  # 1, 1.0 and True are equal


def test_a_text_is_not_evaluated():
    """It may come from a file."""
    _, settings = parse("thing", "a(x=__import__('os').getcwd())", "")
    assert settings == {"x": "__import__('os').getcwd()"}
