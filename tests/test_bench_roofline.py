"""The roofline's counts are those of arithmetic done by hand, and its floors follow from them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attnlogic.backend import Training
from attnlogic.optimizers import optimizer
from attnlogic.problems import problem
from attnlogic_jax.platforms import Platform
from bench import costs, report
from bench.counting import cost, operations


def twice(x):
    return (x + 1) * (x + 1)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x, 0),
        (lambda x: 0 * x + 1 * x, 0),
        (lambda x: 3 * x - 0.0, 1),
        (lambda x: (x + 1) * (x + 1), 2),  # the sum is computed once
        (lambda x: jax.jit(twice)(x) + twice(x), 3),
        (lambda x: x**4, 3),
        (lambda x: jnp.where(x > 0, x, 2 * x), 3),
        (lambda x: [jnp.stack([x, x])[0], jnp.sqrt(x)][0], 0),  # what no result needs is none
        (lambda x: jax.lax.optimization_barrier((2 * x, x))[1] + 1, 1),
    ],
)
def test_operations_are_counted_as_by_hand(function, expected):
    assert operations(jax.make_jaxpr(function)(np.ones(10))) == 10 * expected


def test_what_an_optimizer_adds_to_an_epoch():
    """Of six parameters each; the loss, its gradient and the statistics are the same for all."""
    adam, adamw, sgd = (of(by).operations for by in ("adam", "adamw", "sgd"))
    # The direction gets weight_decay times the parameter.
    assert adamw - adam == pytest.approx(2 * 6)
    # Two means, of three operations and one square; two corrections, a root, eps, a quotient. What
    # is computed once for all seeds counts less than one.
    assert adam - sgd == pytest.approx((3 + 3 + 1 + 2 + 1 + 1 + 1) * 6, abs=0.5)


def of(by, platform="gpu"):
    return cost(Training(problem("xor"), optimizer(by), 10), Platform(platform))


def test_the_count_is_that_of_the_work_and_not_of_the_platform():
    assert of("adam", "cpu") == of("adam", "tpu") == of("adam")


def test_bytes_are_what_is_carried():
    """Of Adam's six parameters two means each, of 4 bytes; read and written once in four epochs."""
    adam, sgd = of("adam"), of("sgd")
    assert adam.state - sgd.state == 2 * 6 * 4
    assert adam.bytes_moved(4) == adam.state / 2


def test_an_epoch_with_a_loop_is_refused():
    with pytest.raises(ValueError, match="how often it runs is not known"):
        of("lbfgs")


def test_the_table_has_the_ratios_to_both_floors():
    row = {"optimizer": "sgd", "seeds": 100, "epochs": 10, "chunk": 100, "seconds": [0.1],
           "first_seconds": 1.0}  # fmt: skip
    told = {
        "roofline": {
            "bytes_a_second": 1e6,
            "operations_a_second": 4e6,
            "optimizers": {"sgd": {"operations": 200, "bytes_moved": 20}},
        },
        "optimizers": [row],
        "chunks": [row],
    }
    lines = [*report.PARTS["accelerator"][1](told)]
    # 1e4 seed-epochs a second; memory allows 5e4, arithmetic 2e4.
    assert "| sgd | 200 | 20 | 10 | 1.00e+04 | 5 | 2 | arithmetic |" in lines
    assert "arithmetic limits work of more than 4 operations a byte" in lines[0]


def test_what_the_device_can_do_is_measured():
    told = costs.probe("roofline", optimizers=["sgd"], epochs=10)
    assert told["bytes_a_second"] > 1e8
    assert told["operations_a_second"] > 1e8
    assert told["optimizers"]["sgd"] == {
        "operations": of("sgd").operations,
        "bytes_moved": of("sgd").bytes_moved(10),  # a CPU keeps the state in its cache
    }
