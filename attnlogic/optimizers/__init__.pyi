from .hyperparameters import FAMILIES as FAMILIES
from .hyperparameters import Optimizer as Optimizer
from .hyperparameters import optimizer as optimizer
