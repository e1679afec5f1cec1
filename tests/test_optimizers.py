"""Optimizers: torch's defaults, read and written, refused with advice."""

import inspect

import optax
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS, OptimizerRecord, optimizer
from attnlogic.settings import parse
from attnlogic.studies import Study

TORCH = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "amsgrad": torch.optim.Adam,
    "nadam": torch.optim.NAdam,
    "nadamw": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "adamax": torch.optim.Adamax,
    "sgd": torch.optim.SGD,
    "asgd": torch.optim.ASGD,
    "rprop": torch.optim.Rprop,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "lbfgs": torch.optim.LBFGS,
}
# torch's arguments that change how a step is computed, not which step it is.
NOT_OURS = {"params", "foreach", "fused", "capturable", "differentiable", "maximize"}
# Adam with decoupled_weight_decay is what AdamW is; a name of its own says what is switched on.
IN_THE_NAME = {
    "adam": {"decoupled_weight_decay"},
    "amsgrad": {"decoupled_weight_decay", "amsgrad"},
    "nadamw": {"decoupled_weight_decay"},
}
PAIRS = {
    "betas": ("beta1", "beta2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_size_min", "step_size_max"),
}
NOTEBOOK = {"adam", "adamw", "amsgrad", "sgd", "lbfgs"}
"""Those with the notebook's learning rate: its own, and another name for one of them."""


@pytest.mark.parametrize(("name", "constructor"), TORCH.items())
def test_defaults_are_torchs_own_but_for_the_notebooks_learning_rate(name, constructor):
    arguments = {
        key: p.default
        for key, p in inspect.signature(constructor).parameters.items()
        if key not in NOT_OURS | IN_THE_NAME.get(name, set())
    }
    for pair, names in PAIRS.items():
        arguments |= zip(names, arguments.pop(pair, ()), strict=False)
    if name == "lbfgs":
        assert arguments["max_eval"] is None
        arguments["max_eval"] = arguments["max_iter"] * 5 // 4
        assert arguments.pop("line_search_fn") is None
        arguments["line_search"] = "none"
    ours = optimizer(name).step_settings
    assert not optimizer(name).schedule.structure
    assert ours.pop("lr") == (0.05 if name in NOTEBOOK else arguments["lr"])
    arguments.pop("lr")
    assert ours == arguments


def test_every_other_optimizer_says_whose_it_is():
    assert OPTIMIZERS.keys() - TORCH.keys() == {"polyak", "lbfgs_zoom"}
    assert "optax's" in OPTIMIZERS["lbfgs_zoom"].summary


def test_the_zoom_searchs_defaults_are_optaxs():
    ours, theirs = optimizer("lbfgs_zoom").step_settings, {}
    for function in (optax.lbfgs, optax.scale_by_zoom_linesearch):
        signature = inspect.signature(function).parameters
        theirs |= {key: p.default for key, p in signature.items() if key in ours}
    assert theirs.pop("max_linesearch_steps") is inspect.Parameter.empty
    assert "max_linesearch_steps=20" in inspect.getsource(optax.lbfgs)
    assert ours == theirs | {"max_linesearch_steps": 20}


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


def values(setting):
    """Values of a setting, anywhere within its bounds."""
    if isinstance(setting.default, bool):
        return st.booleans()
    if isinstance(setting.default, str):
        words = [chosen(word, setting.choice_settings.get(word, {})) for word in setting.choices]
        return st.one_of(words)
    low, high = max(setting.low, -1e6), min(setting.high, 1e6)
    if isinstance(setting.default, int):
        return st.integers(int(low), int(high))
    return st.floats(low, high, exclude_min=setting.open_low, exclude_max=setting.open_high)


def written(name, settings):
    return f"{name}({', '.join(f'{key}={value}' for key, value in settings.items())})"


def some(settings):
    """Values of some of these settings, or of none."""
    return st.fixed_dictionaries({}, optional={k: values(one) for k, one in settings.items()})


def chosen(word, settings):
    """A word, with some of its own settings, or with none."""
    return some(settings).map(lambda given: written(word, given) if given else word)


@st.composite
def texts(draw):
    name = draw(st.sampled_from(list(OPTIMIZERS)))
    given_settings = draw(some(OPTIMIZERS[name].settings))
    given_settings.pop("nesterov", None)  # it needs others, as step_size_min does
    given_settings.pop("step_size_min", None)
    if "step_size_max" in given_settings:
        given_settings["step_size_max"] = max(given_settings["step_size_max"], 1e-3)
    if given_settings.get("schedule", "constant") != "constant":
        given_settings.pop("gamma", None)  # two schedules are refused
    return written(name, given_settings)


