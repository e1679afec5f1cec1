"""Gates of three bits and more: their names mean what they say, and every bit string is a gate."""

from itertools import islice, product

import pytest

from attnlogic.errors import InputError
from attnlogic.problems import GATES, Gate, all_gates, gate, rows

SIZES = (3, 4, 5)

# What each family means, in Python's own logic.
MEANINGS = {
    "false": lambda x: False,
    "true": lambda x: True,
    "and": all,
    "or": any,
    "nand": lambda x: not all(x),
    "nor": lambda x: not any(x),
    "parity": lambda x: sum(x) in (1, 3, 5),
    "xor": lambda x: sum(x) in (1, 3, 5),
    "odd": lambda x: sum(x) in (1, 3, 5),
    "not_parity": lambda x: sum(x) in (0, 2, 4),
    "xnor": lambda x: sum(x) in (0, 2, 4),
    "even": lambda x: sum(x) in (0, 2, 4),
    "majority": lambda x: x.count(1) > x.count(0),
    "minority": lambda x: x.count(1) < x.count(0),
    "all_equal": lambda x: len(set(x)) == 1,
    "equal": lambda x: len(set(x)) == 1,
    "not_all_equal": lambda x: len(set(x)) == 2,
    "exactly_one": lambda x: x.count(1) == 1,
    "one_hot": lambda x: x.count(1) == 1,
    "exactly_two": lambda x: x.count(1) == 2,
    "at_least_two": lambda x: x.count(1) >= 2,
    "at_most_one": lambda x: x.count(1) <= 1,
    "x1_of": lambda x: x[0],
    "x3_of": lambda x: x[2],
    "not_x2_of": lambda x: not x[1],
}


def sized(name):
    return [n for n in SIZES if n % 2 or name not in ("majority", "minority")]


@pytest.mark.parametrize(("name", "n"), [(name, n) for name in MEANINGS for n in sized(name)])
def test_a_name_means_its_boolean_function(name, n):
    found = gate(f"{name}{n}")
    every = list(product((0, 1), repeat=n))
    assert found.targets == tuple(int(bool(MEANINGS[name](x))) for x in every)
    assert (found.n, list(found.rows), rows(n)) == (n, every, tuple(every))


@pytest.mark.parametrize("n", SIZES)
def test_a_gate_is_found_under_each_of_its_names_however_written(n):
    for expected in {gate(f"{name}{n}") for name in MEANINGS if n in sized(name)}:
        assert expected.name == f"{expected.name[:-1]}{n}"
        for name in (expected.name, expected.bits, *expected.aliases):
            spellings = {name, name.upper(), f" {name} ", name.replace("_", "-")}
            assert {gate(s) for s in spellings} == {expected}
        assert gate(Gate("own", expected.targets)) == expected


def test_a_number_may_stand_apart():
    assert gate("parity 3") == gate("parity_3") == gate("parity3")


@pytest.mark.parametrize(("name", "alias"), [("and2", "and"), ("xnor2", "xnor"), ("x1_of2", "x1")])
def test_of_two_inputs_it_is_the_two_bit_gate(name, alias):
    assert gate(name) is gate(alias)


def test_a_gate_without_a_usual_name_is_called_by_its_bits():
    bits = "0000000000000010"
    assert gate(bits) == Gate(bits, tuple(map(int, bits)))
    assert str(gate(bits)) == bits
    assert gate("1" * 31 + "0").name == "nand5"


@pytest.mark.parametrize("n", [2, 3, 4])
def test_all_gates_are_all_truth_tables_once_in_order(n):
    listed = [g.bits for g in all_gates(n)]
    assert listed == sorted("".join(bits) for bits in product("01", repeat=2**n))
    assert all(gate(g.name) == g for g in islice(all_gates(n), 300))
    names = [g.name for g in all_gates(n)]
    assert len(set(names)) == len(names)


def test_the_two_bit_gates_are_the_sixteen():
    assert tuple(all_gates(2)) == GATES


@pytest.mark.parametrize("n", [0, 1, 5, 3.5, "3"])
def test_no_other_number_of_inputs_has_a_list(n):
    with pytest.raises(InputError, match="from 2 to 4, got"):
        all_gates(n)


@pytest.mark.parametrize(
    ("bad", "advice"),
    [
        ("parity6", ["'parity6'", "from 2 to 5", "such as parity3"]),
        ("and1", ["from 2 to 5", "and3"]),
        ("parity333333333333", ["from 2 to 5"]),
        ("majorty3", ["'majorty3'", "did you mean 'majority3'", "bit string such as 0110"]),
        ("exactly_on5", ["did you mean 'exactly_one5'"]),
        ("majority", ["a number of inputs from 2 to 5", "such as majority3"]),
        ("majority4", ["odd number of inputs", "majority3 or majority5"]),
        ("x4_of3", ["'x4_of3'", "3 inputs are too few"]),
        ("exactly_four4", ["too few"]),
        ("x6_of5", ["unknown gate 'x6_of5'", "x5_of5"]),
        ("0110100", ["7 bits", "8, 16 and 32"]),
    ],
)
def test_a_name_that_is_none_says_what_to_write(bad, advice):
    with pytest.raises(InputError) as error:
        gate(bad)
    for fragment in advice:
        assert fragment in str(error.value)
