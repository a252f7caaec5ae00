"""What holds for the whole suite."""

import gc
import logging
import os

from hypothesis import settings

from automation.building.shared_cache import FOLDER_VARIABLE
from the_alchemiser.shared.logs import PRODUCT

# No test takes an artifact that an earlier run has built, or leaves one in the cache of the user.
os.environ[FOLDER_VARIABLE] = ""
# A function that is tested writes its log to pytest, not to stdout.
logging.getLogger(PRODUCT).addHandler(logging.NullHandler())
logging.getLogger(PRODUCT).setLevel(logging.INFO)

# The time of an example means nothing on a busy machine.
settings.register_profile("random", deadline=None)
# The same examples in each run, so that no change fails by an older fault; `--hypothesis-profile random` finds those.
settings.register_profile("repeatable", settings.get_profile("random"), derandomize=True)
settings.load_profile("repeatable")


def pytest_collection_finish() -> None:
    """Keep the garbage collector off the tests that were collected; they live until the end anyway.

    Every full collection would visit them again: that is an eighth of the suite's time.
    """
    gc.collect()
    gc.freeze()
