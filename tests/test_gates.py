"""Every gate is found under each of its names and means its Boolean function."""

import pytest

from attnlogic.errors import InputError
from attnlogic.problems import GATES, ROWS, Gate, gate

# What each name means, in Python's own logic.
MEANINGS = {
    "false": lambda a, b: False,
    "and": lambda a, b: a and b,
    "inhibition": lambda a, b: a and not b,
    "x1": lambda a, b: a,
    "converse_inhibition": lambda a, b: b and not a,
    "x2": lambda a, b: b,
    "xor": lambda a, b: a != b,
    "or": lambda a, b: a or b,
    "nor": lambda a, b: not (a or b),
    "xnor": lambda a, b: a == b,
    "not_x2": lambda a, b: not b,
    "converse_implication": lambda a, b: a or not b,
    "not_x1": lambda a, b: not a,
    "implication": lambda a, b: not a or b,
    "nand": lambda a, b: not (a and b),
    "true": lambda a, b: True,
}
ALIASES = {
    "parity": "xor",
    "iff": "xnor",
    "implies": "implication",
    "implied_by": "converse_implication",
    "nimplies": "inhibition",
    "inhibits": "inhibition",
    "not_x1_and_x2": "converse_inhibition",
    "x1_or_not_x2": "converse_implication",
    "a": "x1",
    "right": "x2",
    "not_b": "not_x2",
    "conjunction": "and",
    "disjunction": "or",
    "tautology": "true",
    "zero": "false",
}


@pytest.mark.parametrize(("name", "meaning"), MEANINGS.items())
def test_a_name_means_its_boolean_function(name, meaning):
    assert gate(name).targets == tuple(int(meaning(bool(a), bool(b))) for a, b in ROWS)


def test_there_are_all_sixteen_in_the_order_of_their_bit_strings():
    assert [g.name for g in GATES] == list(MEANINGS)
    assert [g.bits for g in GATES] == [f"{i:04b}" for i in range(16)]


@pytest.mark.parametrize("expected", GATES, ids=str)
def test_a_gate_is_found_under_each_of_its_names_however_written(expected):
    for name in (expected.name, expected.bits, *expected.aliases):
        spellings = {name, name.upper(), name.title(), f" {name} ", name.replace("_", "-")}
        spellings.add(name.replace("_", " "))
        assert {gate(s) for s in spellings} == {expected}
    assert gate(expected) is expected


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_an_alias_is_the_gate_it_says(alias, name):
    assert gate(alias) == gate(name)


def test_no_two_gates_share_a_name():
    names = [n for g in GATES for n in (g.name, g.bits, *g.aliases)]
    assert len(names) == len(set(names))


def test_a_gate_of_ones_own_is_known_by_its_targets():
    assert gate(Gate("own", (0, 1, 1, 0))) is gate("xor")
    with pytest.raises(InputError, match="3 bits"):
        gate(Gate("own", (0, 1, 1)))


@pytest.mark.parametrize(
    ("bad", "advice"),
    [
        ("xro", ["'xro'", "did you mean 'xor'", "nand", "bit string such as 0110"]),
        ("NANDD", ["'NANDD'", "did you mean 'nand'"]),
        ("qqq", ["'qqq'", "known: and, "]),
        ("", ["known: and, "]),
        ("0112", ["'0112'", "bit string such as 0110"]),
        ("011", ["'011'", "3 bits", "has 4", "8, 16 and 32"]),
        ("01101", ["5 bits", "00 01 10 11"]),
        ("0" * 64, ["64 bits", "8, 16 and 32"]),
        (110, ["110 (int)", "quotes"]),
        (0b0110, ["bit string such as '0110'", "quotes"]),
        (None, ["None (NoneType)", "quotes"]),
        ((0, 1, 1, 0), ["tuple"]),
        (Gate, ["(type)", "such as '0110'"]),
        (["xor"], ["['xor'] (list)"]),
    ],
)
def test_a_name_that_is_none_says_what_to_write(bad, advice):
    with pytest.raises(InputError) as error:
        gate(bad)
    for fragment in advice:
        assert fragment in str(error.value)
