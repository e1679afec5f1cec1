"""Settings for all tests, and what many of them share."""

import os
import tempfile

from hypothesis import settings

# What the commands under test would keep in the user's cache folder.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="attnlogic-tests-")

settings.register_profile("attnlogic", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("attnlogic")
