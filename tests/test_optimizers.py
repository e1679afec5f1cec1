"""Optimizers: torch's defaults, read and written, refused with advice."""

import inspect

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from attnlogic.errors import InputError
from attnlogic.grammar import parse
from attnlogic.optimizers import OPTIMIZERS, OptimizerRecord, optimizer
from attnlogic.studies import Study

TORCH = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "lbfgs": torch.optim.LBFGS,
}
# torch's arguments that change how a step is computed, not which step it is; and the line search,
# which the notebook does without. Adam with decoupled_weight_decay is what AdamW is.
NOT_OURS = {
    "params", "foreach", "fused", "capturable", "differentiable", "maximize", "line_search_fn",
    "decoupled_weight_decay",
}  # fmt: skip


@pytest.mark.parametrize(("name", "constructor"), TORCH.items())
def test_defaults_are_torchs_own_but_for_the_learning_rate(name, constructor):
    arguments = {
        key: p.default
        for key, p in inspect.signature(constructor).parameters.items()
        if key not in NOT_OURS
    }
    if "betas" in arguments:
        arguments["beta1"], arguments["beta2"] = arguments.pop("betas")
    if "max_eval" in arguments:
        assert arguments["max_eval"] is None
        arguments["max_eval"] = arguments["max_iter"] * 5 // 4
    ours = optimizer(name).settings
    assert [ours.pop(key) for key in ("gamma", "schedule", "warmup")] == [1, "constant", 0]
    assert ours.pop("lr") == 0.05  # the notebook's
    arguments.pop("lr")
    assert ours == arguments


def test_the_rule_of_max_eval_is_torchs():
    parameters = [torch.zeros(1, requires_grad=True)]
    for max_iter in range(1, 50):
        theirs = torch.optim.LBFGS(parameters, max_iter=max_iter).defaults["max_eval"]
        assert optimizer(f"lbfgs(max_iter={max_iter})").settings["max_eval"] == theirs


@pytest.mark.parametrize(
    ("name", "epochs"), [("adam", 8000), ("adamw", 8000), ("sgd", 8000), ("polyak", 800)]
)
def test_budgets_are_the_notebooks(name, epochs):
    assert optimizer(name).epochs == epochs


def test_the_notebooks_polyak():
    assert optimizer("polyak").settings == {"f_min": 0.0, "tolerance": 1e-12}


unit = st.floats(0, 1, exclude_max=True)
positive = st.floats(0, 1e6, exclude_min=True)
not_negative = st.floats(0, 1e6)
counts = st.integers(1, 10**6)
schedules = st.sampled_from(["constant", "cosine", "linear(epochs=100)", "step(factor=0.3)"])
RATE = {"lr": positive, "schedule": schedules, "warmup": counts}
ADAM = {
    **RATE, "beta1": unit, "beta2": unit, "eps": positive, "weight_decay": not_negative,
    "amsgrad": st.booleans(),
}  # fmt: skip
IN_RANGE = {
    "adam": ADAM,
    "adamw": ADAM,
    "sgd": {
        **RATE, "momentum": not_negative, "dampening": not_negative,
        "weight_decay": not_negative, "nesterov": st.just(False),
    },
    "lbfgs": {
        **RATE, "max_iter": counts, "max_eval": counts, "tolerance_grad": not_negative,
        "tolerance_change": not_negative, "history_size": st.integers(1, 10_000),
    },
    "polyak": {"f_min": st.floats(-1e6, 1e6), "tolerance": not_negative},
}  # fmt: skip


@st.composite
def texts(draw):
    name = draw(st.sampled_from(list(IN_RANGE)))
    given_settings = draw(st.fixed_dictionaries({}, optional=IN_RANGE[name]))
    if "lr" in IN_RANGE[name] and "schedule" not in given_settings:
        given_settings |= draw(st.fixed_dictionaries({}, optional={"gamma": positive}))
    values = {k: v if isinstance(v, str) else repr(v) for k, v in given_settings.items()}
    return f"{name}({', '.join(f'{k}={v}' for k, v in values.items())})"


@given(texts())
@example("lbfgs(max_iter=40, max_eval=25)")  # 25 is the default of another max_iter
@example("lbfgs(max_iter=40)")
@example("lbfgs(max_eval=7)")
@example("sgd(momentum=0.9, nesterov=True)")
def test_an_optimizer_is_read_back_from_what_it_writes(text):
    read = optimizer(text)
    asked = parse("optimizer", text, "")[1]
    assert asked.items() <= read.settings.items()
    again = optimizer(str(read))
    assert again == read
    assert hash(again) == hash(read)
    assert str(again) == str(read)
    assert list(read.settings) == list(OPTIMIZERS[read.name].settings)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("ADAMW", "adamw"),
        ("AdamW(lr=0.05, weight_decay=0)", "adamw(weight_decay=0)"),
        ("adam(lr=1e-3,gamma=.9995)", "adam(lr=0.001,gamma=0.9995)"),
        ("SGD(momentum=0.9, nesterov=1)", "sgd(momentum=0.9,nesterov=True)"),
        ("sgd(momentum=0.9, nesterov=true)", "sgd(momentum=0.9,nesterov=True)"),
        ("lbfgs(max_iter=40)", "lbfgs(max_iter=40)"),
        ("lbfgs(max_iter=40, max_eval=50)", "lbfgs(max_iter=40)"),
        (" polyak() ", "polyak"),
    ],
)
def test_the_shortest_text_is_written(text, written):
    assert str(optimizer(text)) == written
    assert optimizer(text) == optimizer(written)


