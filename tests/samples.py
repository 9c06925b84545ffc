"""Which of many like problems a normal run takes: a third or so, by seed.  The gate takes all, see `.ci/run`.

pytest -m gate              what the gate adds to a normal run
pytest -m slow              that, and the much larger samples that are run by hand before a release
"""

import pytest

GATE = (pytest.mark.slow, pytest.mark.gate)
"""Marks of a sample that is left out of a normal run and that the gate takes."""


def chunks(numbers, normal):
    """Return parameters of a test, those of `numbers` that are not `normal` being left to the gate."""
    return [pytest.param(number, marks=() if number in normal else GATE, id=str(number)) for number in numbers]


def by_sample(sample, everything, *names):
    """Return two parameters of a test: the sample of a normal run, and all of it for the gate."""
    sample_id, all_id = names or ("sample", "all")
    return [pytest.param(sample, id=sample_id), pytest.param(everything, marks=GATE, id=all_id)]
