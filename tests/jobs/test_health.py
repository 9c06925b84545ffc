"""Health, the monitors' file and notices: what is told, by which exit code, and that nothing of it is in the way."""

import http.server
import json
import os
import re
import threading
import time
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from flexmine.errors import BadInput
from flexmine.jobs.afterwards import Afterwards
from flexmine.jobs.health import health
from flexmine.jobs.job import read_job
from flexmine.jobs.metrics import write_metrics
from flexmine.jobs.night import Night
from flexmine.jobs.notice import Bulletin, send_notices
from flexmine.jobs.publish_schema import Notice
from nights import evening_before, feed_file, write_job
from shell import flexmine

DAY = date(2024, 4, 10)
NOW = evening_before(DAY)
HOUR = timedelta(hours=1)


def levels(job_file, now):
    found = health(read_job(job_file), now)
    return found.level.name, {c.name.split(" ")[0]: c.level.name for c in found.checks}, found


def test_healthy_then_late_then_over(tmp_path):
    """*Proves:* right after a night all is ok; with less than `warning_h` left it warns, with less than `critical_h` it
    is critical, past the end it says what machines do.  *Sensitivity:* an age since publication alone would miss it.
    """
    job = write_job(tmp_path, DAY, 1, more="watch: {warning_h: 20, critical_h: 2}\n")
    Night(read_job(job), NOW).run(DAY)
    level, each, _ = levels(job, NOW)
    assert (level, set(each.values())) == ("OK", {"OK"})
    end = NOW + 30 * HOUR
    assert levels(job, end - 10 * HOUR)[1]["validity"] == "WARNING"
    assert levels(job, end - HOUR)[1]["validity"] == "CRITICAL"
    over = levels(job, end + HOUR)
    assert over[0] == "CRITICAL"
    assert "publication 1 ended 1.0 h ago; machines do what after_validity says: minimum" in over[2].lines[0]
    assert over[2].lines[0].startswith("FLEXMINE CRITICAL - small: ")


def test_a_clock_that_was_set_back_is_told(tmp_path):
    """*Proves:* a publication and issues from the future are a warning that says so, though the plan is valid for long.

    *Sensitivity:* looking at the validity alone is the better pleased the further the clock went back.
    """
    job = write_job(tmp_path, DAY, 1)
    Night(read_job(job), NOW).run(DAY)
    level, each, found = levels(job, NOW - 72 * HOUR)
    assert (level, each["validity"], each["clock"], each["feed"]) == ("WARNING", "OK", "WARNING", "WARNING")
    assert any("was made 72.0 h after now; is the clock right?" in line for line in found.lines)
    assert any("there is no issue by" in line and "after now" in line for line in found.lines)


