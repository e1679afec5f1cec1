from attnlogic.theory.exact import *  # noqa: F403
