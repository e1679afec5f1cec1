"""torch's own optimizers, and those derived from torch's: trained as torch does, or refused."""

import functools

import numpy as np
import pytest
import torch
from foreign_forms import in_float64, torch_loop
from helpers import condition, seed, seeds, trained, whole_history

from attnlogic.backend import Training, in_order, one_condition
from attnlogic.errors import InputError
from attnlogic.optimizers import optimizer
from attnlogic.problems import problem
from attnlogic_torch import PLAIN, TORCH
from attnlogic_torch.modules import module_for

EPOCHS = 20

REFUSED = {
    "Muon": "Muon only supports 2D parameters",
    "SparseAdam": "SparseAdam does not support dense gradients",
}
"""Which are refused for the notebook's neuron, in torch's own words."""

OPTIMIZERS = [
    name
    for name, found in sorted(vars(torch.optim).items())
    if isinstance(found, type) and issubclass(found, torch.optim.Optimizer) and name != "Optimizer"
]


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name not in REFUSED])
def test_every_optimizer_trains_as_torch_defines_it(name):
    """To the last bit but for the loss, whose mean the loop's own arithmetic takes otherwise."""
    training = in_float64(f"torch:{name}(lr=0.03)", EPOCHS)
    run = whole_history(TORCH, training, seed(7))
    losses, final = torch_loop(
        functools.partial(getattr(torch.optim, name), lr=0.03), seed(7), EPOCHS
    )
    np.testing.assert_allclose(run.losses, losses, rtol=1e-12)
    np.testing.assert_allclose(run.final, final, rtol=1e-12)
    assert losses[-1] < losses[0]
    together = trained("torch", training, seeds(3, 7))
    np.testing.assert_allclose(together.final[:, 1], run.final, rtol=1e-11)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_is_refused_in_torchs_words(name):
    with pytest.raises(InputError, match=f"optimizer 'torch:{name}'.*{REFUSED[name]}"):
        TORCH.check(condition("xor", f"torch:{name}", EPOCHS), 1)


def test_muon_trains_a_model_that_has_matrices_alone():
    xor = problem("xor", "attention(bias=False)")
    training = Training(xor, optimizer("torch:Muon(lr=0.03)"), EPOCHS, precision="float64")
    run = whole_history(TORCH, training, xor.initial(7))
    module = module_for(xor.model, 2)
    make = functools.partial(torch.optim.Muon, lr=0.03)
    losses, final = torch_loop(make, xor.initial(7), EPOCHS, module)
    np.testing.assert_allclose(run.final, final, rtol=1e-12)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("settings", "scheduler"),
    [
        ("gamma=0.9", lambda by: torch.optim.lr_scheduler.ExponentialLR(by, 0.9)),
        ("schedule='step(every=5)'", lambda by: torch.optim.lr_scheduler.StepLR(by, 5, 0.1)),
        (
            "schedule='cosine(epochs=30)', warmup=4",
            lambda by: torch.optim.lr_scheduler.LambdaLR(
                by, lambda e: (1 + np.cos(np.pi * e / 30)) / 2 * min(1, (e + 1) / 4)
            ),
        ),
    ],
)
def test_a_schedule_is_that_of_torch(settings, scheduler):
    training = in_float64(f"torch:Adam(lr=0.03, {settings})", EPOCHS)
    run = whole_history(TORCH, training, seed(7))
    make = functools.partial(torch.optim.Adam, lr=0.03)
    losses, _ = torch_loop(make, seed(7), EPOCHS, schedule=scheduler)
    np.testing.assert_allclose(run.losses, losses, rtol=1e-12)
    assert abs(losses[-1] / torch_loop(make, seed(7), EPOCHS)[0][-1] - 1) > 1e-3


# --- what others derive from torch's -------------------------------------------------------------


class Plain(torch.optim.Optimizer):
    """Gradient descent whose step takes no closure."""

    def __init__(self, params, lr=0.1, noise=0.0):
        super().__init__(params, {"lr": lr, "noise": noise})

    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.data -= group["lr"] * (p.grad + group["noise"] * torch.randn(p.shape))


class Twice(Plain):
    """Evaluates twice a step, and looks at the loss as torch's examples do."""

    def step(self, closure):
        assert closure().item() > 0
        super().step()
        closure()


class Deaf(Plain):
    """Takes a closure and never calls it."""

    def step(self, closure=None):
        pass


