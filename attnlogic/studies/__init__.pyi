from .progress import Progress as Progress
from .single_run import Run as Run
from .single_run import train as train
from .study import Study as Study
from .study import new_directory as new_directory
from .study import run as run
from .study import seed_range as seed_range
