"""Settings for all tests: property tests draw the same examples on every machine and every run."""

from hypothesis import settings

settings.register_profile("attnlogic", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("attnlogic")