@given(texts())
@example("lbfgs(max_iter=40, max_eval=25)")  # 25 is the default of another max_iter
@example("lbfgs(max_iter=40)")
@example("lbfgs(max_eval=7)")
@example("sgd(momentum=0.9, nesterov=True)")
@example("sgd(schedule=step(every=9, factor=0.5), warmup=3)")
def test_an_optimizer_is_read_back_from_what_it_writes(text):
    read = optimizer(text)
    _, said = parse("optimizer", text, "")
    word, own = parse("schedule", said.pop("schedule", "constant"), "")
    kept = read.settings if word == "exponential" else dict(read.schedule.values)  # it is gamma
    assert own.items() <= kept.items()
    assert said.items() <= read.settings.items()
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
        ("lbfgs(line_search=Strong_Wolfe)", "lbfgs(line_search=strong_wolfe)"),
        ("lbfgs(line_search='none')", "lbfgs"),
        ("sgd(schedule=exponential(gamma=0.5))", "sgd(gamma=0.5)"),
        ("sgd(schedule=Step(every=1000, factor=0.5))", "sgd(schedule=step(factor=0.5))"),
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
        ("nothing", ["adadelta, adagrad, adam, adamax, adamw, amsgrad, asgd, lbfgs"]),
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
        ("lbfgs(line_search=zoom)", ["line_search of lbfgs", "none, strong_wolfe"]),
        ("rprop(eta_minus=1)", ["above 0 and below 1"]),
        ("rprop(eta_plus=1)", ["above 1"]),
        ("rprop(step_size_min=2, step_size_max=1)", ["step_size_min ≤ step_size_max", "2 and 1"]),
        ("rprop(gamma=0.9)", ["unknown setting of rprop 'gamma'"]),
        ("polyak(tolerance=-1)", ["a finite number of at least 0"]),
        (None, ["optimizer", "None"]),
        (torch.optim.Adam([torch.zeros(1)]), ["optimizer", "made already", "torch.optim.Adam"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_optimizer_says_what_is_wrong(text, fragments):
    with pytest.raises(InputError) as error:
        optimizer(text)
    for fragment in fragments:
        assert fragment in str(error.value)


def test_every_record_says_what_each_hyperparameter_means():
    for name, record in OPTIMIZERS.items():
        assert record.name == name
        assert record.summary
        for key, setting in record.settings.items():
            assert setting.meaning, f"{name} {key}"
            assert setting.read(key, setting.default) == setting.default
            if setting.off is not None:
                assert type(setting.off) is type(setting.default)


def test_the_default_study_does_not_grow_with_the_registry(monkeypatch):
    before = Study().conditions
    monkeypatch.setitem(OPTIMIZERS, "lion", OptimizerRecord("lion", "a new one", 10, {}))
    assert Study().conditions == before
    names = {c.training.optimizer.name for c in before}
    assert names == {"adam", "adamw", "sgd", "lbfgs", "polyak"}
    assert str(optimizer("lion")) == "lion"


def test_how_weight_decay_enters_is_torchs():
    """One step from θ = 2 at a gradient of 0: L2 moves by a step of the rule's own at λθ, which is
    as large for another λ where the gradient's size is divided out; AdamW by lr·λ·θ."""
    for name, constructor in TORCH.items():
        record = OPTIMIZERS[name]
        assert ("weight_decay" in record.settings) == (record.weight_decay is not None)
        if record.weight_decay not in ("l2", "decoupled_adam") or name == "adadelta":
            continue
        moved = []
        for decay in (0.01, 0.02):
            θ = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
            θ.grad = torch.zeros(1, dtype=torch.float64)
            constructor([θ], lr=0.1, weight_decay=decay).step()
            moved.append(2 - θ.item())
        one, other = moved
        if name in ("sgd", "adamw"):
            assert one == pytest.approx(0.1 * 0.01 * 2)
            assert other == pytest.approx(2 * one)
        else:
            assert other == pytest.approx(one, rel=1e-4)  # eps is 5e-7 of that gradient
        assert record.weight_decay == ("decoupled_adam" if name == "adamw" else "l2")


@pytest.mark.parametrize("name", ["nadam", "nadamw", "radam", "asgd"])
def test_a_decay_of_its_own_kind_is_told_from_the_others(name):
    assert OPTIMIZERS[name].weight_decay == "other"
