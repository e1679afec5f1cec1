from .merging import merge as merge
from .normal import conditions as conditions
from .normal import normalized as normalized
from .selecting import Selectable as Selectable
from .selecting import populations as populations
from .selecting import select as select
from .selecting import tally as tally
from .selection import Selection as Selection
