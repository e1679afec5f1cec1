from . import backend as backend
from . import history as history
from . import outcomes as outcomes
from . import statistics as statistics
from . import theory as theory
from .errors import InputError as InputError
from .optimizers import optimizer as optimizer
from .problems import GATES as GATES
from .problems import Params as Params
from .problems import gate as gate
from .problems import initial_params as initial_params
from .problems import neuron as neuron
from .results import Runs as Runs
from .results import Tally as Tally
from .results import load as load
from .statistics import STATISTICS as STATISTICS
from .statistics import Statistic as Statistic
from .studies import Run as Run
from .studies import Study as Study
from .studies import run as run
from .studies import train as train
from .version import __version__ as __version__

# Every statistic by its name, such as attnlogic.summary: see STATISTICS.
def __getattr__(name: str) -> Statistic: ...
