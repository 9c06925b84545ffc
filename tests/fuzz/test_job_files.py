"""A job file and its pins, damaged as a person or a disk does it, and what the night says of them."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date

import numpy as np
import pytest

from fuzz.guard import command
from inputs.mutations import mutate
from nights import write_job
from samples import GATE

DAY = date(2024, 9, 10)
NAMES = ("job.yaml", "pins.yaml", "case.yaml", "feeds/", "surplus.csv")
"""One of them is named by every refusal: the last one where the series of the case stand in for feeds."""
MORE = """\
pins: pins.yaml
ladder:
  - {step: older_issue}
  - {step: fill, policy: interpolate, longest_gap_h: 3}
  - {step: persistence, surplus_quantile: 0.1, days: 7}
  - {step: hold}
catch_up: {rule: plan, max_days: 7}
retention: {days: 800}
lock_wait_s: 1
options: {time_limit_s: 2, seed: 3}
publish: {directory: published, after_validity: minimum, tolerance_kw: 20}
watch: {warning_h: 20, critical_h: 2, failures: 3}
metrics: flexmine.prom
"""
PINS = """\
schema: flexmine-pins/1
pins:
  - {container: C02, set: off, from: 2024-09-10T03:00:00+02:00, until: 2024-09-10T08:00:00+02:00, by: ops, why: crane}
"""


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(20), marks=GATE, id="20"),
        pytest.param(range(1000, 1600), marks=pytest.mark.slow, id="600"),
    ],
)
def test_damaged_job_files(seeds, tmp_path, capsys):
    """Lines of job.yaml or pins.yaml are dropped, doubled, swapped, given other values, other types, or noise.

    *Proves:* exit 2 in sentences that name the file, with nothing published; or a night that ends as nights do,
    published, whose plan passes its audit.  *Sensitivity:* as it is written, the job is planned and published; and of
    the damaged ones, a third at least is refused.
    """
    whole = tmp_path / "whole"
    whole.mkdir()
    write_job(whole, DAY, 1, more=MORE)
    (whole / "pins.yaml").write_text(PINS, encoding="utf-8")
    seen, faults = Counter(), []
    for seed in [None, *seeds]:
        folder = tmp_path / "job"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        if seed is not None:
            rng = np.random.default_rng([seed, 17])
            file = folder / ("job.yaml" if rng.random() < 0.75 else "pins.yaml")
            steps = [tuple(int(n) for n in rng.integers(0, 2**20, 3)) for _ in range(int(rng.integers(1, 4)))]
            file.write_bytes(mutate(file.read_bytes(), file.name, steps))
        ended = command("nightly", folder / "job.yaml", "--at", "2024-09-09T18:00:00+02:00")
        seen[ended.code] += 1
        found = ended.faults()
        current = list((folder / "published").glob("current*"))
        if seed is None and (ended.code != 0 or not current):
            found.append(f"exit {ended.code}: {ended.err}")
        if ended.code == 2 and not any(name in ended.err for name in NAMES):
            found.append(f"names no file: {ended.err}")
        if ended.code not in (0, 2, 3, 4, 5, 6):
            found.append(f"exit {ended.code}: {ended.err[-500:]}")
        for plan in folder.glob("runs/*/*/r*/plan"):
            audited = command("audit", plan)
            if audited.code != 0:
                found.append(f"a stored plan fails its audit: {audited.err[-500:]}")
        faults += [f"seed {seed}: {fault}" for fault in found]
    with capsys.disabled():
        print(f"\n{len(seeds)} damaged job files, by exit code: {dict(seen)}")
    assert faults == []
    assert seen[2] >= len(seeds) / 3