def test_an_optimizer_is_taken_as_it_is():
    adam = optimizer("adam(lr=0.1)")
    assert optimizer(adam) is adam
    assert {adam: 1}[optimizer("Adam(lr=.1)")] == 1
    assert adam != optimizer("adam(lr=0.2)")


@pytest.mark.parametrize(
    ("text", "enabled"),
    [
        ("adam", []),
        ("adam(amsgrad=True)", ["amsgrad"]),
        ("adam(gamma=0.5, amsgrad=True)", ["amsgrad", "gamma"]),
        ("sgd(momentum=0.9)", []),
        ("sgd(dampening=0.1)", ["dampening"]),
        ("lbfgs", []),
        ("polyak", []),
    ],
)
def test_features_that_are_switched_on(text, enabled):
    assert optimizer(text).enabled("amsgrad", "dampening", "gamma") == enabled


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("adanw", ["unknown optimizer 'adanw'", "did you mean 'adam", "lbfgs", "polyak"]),
        ("nothing", ["adam, adamw, lbfgs, polyak, sgd", "such as optax:lion"]),
        ("adamw(", ["not of the form name or name(key=value"]),
        ("adamw(0.1)", ["give each setting its name"]),
        ("adamw(lr=0.1, lr=0.2)", ["'lr' twice"]),
        ("adam(learning_rate=1)", ["unknown setting of adam", "'learning_rate'", "beta1"]),
        ("adam(betas=0.9)", ["did you mean 'beta"]),
        ("polyak(lr=0.1)", ["unknown setting of polyak 'lr'", "f_min"]),
        ("adam(lr=0)", ["lr of adam", "a finite number above 0", "got 0 (int)"]),
        ("adam(lr=-0.1)", ["lr of adam", "above 0", "-0.1"]),
        ("adam(lr=fast)", ["number", "'fast'"]),
        ("adam(lr=inf)", ["number"]),
        ("adam(lr=1e999)", ["finite"]),
        ("adam(lr=1" + "0" * 400 + ")", ["finite"]),
        ("adam(beta1=1)", ["of at least 0 and below 1"]),
        ("adam(beta2=-0.1)", ["of at least 0 and below 1"]),
        ("adam(eps=0)", ["above 0"]),
        ("adam(gamma=0)", ["above 0"]),
        ("adam(weight_decay=-1)", ["a finite number of at least 0"]),
        ("adam(amsgrad=2)", ["True or False"]),
        ("sgd(momentum=-1)", ["a finite number of at least 0"]),
        ("sgd(nesterov=True)", ["momentum above 0", "momentum=0"]),
        ("sgd(nesterov=True, momentum=0.9, dampening=0.1)", ["dampening=0", "dampening=0.1"]),
        ("lbfgs(max_iter=2.5)", ["whole number"]),
        ("lbfgs(max_iter=0)", ["in 1 … 1000000"]),
        ("lbfgs(max_iter=-3)", ["max_iter of lbfgs", "in 1 …", "got -3"]),
        ("lbfgs(history_size=0)", ["in 1 … 10000"]),
        ("lbfgs(history_size=10001)", ["in 1 … 10000"]),
        ("polyak(tolerance=-1)", ["a finite number of at least 0"]),
        (None, ["optimizer", "None"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_optimizer_says_what_is_wrong(text, fragments):
    with pytest.raises(InputError) as error:
        optimizer(text)
    for fragment in fragments:
        assert fragment in str(error.value)


def test_every_record_has_a_range_and_a_meaning_for_each_hyperparameter():
    # This file's table of ranges, hence the test of writing and reading, leaves none out.
    assert {n: {*r, "gamma"} if "lr" in r else {*r} for n, r in IN_RANGE.items()} == {
        n: {*record.settings} for n, record in OPTIMIZERS.items()
    }
    for name, record in OPTIMIZERS.items():
        assert record.name == name
        for key, setting in record.settings.items():
            assert setting.meaning, f"{name} {key}"
            assert setting.read(key, setting.default) == setting.default
            if setting.off is not None:
                assert type(setting.off) is type(setting.default)


def test_the_default_study_does_not_grow_with_the_registry(monkeypatch):
    before = Study().trainings
    monkeypatch.setitem(OPTIMIZERS, "lion", OptimizerRecord("lion", "a new one", 10, {}))
    assert Study().trainings == before
    assert {t.optimizer.name for t in before} == {"adam", "adamw", "sgd", "lbfgs", "polyak"}
    assert str(optimizer("lion")) == "lion"


def test_how_weight_decay_enters_is_torchs():
    """One step from θ = 2 at a gradient of 0: L2 moves by a step of Adam's, AdamW by lr·λ·θ."""
    for name, constructor in TORCH.items():
        record = OPTIMIZERS[name]
        assert ("weight_decay" in record.settings) == (record.weight_decay is not None)
        if record.weight_decay is None:
            continue
        θ = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
        θ.grad = torch.zeros(1, dtype=torch.float64)
        constructor([θ], lr=0.1, weight_decay=0.01).step()
        moved = 2 - θ.item()
        # Added to the gradient, λθ is all the gradient: SGD follows it, Adam its sign alone.
        expected = {"sgd": 0.1 * 0.01 * 2, "adam": 0.1, "adamw": 0.1 * 0.01 * 2}[name]
        assert moved == pytest.approx(expected, rel=1e-5)  # Adam's eps is 5e-7 of that gradient
        decoupled = name != "sgd" and moved == pytest.approx(0.1 * 0.01 * 2, rel=1e-5)
        assert record.weight_decay == ("decoupled_adam" if decoupled else "l2")
