"""For all tests: which of them a normal run takes; garbage is looked for as seldom as the command itself does it."""

import gc
from pathlib import Path

import pytest

from flexmine.cli.main import GARBAGE_THRESHOLD
from samples import leave_to_the_gate


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marker
def pytest_collection_modifyitems(items):
    leave_to_the_gate(items, Path(__file__).parent)


def pytest_collection_finish():
    """Keep what modules and collected tests are made of out of every later search for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, *gc.get_threshold()[1:])
