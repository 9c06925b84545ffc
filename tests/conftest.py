"""For all tests: garbage is looked for as seldom as the command itself does it."""

import gc

from flexmine.cli.main import GARBAGE_THRESHOLD


def pytest_collection_finish():
    """Keep what modules and collected tests are made of out of every later search for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, *gc.get_threshold()[1:])
