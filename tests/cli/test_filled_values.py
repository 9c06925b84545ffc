"""A feed with a hole, from the case to every place where a person or a machine reads that it was filled."""

import json

import pytest

from flexmine.resources import shipped_path
from shell import edited, in_process

OLD = "{file: shipped:northway_temperature.csv, column: temperature_c, unit: C}"
POLICY = "fill: {policy: interpolate, longest_gap_h: 2}"
WORDS = (
    "temperature_c: 2 steps from 2024-09-10T03:00+08:00 to 2024-09-10T05:00+08:00 (interpolate); "
    "temperature_c: 1 step from 2024-09-10T09:00+08:00 to 2024-09-10T10:00+08:00 (interpolate)"
)


@pytest.fixture
def case_with_holes(tmp_path):
    """Write bratsk-day with a temperature feed that lacks 03:00, has no number at 04:00 and a sentinel at 09:00."""
    lines = shipped_path("shipped:northway_temperature.csv").read_text(encoding="utf-8").splitlines()
    rows = []
    for line in lines:
        if line.startswith("2024-09-10T03:00"):
            continue
        cells = line.split(",")
        if line.startswith("2024-09-10T04:00"):
            cells[1] = "n/e"
        if line.startswith("2024-09-10T09:00"):
            cells[1] = "-9999"
        rows.append(",".join(cells))
    (tmp_path / "weather.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")

    def write(extra: str) -> object:
        series = f"{{file: weather.csv, column: temperature_c, unit: C{', ' + extra if extra else ''}}}"
        return edited(tmp_path, "bratsk-day", (OLD, series), ("horizon_h: 48", "horizon_h: 24"))

    return write


def test_what_was_filled_stands_everywhere(case_with_holes, tmp_path):
    """*Proves:* the first line on stderr, plan.json, the verdict and the day chart of the report, and exit 4 by
    --strict; `check` lists it with the feeds.  *Sensitivity:* any of these silent, and a plan on made-up weather looks
    like one on observed.
    """
    case = case_with_holes(f'missing: ["n/e", "-9999"], {POLICY}')
    done = in_process("plan", case, "--out", "day", "--strict", cwd=tmp_path)
    assert done.returncode == 4, done.stderr
    first = done.stderr.splitlines()[0]
    assert first == "; ".join(f"filled: {part}" for part in WORDS.split("; "))
    document = json.loads((tmp_path / "day" / "plan.json").read_text(encoding="utf-8"))
    assert [(f["series"], f["policy"], f["first_step"], f["steps"]) for f in document["filled"]] == [
        ("temperature_c", "interpolate", 3, 2),
        ("temperature_c", "interpolate", 9, 1),
    ]
    feed = next(f for f in document["feeds"] if f["series"] == "temperature_c")
    assert (feed["file"], feed["unit"], feed["rule"]) == ("weather.csv", "C", "as it is")
    page = (tmp_path / "day" / "report.html").read_text(encoding="utf-8")
    assert "filled: temperature_c: 2 steps from" in page
    assert "filled in, not the feed&#39;s: temperature_c (interpolate)" in page
    checked = in_process("check", case)
    assert checked.returncode == 0
    assert "  filled: temperature_c: 1 step from 2024-09-10T09:00+08:00" in checked.stdout
    assert "  temperature_c: weather.csv temperature_c [C], as it is, covers 2024-09-09T00" in checked.stdout


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("", "weather.csv:29: column temperature_c, 2024-09-10T04:00:00+08:00: 'n/e' is not a finite number"),
        ('missing: ["n/e"]', "'-9999' is the mark of a missing value in many feeds, and not declared here"),
        (
            'missing: ["n/e", "-9999"]',
            "weather.csv:28: column temperature_c: nothing for 2024-09-10T03:00:00+08:00, a gap of 2 h (3 of 24 values",
        ),
        (
            f'missing: ["n/e", "-9999"], {POLICY.replace("2}", "1}")}',
            "a gap of 2 h (3 of 24 values missing",
        ),
    ],
)
def test_holes_that_nobody_allowed_are_refused(case_with_holes, tmp_path, extra, words):
    """*Proves:* exit 2 with case line and key, then file, line and size; nothing is written.

    *Sensitivity:* each marker or policy that is read without being declared would let one of these pass.
    """
    done = in_process("check", case_with_holes(extra))
    assert done.returncode == 2
    assert done.stderr.startswith("flexmine: bad_input: case.yaml:17:18 series.temperature_c: weather.csv")
    assert words in done.stderr
