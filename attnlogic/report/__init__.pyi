from .about import facts as facts
from .about import in_words as in_words
from .about import share as share
from .page import made_page as made_page
from .page import writable_page as writable_page
from .page import write_page as write_page
