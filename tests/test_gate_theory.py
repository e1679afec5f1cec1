"""What ``attnlogic theory`` prints: the same numbers as the theory, in every form."""

import io
import json
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy
from rich.cells import cell_len
from rich.console import Console

from attnlogic import theory
from attnlogic.problems import GATES, ROWS, neuron
from attnlogic.theory import formulas, theory_of
from attnlogic.view import theory_in_words as report

X1, X2 = sympy.symbols("x1 x2")


def test_the_expansion_is_the_model():
    rng = np.random.default_rng(0)
    general, on_bits = formulas.output_formula()
    for values in rng.normal(size=(5, 8)):
        params, x = neuron.unpack(values[:6]), values[6:]
        given = {"C": neuron.invariant(params), "w1": params.w[0], "w2": params.w[1], "b": params.b}
        output = general.subs(given).subs({X1: x[0], X2: x[1]})
        assert float(output) == pytest.approx(neuron.predict(params, x))
        factor = sympy.Poly(on_bits.subs(given), X1, X2).coeff_monomial
        got = [float(factor(m)) for m in (X1, X2, X1 * X2, 1)]
        assert got == pytest.approx(list(neuron.coefficients(params)))


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_at_a_solution_the_expansion_is_the_gate(gate):
    for solution in theory.solutions(gate):
        general, on_bits = formulas.solution_formula(solution)
        assert on_bits.free_symbols <= {X1, X2}
        for (x1, x2), target in zip(ROWS, gate.targets, strict=True):
            for output in (general, on_bits):
                assert output.subs({X1: x1, X2: x2}).expand() == target


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_json_reads_back_to_the_exact_theory(gate):
    read = json.loads(json.dumps(theory_of(gate), allow_nan=False))
    assert (read["gate"], read["targets"]) == (gate.name, gate.bits)
    for row, solution in zip(read["solutions"], theory.solutions(gate), strict=True):
        assert number(row["C"]) == solution.C
        assert (row["w1"] is None) == (solution.w is None)
        assert solution.w in (None, (number(row["w1"]), number(row["w2"])))
        assert (number(row["w_sum"]), number(row["b"])) == (solution.w_sum, solution.b)
    V, shape = read["V"], theory.landscape(gate)
    assert number(V["zero"]) == shape.zero
    assert number(V["maximum"]["C"]) == shape.maximum
    assert number(V["limit"]) == shape.limit
    assert number(V["falls_towards"]) == shape.falls_towards
    assert number(V["at_minus_1"]["V"]) == theory.V(gate, Fraction(-1))
    for c in (Fraction(1), Fraction(-2, 5)):
        value = sympy.sympify(V["expression"]).subs("C", sympy.Rational(c))
        assert Fraction(int(value.p), int(value.q)) == theory.V(gate, c)
    losses = {p["name"]: number(p["loss"]) for p in read["points"]}
    assert losses == {p.name: p.loss for p in theory.points(gate)}


def number(text):
    if text is None or "inf" in text:
        return None if text is None else float(text)
    return Fraction(text)


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_view_fits_80_columns_and_shows_the_main_things(gate):
    file = io.StringIO()
    Console(file=file, width=80).print(report.theory_view(theory_of(gate)))
    text = file.getvalue()
    assert max(map(cell_len, text.splitlines())) <= 80
    assert f"{gate}: {gate.bits}" in text
    words = " ".join(text.split())
    for name, loss in theory.attractors(gate).items():
        assert f"{name} {loss} = " in words
    for solution in theory.solutions(gate):
        C = "any C" if solution.C is None else f"C = {solution.C}".replace("-", "−")
        assert C in text
    assert "as it runs" in text
    assert not {"*", "-1"} & set(text.split())


def test_the_command_prints_both_forms(type_in):
    code, out, err = type_in("theory", "XOR")
    assert (code, err) == (0, "")
    for words in ("C = −1/2, w1 = 2, w2 = 2, b = 0", "(2·C + 1)²/(2·(9·C² + 8·C + 2))", "2/9"):
        assert words in out
    code, out, err = type_in("theory", "0110", "--format", "json", "-o", "adamw(weight_decay=0.1)")
    read = json.loads(out, parse_constant=pytest.fail)
    assert (code, err) == (0, "")
    assert read["solutions"][0]["C"] == "-1/2"
    assert read == theory_of("xor", ["adamw(weight_decay=0.1)"])
    assert [row["where"] for row in read["decay"]] == ["at rest", "as it runs"]


def test_a_decay_without_a_point_is_shown_in_both_forms(type_in):
    words = ("theory", "xor", "-o", "sgd(weight_decay=1)")
    assert "nowhere near" in type_in(*words)[1]
    row = json.loads(type_in(*words, "--format", "json")[1])["decay"][0]
    assert (row["C"], row["params"], row["loss"]) == (None, None, None)


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        ("theory", ["gate"]),
        ("theory xro", ["unknown gate 'xro'", "did you mean 'xor'"]),
        ("theory 011", ["'011'", "3 bits"]),
        ("theory xor -o polyak", ["polyak", "no weight decay", "adamw"]),
        ("theory xor -o adan", ["unknown optimizer 'adan'"]),
        ("theory xor --format xml", ["xml", "json"]),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(type_in, words, fragments):
    code, out, err = type_in(*words.split())
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    for fragment in fragments:
        assert fragment in err


def test_sympy_and_scipy_are_imported_only_when_something_is_asked():
    script = """
import sys
from attnlogic import cli, theory
from attnlogic.problems import gate
from attnlogic.theory import decay, derivatives, formulas, gate_theory, regions
from attnlogic.view import theory_in_words
theory.attractors(gate("xor"))
print({"sympy", "scipy"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")
