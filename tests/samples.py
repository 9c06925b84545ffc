"""Which of many like problems a normal run takes: a third or so, by seed.  The gate takes all, see `.ci/run`.

pytest -m gate              what the gate adds to a normal run
pytest -m slow              that, and the much larger samples that are run by hand before a release
"""

from collections import Counter

import pytest

EVERY = 3
SAMPLED = (
    "audit/test_doctored_directories.py",
    "forecasting/test_linear.py",
    "fuzz/",
    "jobs/test_adopted_runs.py",
    "jobs/test_altered_plans.py",
    "jobs/test_altered_publications.py",
    "jobs/test_backup.py",
    "jobs/test_best_known.py",
    "jobs/test_crashes.py",
    "properties/test_container_ramp.py",
    "properties/test_counts_are_exact.py",
    "properties/test_energy_limits.py",
    "properties/test_exact_on_counts.py",
    "properties/test_start_layers.py",
    "publish/test_readers_and_kills.py",
    "store/test_altered_store.py",
    "store/test_bad_archives.py",
    "store/test_restore_is_whole.py",
    "workflow/test_changed_cases.py",
    "storms/",
)
"""Attacks, storms and random plants, in great numbers and alike in kind: every third of a file is of a normal run."""
GATE = (pytest.mark.slow, pytest.mark.gate)
"""Marks of a sample that is left out of a normal run and that the gate takes."""


def leave_to_the_gate(items, tests):
    """Mark two of three tests of the sampled files below the folder `tests` for the gate."""
    counted = Counter()
    for item in items:
        file = item.path.relative_to(tests).as_posix()
        if not file.startswith(SAMPLED) or any(map(item.get_closest_marker, ("slow", "browser", "system"))):
            continue
        counted[file] += 1
        if counted[file] % EVERY != 1:
            for mark in GATE:
                item.add_marker(mark)


def chunks(numbers, normal):
    """Return parameters of a test, those of `numbers` that are not `normal` being left to the gate."""
    return [pytest.param(number, marks=() if number in normal else GATE, id=str(number)) for number in numbers]


def by_sample(sample, everything, *names):
    """Return two parameters of a test: the sample of a normal run, and all of it for the gate."""
    sample_id, all_id = names or ("sample", "all")
    return [pytest.param(sample, id=sample_id), pytest.param(everything, marks=GATE, id=all_id)]
