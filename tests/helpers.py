"""What several test files share."""

import numpy as np

from attnlogic.backend import Training
from attnlogic.backend import backend as find
from attnlogic.history import join
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import NUMBERS, concatenate, from_leaves, leaves_of
from attnlogic.problems import ROWS, gate, initial_params, loss, unpack

FIELDS = [*(f"initial {i}" for i in range(6)), *(f"final {i}" for i in range(6))]
FIELDS += [*NUMBERS]


def condition(gate_name, by, epochs, **rest):
    return Training(gate(gate_name), optimizer(by), epochs, **rest)


def seeds(*numbers):
    """The parameters of these seeds."""
    return initial_params(np.array(numbers, np.uint32))


def seed_range(count, start=0):
    """The parameters of ``count`` seeds from ``start`` on."""
    return initial_params(np.arange(start, start + count))


def trained(name, training, starts):
    """What a backend, given by its name, makes of all seeds."""
    return concatenate([*find(name).train(training, starts)])


def whole_history(backend, training, initial, **options):
    """A run's whole history from a backend, which gives it in parts."""
    return join([*backend.history(training, initial, **options)])


def torch_side_by_side(training, starts):
    """Losses (epochs, N) of torch's own optimizer on many seeds at once, which must not mix.

    Args:
      training: with an elementwise optimizer.
      starts: packed parameters, (6, N).
    """
    import torch

    from attnlogic_torch.optimizers import construct, record

    assert record(training.optimizer).elementwise
    packed = torch.tensor(np.asarray(starts, training.precision), requires_grad=True)
    optimizer, schedule = construct(training.optimizer, [packed])
    losses, threads = [], torch.get_num_threads()
    torch.set_num_threads(1)  # with two it takes ten times as long
    for _ in range(training.epochs):
        optimizer.zero_grad()
        each = loss(unpack(tuple(packed)), ROWS, training.gate.targets)
        each.sum().backward()
        losses.append(each.detach().numpy())
        optimizer.step()
        if schedule is not None:
            schedule.step()
    torch.set_num_threads(threads)
    return np.stack(losses)


def part(runs, which):
    return from_leaves([leaf[which] for leaf in leaves_of(runs)])


def assert_same(one, other):
    """Equal to the last bit, in every field; NaN equals NaN."""
    for field, a, b in zip(FIELDS, leaves_of(one), leaves_of(other), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=field)
        assert np.asarray(a).dtype == np.asarray(b).dtype, field
