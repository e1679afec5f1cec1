from attnlogic.cli.app import main

__all__ = ["main"]
