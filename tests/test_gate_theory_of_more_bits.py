"""What ``attnlogic theory`` prints of gates of three bits and more, and of the other forms."""

import io
import json
from fractions import Fraction

import numpy as np
import pytest
import sympy
from forms import FORMS, design, form_id
from rich.cells import cell_len
from rich.console import Console

from attnlogic.errors import InputError
from attnlogic.problems import gate
from attnlogic.theory import Bracket, formulas, landscape, points, solutions, theory_of
from attnlogic.theory.exact_text import exact_text
from attnlogic.view.theory_in_words import number, theory_view

GATES = [
    gate(name)
    for name in ("xor", "x1", "nand", "true", "parity3", "majority3", "x2_of3", "not_all_equal3",
                 "false3", "00000010", "00000011", "00001010", "or5")
]  # fmt: skip

every_form = pytest.mark.parametrize("form", FORMS, ids=form_id)
every_gate = pytest.mark.parametrize("gate", GATES, ids=str)


def exact(text):
    if isinstance(text, list):
        return Bracket(*map(Fraction, text))
    return float(text) if "inf" in text else Fraction(text)


@every_form
@every_gate
def test_json_reads_back_to_the_exact_theory(gate, form):
    read = json.loads(json.dumps(theory_of(gate, [], form), allow_nan=False))
    shape, V = landscape(gate, form), read["V"]
    assert (read["targets"], read["inputs"], read["form"]) == (gate.bits, gate.n, form._asdict())
    assert read["solvable"] == shape.solvable == bool(read["solutions"])
    least = exact(V["least_loss"])
    assert least == shape.least if isinstance(least, Bracket) else shape.least.equals(least)
    for row, extremum in zip(V["extrema"], shape.extrema, strict=True):
        assert row == {
            "C": exact_text(extremum.C), "V": exact_text(extremum.value), "kind": extremum.kind,
            "polynomial": row["polynomial"],
        }  # fmt: skip
        if extremum.C.exact:
            assert row["polynomial"] is None
        else:
            polynomial = sympy.sympify(row["polynomial"])
            low, high = (polynomial.subs("C", sympy.Rational(end)) for end in row["C"])
            assert low * high < 0
    assert (V["jump"] is None) == (shape.jump is None)
    for C in (Fraction(1), Fraction(-2, 5)):
        value = sympy.sympify(V["expression"]).subs("C", sympy.Rational(C))
        assert Fraction(int(value.p), int(value.q)) == shape.least_loss(C)
    for row, point in zip(read["points"], points(gate, form), strict=True):
        assert (row["name"], row["loss"]) == (point.name, exact_text(point.loss))
        w = tuple(row[f"w{i}"] for i in range(1, gate.n + 1))
        assert (*w, row["b"]) == tuple(map(exact_text, point.readout or (None,) * (gate.n + 1)))


@every_form
@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_expansion_is_the_model(n, form):
    general, on_bits = formulas.output_formula(n, form)
    rng = np.random.default_rng(2)
    C, *readout = rng.normal(size=2 + n)
    given = {f"w{i}": w for i, w in enumerate(readout, 1)} | {"C": C, "b": readout[n]}
    outputs = design(n, form, C) @ np.array(readout if form.bias else readout[:n])
    code = (-1, 1) if form.encoding == "pm1" else (0, 1)
    for bits, output in list(zip(gate(f"and{n}").rows, outputs, strict=True))[:: 2 ** (n - 2)]:
        x = {f"x{i}": code[bit] for i, bit in enumerate(bits, 1)}
        for expression in (general, on_bits):
            assert float(expression.subs(given).subs(x)) == pytest.approx(output)
    # Inputs of any size tell the two expressions apart: the first is the model's own.
    x = rng.normal(size=n)
    total = (np.array(readout[:n]) @ x) * (C * x @ x + form.residual) + readout[n] * form.bias
    values = {f"x{i}": value for i, value in enumerate(x, 1)}
    assert float(general.subs(given).subs(values)) == pytest.approx(total)


@every_form
@every_gate
def test_at_a_solution_the_expansion_is_the_gate(gate, form):
    code = (-1, 1) if form.encoding == "pm1" else (0, 1)
    for solution in solutions(gate, form):
        for output in formulas.solution_formula(solution, form):
            for bits, target in zip(gate.rows, gate.targets, strict=True):
                at = output.subs({f"x{i}": code[bit] for i, bit in enumerate(bits, 1)})
                assert sympy.simplify(at - target) == 0


@every_form
@every_gate
def test_the_view_fits_80_columns_and_shows_the_main_things(gate, form):
    found, file = theory_of(gate, [], form), io.StringIO()
    Console(file=file, width=80).print(theory_view(found))
    text = file.getvalue()
    assert max(map(cell_len, text.splitlines())) <= 80
    words = " ".join(text.split()).replace("−", "-")
    assert gate.bits in words
    if not landscape(gate, form).solvable:
        assert f"none: the least loss is {number(found['V']['least_loss'])}" in words
    for point in found["points"]:
        assert f"{point['name']} {number(point['loss'])}" in words
    for solution in found["solutions"]:
        assert ("any C" if solution["C"] is None else f"C = {solution['C']}") in words
    assert ("known for the notebook's model" in words) == (found["decay"] is None)
    assert form.text == "attention, inputs in {0, 1}" or form.text in words
    assert "*" not in text


def test_of_an_irrational_number_the_proved_digits_are_shown():
    assert number(["0.024995250129", "0.024995250130"]) == "0.0249952501…"
    assert number(["-0.200000000000", "-0.199999999999"]) == ("-0.200000000000 … -0.199999999999")
    assert number("-2/3") == "-2/3"


def test_decay_is_refused_where_it_is_not_known():
    for name, form in [("parity3", FORMS[0]), ("xor", FORMS[1])]:
        assert theory_of(name, form=form)["decay"] is None
        with pytest.raises(
            InputError, match=f"weight decay on {name} is not known.*a gate that it solves"
        ):
            theory_of(name, ["adamw"], form)
