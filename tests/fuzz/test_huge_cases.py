"""Whole numbers of a case, of its plant and its containers, far beyond what any plant needs."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from fuzz.guard import command
from fuzz.integers import cases
from inputs.conftest import Folder


@pytest.mark.parametrize("every", [13, pytest.param(1, marks=pytest.mark.slow)], ids=["sample", "all"])
def test_huge_whole_numbers_of_cases(every, tmp_path, capsys):
    """*Proves:* each is refused in sentences that name the file, or planned, in less than 10 s.

    *Sensitivity:* as they are written, all are in bounds, and the case is planned.
    """
    (tmp_path / "case").mkdir()
    folder = Folder(tmp_path / "case")
    seen, faults = Counter(), []
    tried = list(cases(folder.path))
    for words, name, text in [("as written", "case.yaml", (folder.path / "case.yaml").read_text()), *tried[::every]]:
        undamaged = (folder.path / name).read_text(encoding="utf-8")
        folder.write(name, text)
        out = tmp_path / "plan"
        shutil.rmtree(out, ignore_errors=True)
        ended = command("plan", folder.case, "--out", out, "--time-limit", "2")
        seen[ended.code] += 1
        found = ended.faults()
        if ended.code == 2 and name not in ended.err:
            found.append(f"names no file: {ended.err}")
        if ended.code not in (0, 2, 3, 4) or (words == "as written" and ended.code != 0):
            found.append(f"exit {ended.code}: {ended.err}")
        faults += [f"{words}: {fault}" for fault in found]
        folder.write(name, undamaged)
    with capsys.disabled():
        print(f"\n{sum(seen.values())} cases with huge whole numbers, by exit code: {dict(seen)}")
    assert faults == []
