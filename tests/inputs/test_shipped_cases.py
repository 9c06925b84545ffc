"""The shipped cases load from anywhere, and their numbers are those of the raw files, worked out by hand."""

from __future__ import annotations

import csv
from datetime import datetime

import numpy as np
import pytest

from flexmine.inputs.case import load_case
from flexmine.resources import shipped_names, shipped_root
from pages import EXAMPLES

CASES = ("bratsk-40", "bratsk-day", "bratsk-day-measured", "bratsk-shaped", "fleet-mixed")


def test_the_catalogue_is_what_it_says():
    """*Proves:* the shipped cases are found by name.  *Sensitivity:* a file out of place would be missing here."""
    assert shipped_names("cases") == tuple(sorted(CASES + EXAMPLES))


@pytest.mark.parametrize("name", CASES)
def test_a_shipped_case_loads_from_any_directory(name, tmp_path, monkeypatch):
    """*Proves:* names are resolved without the working directory, and keys of `inputs` are portable.

    *Sensitivity:* a path relative to the working directory would not be found; an absolute one would show.
    """
    monkeypatch.chdir(tmp_path)
    case = load_case(name)
    assert (case.time.steps, case.publish_steps, case.time.step_h) == (48, 24, 1.0)
    assert case.time.begin(0).isoformat() == "2024-09-10T00:00:00+08:00"
    assert all(len(values) == 48 for values in case.series.values())
    assert all(key.startswith("shipped:") for key in case.inputs)
    assert all(len(digest) == 64 for digest in case.inputs.values())


def test_the_surplus_follows_from_the_raw_flow():
    """Glen Canyon, 2024-09-10 03:00 at its own clock: bypass 7489 cfs.

    7489 x 0.0283168 = 212.0645 m3/s (212.0645 in the extract); x 0.91 = 192.9787 MW; x 0.06 = 11.5787 MW, and four
    times that for the plant of 40 MW.  At 22:00: 5080 cfs = 143.8493 m3/s -> 7.8542 MW.

    *Proves:* unit, factors and clock hour.
    *Sensitivity:* hours moved as instants would put 18:00 of the source (0.1 m3/s) or 12:00 here; MW for m3/s is off.
    """
    surplus = load_case("bratsk-day").series["sources.surplus.available_mw"]
    assert surplus[3] == pytest.approx(11.5787, abs=1e-4)
    assert surplus[22] == pytest.approx(7.8542, abs=1e-4)
    forty = load_case("bratsk-40").series["sources.surplus.available_mw"]
    np.testing.assert_allclose(forty, 4.0 * surplus, rtol=1e-12)


def test_the_temperature_is_of_the_same_clock_hour():
    """Northway, 2018-09-10 15:00 local standard time (UTC-9) is 2018-09-11 00:00 UTC: 156 tenths = 15.6 C.

    *Proves:* hour 15 of the site's first day is the warm afternoon of the source.
    *Sensitivity:* unmoved UTC hours would put 15:00 UTC (-2.2 C, early morning) there.
    """
    temperature = load_case("bratsk-day").series["temperature_c"]
    assert temperature[15] == pytest.approx(15.6)
    assert temperature[6] == pytest.approx(-2.2)  # 06:00 local = 15:00 UTC: -22 tenths


def test_the_firm_price_keeps_its_morning_peak_and_its_mean():
    """NO2, 2025-09-09 08:00 Oslo: 190.68 EUR/MWh; x 1.17 x 0.40792 = 91.005 USD/MWh; mean of 48 hours 37.

    *Proves:* clock hour, rate and level.  *Sensitivity:* moved as an instant, the peak would stand at 14:00.
    """
    price = load_case("bratsk-day").series["sources.grid.price_usd_per_mwh"]
    assert int(price.argmax()) == 8
    assert price[8] == pytest.approx(190.68 * 1.17 * 0.40792)
    assert price.mean() == pytest.approx(37.0, abs=0.01)


