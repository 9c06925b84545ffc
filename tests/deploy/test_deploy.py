"""What is under deploy/: read by the schemas and programs that will read it, and every command line by flexmine."""

import json
import re
import shlex
import subprocess
import sys
import types
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from flexmine.cli.main import cli
from flexmine.jobs.job import read_job
from flexmine.jobs.pins import job_pins

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*"))
MANIFEST = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "flexmine.yaml").read_text(encoding="utf-8")))


def flexmine_lines(text):
    """Return the arguments of every flexmine command in a text, up to what belongs to the shell."""
    found = re.findall(r"(?:^|[ =/\"])flexmine ((?:nightly|redispatch|replan|health|backup) [^;>\n\"]*)", text)
    return [shlex.split(line) for line in found]


def understood(arguments):
    """Parse a command line as flexmine does, without running it; return its parameters."""
    command = cli.get_command(click.Context(cli), arguments[0])
    assert command is not None, arguments
    return command.make_context(arguments[0], list(arguments[1:])).params


@pytest.mark.parametrize("file", [f for f in sorted(DEPLOY.rglob("*")) if f.is_file()], ids=lambda f: f.name)
def test_every_command_line_is_one_of_flexmine(file):
    """*Proves:* names, arguments and options of all command lines exist, and each names the job file.

    *Sensitivity:* an option renamed in the command would fail at night.
    """
    lines = flexmine_lines(file.read_text(encoding="utf-8").replace("{FLEXMINE}", "/opt/flexmine/bin/flexmine"))
    expected = {".service": 1, ".cron": 4, ".yaml": 2 if file.name == "flexmine.yaml" else 0, ".py": 3, ".timer": 0}
    assert len(lines) == expected[file.suffix]
    for line in lines:
        understood([part.replace("%i", "bratsk-10") for part in line])
        assert any("job.yaml" in part or part == "{JOB}" for part in line)


