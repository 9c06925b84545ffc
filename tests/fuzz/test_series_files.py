"""Files of series as no publisher should write them: a right reading, or a sentence that names the file."""

from __future__ import annotations

from collections import Counter

import pytest

from fuzz.guard import command
from fuzz.series import PRICE, attempt
from fuzz.tables import BOMBS, bomb, excel
from inputs.conftest import Folder


@pytest.mark.parametrize(
    "seeds", [range(45), pytest.param(range(1000, 2200), marks=pytest.mark.slow)], ids=["45", "1200"]
)
def test_damaged_series_files(seeds, tmp_path, capsys):
    """CSV and Excel files read by ``check`` in a case, and publishers' files by ``convert``.

    *Proves:* exit 2 with the name of the file in each sentence and nothing written; or, of a CSV file in a case,
    exactly the numbers that the standard library reads there; of a converted one, rising times with offsets and
    numbers alone.
    *Sensitivity:* one file in ten, at least, is read, else refusing everything would pass.
    """
    seen, faults = Counter(), []
    for seed in seeds:
        ended, found = attempt(tmp_path, seed)
        seen[ended] += 1
        faults += [f"seed {seed}: {fault}" for fault in found]
    with capsys.disabled():
        print(f"\n{len(seeds)} damaged series files: {dict(sorted(seen.items()))}")
    assert faults == []
    assert sum(seen[word] for word in seen if word.endswith(" read")) >= 0.1 * len(seeds)


@pytest.mark.parametrize("what", range(BOMBS))
def test_excel_files_that_are_large_in_memory_only(what, tmp_path):
    """300 MB of blanks, false sizes of the sheet, far rows and cells, two million rows, a row of five million cells,
    entities in entities, a file named by an entity.

    *Proves:* each is refused in a sentence within the cap of memory, or, where only the size of the sheet is false,
    read.  *Sensitivity:* openpyxl alone takes gigabytes for the row of five million cells.
    """
    case = Folder(tmp_path)
    case.edit("case.yaml", PRICE, PRICE.replace("prices.csv", "prices.xlsx"))
    raw = excel((tmp_path / "prices.csv").read_bytes())
    (tmp_path / "prices.xlsx").write_bytes(bomb(raw, what))
    ended = command("check", case.case)
    assert ended.faults() == []
    assert ended.code == (0 if what == 1 else 2), ended.err
    assert what == 1 or "prices.xlsx" in ended.err
    assert "root:" not in ended.err
