from .hyperparameters import Optimizer as Optimizer
from .hyperparameters import optimizer as optimizer
from .record import OptimizerRecord as OptimizerRecord
from .records import DEFAULT_STUDY as DEFAULT_STUDY
from .records import OPTIMIZERS as OPTIMIZERS
from .structures import Structure as Structure
from .structures import real_numbers as real_numbers
from .structures import structure as structure
