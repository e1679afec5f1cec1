"""``attnlogic gates``: all gates with what theory says of them, as a table and as JSON."""

import json
from fractions import Fraction

import pytest

from attnlogic.problems import GATES, all_gates, gate
from attnlogic.theory import Form, landscape


def read(type_in, *words):
    code, out, err = type_in("gates", *words, "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out, parse_constant=pytest.fail)


WAYS = [
    ([], Form()),
    (["--encoding", "pm1"], Form(encoding="pm1")),
    (["--no-bias"], Form(bias=False)),
    (["--no-residual", "--no-bias"], Form(residual=False, bias=False)),
]


@pytest.mark.parametrize("bits", [2, 3])
@pytest.mark.parametrize(("words", "form"), WAYS, ids=lambda way: "")
def test_json_has_an_object_for_each_gate_that_reads_back_to_the_theory(type_in, bits, words, form):
    listed = read(type_in, "--bits", str(bits), *words)
    for row, one in zip(listed, all_gates(bits), strict=True):
        assert list(row) == ["name", "bits", "solvable", "C", "least_loss"]
        shape = landscape(one, form)
        assert (row["name"], row["bits"], row["solvable"]) == (one.name, one.bits, shape.solvable)
        assert (None if row["C"] is None else Fraction(row["C"])) == shape.zero
        ends = row["least_loss"]
        low, high = (ends, ends) if isinstance(ends, str) else ends
        assert (Fraction(low), Fraction(high)) == shape.least


def test_the_solvable_gates_of_three_bits(type_in):
    found = {row["name"]: row["C"] for row in read(type_in, "--bits", "3") if row["solvable"]}
    tokens = {f"{sign}x{i}_of3": "0" for sign in ("", "not_") for i in (1, 2, 3)}
    both = {gate("00000011"), gate("00000101"), gate("00010001")}  # two tokens are 1
    either = {gate("".join(str(1 - t) for t in one.targets)) for one in both}
    assert found == {
        "false3": None, "true3": None, "not_all_equal3": "-1/3", "all_equal3": "-1/3",
        **tokens, **{one.name: "-1" for one in both | either},
    }  # fmt: skip


def test_the_table_of_two_bits_is_short_and_has_no_least_loss(type_in):
    out = type_in("gates")[1]
    assert "least loss" not in out
    assert out.splitlines()[0].split() == [
        "gate", "00", "01", "10", "11", "exact", "C", "other", "names",
    ]  # fmt: skip
    assert len(out.splitlines()) == 2 + len(GATES)
    assert type_in("gates", "--bits", "2")[1] == out


def test_the_table_of_three_bits_has_a_line_for_each_gate(type_in):
    lines = type_in("gates", "--bits", "3")[1].splitlines()
    assert lines[0].split()[:4] == ["gate", "000", "001", "…"]
    rows = {line.split()[0]: line.split()[1:4] for line in lines[2:258]}
    assert rows["parity3"] == ["01101001", "–", "1/4"]
    assert rows["not_all_equal3"] == ["01111110", "−1/3", "0"]
    assert rows["00000010"] == ["00000010", "–", "0.0249952501…"]
    assert rows["true3"][:3] == ["11111111", "any", "0"]
    assert lines[258].startswith("16 of 256 gates have an exact solution.")


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["--bits", "5"], ["from 2 to 4", "got 5", "4,294,967,296", "parity5"]),
        (["--bits", "1"], ["from 2 to 4", "got 1"]),
        (["--bits", "three"], ["--bits", "int"]),
        (["--encoding", "01pm"], ["unknown encoding '01pm'", "known: 01, pm1"]),
        (["--format", "csv"], ["csv", "json"]),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(type_in, words, fragments):
    code, out, err = type_in("gates", *words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    for fragment in fragments:
        assert fragment in err
