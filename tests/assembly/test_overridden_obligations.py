import numpy as np
import pytest

from flexmine.assembly import assemble

RUNNING = {"initial_mw": 3.3, "default": {"on": True, "hours": 1.0, "it_power_mw": 0.52}}
LONG_UP = {"min_up_h": 6.0, "overhead": {"base": 1.0, "per_k": 0.0}}


def _hours(first, last):
    return {"from": f"2024-09-10T{first:02d}:00:00+08:00", "to": f"2024-09-10T{last:02d}:00:00+08:00"}


def _assemble(make_case, case=None, **documents):
    documents.setdefault("container", LONG_UP)
    return assemble(make_case({"state": RUNNING, **(case or {})}, **documents))


def test_an_outage_inside_the_minimum_up_time(make_case):
    """C03 has run 1 of 6 h and goes out from 03:00 to 05:00: its history has served 6 h, the others' has not.

    *Proves:* the container is split off, and listed in words. *Sensitivity:* an outage from 05:00 on, when its
    minimum is served, overrides nothing.
    """
    outage = {"container": "C03", "reason": "fan", **_hours(3, 5)}
    result = _assemble(make_case, {"outages": [outage]})
    classes = {k.name: k for k in result.problem.classes}
    assert classes["s19pro/C03"].history[0].steps == 6
    assert classes["s19pro"].history[0].steps == 1
    assert result.overrides == (
        "container C03: its minimum up time (due until 2024-09-10T05:00+08:00) is given up, "
        "because of an outage (fan) from 2024-09-10T03:00+08:00",
    )
    later = _assemble(make_case, {"outages": [{**outage, **_hours(5, 7)}]})
    assert later.overrides == ()
    assert {k.name: k.history[0].steps for k in later.problem.classes} == {"s19pro": 1, "s19pro/C03": 1}


def test_a_window_overrides_all_that_are_bound(make_case):
    """C06 has run long enough; the five others are released and stay together.

    *Proves:* only obligations are overridden. *Sensitivity:* without the window there is one class and no override.
    """
    state = {**RUNNING, "containers": {"C06": {"on": True, "hours": 40.0}}}
    window = {"name": "ban", "source": "decree", "from": "09-10", "to": "09-10", "hours": [4]}
    result = _assemble(make_case, {"state": state, "windows": [window]})
    classes = {k.name: k for k in result.problem.classes}
    assert classes["s19pro/C01"].containers == ("C01", "C02", "C03", "C04", "C05")
    assert classes["s19pro"].history[0].steps == 40
    assert len(result.overrides) == 5
    assert all("window ban from 2024-09-10T04:00+08:00" in text for text in result.overrides)


def test_heat_overrides(make_case):
    """At 50 C the miners stop: heat is named, and the class cannot run in these steps.

    *Proves:* derating to 0 makes the class unable. *Sensitivity:* at 30 C nothing is overridden.
    """
    heat = {"derate_from_c": 40.0, "stop_c": 47.0, "share_at_stop": 0.9}
    temperature = np.where(np.arange(12) == 2, 50.0, 30.0)
    result = _assemble(make_case, container={**LONG_UP, "heat": heat}, temperature_c=temperature)
    (k,) = result.problem.classes
    assert k.runnable.tolist() == [6, 6, 0] + [6] * 9
    assert "heat from 2024-09-10T02:00+08:00" in result.overrides[0]
    assert "s19pro cannot run for heat, from 2024-09-10T02:00+08:00 (1 h)" in result.notes
    cool = _assemble(make_case, container={**LONG_UP, "heat": heat}, temperature_c=30.0)
    assert cool.overrides == ()


def test_cold_raises_the_minimum_and_then_stops(make_case):
    """Half led back at 25.2 kW/K: 0.504 MW at -20 C, below the lowest mode; 1.008 MW at -40 C; at -55 C 1.386 MW,
    more than the highest mode.

    *Proves:* a higher minimum in the cold, and none possible in great cold. *Sensitivity:* without `cold` all run.
    """
    cold = {"inlet_min_c": 0.0, "recirculation_max": 0.5, "air_conductance_kw_per_k": 84.0, "minimum_flow_share": 0.3}
    temperature = np.array([-20.0, -40.0, -55.0] + [10.0] * 9)
    result = _assemble(make_case, {"state": RUNNING}, container={**LONG_UP, "cold": cold}, temperature_c=temperature)
    (k,) = result.problem.classes
    assert k.lowest_it_power_mw[:2] == pytest.approx([0.52, 1.008])
    assert k.can_run.tolist() == [True, True, False] + [True] * 9
    assert "cold from 2024-09-10T02:00+08:00" in result.overrides[0]


@pytest.mark.parametrize(("cap_mw", "released"), [(3.3, 0), (3.22, 0), (3.21, 1), (2.2, 2), (0.0, 6)])
def test_an_order_releases_as_few_as_it_takes(make_case, cap_mw, released):
    """Six bound containers need 0.1 + 6 x 0.52 = 3.22 MW; each one released saves 0.51 (it still sleeps at 0.01).

    *Proves:* the fewest, longest-on first, ties in listed order. *Sensitivity:* forgetting base load or standby
    moves the border at 3.22 MW.
    """
    state = {**RUNNING, "containers": {"C04": {"on": True, "hours": 2.0}}}
    order = {"name": "operator", "cap_mw": cap_mw, **_hours(2, 3)}
    result = _assemble(make_case, {"state": state, "orders": [order]})
    names = [text.split(":")[0].removeprefix("container ") for text in result.overrides]
    assert names == sorted(["C04", "C01", "C02", "C03", "C05", "C06"][:released])
    assert all("order operator" in text and "from 2024-09-10T02:00+08:00" in text for text in result.overrides)
    assert result.problem.site.cap_mw.tolist() == [10.0] * 2 + [cap_mw] + [10.0] * 9


def test_an_order_after_the_minimum_overrides_nothing(make_case):
    """*Proves:* only steps that are still bound count. *Sensitivity:* the same order at 02:00 releases two."""
    assert _assemble(make_case, {"orders": [{"name": "late", "cap_mw": 2.2, **_hours(5, 6)}]}).overrides == ()


def test_a_low_plant_cap_alone_overrides_nothing(make_case):
    """*Proves:* without an order, a conflict stays a conflict. *Sensitivity:* the order above releases two."""
    assert _assemble(make_case, plant={"cap_mw": 2.2}).overrides == ()


def test_a_count_limit_releases_the_longest_on(make_case):
    """*Proves:* what is out of service cannot be bound. *Sensitivity:* with six available nothing is released."""
    limit = {"model": "s19pro.yaml", "count": 4, **_hours(1, 2)}
    result = _assemble(make_case, {"available": [limit]})
    assert len(result.overrides) == 2
    assert result.overrides[0].startswith("container C01")
    total = sum(k.available for k in result.problem.classes)
    assert total.tolist() == [6, 4] + [6] * 10
    assert _assemble(make_case, {"available": [{**limit, "count": 6}]}).overrides == ()
