"""Where runs can get stuck on three bits and more, and in all forms: by gradients and searches."""

from fractions import Fraction

import numpy as np
import pytest
from forms import FORMS, form_id, gradient, hessian, loss
from scipy.optimize import least_squares

from attnlogic.problems import GATES, gate
from attnlogic.theory import ENDINGS, Bracket, Form, attractors, landscape, points, regions_of

NAMES = [
    "parity3", "majority3", "and3", "not_all_equal3", "x1_of3", "true3", "false3",
    "00000010", "00000011", "00001010", "00000110", "10000110", "exactly_two4", "0000000000101000",
]  # fmt: skip

every_form = pytest.mark.parametrize("form", FORMS, ids=form_id)
every_gate = pytest.mark.parametrize("gate", [*map(gate, NAMES), *GATES], ids=str)


def parameters(point, form):
    """At a critical point: the three ways two of wq, wk, wv can be 0, or C, 1, 1."""
    readout = point.readout if form.bias else point.readout[:-1]
    zero, one = Fraction(0), Fraction(3, 2)
    if point.name == "linear plateau":
        return [[*t, *readout] for t in ((zero, zero, one), (zero, one, zero), (one, zero, zero))]
    C = Fraction(2, 7) if point.C is None else point.C
    return [[C, Fraction(1), Fraction(1), *readout]]


@every_form
@every_gate
def test_the_gradient_vanishes_at_critical_points_and_the_hessian_says_which(gate, form):
    for point in points(gate, form):
        if point.readout is None:
            continue
        for at in parameters(point, form):
            assert loss(at, gate, form) == point.loss
            vanishes = not any(gradient(at, gate, form))
            assert vanishes == (point.kind != "not critical"), point
            lowest = np.linalg.eigvalsh(hessian(at, gate, form))[0]
            if point.kind == "strict saddle":
                assert lowest < -1e-4, point
            elif vanishes:
                assert lowest > -1e-12, point


@every_form
@every_gate
def test_a_minimum_is_a_minimum_of_V_and_a_valley_its_limit(gate, form):  # noqa: N802
    shape, step = landscape(gate, form), Fraction(1, 1000)
    for point in points(gate, form):
        if point.kind == "minimum" and point.C is not None:
            C = Fraction(float(point.C))
            lowest = point.loss.low if isinstance(point.loss, Bracket) else point.loss
            assert all(shape.least_loss(C + s) > lowest for s in (step, -step))
        if point.name == "runaway valley":
            falls = [shape.least_loss(int(np.sign(point.C)) * 10**k) for k in (3, 4, 5, 6)]
            assert falls == sorted(falls, reverse=True)
            assert 0 < falls[-1] - point.loss < 1e-5


@every_form
@every_gate
def test_every_place_has_one_name_and_a_flat_one_a_way_down(gate, form):
    shape, places = landscape(gate, form), points(gate, form)
    plateaus = [p.C for p in places if "plateau" in p.name]
    assert not any(p.C in plateaus for p in places if "plateau" not in p.name and p.C is not None)
    for point in places:
        if point.name == "linear plateau" and point.loss:
            near = [shape.least_loss(Fraction(s, 1000)) for s in (1, -1)]
            falls = any(value < point.loss for value in near)
            assert falls == (point.kind in ("strict saddle", "flat saddle"))


@pytest.mark.parametrize(
    ("name", "side"), [("majority3", -1), ("not_all_equal3", 1), ("00000110", 1)]
)
def test_the_runaway_valley_begins_at_the_outermost_maximum(name, side):
    shape, inside = landscape(gate(name)), regions_of(gate(name))["runaway"]
    tops = [float(e.C) for e in shape.extrema if e.kind == "maximum"]
    edge = max(tops) if side > 0 else min(tops)
    for distance, expected in [(1e-3, True), (5, True), (1e4, True), (-1e-3, False)]:
        C = edge + side * distance
        assert inside(C, float(shape.least_loss(C))) == expected
        assert not inside(C, 1.3 * float(shape.least_loss(C)))


@pytest.mark.parametrize("form", [f for f in FORMS if f.encoding == "01"], ids=form_id)
@pytest.mark.parametrize("name", ["majority3", "00000010", "00001010", "not_all_equal3", "parity3"])
def test_wherever_a_search_ends_is_a_region_that_is_known(name, form):
    of, rng = gate(name), np.random.default_rng(11)
    targets, inside = np.array(of.targets, float), regions_of(of, form)
    x = np.array(of.rows, float)

    def residuals(p):
        w, b = p[3 : 3 + of.n], p[-1] if form.bias else 0.0
        return (x @ w) * (p[:3].prod() * x.sum(axis=1) + form.residual) + b - targets

    ends = set()
    for start in rng.normal(size=(15, 3 + of.n + form.bias)):
        end = least_squares(residuals, start, xtol=1e-12, ftol=1e-12, gtol=1e-12, max_nfev=600)
        C, value = float(end.x[:3].prod()), 2 * end.cost / len(targets)
        where = (
            "solved" if value < 1e-9 else next((n for n, f in inside.items() if f(C, value)), "")
        )
        assert where, (C, value)
        ends.add(where)
    assert ("solved" in ends) == landscape(of, form).solvable


def test_regions_come_in_the_order_of_the_endings_and_only_those_that_exist():
    for form in FORMS:
        for one in (*GATES, *map(gate, NAMES)):
            found = list(regions_of(one, form))
            assert found == [name for name in ENDINGS if name in found]
            assert ("near" in found) <= landscape(one, form).solvable
            failing = attractors(one, form)
            assert ("minimum" in found) == any(p.kind == "minimum" for p in points(one, form))
            assert ("runaway" in found) == ("runaway valley" in failing)


def test_where_V_is_one_number_any_C_is_at_the_minimum():  # noqa: N802
    for name, form in [("parity3", Form()), ("xor", Form(encoding="pm1"))]:
        inside = regions_of(gate(name), form)
        assert next(iter(inside)) == "minimum"
        C, loss = np.array([-7.0, 0.0, 1e9]), np.array([0.251, 0.2501, 0.3])
        assert inside["minimum"](C, loss).tolist() == [True, True, False]


def test_V_falls_all_the_way_to_its_zero_within_the_basin():  # noqa: N802
    for name in ("xor", "nand", "not_all_equal3", "00000011", "10000110"):
        for form in (Form(), Form(bias=False)):
            shape = landscape(gate(name), form)
            if shape.zero is None:
                assert shape.basin is None
                continue
            low, high = (np.clip(end, -50, 50) for end in shape.basin)
            zero = float(shape.zero)
            for end in (low, high):
                way = zero + (end - zero) * np.linspace(0, 0.999, 400)
                assert (np.diff(shape.least_loss(way)) > 0).all()
            for end in shape.basin:
                if np.isfinite(end):
                    beyond = end + (end - zero) * 1e-3
                    assert shape.least_loss(beyond) < shape.least_loss(end)