def test_a_feed_that_thins_out_and_a_disk_that_fills(tmp_path, monkeypatch):
    """*Proves:* a newest issue of less than half the usual size is a warning with both sizes, before a plan lacks its
    hours; so is a disk with little room, which is critical when almost full.

    *Sensitivity:* of usual size, and with room, nothing is said.
    """
    job = write_job(tmp_path, DAY - timedelta(days=4), 5)
    quiet = levels(job, NOW)[1]
    assert quiet["feed"] == "OK" and "disk" not in quiet
    newest = max((tmp_path / "feeds").iterdir())
    text = newest.read_text(encoding="utf-8")
    newest.write_text(text[: len(text) // 3], encoding="utf-8")
    lines = levels(job, NOW)[2].lines
    assert any(f"{newest.name} has {len(text) // 3} bytes, the 4 issues before it" in line for line in lines)
    for free, level in ((400e6, "WARNING"), (10e6, "CRITICAL")):
        monkeypatch.setattr("flexmine.jobs.health.disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert levels(job, NOW)[1]["disk"] == level


def test_before_the_first_run(tmp_path):
    """*Proves:* nothing published is critical, no run a warning, and looking makes no database.  *Sensitivity:* opening
    the store would leave one behind.
    """
    job = write_job(tmp_path, DAY, 1)
    level, each, _ = levels(job, NOW)
    assert (level, each["current"], each["runs"]) == ("CRITICAL", "CRITICAL", "WARNING")
    assert not (tmp_path / "runs").exists()


def test_stale_feed_and_failures_in_a_row(tmp_path):
    """*Proves:* a stale feed warns with its age; one failure warns, and the third in a row is critical.

    *Sensitivity:* the last exit code alone would never become critical.
    """
    job = write_job(tmp_path, DAY, 1)
    Night(read_job(job), NOW).run(DAY)
    stale_by_then = NOW + 27 * HOUR
    for failures in (1, 2, 3):
        with pytest.raises(BadInput):
            Night(read_job(job), stale_by_then).run(DAY + timedelta(days=1))
        _, each, found = levels(job, NOW)
        assert each["runs"] == ("CRITICAL" if failures == 3 else "WARNING")
        assert any(f", {failures} in a row without a plan" in line for line in found.lines)
    stale = levels(job, stale_by_then)[2]
    assert any("is 31.0 h old; max_age_h allows 30 h" in line for line in stale.lines)


def test_damaged_publication_and_damaged_store(tmp_path):
    """*Proves:* both are critical, in words.  *Sensitivity:* an exception would take the place of all other checks."""
    job = write_job(tmp_path, DAY, 1)
    Night(read_job(job), NOW).run(DAY)
    (tmp_path / "published" / "current" / "setpoints.csv").write_text("x", encoding="utf-8")
    assert levels(job, NOW)[1]["current"] == "CRITICAL"
    document = (tmp_path / "published" / "current").resolve() / "publication.json"
    document.write_text('{"schema": "flexmine-publication/1"}', encoding="utf-8")
    assert any("sequence is missing or of another kind" in line for line in levels(job, NOW)[2].lines)
    (tmp_path / "runs" / "flexmine.db").write_bytes(b"no database at all, but long enough to be read as one" * 30)
    for tail in ("-wal", "-shm"):
        (tmp_path / "runs" / f"flexmine.db{tail}").unlink(missing_ok=True)
    assert levels(job, NOW)[1]["store"] == "CRITICAL"


def test_figures_for_prometheus(tmp_path):
    """*Proves:* the file can be parsed and holds the end of the plan, the last exit code and each feed; nothing else is
    left beside it.  *Sensitivity:* a broken label or a half file would not parse.
    """
    job = write_job(tmp_path, DAY, 1)
    Night(read_job(job), NOW).run(DAY)
    file = tmp_path / "metrics" / "flexmine.prom"
    write_metrics(health(read_job(job), NOW), file)
    found = {
        (s.name, s.labels.get("feed")): s.value
        for family in text_string_to_metric_families(file.read_text(encoding="utf-8"))
        for s in family.samples
    }
    assert found["flexmine_plan_valid_until_timestamp_seconds", None] == (NOW + 30 * HOUR).timestamp()
    assert found["flexmine_last_run_exit_code", None] == 0.0
    assert ("flexmine_feed_issued_timestamp_seconds", "feeds/surplus_*.csv") in found
    assert [f.name for f in file.parent.iterdir()] == ["flexmine.prom"]


BULLETIN = Bulletin(
    "nightly", "small", "r1", 3, "infeasible", "no plan keeps all limits", "FLEXMINE WARNING - small: x"
)


def test_command_gets_the_notice(tmp_path):
    """*Proves:* text on standard input, plant and code in the environment.  *Sensitivity:* an argument would be cut."""
    told, script = [], f'echo -n "$FLEXMINE_EXIT_CODE" > {tmp_path}/out; cat >> {tmp_path}/out'
    send_notices([Notice(command=("sh", "-c", script))], BULLETIN, told.append)
    assert told == []
    assert (tmp_path / "out").read_text() == "3" + BULLETIN.text
    assert BULLETIN.text.startswith(
        "flexmine nightly of small: exit 3, infeasible (run r1)\nno plan keeps all limits\n"
    )


def test_command_that_hangs_is_killed_with_its_children(tmp_path):
    """*Proves:* after the time limit the program and the child that it started are gone, and that is told.

    *Sensitivity:* killing the program alone leaves the child running.
    """
    pid_file = tmp_path / "pid"
    told = []
    script = f"sleep 60 & echo $! > {pid_file}; wait"
    send_notices([Notice(command=("sh", "-c", script), timeout_s=0.5)], BULLETIN, told.append)
    assert len(told) == 1 and "notice by sh: failed: " in told[0] and "timed out" in told[0]
    child = int(pid_file.read_text())
    for _ in range(100):
        if not _runs(child):
            break
        time.sleep(0.02)
    assert not _runs(child)


def _runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"


@contextmanager
def web_server(answer):
    """A server that keeps what is posted to it."""
    posted = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer(self)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", posted
    finally:
        server.shutdown()
        server.server_close()


def _fine(handler):
    handler.send_response(204)
    handler.end_headers()


def test_webhook_gets_json(tmp_path, monkeypatch):
    """*Proves:* the address may come from the environment; a refusal is told with its code, and the address, which may
    hold a key, is not.  *Sensitivity:* an address in a message ends in a log.
    """
    told = []
    with web_server(_fine) as (address, posted):
        monkeypatch.setenv("HOOK", address)
        send_notices([Notice(webhook_env="HOOK")], BULLETIN, told.append)
    assert (told, posted[0]["exit_code"], posted[0]["text"]) == ([], 3, BULLETIN.text)
    with web_server(lambda handler: handler.send_error(403)) as (address, posted):
        send_notices([Notice(webhook=address)], BULLETIN, told.append)
    monkeypatch.setenv("HOOK", "file:///etc/passwd")
    send_notices([Notice(webhook_env="HOOK")], BULLETIN, told.append)
    assert told == [
        "notice by webhook: failed: HTTP Error 403: Forbidden",
        "notice by webhook: failed: HOOK holds no address that begins with http:// or https://",
    ]


def test_webhook_that_drips_is_given_up(tmp_path):
    """*Proves:* an answer of which a byte comes now and then is not waited for longer than the limit.

    *Sensitivity:* the socket's own limit begins anew with every byte.
    """
    over = threading.Event()

    def drip(handler):
        for letter in "HTTP/1.0 200 OK" + 100 * "x":
            if over.wait(0.1):
                return
            handler.wfile.write(letter.encode())

    told = []
    with web_server(drip) as (address, _):
        send_notices([Notice(webhook=address, timeout_s=0.3)], BULLETIN, told.append)
        over.set()
    assert told == ["notice by webhook: no answer within 0.3 s; given up"]


def test_errors_pass_through_unchanged(tmp_path):
    """*Proves:* an error inside goes on as it is, after a notice with its code, whatever happens to notice and file.

    *Sensitivity:* an exception of the notice would take the place of the error.
    """
    (tmp_path / "file").write_text("x", encoding="utf-8")
    more = 'metrics: file/flexmine.prom\nnotices: [{command: ["no-such-program"]}]\n'
    job, told = read_job(write_job(tmp_path, DAY, 1, more=more)), []
    with pytest.raises(ZeroDivisionError), Afterwards("nightly", job, "r1", told.append) as afterwards:
        raise ZeroDivisionError("x")
    assert afterwards.exit_code == 1
    assert "file/flexmine.prom: cannot be written" in told[0]
    assert "notice by no-such-program: failed" in told[1]
    with Afterwards("nightly", job, "r1", told.append):
        pass
    assert len(told) == 3


def test_a_notice_has_the_health_by_the_clock_of_its_run(tmp_path):
    """The second night of 2024 by `--at`, whose feed has not come, holds safe power: exit 5, and it is published.

    *Proves:* the notice says that the plan is valid for 30 h more, as of `--at` in the site's zone; lines of health
    name the day of the plan, and times by the site's clock; monitors' figures are of the clock of the machine.

    *Sensitivity:* by the clock of the machine the plan ended years ago; the figures by `--at` would hide it.
    """
    more = "ladder: [{step: hold}]\nmetrics: flexmine.prom\n"
    more += f"notices: [{{command: [sh, -c, 'cat > {tmp_path}/told']}}]\n"
    job, at = write_job(tmp_path, DAY, 1, more=more), NOW + 24 * HOUR
    Night(read_job(job), NOW).run(DAY)
    feed = next((tmp_path / "feeds").iterdir())
    feed.rename(feed_file(tmp_path, at - 90 * HOUR))
    done = flexmine("nightly", job, "--at", at.isoformat(), cwd=tmp_path)
    assert done.returncode == 5, done.stderr
    assert "planning 2024-04-11; the clock shows 2024-04-10T18:00+02:00" in done.stderr
    told = (tmp_path / "told").read_text(encoding="utf-8")
    assert "as if the clock showed 2024-04-10T18:00+02:00 (--at):\nFLEXMINE WARNING - small: " in told
    assert "publication 2, 0.0 h old, is valid for 30.0 h more" in told and "h ago" not in told
    assert "the plan of 2024-04-11 is fallback, by step hold: " in told
    assert "issued 2024-04-07T00:00+02:00, is 90.0 h old" in told
    assert re.search(r"the last one, of 2024-04-11 at \S+\+0[12]:00, ended with exit 5", told)
    assert 'flexmine_health{plant="small"} 2.0' in (tmp_path / "flexmine.prom").read_text(encoding="utf-8")


def test_nightly_and_health_as_a_shell_sees_them(tmp_path):
    """*Proves:* a night without its feed ends with exit 2, the notice tells why and the health, the monitors' file is
    written, and `health` has the monitors' exit codes.  *Sensitivity:* a job that fails silently.
    """
    more = f"metrics: flexmine.prom\nnotices: [{{command: [sh, -c, 'cat > {tmp_path}/notice']}}]\n"
    job = write_job(tmp_path, DAY, 1, more=more)
    feed = next((tmp_path / "feeds").iterdir())
    feed.rename(feed_file(tmp_path, NOW - 90 * HOUR))
    done = flexmine("nightly", job, "--day", DAY, "--at", NOW.isoformat(), cwd=tmp_path)
    assert done.returncode == 2
    notice = (tmp_path / "notice").read_text(encoding="utf-8")
    assert notice.startswith("flexmine nightly of small: exit 2, bad_input (run ")
    assert "max_age_h allows 30 h" in notice
    assert "FLEXMINE CRITICAL - small: nothing is published" in notice
    assert 'flexmine_last_run_exit_code{plant="small"} 2.0' in (tmp_path / "flexmine.prom").read_text()
    looked = flexmine("health", job, "--at", NOW.isoformat(), "--json", cwd=tmp_path)
    assert (looked.returncode, json.loads(looked.stdout)["level"]) == (2, "CRITICAL")
