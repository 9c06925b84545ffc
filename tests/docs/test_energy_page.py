"""The page on limits of energy: its example is part of a case that is planned."""

from __future__ import annotations

import re

import yaml

from flexmine.audit.directory import audit_directory
from flexmine.inputs.schema import EnergyLimit
from pages import DOCS
from shell import in_process

TEXT = (DOCS / "howto" / "energy-limits.md").read_text(encoding="utf-8")


def test_the_example_is_planned(tmp_path):
    """Put into the starter plant, from its time and with its sources, it is planned and passes its audit.

    *Proves:* whoever copies the example has a case that runs; its amounts come back in `state_after`.
    *Sensitivity:* a key renamed, or a name of a period misspelt, ends with exit 2.
    """
    assert in_process("new-plant", "mine", "--out", tmp_path / "mine").returncode == 0
    file = tmp_path / "mine" / "case.yaml"
    case = file.read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.M | re.S)
    start = yaml.safe_load(case)["start"]
    shown = example.replace("2024-09-10", start[:10]).replace("2024-09", start[:7]).replace("+08:00", start[-6:])
    without_state, found = re.subn(r"^state:.*\n(?:[ #].*\n)+", "", case, flags=re.M)
    assert found == 1
    file.write_text(without_state + shown, encoding="utf-8")
    done = in_process("plan", file, "--out", tmp_path / "plan", "--no-report")
    assert done.returncode == 0, done.stderr
    assert audit_directory(tmp_path / "plan").ok


def test_every_key_of_a_limit_is_told():
    """*Proves:* the page is complete.  *Sensitivity:* a new key fails until it is told."""
    keys = {field.alias or name for name, field in EnergyLimit.model_fields.items()}
    assert {key for key in keys if not re.search(rf"\b{key}\b", TEXT)} == set()
