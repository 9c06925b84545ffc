"""Measurements beside the plan, and what they change in the next one."""

import csv
import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.jobs.bias import bias_factors
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night
from flexmine.jobs.observe import deviations, observe
from flexmine.store.readings import readings_between
from nights import evening_before, write_job

FIRST = date(2024, 6, 3)
SECOND = FIRST + timedelta(days=1)
OSLO = ZoneInfo("Europe/Oslo")


def _start(tmp_path, more="telemetry: {max_gap_h: 1.0}\n"):
    job_file = write_job(tmp_path, FIRST, 2, more=more)
    Night(read_job(job_file), evening_before(FIRST)).run(FIRST)
    return job_file


def _planned(job_file, day=FIRST):
    file = job_file.parent / "runs" / "small" / str(day) / "r1" / "plan" / "setpoints.csv"
    with file.open(newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["published"] == "1"]


def _meter(path, rows, column="facility_power_mw"):
    lines = [f"interval_start,container,{column}", *(f"{t},{name},{mw:.6f}" for t, name, mw in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def _hour(time):
    return int(time[11:13])


def _rows(planned, change=lambda name, hour, mw: mw):
    return [
        (time, name, change(name, _hour(time), float(row["facility_power_mw"])))
        for row in planned
        for time, name in [(row["interval_start"], row["container"])]
    ]


def _observe(job_file, meter):
    job = read_job(job_file)
    store = job.open_store()
    found = observe(job, store, meter)
    return job, store, found


def _second(job_file):
    now = datetime.fromisoformat("2024-06-03T23:30:00+02:00")
    record = Night(read_job(job_file), now).run(SECOND)[-1].record
    return record, load_case(job_file.parent / "runs" / record.folder / "inputs" / "case.yaml")


def test_deviations_are_stored_and_summed_up(tmp_path):
    """*Proves:* 3 % more from C01 is its bias, a trip of C02 its missed hours; the same rows again change nothing."""
    job_file = _start(tmp_path)
    planned = _planned(job_file)
    on = {row["container"] for row in planned if row["state"] == "on" and "T12:" in row["interval_start"]}
    assert {"C01", "C02"} <= on

    def measured(name, hour, mw):
        return mw * 1.03 if name == "C01" else 0.01 if name == "C02" and hour >= 12 else mw

    meter = _meter(tmp_path / "meter.csv", _rows(planned, measured))
    job, store, found = _observe(job_file, meter)
    assert (len(found.readings), found.incomplete, found.without_plan) == (72, 0, 0)
    told = {d.container: d for d in deviations(found.readings)}
    assert told["C01"].bias == pytest.approx(1.03, abs=1e-4)
    late = [row for row in planned if row["container"] == "C02" and _hour(row["interval_start"]) >= 12]
    lost = sum(row["state"] == "on" for row in late)
    assert told["C02"].missed_h == lost > 0
    assert told["C03"].actual_mwh == pytest.approx(told["C03"].planned_mwh)
    observe(job, store, meter)
    begin = job.local_day(FIRST).begin
    assert len(readings_between(store.engine, "small", begin, begin + timedelta(days=1))) == 72
    assert len(list((job.folder / "small" / "telemetry").iterdir())) == 1


def test_quarter_hours_become_hours_and_half_hours_are_told(tmp_path):
    """*Proves:* four samples make an hour by their mean; an hour with three is left out and counted."""
    job_file = _start(tmp_path)
    rows = [(f"2024-06-03T10:{m:02d}:00+02:00", "C01", 0.1 * (1 + i)) for i, m in enumerate((0, 15, 30, 45))]
    rows += [(f"2024-06-03T11:{m:02d}:00+02:00", "C01", 0.5) for m in (0, 15, 30)]
    _, _, found = _observe(job_file, _meter(tmp_path / "meter.csv", rows))
    assert [r.power_mw for r in found.readings] == [pytest.approx(0.25)]
    assert found.incomplete == 1


def test_samples_some_seconds_late_are_those_of_their_interval(tmp_path):
    """*Proves:* quarter hours that come up to 20 s late give the readings of exact ones.

    *Sensitivity:* the smallest distance of two rows, 14 min 30 s, divides no hour.
    """
    (tmp_path / "exact").mkdir()
    (tmp_path / "late").mkdir()
    stored = []
    for name, late_s in (("exact", lambda i: 0), ("late", lambda i: (7 * i) % 21)):
        job_file = _start(tmp_path / name)
        rows = []
        for i in range(24 * 4):
            begin = datetime(2024, 6, 3, tzinfo=OSLO) + timedelta(minutes=15 * i, seconds=late_s(i))
            rows += [(begin.isoformat(), container, 0.5 + i / 1000) for container in ("C01", "C02", "C03")]
        _, _, found = _observe(job_file, _meter(tmp_path / name / "meter.csv", rows))
        stored.append([(r.container, r.begin, round(r.power_mw, 9)) for r in found.readings])
    assert stored[0] == stored[1] and len(stored[0]) == 72


@pytest.mark.parametrize("late_s", [0, 20])
@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns", "Europe/Oslo"])
def test_samples_of_zones_that_are_no_whole_hours_from_utc_keep_their_hours(tmp_path, zone, late_s):
    """*Proves:* hourly samples, exact or late, belong to the hours of the site: measured is what was planned then.

    *Sensitivity:* counted from an hour of UTC, those of Kathmandu move by a quarter, and an hour is lost each day.
    """
    job_file = write_job(tmp_path, FIRST, 1, zone=zone)
    Night(read_job(job_file), evening_before(FIRST, zone)).run(FIRST)
    planned = _rows(_planned(job_file))
    late = {
        t: datetime.fromisoformat(t) + timedelta(seconds=(7 * i) % (late_s + 1)) for i, (t, _, _) in enumerate(planned)
    }
    meter = _meter(tmp_path / "meter.csv", [(late[t].isoformat(), name, mw) for t, name, mw in planned])
    _, _, found = _observe(job_file, meter)
    assert (len(found.readings), found.incomplete, found.without_plan) == (72, 0, 0)
    assert all(r.power_mw == pytest.approx(r.planned_mw, abs=1e-5) for r in found.readings)


@pytest.mark.parametrize("late_s", [0, 3])
@pytest.mark.parametrize("minutes", [1, 5, 10, 15, 30, 60])
def test_a_lost_sample_is_a_hole(tmp_path, minutes, late_s):
    """*Proves:* where one sample is lost, that hour of that container is left out and counted, and nothing else.

    *Sensitivity:* the longest distance, which is the hole, taken for the length of all samples.
    """
    job_file = _start(tmp_path)
    begin, each = datetime(2024, 6, 3, tzinfo=OSLO), 60 // minutes
    rows = [
        ((begin + timedelta(minutes=minutes * i, seconds=i % (late_s + 1))).isoformat(), name, 0.5)
        for i in range(24 * each)
        for name in ("C01", "C02", "C03")
        if not (name == "C02" and i == 5 * each)
    ]
    _, _, found = _observe(job_file, _meter(tmp_path / "meter.csv", rows))
    assert len(found.readings) == 71
    assert found.incomplete == (0 if minutes == 60 else 1)


def test_hours_from_half_past_are_of_no_step(tmp_path):
    """*Proves:* they reach into two steps each, are not moved to one of them, and are counted as not covering it."""
    job_file = _start(tmp_path)
    rows = [(f"2024-06-03T{hour:02d}:30:00+02:00", "C01", 0.5) for hour in range(23)]
    _, _, found = _observe(job_file, _meter(tmp_path / "meter.csv", rows))
    assert (len(found.readings), found.incomplete) == (0, 23)


def test_a_container_that_tripped_is_off_in_the_next_plan_s_state(tmp_path):
    """*Proves:* measured off since 20:00 means off for 4 h at midnight, and the site's power is the measured one.

    *Sensitivity:* the planned state would let it run on.
    """
    job_file = _start(tmp_path)
    planned = _planned(job_file)
    last = {row["container"]: row for row in planned if "T23:" in row["interval_start"]}

    def tripped(name, hour, mw):
        return (1.2 if last[name]["state"] == "off" else 0.01) if name == "C02" and hour >= 20 else mw

    _observe(job_file, _meter(tmp_path / "meter.csv", _rows(planned, tripped)))
    record, case = _second(job_file)
    state = case.document.state.containers["C02"]
    assert state.on is (last["C02"]["state"] == "off")
    planned_after = json.loads((tmp_path / "runs" / "small" / str(FIRST) / "r1" / "plan" / "plan.json").read_text())
    for name in ("C01", "C03"):
        assert case.document.state.containers[name].hours == planned_after["state_after"]["containers"][name]["hours"]
    assert record.state_from["measured_until"] == "2024-06-03T22:00:00+00:00"
    shift = tripped("C02", 23, 0.0) - float(last["C02"]["facility_power_mw"])
    assert case.document.state.initial_mw == pytest.approx(planned_after["state_after"]["initial_mw"] + shift, abs=1e-5)


def test_stale_measurements_leave_the_plan_s_state(tmp_path, caplog):
    """*Proves:* measurements that end before the gap allowed are not stretched to midnight."""
    job_file = _start(tmp_path)
    rows = [row for row in _rows(_planned(job_file), lambda n, h, mw: 0.01) if int(row[0][11:13]) < 20]
    _observe(job_file, _meter(tmp_path / "meter.csv", rows))
    record, _ = _second(job_file)
    assert "measured_until" not in record.state_from
    assert "no container was measured within 1 h" in " ".join(caplog.messages)


def test_a_measured_bias_is_planned_with_where_the_job_asks(tmp_path):
    """*Proves:* C01 drew 4 % more than planned, so its curve of the next plan is 4 % higher; the others are untouched.

    *Sensitivity:* without `bias_days` all stay alike.
    """
    job_file = _start(tmp_path, "telemetry: {state: false, bias_days: 7}\n")
    meter = _meter(tmp_path / "meter.csv", _rows(_planned(job_file), lambda n, h, mw: mw * 1.04 if n == "C01" else mw))
    _observe(job_file, meter)
    record, case = _second(job_file)
    models = {name: case.container_models[group.model] for name, group in case.plant.group_of.items()}
    assert models["C01"].modes[-1].it_power_mw == pytest.approx(1.04)
    assert models["C02"].modes[-1].it_power_mw == 1.0
    assert record.status == "optimal"
    # The plan is right now: measured as planned, the factor stays what it is.
    planned = _planned(job_file, SECOND)
    job, store, _ = _observe(job_file, _meter(tmp_path / "next.csv", _rows(planned)))
    third = Night(job, datetime.fromisoformat("2024-06-04T23:30:00+02:00"))
    assert bias_factors(job, store, third.now, print) == {"C01": 1.04}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("2024-06-03T10:00:00+02:00", "C99", 0.5)], r"meter.csv:2: column container: 'C99' is not a container"),
        ([("2024-06-03T10:00:00", "C01", 0.5)], r"meter.csv:2: column interval_start: .* has no UTC offset"),
        (
            [("2024-06-03T10:00:00+02:00", "C01", 520.0)],
            r"meter.csv:2: column facility_power_mw: '520.0+' is no",
        ),
        ([("2024-06-03T10:00:00+02:00", "C01", 0.5)] * 2, r"meter.csv:3: container C01 stands a second time"),
    ],
)
def test_wrong_measurements_are_refused_with_their_place(tmp_path, rows, message):
    """*Proves:* file, line and column; nothing is stored."""
    job_file = _start(tmp_path) if not (tmp_path / "job.yaml").exists() else tmp_path / "job.yaml"
    with pytest.raises(BadInput, match=message):
        _observe(job_file, _meter(tmp_path / "meter.csv", rows))
    assert not (tmp_path / "runs" / "small" / "telemetry").exists()