class Reshaping(Plain):
    """Changes a parameter's type."""

    def step(self, closure):
        closure()
        for p in self.param_groups[0]["params"]:
            p.data = p.data.to(torch.float16)


class ScheduleFree(Plain):
    """Trains in its training mode alone."""

    training = False

    def train(self):
        self.training = True

    def step(self):
        assert self.training
        super().step()


def maker(lr):
    """A factory of a constructor."""
    return functools.partial(torch.optim.SGD, lr=lr)


def made_from(params, lr=0.1):
    """A function of the parameters."""
    return torch.optim.SGD(params, lr=lr)


SGD, _ = torch_loop(functools.partial(torch.optim.SGD, lr=0.1), seed(7), EPOCHS)

HERE = f"{__name__}:"


@pytest.mark.parametrize(
    ("by", "evaluations"),
    [
        (HERE + "Plain", 1),
        (HERE + "Twice(lr=0.1)", 2),
        (HERE + "ScheduleFree", 1),
        (HERE + "maker(lr=0.1)", 1),
        (HERE + "made_from", 1),
        ("torch.optim.sgd:SGD(lr=0.1)", 1),
        (Plain, 1),
        (lambda tensors: torch.optim.SGD(tensors, lr=0.1), 1),
        (functools.partial(torch.optim.SGD, lr=0.1), 1),
        (functools.partial(maker, 0.1), 1),
    ],
    ids=[str(i) for i in range(10)],
)
def test_gradient_descent_by_whatever_name_is_torchs(by, evaluations):
    run = whole_history(TORCH, in_float64(by, EPOCHS), seed(7))
    np.testing.assert_allclose(run.losses, SGD, rtol=1e-12)
    assert (run.evaluations == evaluations).all()


def test_random_numbers_are_the_same_in_every_run_and_leave_torchs_generator_alone():
    training, before = in_float64(HERE + "Plain(noise=0.1)", EPOCHS), torch.get_rng_state()
    one = whole_history(TORCH, training, seed(7))
    torch.manual_seed(5)
    other = whole_history(TORCH, training, seed(7))
    np.testing.assert_array_equal(one.losses, other.losses)
    assert np.abs(one.losses / SGD - 1).max() > 1e-3
    torch.set_rng_state(before)
    whole_history(TORCH, training, seed(7))
    assert torch.equal(torch.get_rng_state(), before)


def test_each_worker_has_the_optimizer():
    training = in_float64("torch:SGD(lr=0.1)", EPOCHS)
    batch = one_condition(training, seeds(3, 7))
    runs, alone = (in_order(PLAIN.train(batch, jobs=jobs)) for jobs in (2, 1))
    np.testing.assert_array_equal(runs.final, alone.final)
    with pytest.raises(InputError, match="cannot be sent to another process"):
        TORCH.check(in_float64(lambda p: Plain(p), EPOCHS), 2)


@pytest.mark.parametrize(
    ("by", "fragment"),
    [
        (HERE + "Deaf", "takes a closure in its step and never calls it"),
        (HERE + "Reshaping", "changes the shapes or types of the parameters"),
        (HERE + "Plain(lr='fast')", "its step raises TypeError"),
        (HERE + "Plian", "has no 'Plian': did you mean 'Plain'?"),
        (HERE + "Plain(rate=1)", f"unknown argument of {HERE}Plain 'rate': known: gamma, lr, noi"),
        (HERE + "maker(0.1)", "give each setting its name and a value"),
        (HERE + "HERE", "expected a torch optimizer's class, got"),
        ("torch:Adm", "module 'torch.optim' has no 'Adm': did you mean 'Adam'?"),
        ("torch:Adam(lr=-1)", "raises ValueError: Invalid learning rate: -1"),
        ("torch:Optimizer", "lacks defaults"),
        ("optax:adam(learning_rate=0.1)", "this is the torch backend: use --backend jax"),
        ("no_such_package:thing", "there is no module 'no_such_package' on Python's path"),
        ("object:mine", "train it through the API, with the object itself"),
        ("torch:Adam(schedule='cosin')", "unknown schedule of torch:Adam 'cosin'"),
        ("torch:Adam(gamma=0.5, schedule='cosine')", "are two schedules: leave one"),
        ("torch:Rprop(gamma=0.5)", "its lr is the size of the first step alone"),
        ("torch:Adam(gamma=0.0)", "gamma of torch:Adam"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(by, fragment):
    with pytest.raises(InputError) as error:
        TORCH.check(condition("xor", by, EPOCHS), 1)
    assert fragment in str(error.value)
