"""The torch backend is the notebook: its modules and its loop, bit for bit."""

import numpy as np
import pytest
import torch
from helpers import assert_same, condition, seed, seeds, whole_history
from hypothesis import given
from hypothesis import strategies as st
from notebook_modules import NotebooksModel
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR

from attnlogic.backend import in_order, one_condition
from attnlogic.errors import InputError
from attnlogic.history import outcome
from attnlogic.outcomes import NONE, concatenate
from attnlogic.problems.gates import ROWS
from attnlogic.problems.neuron import invariant, predict, unpack
from attnlogic_torch import PLAIN, TORCH, RawAttentionWithTopNeuron
from attnlogic_torch import training as training_loop
from attnlogic_torch.modules import load, read

# --- the modules --------------------------------------------------------------------------------


def test_the_state_dict_has_the_notebooks_names_and_shapes():
    state = RawAttentionWithTopNeuron().state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == {
        "raw_attention.Wq.weight": (1, 1),
        "raw_attention.Wk.weight": (1, 1),
        "raw_attention.Wv.weight": (1, 1),
        "attn_out.weight": (1, 2),
        "attn_out.bias": (1,),
    }
    assert list(state) == [name for name, _ in RawAttentionWithTopNeuron().named_parameters()]


def test_a_state_dict_of_the_notebook_loads_and_gives_the_same_outputs(tmp_path):
    torch.manual_seed(3)
    notebook = NotebooksModel()
    torch.save(notebook.state_dict(), tmp_path / "notebook.pt")
    module = RawAttentionWithTopNeuron()
    module.load_state_dict(torch.load(tmp_path / "notebook.pt"))
    x = torch.randn(50, 2)
    torch.testing.assert_close(module(x), notebook(x), rtol=0, atol=0)
    notebook.load_state_dict(module.state_dict())  # and back


@given(*[st.lists(st.floats(-2, 2), min_size=n, max_size=n) for n in (6, 2)])
def test_the_module_is_the_model(values, x):
    module = RawAttentionWithTopNeuron().double()
    load(module, np.array(values))
    out = module(torch.tensor([x], dtype=torch.float64)).item()
    # Outputs are below 100; rounding of a dozen operations in float64 is below 1e-13 of that.
    assert out == pytest.approx(predict(unpack(values), x), rel=1e-12, abs=1e-11)


@pytest.mark.parametrize("number", [0, 1, 42, 2**31, 2**32 - 1])
def test_built_after_manual_seed_it_has_that_seeds_parameters(number):
    torch.manual_seed(number)
    module = RawAttentionWithTopNeuron()
    np.testing.assert_array_equal(read(module), seed(number))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_load_and_read_are_inverse(dtype):
    module = RawAttentionWithTopNeuron().to(dtype)
    load(module, seed(5))
    assert {p.dtype for p in module.parameters()} == {dtype}
    np.testing.assert_array_equal(read(module), seed(5))


# --- the notebook's loop ------------------------------------------------------------------------

BETAS = {"betas": (0.8, 0.99), "eps": 1e-6}
LOOPS = [
    ("adam", torch.optim.Adam, {}, 1.0),
    ("adam(gamma=0.9995)", torch.optim.Adam, {}, 0.9995),
    ("adam(beta1=0.8, beta2=0.99, eps=1e-6)", torch.optim.Adam, BETAS, 1.0),
    ("adam(amsgrad=True)", torch.optim.Adam, {"amsgrad": True}, 1.0),
    ("adamw", torch.optim.AdamW, {}, 1.0),
    ("adamw(lr=0.001, weight_decay=0.1)", torch.optim.AdamW, {"lr": 1e-3, "weight_decay": 0.1}, 1),
    ("sgd", torch.optim.SGD, {}, 1.0),
    ("sgd(momentum=0.9)", torch.optim.SGD, {"momentum": 0.9}, 1.0),
    ("sgd(momentum=0.9, dampening=0.5)", torch.optim.SGD, {"momentum": 0.9, "dampening": 0.5}, 1),
    ("lbfgs", torch.optim.LBFGS, {"max_iter": 20, "history_size": 100}, 1.0),
    ("lbfgs(gamma=0.99)", torch.optim.LBFGS, {"max_iter": 20, "history_size": 100}, 0.99),
]


