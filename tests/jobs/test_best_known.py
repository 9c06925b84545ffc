"""The best known values of a feed, against a search hour by hour over plain dicts; and each rule of it by itself.

The oracle shares no code with what it checks: times are whole hours from the beginning of the day that is planned.
"""

import random

import numpy as np
import pytest

from feed_files import AS_OF, HOURS, SERIES, START, Files, row
from flexmine.errors import BadInput
from flexmine.jobs.feeds import known
from flexmine.jobs.job import read_job
from nights import write_job

MARKS = ("", "NA", "-999.0", "-999")


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return read_job(write_job(tmp_path_factory.mktemp("job"), START.date(), 0))


def random_files(rng):
    """Return how a feed is written and its files: dicts of a stamp, a revision and issues with rows by hour."""
    column = rng.random() < 0.5
    how = {
        "column": column,
        "revisions": column and rng.random() < 0.6,
        "stale_after_h": rng.choice([None, 20, 40]) if column else None,
        "max_age_h": rng.choice([12, 30, 48]),
        "reach_h": rng.choice([24, 72]),
    }
    files, number = [], 0
    for _ in range(rng.randint(1, 6)):
        stamp, revision = (
            rng.choice([AS_OF - 24 * rng.randint(0, 2), rng.randint(-80, AS_OF + 4)]),
            rng.choice([0, 0, 2]),
        )
        issues = []
        for _ in range(rng.randint(1, 4) if column else 1):
            number += 1
            begin = rng.choice([rng.randint(-40, 40), rng.randint(-8, 4)])
            hours = range(begin, begin + rng.choice([0, 4, 20, 60, 60]))
            rows = {h: round(0.1 + 0.03 * number + 0.0001 * (h % 97), 6) for h in hours}
            if rng.random() < 0.25:  # holes
                rows = {h: v for h, v in rows.items() if rng.random() < 0.9}
            if rng.random() < 0.25:  # values that are missing: some, all, or those of the horizon
                which = rng.choice([lambda h: rng.random() < 0.1, lambda h: True, lambda h: 0 <= h < HOURS])
                rows = {h: None if which(h) else v for h, v in rows.items()}
            time = rng.choice([stamp, rng.randint(-80, AS_OF + 4), -30]) if column else stamp
            rank = rng.randint(-1, 2) if how["revisions"] else 0
            issues.append({"time": time, "rank": rank, "rows": rows, "broken": rng.random() < 0.06 and bool(rows)})
        if len({(i["time"], i["rank"]) for i in issues}) == len(issues):
            files.append({"stamp": stamp, "revision": revision, "issues": issues})
    names = [(f["stamp"], f["revision"]) for f in files]
    return how, [f for i, f in enumerate(files) if names.index(names[i]) == i]


def write(files, folder, rng):
    for file in files:
        rows = []
        for issue in file["issues"]:
            column = issue["time"] if "issued" in folder.head else None
            rank = issue["rank"] if "revision" in folder.head else None
            own = [
                row(h, rng.choice(MARKS) if v is None else v, column, rank) for h, v in sorted(issue["rows"].items())
            ]
            if issue["broken"]:
                own[-1] = row("noon", 1, column, rank)
            rows += own
        folder.add(file["stamp"], rows, file["revision"])


def issues_of(how, files):
    """Return all issues known at the time, the newest first: of each time the highest revision that has rows only.

    What has no rows withdraws nothing, and is an issue that says nothing.
    """
    files = [f for f in files if f["stamp"] <= AS_OF]
    full = [f for f in files if any(issue["rows"] for issue in f["issues"])]
    files = [f for f in files if all(f["revision"] >= g["revision"] for g in full if g["stamp"] == f["stamp"])]
    issues = []
    for file in sorted(files, key=lambda f: -f["stamp"]):
        inside = [i for i in file["issues"] if i["rows"]]
        issues += [i for i in inside if i["time"] <= AS_OF]
        if not inside:  # no row says when it was issued: its name does
            issues.append({"time": file["stamp"], "rank": 10**6, "rows": {}, "broken": False})
    issues = [i for i in issues if all(i["rank"] >= j["rank"] for j in issues if j["rows"] and j["time"] == i["time"])]
    return sorted(issues, key=lambda i: -i["time"])


def speaks(issue):
    return not issue["broken"] and any(issue["rows"].get(h) is not None for h in range(HOURS))


def best(issues, reach):
    """Return hour by hour what the newest issue says whose rows lie around that hour; None for nothing."""
    said = []
    for hour in range(HOURS):
        for issue in issues:
            rows = issue["rows"]
            if AS_OF - issue["time"] <= reach and speaks(issue) and min(rows) <= hour <= max(rows):
                said.append(rows.get(hour))
                break
        else:
            said.append(None)
    return said


def refused(issues, limit, said):
    for issue in issues:
        if AS_OF - issue["time"] > limit or issue["broken"]:
            return True
        if speaks(issue):
            return None in said
    return True


@pytest.mark.parametrize("seed", range(400))
def test_each_hour_against_a_search_by_hand(job, tmp_path, seed):
    """Random files: by name or with columns of issues and revisions, with holes, marks, rows before and behind the day.

    *Proves:* every hour is of the newest issue that covers it, or known by none; and the feed is refused exactly where
    the newest issue that gives an hour is too old, one before it cannot be read, or an hour is known by none.
    *Sensitivity:* each of these changes the outcome of some seeds: the age of the newest file whatever it says, order
    by names, a withdrawn revision that completes, a mark compared by its text, an older issue in a hole.
    """
    rng = random.Random(seed)
    how, files = random_files(rng)
    folder = Files(job, tmp_path, **how)
    write(files, folder, rng)
    stale = how["stale_after_h"] or 10**6
    issues = issues_of(how, files)
    said = best(issues, min(max(how["reach_h"], how["max_age_h"]), stale))
    found = next(known(folder.search, folder.key, folder.feed))
    assert found.tolist() == pytest.approx([np.nan if v is None else v for v in said], nan_ok=True)
    if refused(issues, min(how["max_age_h"], stale), said):
        with pytest.raises(BadInput, match=SERIES):
            folder.newest()
    else:
        assert folder.values() == pytest.approx(said)


def test_the_random_feeds_are_of_all_kinds():
    """*Proves:* of the 400 many are planned and many refused, by name and by column, with and without older issues.

    *Sensitivity:* an oracle that is asked one kind of question proves one kind of answer.
    """
    seen = {}
    for seed in range(400):
        how, files = random_files(random.Random(seed))
        issues = issues_of(how, files)
        stale = how["stale_after_h"] or 10**6
        said = best(issues, min(max(how["reach_h"], how["max_age_h"]), stale))
        kind = (how["column"], refused(issues, min(how["max_age_h"], stale), said))
        seen[kind] = seen.get(kind, 0) + 1
    assert len(seen) == 4 and min(seen.values()) >= 20, seen
