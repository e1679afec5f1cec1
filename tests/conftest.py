"""Settings for all tests: property tests draw the same examples on every machine and every run."""

import os
import shutil
import tempfile

import pytest
from hypothesis import settings

settings.register_profile("attnlogic", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("attnlogic")

# An array that meets one of more axes may mean a mistake; JAX lets it pass if nobody objects.
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"

_CACHE = tempfile.mkdtemp(prefix="attnlogic-tests-")
os.environ["XDG_CACHE_HOME"] = _CACHE
"""Where the commands under test keep what they would keep in the user's cache folder."""


@pytest.fixture(scope="session", autouse=True)
def _no_folder_is_left():
    yield
    shutil.rmtree(_CACHE, ignore_errors=True)
