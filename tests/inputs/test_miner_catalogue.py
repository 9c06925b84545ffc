"""The shipped miner models: every number has its source, and scaled ladders are what they say."""

from __future__ import annotations

import pytest

from flexmine.inputs.equipment import ContainerDocument
from flexmine.inputs.miners import MinerDocument
from flexmine.inputs.yaml_loader import read_yaml
from flexmine.resources import shipped_names, shipped_path

NAMEPLATES = {
    "m50": (3306, 114), "m50s": (3276, 126), "m60": (3422, 172), "m60s": (3441, 186), "s19jpro-104": (3082, 104),
    "s19jpro-96-operator": (2832, 96), "s19jpro-vnish": (3050, 100), "s19pro": (3250, 110),
    "s19pro-measured": (3250, 110), "s19xp": (3010, 140), "s21": (3500, 200), "s21pro": (3510, 234),
}  # fmt: skip
MEASURED = ("s19jpro-96-operator", "s19jpro-vnish")


def miner(name: str) -> MinerDocument:
    return read_yaml(shipped_path(f"miners/{name}"), MinerDocument, name).document


def test_the_catalogue_holds_these_nameplates():
    """*Proves:* each model stands there with power and hash rate.  *Sensitivity:* a swapped digit shows."""
    found = {name: miner(name).nameplate for name in shipped_names("miners")}
    assert {name: (n.power_w, n.hash_rate_th_s) for name, n in found.items()} == NAMEPLATES


@pytest.mark.parametrize("name", NAMEPLATES)
def test_a_ladder_is_measured_scaled_or_the_nameplate(name):
    """A scaled ladder is the measured one times 3250/2970 in power (whole watts) and 110/100 in hash rate.

    *Proves:* no ladder is invented, and each number names its source.
    *Sensitivity:* 76 x 1.1 = 83.6 TH/s at 1850 x 3250 / 2970 = 2024 W; any other ratio differs.
    """
    document = miner(name)
    assert document.name == name
    assert any(s.startswith("nameplate") for s in document.sources)
    assert any(s.startswith("presets") for s in document.sources)
    assert any(s.startswith("sleep_w") for s in document.sources)
    points = [(p.power_w, p.hash_rate_th_s) for p in document.presets]
    plate, scaling = document.nameplate, document.scaled_from
    if scaling is not None:
        ladder = miner(scaling.ladder).presets
        assert (ladder[-1].power_w, ladder[-1].hash_rate_th_s) == (scaling.power_w, scaling.hash_rate_th_s)
        power, rate = plate.power_w / scaling.power_w, plate.hash_rate_th_s / scaling.hash_rate_th_s
        assert points == [(round(p.power_w * power), pytest.approx(p.hash_rate_th_s * rate)) for p in ladder]
        assert points[2] == (2024, pytest.approx(83.6))
    elif name not in MEASURED:
        assert points == [(plate.power_w, plate.hash_rate_th_s)]


@pytest.mark.parametrize("name", shipped_names("containers"))
def test_a_container_that_names_a_miner_finds_it(name):
    """*Proves:* the reference leads to a shipped miner.  *Sensitivity:* a slip in the name is refused here."""
    document = read_yaml(shipped_path(f"containers/{name}"), ContainerDocument, name).document
    assert document.name == name
    if document.names_miner_file:
        assert miner(document.miners.model.removeprefix("shipped:miners/")).presets
