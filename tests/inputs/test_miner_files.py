"""Miner files: found beside the container file, refused at their place."""

from __future__ import annotations

import pytest

from flexmine.assembly import assemble
from flexmine.errors import BadInput
from flexmine.inputs.case import load_case

MINER = """\
schema: flexmine-miner/1
name: made
nameplate: {power_w: 3250, hash_rate_th_s: 110, power_tolerance: 0.05, hash_rate_tolerance: 0.03}
presets:
  - {power_w: 1850, hash_rate_th_s: 76}
  - {power_w: 2970, hash_rate_th_s: 100}
sleep_w: 30
sources: [made for a test]
"""


def _folder_with_miner_file(folder, miner=MINER):
    (folder.path / "miner.yaml").write_text(miner, encoding="utf-8")
    text = (folder.path / "box.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in text if not line.startswith(("modes", "  -", "miners"))]
    kept.insert(2, "miners: {count: 400, model: miner.yaml, minimum_power_mw: 0.52, fixed_mw: 0.004}")
    (folder.path / "box.yaml").write_text("\n".join(kept) + "\n", encoding="utf-8")


def test_a_container_takes_presets_and_sleep_power_from_the_miner_file(folder):
    """(520 - 4 - 12) kW / 1820 W = 276.9: 277 awake, 0.004 + (277 x 1850 + 123 x 30) / 1e6 = 0.52014 MW.

    *Proves:* path beside the container file, presets, sleep power, and the file among the hashed inputs.
    *Sensitivity:* 25 W asleep would give 278 awake.
    """
    _folder_with_miner_file(folder)
    case = load_case(folder.case)
    k = assemble(case).problem.classes[0]
    assert k.it_power_mw == pytest.approx([0.52014, 0.744, 1.192])
    assert k.miners is not None
    assert k.miners.sleep_w == 30.0
    assert "miner.yaml" in case.inputs


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("power_w: 2970", "power_w: 1700", "miner.yaml:6:15 presets[1].power_w: 1700 W is not above the 1850 W"),
        ("schema: flexmine-miner/1", "schema: flexmine-plant/1", "miner.yaml:1:9 schema"),
        ("power_w: 1850", "power_w: 1.85", "presets[0].power_w: 1.85 is out of range"),
        ("sleep_w: 30\n", "", "sleep_w"),
    ],
)
def test_a_wrong_miner_file_is_refused_at_its_place(folder, old, new, text):
    """*Proves:* file, line and key are named.  *Sensitivity:* a ladder in kW would give a container of 1 kW."""
    assert MINER.count(old) == 1
    _folder_with_miner_file(folder, MINER.replace(old, new))
    with pytest.raises(BadInput) as refused:
        load_case(folder.case)
    assert text in str(refused.value)


def test_a_missing_miner_file_is_named(folder):
    """*Proves:* place and name of the missing file.  *Sensitivity:* a bare FileNotFoundError is not a sentence."""
    _folder_with_miner_file(folder)
    (folder.path / "miner.yaml").unlink()
    with pytest.raises(BadInput, match=r"box.yaml:3:29 miners.model: there is no file miner.yaml"):
        load_case(folder.case)
