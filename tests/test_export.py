"""Training is compiled for GPUs and TPUs without one: ``jax.export`` lowers it as JAX would there.

This shows that every optimizer and model is made of operations that JAX has on those platforms,
and that the choices of ``Platform`` are in the code. It does not show how fast that is there.
"""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exported import lowered
from jax import export

from attnlogic.backend import Training
from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS, optimizer
from attnlogic.problems import Model, OwnLoss, Tensor, initial_params, problem
from attnlogic_jax import compiled, trainer
from attnlogic_jax.jaxprs import equations
from attnlogic_jax.platforms import Platform

PLATFORMS = ("cuda", "rocm", "tpu")
GPU_AND_TPU = ("cuda", "tpu")

OWN_LOSS = OwnLoss(
    lambda seed: {"v": np.ones((2, 2)), "w": np.ones(2)},
    lambda p, x, y: ((jnp.tanh(x @ p["v"].T) @ p["w"] - y) ** 2).mean(),
    "own loss",
)


OWN_MODEL = Model(
    name="product",
    formula="tanh(a·x1) · tanh(a·x2) + b",
    tensors=lambda n: (Tensor("a", (), ("a",), n), Tensor("b", (), ("b",), n)),
    predict=lambda p, x, xp: xp.tanh(p["a"] * x[0]) * xp.tanh(p["a"] * x[1]) + p["b"],
)
MODELS = (
    "attention", "attention(residual=False,bias=False)", "attention(scores=softmax,heads=2)",
    "linear", "mlp", "mlp(hidden=3,activation=relu)", OWN_MODEL, OWN_LOSS,
)  # fmt: skip
VARIANTS = (
    *(by for by in OPTIMIZERS if by != "lbfgs_zoom"),
    "adam(amsgrad=True,schedule=cosine(epochs=9),warmup=3)",
    "sgd(momentum=0.9,dampening=0.1,nesterov=False,gamma=0.9)",
    "lbfgs(line_search=strong_wolfe)",
    "optax:lion(learning_rate=0.1)",
    "optax.contrib:muon(learning_rate=0.1)",
)
"""lbfgs_zoom is optax:lbfgs in all that is compiled, and takes seconds: it has a test by itself."""


def assert_is_for(platform, text):
    """It has a loop, and nothing that another platform or the host would have to do."""
    assert "stablehlo.while" in text
    assert re.findall(r"custom_call @(\w+)", text) == []  # neither libraries nor callbacks
    assert "optimization_barrier" not in text  # for XLA's CPU compiler alone
    assert "xla_cpu" not in text
    assert not re.search(r"tensor<[^>]*(f64|i64)>", text)  # a TPU has neither, a GPU is slow


@pytest.mark.parametrize("platform", GPU_AND_TPU)
@pytest.mark.parametrize("by", VARIANTS)
def test_every_optimizer_is_lowered_for_other_platforms(by, platform):
    found = lowered(platform, Training(problem("xor"), optimizer(by), 10))
    assert found.platforms == (platform,)
    assert_is_for(platform, found.mlir_module())


@pytest.mark.parametrize("platform", GPU_AND_TPU)
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_every_model_is_lowered_for_other_platforms(model, platform):
    text = lowered(platform, Training(problem("xor", model), optimizer("adamw"), 10)).mlir_module()
    assert_is_for(platform, text)


def test_optaxs_line_search_is_lowered_for_a_tpu():
    text = lowered("tpu", Training(problem("xor"), optimizer("lbfgs_zoom"), 10)).mlir_module()
    assert_is_for("tpu", text)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_how_many_epochs_are_in_a_step_of_the_loop_is_the_platforms_choice(platform):
    """AdamW has one square root an epoch; what is left over has a loop of single epochs."""
    text = lowered(platform, Training(problem("xor"), optimizer("adamw"), 10)).mlir_module()
    unroll = Platform(platform).unroll
    assert unroll == (1 if platform == "tpu" else 4)
    loops = 1 if unroll == 1 else 2
    assert text.count("stablehlo.while") == loops
    assert text.count("stablehlo.sqrt") == unroll + loops - 1


def test_a_cpu_has_what_the_others_have_not():
    """Else the test of those could not see it."""
    text = lowered("cpu", Training(problem("xor"), optimizer("adamw"), 10)).mlir_module()
    assert "optimization_barrier" in text
    assert "xla_cpu_small_call" in text


@pytest.mark.parametrize("platform", GPU_AND_TPU)
def test_matrix_products_keep_float32s_digits(platform):
    text = lowered(platform, Training(problem("xor", OWN_LOSS), optimizer("sgd"), 5)).mlir_module()
    found = re.findall(r"dot_general .*?precision = \[(\w+), (\w+)\]", text)
    assert found == [("HIGHEST", "HIGHEST")] * text.count("stablehlo.dot_general") != []


@pytest.mark.parametrize("platform", GPU_AND_TPU)
@pytest.mark.parametrize("step", ["start", "finish", "trace", "gradient_norm"])
def test_what_surrounds_the_epochs_is_lowered_too(step, platform):
    training = Training(problem("xor"), optimizer("lbfgs"), 10, until="hit")
    found = lowered(platform, training, getattr(compiled, step))
    assert re.findall(r"custom_call @(\w+)", found.mlir_module()) == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_pure_function_is_lowered_for_a_platform_that_is_named(platform):
    train = jax.vmap(trainer("xor", "adamw", epochs=40, platform=platform))
    starts = initial_params(range(64))
    assert_is_for(
        platform, export.export(jax.jit(train), platforms=[platform])(starts).mlir_module()
    )
    scans = [
        equation.params["unroll"]
        for equation in equations(jax.make_jaxpr(train)(starts).jaxpr)
        if equation.primitive.name == "scan"
    ]
    assert scans == [Platform(platform).unroll]


def test_a_platform_that_jax_has_not_is_refused():
    with pytest.raises(InputError, match="unknown platform 'cudda': did you mean 'cuda'"):
        trainer("xor", "adamw", platform="cudda")