def test_the_shaped_day_straddles_break_even():
    """The gentlest mode earns 22,880 TH/s x v per hour for 0.52 x 1.02 - 0.01 = 0.5204 MW at the meter.

    v = 1e12 x 3600 x 3.175 / (89.47e12 x 2^32) x 58,000 x 0.98 = 0.0016907 USD per TH/s and hour, so break-even is
    22,880 x 0.0016907 / 0.5204 = 74.33 USD/MWh.

    *Proves:* 3 of the first 24 hours lie below and 21 above, and the surplus lies within 15 to 75 % of 10 MW.
    *Sensitivity:* scaled to 37 USD/MWh, no hour would lie above.
    """
    case = load_case("bratsk-shaped")
    document = case.document.hash_value
    assert document.block_height is not None
    subsidy_btc = 50.0 / 2 ** (document.block_height // 210_000)
    reward_btc = subsidy_btc + document.fees_btc_per_block
    value = 1e12 * 3600 * reward_btc / (89.47e12 * 2**32) * 58_000 * (1 - document.pool_fee)
    break_even = 22_880 * value / (0.52 * 1.02 - 0.01)
    assert break_even == pytest.approx(74.33, abs=0.01)
    price = case.series["sources.grid.price_usd_per_mwh"][:24]
    assert ((price < break_even).sum(), (price > break_even).sum()) == (3, 21)
    surplus = case.series["sources.surplus.available_mw"]
    assert 1.4 < surplus.min() < 2.0
    assert 7.0 < surplus.max() < 7.5


def test_the_running_plant_draws_what_the_case_says():
    """14 x 0.52 x 1.02 = 7.4256 MW, written as 7.43; 56 containers: 29.7024, written as 29.72.

    *Proves:* state and initial power agree.  *Sensitivity:* an initial power of another plant is off by far.
    """
    for name, count in (("bratsk-day", 14), ("bratsk-shaped", 14), ("bratsk-40", 56)):
        case = load_case(name)
        assert len(case.plant.container_names) == count
        assert case.document.state.initial_mw == pytest.approx(count * 0.52 * 1.02, abs=0.02)


def test_each_extract_keeps_the_clock_hour_of_its_source():
    """Every row of every extract tells the time at its source; the hour of the day is the same.

    *Proves:* all 1,632 rows were moved by whole days of clock time; rows of 15 minutes read the hour they lie in; the
    spring table holds 95 hours of quarters, the autumn one 97.
    *Sensitivity:* a shift as instants fails at once.
    """
    rows_of = {}
    for path in shipped_root("data").glob("*.csv"):
        if path.name == "stand_in_year.csv":
            continue  # moved by calendar from several years; tools/make_year.py says how
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        rows_of[path.name] = len(rows)
        at_source = [name for name in rows[0] if name.endswith("source_interval_start") or "_source_start" in name]
        assert at_source
        for row in rows:
            site = datetime.fromisoformat(row["interval_start"])
            for name in at_source:
                source = datetime.fromisoformat(row[name])
                assert (source.hour, source.minute) == (site.hour, 0)
    assert len(rows_of) == 11
    assert sum(rows_of.values()) == 5 * 120 + 3 * 72 + 48 + 4 * 95 + 4 * 97
    assert (rows_of["spring_change.csv"], rows_of["autumn_change.csv"]) == (4 * 95, 4 * 97)


def test_every_extract_is_named_with_its_licence():
    """*Proves:* no CSV ships without an entry.  *Sensitivity:* a new file without one fails."""
    text = (shipped_root("data") / "SOURCES.md").read_text(encoding="utf-8")
    for path in shipped_root("data").glob("*.csv"):
        assert path.name in text
    assert "Bundesnetzagentur / SMARD.de" in text
    assert "moved so that its local clock hour becomes the site's" in text


def test_the_notes_of_each_case_say_what_is_a_stand_in():
    """*Proves:* the report can show it in words.  *Sensitivity:* a case without the sentence fails."""
    for name in CASES + EXAMPLES:
        notes = " ".join(load_case(name).notes)
        assert "Each stand-in series is moved so that its local clock hour becomes the site's." in notes
        assert "derived, not measured" in notes
        assert "assumption" in notes


@pytest.mark.parametrize("model", shipped_names("containers"))
def test_each_shipped_container_model_is_valid(model, folder):
    """*Proves:* every model of the catalogue loads in a plant.  *Sensitivity:* a slip in an unused model fails."""
    folder.edit("plant.yaml", "model: box.yaml", f"model: shipped:containers/{model}")
    folder.edit("case.yaml", ", it_power_mw: 0.52}", "}")
    assert load_case(folder.case).container_models[f"shipped:containers/{model}"].miners.count == 400
