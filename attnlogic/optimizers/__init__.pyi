from .hyperparameters import Optimizer as Optimizer
from .hyperparameters import optimizer as optimizer
from .records import DEFAULT_STUDY as DEFAULT_STUDY
from .records import OPTIMIZERS as OPTIMIZERS
from .records import OptimizerRecord as OptimizerRecord
from .structure import numbers as numbers
from .structure import structured as structured
