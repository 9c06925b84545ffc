"""What a newcomer runs into: perspectives, forgotten orders, the next day, odd output places."""

import json

import pytest

import flexmine as package
from flexmine.inputs.case import load_case
from shell import edited, in_process

DEFAULT = "default: {on: true, hours: 10, it_power_mw: 0.52}"


def test_client_takes_the_surplus_first(tmp_path):
    """For the client power is free; surplus is still taken before firm power.

    *Proves:* of equal price the surplus goes first.  *Sensitivity:* without the tie-break grid power comes first and
    most of the surplus is left.
    """
    terms = ("host_hash_share: 0.1", "hosting_fee_usd_per_mwh: 45", "contracted_efficiency_j_per_th: 29.5", "pool_fee:")
    hosting = "\n  ".join(["perspective: client", *terms])
    plan = package.plan(load_case(edited(tmp_path, "bratsk-shaped", ("pool_fee:", hosting))))
    surplus, grid = plan.schedule.supply_mw
    left = plan.problem.sources[0].available_mw - surplus
    assert grid.sum() > 1.0
    assert not ((left > 1e-5) & (grid > 1e-5)).any()


@pytest.mark.parametrize(
    ("folder", "file", "where"), [("north", "case.yaml", "north"), ("north", "winter.yaml", "winter")]
)
def test_plans_of_several_plants_do_not_share_a_folder(folder, file, where, tmp_path):
    """*Proves:* without --out the plan of ``north/case.yaml`` goes to plans/north, of another file by the file's name.

    *Sensitivity:* by the file's name alone the plans of all plants with a case.yaml replace each other.
    """
    (tmp_path / folder).mkdir()
    case = edited(tmp_path / folder, "bratsk-day").rename(tmp_path / folder / file)
    done = in_process("plan", case, "-q", "--no-report", cwd=tmp_path)
    assert done.returncode == 0
    assert [p.name for p in (tmp_path / "plans").iterdir()] == [where]


def test_an_order_outside_the_horizon_is_told(tmp_path):
    """*Proves:* a wrong year in an order is noticed.  *Sensitivity:* silence would plan full power at noon."""
    noon = 'from: "2025-09-10T12:00:00+08:00", to: "2025-09-10T14:00:00+08:00"'
    order = f"orders:\n  - {{name: noon, {noon}, cap_mw: 3.0}}\noptions:"
    case = edited(tmp_path, "bratsk-shaped", ("options:", order))
    done = in_process("plan", case, "--out", tmp_path / "p", "-q", "--no-report")
    assert done.returncode == 0
    assert "order noon (2025-09-10T12:00:00+08:00 to 2025-09-10T14:00:00+08:00) lies outside the horizon" in done.stderr
    assert "lies outside the horizon" in in_process("check", case).stdout


def test_state_after_is_the_next_day_s_state(tmp_path):
    """*Proves:* `state_after` of plan.json, put in place of `state`, is a case of the next day.

    *Sensitivity:* a missing key, or a default asked for, refuses it.
    """
    assert in_process("plan", "bratsk-shaped", "--out", tmp_path / "p", "-q", "--no-report").returncode == 0
    state = json.loads((tmp_path / "p" / "plan.json").read_text())["state_after"]
    file = edited(
        tmp_path, "bratsk-shaped", ("start: 2024-09-10", "start: 2024-09-11"), ("horizon_h: 48", "horizon_h: 24")
    )
    text = file.read_text()
    begin, end = text.index("state:"), text.index("options:")
    file.write_text(text[:begin] + "state: " + json.dumps(state) + "\n" + text[end:])
    plan = package.plan(load_case(file))
    assert plan.problem.site.initial_mw == pytest.approx(state["initial_mw"])
    assert sum(h.count for h in plan.problem.classes[0].history if h.on) == sum(
        c["on"] for c in state["containers"].values()
    )


def test_a_state_that_names_not_all_needs_a_default(tmp_path):
    """*Proves:* the unnamed containers are listed.  *Sensitivity:* an assumed state would plan a fiction."""
    file = edited(
        tmp_path,
        "bratsk-shaped",
        (DEFAULT, "containers: {C01: {on: true, hours: 3}}"),
    )
    with pytest.raises(package.BadInput, match="C02, C03, C04, C05, C06 and 8 more"):
        load_case(file)


@pytest.mark.parametrize("out", ["/", ".", "file/sub"])
def test_places_that_cannot_be_written_are_bad_input(tmp_path, out):
    """*Proves:* exit 2 with the place named.  *Sensitivity:* an OSError let through is an internal error, exit 1."""
    (tmp_path / "file").write_text("x")
    done = in_process("plan", "bratsk-day", "--out", out, "-q", "--no-report", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "internal error" not in done.stderr


def test_a_user_s_file_is_never_deleted(tmp_path):
    """*Proves:* notes left inside DIR move to DIR.previous, and the run that would delete them is refused.

    *Sensitivity:* deleting DIR.previous unseen loses them.
    """
    run = ("plan", "bratsk-day", "--out", "p", "-q", "--no-report")
    assert in_process(*run, cwd=tmp_path).returncode == 0
    (tmp_path / "p" / "notes.txt").write_text("mine")
    assert in_process(*run, cwd=tmp_path).returncode == 0
    done = in_process(*run, cwd=tmp_path)
    assert done.returncode == 2
    assert "notes.txt" in done.stderr
    assert (tmp_path / "p.previous" / "notes.txt").read_text() == "mine"
