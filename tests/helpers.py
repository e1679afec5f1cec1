"""What several test files share."""

import numpy as np

from attnlogic.backend import Training, in_order, one_condition
from attnlogic.backend import backend as find
from attnlogic.history import join
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import mapped, numbers_of
from attnlogic.problems import ROWS, loss, pack, problem, unpack

XOR = problem("xor")


def condition(gate_name, by, epochs, **rest):
    return Training(problem(gate_name), optimizer(by), epochs, **rest)


def seed(number):
    """The packed parameters of one seed, (6,)."""
    return XOR.initial(number)


def seeds(*numbers):
    """The packed parameters of these seeds, (6, N)."""
    return XOR.initial(np.array(numbers, np.uint32))


def seed_range(count, start=0):
    """The packed parameters of ``count`` seeds from ``start`` on."""
    return XOR.initial(np.arange(start, start + count))


def trained(name, training, starts):
    """What a backend, given by its name, makes of all seeds."""
    return in_order(find(name).train(one_condition(training, starts)))


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
        each = loss(unpack(tuple(packed)), ROWS, training.problem.data.targets)
        each.sum().backward()
        losses.append(each.detach().numpy())
        optimizer.step()
        if schedule is not None:
            schedule.step()
    torch.set_num_threads(threads)
    return np.stack(losses)


def leaves(runs):
    """The leaves of an outcome by name: each parameter at both ends, and each number.

    Args:
      runs: its parameters may be packed, or the notebook's ``Params``.
    """
    ends = {"initial": runs.initial, "final": runs.final}
    scalars = {end: pack(p) if hasattr(p, "wq") else p for end, p in ends.items()}
    parameters = {f"{end} {i}": p for end, packed in scalars.items() for i, p in enumerate(packed)}
    return parameters | numbers_of(runs)


def part(runs, which):
    """Some of the runs, or one."""
    return mapped(lambda leaf: leaf[..., which], runs)


def assert_same(one, other):
    """Equal to the last bit, in every field; NaN equals NaN."""
    ones, others = leaves(one), leaves(other)
    assert ones.keys() == others.keys()
    for field, a in ones.items():
        np.testing.assert_array_equal(a, others[field], err_msg=field)
        assert np.asarray(a).dtype == np.asarray(others[field]).dtype, field
