"""The commands as a shell sees them: stdout, stderr, exit codes, directories."""

import json
import subprocess
import sys
from functools import partial

import pytest

from flexmine.inputs.case import load_case
from shell import edited, flexmine, in_process

HEAVY = ("pandas", "pyomo", "pvlib", "highspy", "altair", "numpy", "pydantic", "scipy", "yaml", "jinja2")


@pytest.fixture
def edited_case(tmp_path):
    """Write bratsk-day with pieces of its text replaced."""

    return partial(edited, tmp_path, "bratsk-day")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plan", "--help"], ["audit", "--help"]])
def test_help_loads_no_heavy_package(arguments):
    """*Proves:* help and version answer without pandas, Pyomo and the rest.  *Sensitivity:* one import at the top of
    cli.py or __init__.py shows up in sys.modules.
    """
    code = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print('LOADED', sorted(set(sys.modules) & {set(HEAVY)!r})))\n"
        f"from flexmine.cli import main; main({arguments!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    assert "LOADED []" in done.stdout, done.stdout


def test_plan_then_audit(tmp_path):
    """*Proves:* plan leaves the five files and run.json, says where the report is on stdout and nothing else, and the
    audit of the directory passes.  *Sensitivity:* a message on stdout breaks the one line.
    """
    done = flexmine("plan", "bratsk-day", "--out", "day", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "day/report.html\n"
    assert {f.name for f in (tmp_path / "day").iterdir()} == {
        "setpoints.csv",
        "site.csv",
        "plan.json",
        "problem.json",
        "report.html",
        "run.json",
    }
    checked = flexmine("audit", "day", cwd=tmp_path)
    assert checked.returncode == 0
    assert "audit passed" in checked.stdout
    run = json.loads((tmp_path / "day" / "run.json").read_text())
    assert {"run_id", "started", "host", "phases", "seconds"} <= set(run)


def test_older_plan_moves_to_previous_and_foreign_directory_is_left(tmp_path):
    """*Proves:* the second plan keeps the first as DIR.previous; a directory with other files is refused untouched.

    *Sensitivity:* overwriting in place leaves no previous plan, or deletes what somebody else wrote.
    """
    for _ in range(2):
        assert in_process("plan", "bratsk-day", "--out", "day", "--no-report", "-q", cwd=tmp_path).returncode == 0
    assert (tmp_path / "day.previous" / "plan.json").is_file()
    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "holiday.jpg").write_bytes(b"x")
    done = in_process("plan", "bratsk-day", "--out", "photos", cwd=tmp_path)
    assert done.returncode == 2
    assert "holds no plan that flexmine wrote" in done.stderr
    assert [f.name for f in foreign.iterdir()] == ["holiday.jpg"]


