"""``python -m attnlogic`` is the command ``attnlogic``."""

from attnlogic.cli import main

if __name__ == "__main__":
    main()