def notebooks_loop(kind, settings, gamma, seed, targets, epochs, dtype):
    """The notebook's cells; L-BFGS takes the closure, as every torch optimizer may."""
    torch.manual_seed(seed)
    model = NotebooksModel().to(dtype)
    x, y = torch.tensor(ROWS, dtype=dtype), torch.tensor(targets, dtype=dtype).reshape(4, 1)
    optim = kind(model.parameters(), **{"lr": 0.05, **settings})
    schedule = ExponentialLR(optim, gamma)
    losses, calls = [], 0

    def closure():
        nonlocal calls
        calls += 1
        optim.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    for _ in range(epochs):
        losses.append(optim.step(closure).item())
        schedule.step()
    return losses, read(model), calls


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("text", "kind", "settings", "gamma"), LOOPS, ids=[c[0] for c in LOOPS])
def test_a_history_is_the_notebooks_loop_bit_for_bit(text, kind, settings, gamma, precision):
    epochs = 6 if kind is torch.optim.LBFGS else 60
    training = condition("nand", text, epochs, precision=precision)
    got = whole_history(TORCH, training, seed(7))
    losses, final, calls = notebooks_loop(
        kind, settings, gamma, 7, training.problem.data.targets, epochs, getattr(torch, precision)
    )
    np.testing.assert_array_equal(got.losses, np.array(losses, precision))
    np.testing.assert_array_equal(got.final, final)
    assert got.evaluations.sum() == calls
    assert got.stopped_at == NONE


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_polyaks_steps_are_the_formula_bit_for_bit(precision):
    """Each loss is kept in the training's own precision on its way into the step."""
    dtype = getattr(torch, precision)
    torch.manual_seed(0)
    model = NotebooksModel().to(dtype)
    x, y = torch.tensor(ROWS, dtype=dtype), torch.tensor([[0], [1], [1], [0]], dtype=dtype)
    losses = []
    for _ in range(40):
        loss = nn.functional.mse_loss(model(x), y)
        losses.append(loss.item())
        grads = torch.autograd.grad(loss, list(model.parameters()))
        square = sum(g.square().sum() for g in grads)
        with torch.no_grad():
            for p, g in zip(model.parameters(), grads, strict=True):
                p -= loss / square * g
    got = whole_history(TORCH, condition("xor", "polyak", 40, precision=precision), seed(0))
    np.testing.assert_array_equal(got.losses, np.array(losses, precision))


def test_the_invariant_belongs_to_the_loss_of_its_epoch():
    run = whole_history(TORCH, condition("xor", "sgd", 5), seed(0))
    C = run.quantities["C"]
    assert C[0] == invariant(unpack(seed(0)))
    shorter = [whole_history(TORCH, condition("xor", "sgd", n), seed(0)) for n in range(1, 5)]
    assert C[1:].tolist() == [float(invariant(unpack(h.final))) for h in shorter]


def test_an_outcome_is_that_of_its_history():
    training = condition("xor", "adamw", 250, threshold=1e-3)
    one = in_order(PLAIN.train(one_condition(training, seeds(0))))
    history = whole_history(TORCH, training, seed(0))
    assert_same(one, concatenate([outcome(history, 1e-3, training.problem)]))
    assert one.first_hit[0] > 0


# --- torch's own state --------------------------------------------------------------------------


def test_torchs_global_state_is_left_as_it_was():
    torch.manual_seed(11)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for by in ("adam", "lbfgs", "sgd(lr=50)"):
            for precision in ("float32", "float64"):
                training = condition("xor", by, 10, precision=precision)
                for backend in (TORCH, PLAIN):
                    list(backend.train(one_condition(training, seeds(0, 1))))
                whole_history(TORCH, training, seed(0))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_default_dtype() == torch.float32


def test_between_two_parts_of_a_history_torch_has_the_callers_threads(monkeypatch):
    monkeypatch.setattr(training_loop, "TARGET_PART_SECONDS", 0.0)
    before, within = torch.get_num_threads(), []
    try:
        torch.set_num_threads(3)
        parts = TORCH.history(
            condition("xor", "adam", 4),
            seed(0),
            on_progress=lambda _: within.append(torch.get_num_threads()),
        )
        next(parts)
        assert torch.get_num_threads() == 3
        torch.set_num_threads(2)  # by the caller, meanwhile
        next(parts)
        assert torch.get_num_threads() == 2
        parts.close()
        assert torch.get_num_threads() == 2
        assert within == [3, 2]
    finally:
        torch.set_num_threads(before)


def test_an_interrupt_gives_the_callers_threads_back(monkeypatch):
    def interrupt(*_):
        assert torch.get_num_threads() == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(RawAttentionWithTopNeuron, "forward", interrupt)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with pytest.raises(KeyboardInterrupt):
            next(TORCH.history(condition("xor", "adam", 4), seed(0)))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("by", ["adam", "lbfgs", "polyak"])
def test_nor_does_it_matter_to_a_run(by):
    training = condition("xor", by, 10)
    usual = whole_history(TORCH, training, seed(0))
    torch.set_default_dtype(torch.float64)
    try:
        other = whole_history(TORCH, training, seed(0))
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(usual.losses, other.losses)
    assert other.losses.dtype == np.float32


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True, "2", None, np.True_])
def test_bad_jobs_are_refused_before_any_work(jobs):
    training = condition("xor", "adam", 10)
    with pytest.raises(InputError, match=r"jobs: expected a whole number .* got"):
        TORCH.check(training, jobs)
    with pytest.raises(InputError, match="jobs"):  # at the call, not at the first outcome
        TORCH.train(one_condition(training, seeds(0)), jobs=jobs)
