"""Examples that run: each is a script, and the page or picture that it writes lies beside it.

They use the package as a reader would, through what it exports; nothing else imports them.
"""

__all__ = ["beyond", "census", "findings", "maps", "own_models"]
"""The modules that can be imported; to import ``notebook``, a script of cells, is to run it."""
