from .folders import new_directory as new_directory
from .progress import Progress as Progress
from .running import folder_of as folder_of
from .running import run as run
from .single_run import Run as Run
from .single_run import train as train
from .study import Study as Study
from .study import seed_range as seed_range