@pytest.mark.parametrize("version", ["1.29", "1.32", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("resource", MANIFEST, ids=lambda r: r["metadata"]["name"] + "-" + r["kind"])
def test_kubernetes_manifest_is_valid_by_its_schema(resource, version):
    """*Proves:* each resource is valid by the OpenAPI schema of Kubernetes, unknown keys refused.

    *Sensitivity:* a misspelt key, checked below, is refused; without `strict` it would be ignored by the cluster.
    """
    kubernetes_validate.validate(resource, version, strict=True)


def test_kubernetes_schema_refuses_a_misspelt_key():
    wrong = yaml.safe_load(yaml.safe_dump(MANIFEST[1]))
    wrong["spec"]["concurencyPolicy"] = wrong["spec"].pop("concurrencyPolicy")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("job", [r for r in MANIFEST if r["kind"] == "CronJob"], ids=lambda r: r["metadata"]["name"])
def test_kubernetes_jobs_do_not_overlap_and_cannot_write_elsewhere(job):
    """*Proves:* one at a time, in the site's zone, no root, read-only but for its volumes; plans of exit 4 and 5 are no
    failures, and 2 is.  *Sensitivity:* a job that fails on 5 would be run again and again.
    """
    spec = job["spec"]
    assert (spec["concurrencyPolicy"], spec["timeZone"]) == ("Forbid", "Asia/Irkutsk")
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"]
    assert {m["name"] for m in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
    assert {code: shell_exit(container["args"][0], code) for code in range(7)} == {
        **{code: code for code in range(7)},
        4: 0,
        5: 0,
    }


def shell_exit(script, code):
    """Return how a script ends where its flexmine ends with `code`."""
    stub = f"flexmine() {{ return {code}; }}\n"
    return subprocess.run(["/bin/sh", "-c", stub + script.replace("/opt/flexmine/bin/flexmine", "flexmine")]).returncode


def test_crontab_lines():
    """*Proves:* five fields within their ranges, a user, and a command.

    *Sensitivity:* cron drops a line that it cannot read without a word to anyone.
    """
    text = (DEPLOY / "flexmine.cron").read_text(encoding="utf-8")
    assert text.endswith("\n")
    lines = [line for line in text.splitlines() if line[:1] in "0123456789*"]
    assert len(lines) == 4
    for line in lines:
        fields = line.split(None, 6)
        for field, most in zip(fields[:5], (59, 23, 31, 12, 7), strict=True):
            match = re.fullmatch(r"(\*)(?:/(\d+))?|(\d+)", field)
            assert match, field
            assert int(match[2] or match[3] or 0) <= most
        assert fields[5] == "flexmine"
        assert "%" not in line


def test_all_files_plan_at_the_same_time():
    """*Proves:* cron, systemd, Kubernetes and Airflow start `nightly` after noon, at the hour that the docs name, and
    `replan` ten minutes before each hour; and the job of the example does not warn of a healthy plan before the next.

    *Sensitivity:* at 02:00 tomorrow's day-ahead price is not there, and every night is a fallback.
    """

    def read(name):
        return (DEPLOY / name).read_text(encoding="utf-8")

    def times(command):
        cron = re.search(rf"(?m)^(\d+) (\S+) \* \* \* .*/flexmine {command} ", read("flexmine.cron")).groups()
        timer = re.search(r"OnCalendar=\*-\*-\* (\S+?):(\d+):00", read(f"systemd/flexmine-{command}@.timer"))
        jobs = {r["metadata"]["name"]: r["spec"].get("schedule") for r in MANIFEST}
        kubernetes = jobs[f"flexmine-{command}-bratsk-10"].split()[:2]
        airflow = re.search(
            rf'dag_id="flexmine_{command}_.*?schedule="(\d+) (\S+) ', read("airflow/flexmine_nightly.py"), re.DOTALL
        ).groups()
        return {(int(m), h) for m, h in (cron, (timer[2], timer[1]), kubernetes, airflow)}

    ((minute, hour),) = times("nightly")
    assert minute == 0 and 12 < int(hour) < 24
    assert times("replan") == {(50, "*")}
    docs = (DEPLOY.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"start `nightly` at {hour}:00 of the site" in docs and "(at :50)" in docs
    assert read_job(DEPLOY / "bratsk-10" / "job.yaml").document.watch.warning_h < 24 - int(hour)


@pytest.mark.parametrize(
    ("command", "mailed", "quiet"),
    [
        ("nightly", {code: f" ended with exit {code}; see " for code in (1, 2, 3, 6)}, (0, 4, 5)),
        ("replan", {code: f" ended with exit {code}; see " for code in (1, 2, 3, 6)}, (0, 4, 5)),
        ("health", dict.fromkeys((1, 2), "FLEXMINE first line"), (0,)),
        ("backup", {2: " ended with exit 2; see "}, (0,)),
    ],
)
def test_cron_mails_one_line_of_what_needs_a_person(tmp_path, command, mailed, quiet):
    """Each line run by a shell, with a program in the place of flexmine that says something on both streams.

    *Proves:* nothing is printed, and so nothing mailed, of a run that planned, of a health that is OK and of a backup;
    one line of each other end; the log holds both streams; and a log that cannot be written is mailed.

    *Sensitivity:* with both streams in the log alone nobody is told of a night that failed.
    """
    text = (DEPLOY / "flexmine.cron").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if f"/flexmine {command} " in line)
    program, log = tmp_path / "flexmine", tmp_path / "log"
    script = line.split(None, 6)[6].replace("/opt/flexmine/bin/flexmine", str(program))
    script = script.replace("/var/log/flexmine", str(log))

    def printed(code):
        program.write_text(f"#!/bin/sh\necho FLEXMINE first line\necho second >&2\nexit {code}\n", encoding="utf-8")
        program.chmod(0o755)
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True)
        return done.stdout + done.stderr

    assert f"{command}.log" in printed(0)
    log.mkdir()
    for code in quiet:
        assert printed(code) == ""
    for code, words in mailed.items():
        out = printed(code)
        assert words in out and out.count("\n") == 1
    assert (log / f"{command}.log").read_text(encoding="utf-8").endswith("FLEXMINE first line\nsecond\n")


def test_airflow_dag(monkeypatch):
    """*Proves:* the file can be imported, with stand-ins for Airflow that keep what they are given: one run at a time
    in the site's zone, no catching up, and commands that pass plans of exit 4 and 5.  *Sensitivity:* catchup true would
    start a run for every past night at once.
    """
    made, tasks = [], []

    class Dag:
        def __init__(self, **options):
            made.append(options)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    class Bash:
        def __init__(self, **options):
            tasks.append(options)

        def __rshift__(self, other):
            return other

    stand_ins = {
        "airflow.sdk": {"DAG": Dag},
        "airflow.providers.standard.operators.bash": {"BashOperator": Bash},
        "pendulum": {"datetime": lambda *parts, tz: (parts, tz)},
    }
    for name in ("airflow", "airflow.providers", "airflow.providers.standard", "airflow.providers.standard.operators"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    for name, contents in stand_ins.items():
        module = types.ModuleType(name)
        module.__dict__.update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    file = DEPLOY / "airflow" / "flexmine_nightly.py"
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), {"__name__": "dag"})
    assert len(made) == 2
    for dag in made:
        assert (dag["catchup"], dag["max_active_runs"], dag["start_date"][1]) == (False, 1, "Asia/Irkutsk")
    by_name = {task["task_id"]: task["bash_command"] for task in tasks}
    for command in by_name.values():
        (line,) = flexmine_lines(command)
        assert str(understood(line)["job_file"]).endswith("job.yaml")
    for task in ("plan", "replan"):
        assert [shell_exit(by_name[task], code) for code in (0, 2, 4, 5, 6)] == [0, 2, 0, 0, 6]
    assert [shell_exit(by_name["health"], code) for code in (0, 1, 2)] == [0, 0, 1]


def test_example_job_is_read(tmp_path):
    """*Proves:* the job and the pins of deploy/ are valid as they stand.  *Sensitivity:* a key that the schema lost."""
    job = read_job(DEPLOY / "bratsk-10" / "job.yaml")
    assert not any(key.spec.factors for key in job.template.series())
    assert job.document.publish.mqtt.address == ("broker.example.org", 8883)
    begin = job.local_day(job.document.first_day).begin
    assert job_pins(job, begin, begin).in_force == ()


def test_example_job_plans_a_night_from_plain_feeds(tmp_path):
    """Feeds of 8 MW at 10 USD/MWh and a price of 40 USD/MWh, each with the column and unit that the case names.

    *Proves:* the night is published with exit code 0, and the plan has the values of the feeds, unscaled.
    *Sensitivity:* factors of a stand-in would leave 0.44 MW of surplus, and a price of 19 USD/MWh.
    """
    for name in ("case.yaml", "job.yaml", "pins.yaml"):
        text = (DEPLOY / "bratsk-10" / name).read_text(encoding="utf-8")
        text = text.replace("/var/lib/flexmine/bratsk-10", str(tmp_path)).replace("  mqtt:", "  # mqtt:")
        (tmp_path / name).write_text(re.sub(r"(?m)^notices:\n(  - .*\n)+", "", text), encoding="utf-8")
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    hours = [datetime(2026, 11, 30, 16, tzinfo=UTC) + timedelta(hours=h) for h in range(48)]
    for feed, column, value in (
        ("surplus", "surplus_mw", 8),
        ("price", "price_usd_per_mwh", 40),
        ("weather", "temperature_c", -20),
    ):
        rows = [f"{hour.isoformat()},{value}" for hour in hours]
        text = "\n".join([f"interval_start,{column}", *rows]) + "\n"
        (feeds / f"{feed}_20261130T0400Z.csv").write_text(text, encoding="utf-8")
    done = CliRunner().invoke(cli, ["nightly", str(tmp_path / "job.yaml"), "--at", "2026-11-30T14:00:00+08:00"])
    assert done.exit_code == 0, done.output
    (plan,) = (tmp_path / "runs").glob("bratsk-10/2026-12-01/r1/plan")
    surplus, grid = json.loads((plan / "problem.json").read_text(encoding="utf-8"))["sources"]
    assert set(surplus["available_mw"]) == {8.0}
    assert set(grid["price_usd_per_mwh"]) == {40.0}


@pytest.mark.system
@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
def test_systemd_reads_the_units(tmp_path, unit):
    """*Proves:* `systemd-analyze verify` has nothing to say of a unit (with a program that exists in the place of
    flexmine), and the hardening of a service leaves an exposure below 2.  *Sensitivity:* a misspelt key, below.
    """
    for file in UNITS:
        text = file.read_text(encoding="utf-8").replace("/opt/flexmine/bin/flexmine", "/bin/true")
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    done = verified(tmp_path / unit.name)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    if unit.suffix == ".service":
        command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", tmp_path / unit.name]
        assert subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.system
def test_systemd_tells_a_misspelt_key(tmp_path):
    text = (DEPLOY / "systemd" / "flexmine-nightly@.service").read_text(encoding="utf-8")
    wrong = text.replace("/opt/flexmine/bin/flexmine", "/bin/true").replace("ProtectHome=", "ProtectHouse=")
    (tmp_path / "wrong@.service").write_text(wrong, encoding="utf-8")
    assert "ProtectHouse" in verified(tmp_path / "wrong@.service").stderr


def verified(file):
    return subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, timeout=60)
