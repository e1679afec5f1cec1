"""What several test files share."""

from attnlogic.history import join


def whole_history(backend, training, initial, **options):
    """A run's whole history from a backend, which gives it in parts."""
    return join([*backend.history(training, initial, **options)])
