"""The optimizers by name.

How a step is made is not described here: each backend has its own record of the same name for that.
Left out is what only one framework has for parameters of these shapes: torch's Muon takes matrices
alone, Lion is optax's.
"""

from __future__ import annotations

from attnlogic.optimizers.adam_records import ADAM, ADAMAX, ADAMW, AMSGRAD, NADAM, NADAMW, RADAM
from attnlogic.optimizers.curvature_records import LBFGS, LBFGS_ZOOM, POLYAK
from attnlogic.optimizers.gradient_records import ADADELTA, ADAGRAD, ASGD, RMSPROP, RPROP, SGD
from attnlogic.optimizers.record import OptimizerRecord
from attnlogic.optimizers.schedules import SCHEDULE_SETTINGS

_ALL = (
    ADAM, ADAMW, AMSGRAD, NADAM, NADAMW, RADAM, ADAMAX, SGD, ASGD, RPROP, RMSPROP, ADAGRAD,
    ADADELTA, LBFGS, LBFGS_ZOOM, POLYAK,
)  # fmt: skip


def _with_schedule(record: OptimizerRecord) -> OptimizerRecord:
    """The record with the settings of a schedule, where there is a learning rate to change."""
    if not (record.scheduled and "lr" in record.settings):
        return record
    return record._replace(settings=record.settings | SCHEDULE_SETTINGS)


OPTIMIZERS = {record.name: _with_schedule(record) for record in _ALL}
"""The optimizers by name. The notebook's five have its budgets, but L-BFGS; the others Adam's."""

DEFAULT_STUDY = ("adam", "adamw", "sgd", "lbfgs", "polyak")
"""The optimizers of a study that names none: the notebook's five."""
