"""Readers in other processes, and publishers that are killed at every write: the pointer always names a whole plan."""

import multiprocessing
import os
import random
import shutil
import signal
import time
from datetime import timedelta

import pytest

from flexmine.audit.directory import audit_directory
from flexmine.publish.directory import Terms, publish
from flexmine.publish.reader import read_current
from publishing import BEFORE, written
from samples import by_sample

CALLS = ("fsync", "replace", "symlink", "mkdir", "chmod")
TERMS = Terms(keep=5000)
forked = multiprocessing.get_context("fork")


def whole(target):
    """Return the current publication after checking everything about it."""
    current = read_current(target)
    assert current.faults() == []
    assert audit_directory(current.plan_directory).ok
    assert len(current.rows()) == current.document["rows"]
    assert {r["sequence"] for r in current.rows()} == {str(current.sequence)}
    return current


def _publish_killed_at(plan, target, number):
    """Publish, and be killed at the `number`-th call that changes or flushes something."""
    left = number

    def deadly(call):
        def counted(*arguments, **named):
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return counted

    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))
    shutil.copyfile = deadly(shutil.copyfile)
    publish(plan, target, TERMS, now=BEFORE)


def test_killed_at_every_write(tmp_path, plan):
    """*Proves:* wherever the publisher is killed, the pointer names the old publication or the new one, whole, and the
    next publisher succeeds, with a higher number, and leaves nothing lying about.  *Sensitivity:* moving the pointer
    before the directory has its name, or writing in place, fails at one of the points.
    """
    other = written(tmp_path / "other", title="Other")
    point, seen = 0, set()
    while True:
        point += 1
        to = tmp_path / f"to{point}"
        first = publish(plan, to, TERMS, now=BEFORE).publication
        process = forked.Process(target=_publish_killed_at, args=(other, to, point))
        process.start()
        process.join()
        current = whole(to)
        seen.add(current.sequence)
        assert current.plan_id == first.plan_id or current.sequence == 2
        after = publish(written(tmp_path / f"next{point}", title="Next"), to, TERMS, now=BEFORE).publication
        assert whole(to).sequence == after.sequence > current.sequence
        assert not [f.name for f in to.iterdir() if f.name.startswith((".new", ".current", ".old"))]
        shutil.rmtree(to)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert point > 15
    assert seen == {1, 2}


def _publish_for_ever(plans, target):
    now = BEFORE
    while True:
        for plan in plans:
            now += timedelta(seconds=1)
            publish(plan, target, TERMS, now=now)


def _read_for_ever(target, found, stop):
    last, reads = 0, 0
    while not stop.is_set():
        sequence = whole(target).sequence
        assert sequence >= last
        last, reads = sequence, reads + 1
        time.sleep(0.005)
    found.put((reads, last))


@pytest.mark.parametrize("publications", by_sample(50, 150))
def test_readers_never_see_half_a_plan(tmp_path, plan, publications):
    """*Proves:* two readers that read all the time, while so many publications run and their publisher is killed again
    and again, see whole audited publications with numbers that never go down.  *Sensitivity:* copying into the pointed
    directory breaks a hash within the first publications.
    """
    chance, to = random.Random(7), tmp_path / "to"
    plans = [plan, written(tmp_path / "other", title="Other")]
    publish(plan, to, TERMS, now=BEFORE)
    found, stop = forked.Queue(), forked.Event()
    readers = [forked.Process(target=_read_for_ever, args=(to, found, stop)) for _ in range(2)]
    for reader in readers:
        reader.start()
    kills = 0
    while read_current(to).sequence < publications or kills < 3:
        publisher = forked.Process(target=_publish_for_ever, args=(plans, to))
        publisher.start()
        time.sleep(chance.uniform(0.3, 1.0))
        publisher.kill()
        publisher.join()
        kills += 1
    stop.set()
    counts = [found.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join()
    assert [reader.exitcode for reader in readers] == [0, 0]
    assert min(reads for reads, _ in counts) >= 20
    print(f"{whole(to).sequence} publications, {kills} kills, reads {[reads for reads, _ in counts]}, none torn")