def test_infeasible_writes_no_setpoints_and_keeps_the_old_plan(tmp_path, edited_case):
    """*Proves:* exit 3, the conflict in words on stderr and in DIR.error.json, the older plan byte for byte as it was.

    *Sensitivity:* a fallback schedule, or a half-written directory, changes the old files or the exit code.
    """
    out = tmp_path / "day"
    assert in_process("plan", "bratsk-day", "--out", out, "--no-report", "-q").returncode == 0
    before = {f.name: f.read_bytes() for f in out.iterdir()}
    case = edited_case(("options:", "minimum_mw: 11.0\noptions:"))
    done = in_process("plan", case, "--out", out)
    assert done.returncode == 3, done.stderr
    assert "11" in done.stderr
    assert "2024-09-10 00:00" in done.stderr
    assert {f.name: f.read_bytes() for f in out.iterdir()} == before
    error = json.loads((tmp_path / "day.error.json").read_text())
    assert error["status"] == "infeasible"
    assert error["exit_code"] == 3
    assert error["messages"]
    assert in_process("plan", "bratsk-day", "--out", out, "--no-report", "-q").returncode == 0
    assert not (tmp_path / "day.error.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "bratsk-dya"], "bratsk-day"),
        (["plan", "bratsk-day", "--gap", "2"], "gap: 2.0 is not between 0 and 1"),
        (["plan", "bratsk-day", "--engine", "cplex"], "engine: 'cplex' is unknown"),
        (["plan", "bratsk-day", "--solver-option", "mip_rel_gapp=0.5"], "HiGHS knows no such option"),
        (["plan", "bratsk-day", "--solver-option", "banana"], "expected NAME=VALUE"),
        (["plan", "bratsk-day", "--colour"], "No such option"),
        (["audit", "nowhere"], "nowhere"),
        (["solve", "nowhere.json", "--out", "s.json"], "nowhere.json"),
    ],
)
def test_wrong_usage_exits_2_with_a_sentence(tmp_path, arguments, message):
    """*Proves:* bad usage is exit 2 with the wrong thing named, and no traceback.  *Sensitivity:* a swallowed option
    exits 0.
    """
    done = in_process(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_time_up_without_a_plan_is_exit_6(tmp_path):
    """*Proves:* no plan, no files, exit 6.  *Sensitivity:* an incumbent made up, or exit 0, fails."""
    done = flexmine("plan", "bratsk-40", "--out", "day", "--time-limit", "1e-9", cwd=tmp_path)
    assert done.returncode == 6, done.stderr
    assert not (tmp_path / "day").exists()
    assert json.loads((tmp_path / "day.error.json").read_text())["status"] == "no_plan"


def test_json_is_one_line_on_stdout(tmp_path):
    """*Proves:* a machine can parse stdout.  *Sensitivity:* the solver's banner or a summary on stdout breaks it."""
    done = flexmine("plan", "bratsk-day", "--out", "day", "--json", "--no-report", cwd=tmp_path)
    assert done.returncode == 0
    line = json.loads(done.stdout)
    assert line["status"] == "optimal"
    assert line["gap"] <= 1e-4


def test_check_solves_nothing_and_names_conflicts(tmp_path, edited_case):
    """*Proves:* `check` is exit 0 on a good case, 3 on a conflict, and writes nothing.  *Sensitivity:* planning
    would leave files.
    """
    done = in_process("check", "bratsk-day", cwd=tmp_path)
    assert done.returncode == 0
    assert "14 x" in done.stdout
    case = edited_case(("options:", "minimum_mw: 11.0\noptions:"))
    done = in_process("check", case, cwd=tmp_path)
    assert done.returncode == 3
    assert sorted(f.name for f in tmp_path.iterdir()) == ["case.yaml"]


def test_problem_then_solve_finds_the_plan_s_money(tmp_path):
    """*Proves:* problem.json alone leads to the money of the plan.  *Sensitivity:* a term left out of the file shows
    as a difference.
    """
    assert in_process("problem", "bratsk-shaped", "--out", "problem.json", cwd=tmp_path).returncode == 0
    solved = in_process("solve", "problem.json", "--out", "solution.json", "--json", cwd=tmp_path)
    assert solved.returncode == 0
    assert json.loads(solved.stdout)["status"] == "optimal"
    assert in_process("plan", "bratsk-shaped", "--out", "p", "--no-report", "-q", cwd=tmp_path).returncode == 0
    solution = json.loads((tmp_path / "solution.json").read_text())
    plan = json.loads((tmp_path / "p" / "plan.json").read_text())
    assert solution["status"] == "optimal"
    assert solution["conflict"] == []
    assert abs(solution["money_usd"] - plan["money_usd"]) <= 2e-4 * plan["money_usd"]
    assert len(solution["containers"]) == 14


def test_public_api_in_three_lines():
    """*Proves:* load, plan, read a frame.  *Sensitivity:* a renamed function or column fails."""
    import flexmine as package

    plan = package.plan(package.load_case("bratsk-day"))
    assert plan.site["facility_power_mw"].max() <= 10.001
    assert len(plan.setpoints) == 14 * 48
    assert load_case("bratsk-day").name == "bratsk-day"
