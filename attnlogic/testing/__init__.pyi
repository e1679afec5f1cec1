from .contract import BackendContract as BackendContract
from .reference import reference_history as reference_history
