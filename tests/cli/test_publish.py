"""``flexmine publish`` as a shell sees it."""

import json
import re

from shell import edited, in_process

# The shipped day, moved to a year that is not over, with numbers in place of its series.
NUMBERS = [
    ("2024-09-10T00:00:00+08:00", "2124-09-12T00:00:00+08:00"),
    ("file: shipped:northway_temperature.csv, column: temperature_c", "file: t.csv, column: t"),
    ("horizon_h: 48\npublish_h: 24", "horizon_h: 3\npublish_h: 2"),
    ("block_height: 860700", "subsidy_btc: 3.125"),
]


def small_case(folder):
    file = edited(folder, "bratsk-day", *NUMBERS)
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"available_mw:\n +file: .*?(?=    price_usd)", "available_mw: 8.0\n", text, flags=re.S)
    text = re.sub(r"price_usd_per_mwh:\n +file: .*?(?=    carbon)", "price_usd_per_mwh: 37.0\n", text, flags=re.S)
    file.write_text(text, encoding="utf-8")
    rows = "".join(f"2124-09-12T0{h}:00:00+08:00,-10\n" for h in range(3))
    (folder / "t.csv").write_text("interval_start,t\n" + rows, encoding="utf-8")
    return file


def test_publish_and_again(tmp_path):
    """*Proves:* plan, publish, publish again: the directory on stdout, then nothing changed; bad terms are exit 2;
    `audit` and `explain` of the publication name its plan.

    *Sensitivity:* a second publication of the same plan would print another directory.
    """
    planned = in_process("plan", small_case(tmp_path), "--out", "day", "-q", "--no-report", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    done = in_process("publish", "day", "--to", "machines", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "machines/00000001\n", "")
    assert in_process("audit", "machines/current/plan", cwd=tmp_path).returncode == 0
    for command in (("audit",), ("explain", "--container", "C01", "--at", "00:00")):
        named = in_process(command[0], "machines/current", *command[1:], cwd=tmp_path)
        assert named.returncode == 2
        assert "machines/current: is a publication; name its plan: machines/current/plan" in named.stderr
    again = in_process("publish", "day", "--to", "machines", "--json", cwd=tmp_path)
    told = json.loads(again.stdout)
    assert (told["sequence"], told["new"], told["plant"]) == (1, False, "bratsk-10")
    assert "nothing is changed" in again.stderr
    wrong = in_process("publish", "day", "--to", "machines", "--keep", "0", cwd=tmp_path)
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "flexmine: bad_input: keep 0: allowed are 2 to 100000; a reader may still be in the last one\n",
    )
    (tmp_path / "broker.yaml").write_text("schema: flexmine-mqtt/1\nhost: nowhere\nprefix: mine\n", encoding="utf-8")
    dry = in_process("publish", "day", "--to", "machines", "--mqtt", "broker.yaml", cwd=tmp_path)
    topics = [line.split(" ", 1)[0] for line in dry.stdout.splitlines()[1:]]
    assert (dry.returncode, len(topics), topics[0]) == (0, 17, "mine/bratsk-10/containers/C01/setpoint")
    assert json.loads(dry.stdout.splitlines()[-1].split(" ", 1)[1])["messages"] == 16
    assert "17 messages not sent; --send sends them" in dry.stderr
    (tmp_path / "broker.yaml").write_text("schema: flexmine-mqtt/1\nhost: nowhere\nprefix: a/#\n", encoding="utf-8")
    refused = in_process("publish", "day", "--to", "machines", "--mqtt", "broker.yaml", cwd=tmp_path)
    assert refused.returncode == 2
    assert "broker.yaml:3:9 prefix:" in refused.stderr
    unnamed = in_process("publish", "day", "--to", "machines", "--send", cwd=tmp_path)
    assert (unnamed.returncode, "--send: names no broker" in unnamed.stderr) == (2, True)
