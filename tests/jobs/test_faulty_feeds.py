"""Feeds that can be read and are wrong: cut off, in another unit, not there for the day; seen wherever one looks."""

import json
import logging
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from flexmine.cli.unattended import run_unattended
from flexmine.errors import BadInput
from flexmine.inputs.case import load_case
from flexmine.jobs import afterwards
from flexmine.jobs import log as cli_log
from flexmine.jobs.health import health
from flexmine.jobs.intraday import REDISPATCH, REPLAN, Intraday
from flexmine.jobs.job import read_job
from flexmine.jobs.night import Night, exit_code
from flexmine.jobs.show import attempt_lines, history_lines, run_lines
from nights import surplus_mw, write_job, write_series

OSLO = ZoneInfo("Europe/Oslo")
DAY = date(2024, 4, 10)
NEXT = DAY + timedelta(days=1)
SURPLUS, PRICE = "sources.surplus.available_mw", "sources.grid.price_usd_per_mwh"
ONE_HOUR = timedelta(hours=1)


def at(hour, day=DAY):
    return datetime(day.year, day.month, day.day, tzinfo=OSLO) + timedelta(hours=hour)


def price(moment):
    return round(40.0 + moment.hour + moment.day / 10, 3)


def issue(folder, name, day, days, factor=1.0):
    """Write what is issued at noon of the day before, for `day` and further days."""
    stamp = (at(12, day) - timedelta(days=1)).astimezone(ZoneInfo("UTC"))
    path = folder / "feeds" / f"{name}_{stamp:%Y%m%dT%H%MZ}.csv"
    column, value = {"surplus": ("surplus_mw", surplus_mw), "price": ("price_usd_per_mwh", price)}[name]
    write_series(path, column, lambda t: round(factor * value(t), 4), "Europe/Oslo", day, days)
    return path


def made(folder, ladder):
    """Two days before DAY are planned from whole feeds: surplus for two days, prices for one with a tail."""
    job = write_job(folder, DAY - timedelta(days=1), 0, more=f"ladder: [{ladder}]\n")
    write_series(folder / "weather.csv", "temperature_c", lambda t: 4.0, "Europe/Oslo", DAY - timedelta(days=1), 8)
    feed = "{series: [sources.grid.price_usd_per_mwh], files: feeds/price_*.csv, max_age_h: 36, older_max_age_h: 54, "
    text = job.read_text(encoding="utf-8").replace("look_ahead_h: 12", "look_ahead_h: 24")
    text = text.replace("feeds:\n", f"feeds:\n  - {feed}tail: {{policy: same_hour_yesterday}}}}\n", 1)
    job.write_text(text, encoding="utf-8")
    for day in (DAY - timedelta(days=1), DAY):
        issue(folder, "surplus", day, 2)
        issue(folder, "price", day, 1)
        night(job, day)
    return job


def night(job, day):
    return Night(read_job(job), at(-4, day)).run(day)[-1]


def plan_of(job, record):
    return json.loads((job.parent / "runs" / record.folder / "plan" / "plan.json").read_text(encoding="utf-8"))


def case_of(job, record):
    return load_case(job.parent / "runs" / record.folder / "inputs" / "case.yaml")


def feed_checks(job, now):
    return {c.name: c for c in health(read_job(job), now).checks if c.name.startswith("feed ")}


def bad_cell(path, hour, cell):
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[hour + 1] = lines[hour + 1].split(",")[0] + f",{cell}"
    path.write_text("\n".join(lines), encoding="utf-8")


LADDER = "{step: older_issue}, {step: fill, policy: interpolate, longest_gap_h: 3}, {step: previous_plan}, {step: hold}"


@pytest.mark.parametrize("cut", ["in a number", "at the end of a line"])
def test_a_file_that_was_cut_off_is_seen(tmp_path, caplog, cut):
    """Tomorrow's prices break off at 10:00, and the tail fills the day that is published.

    *Proves:* exit 0, as a tail has it, with sentences in log, plan, history and attempts, and a warning of health that
    name file and time; in the middle of a number also that the line break is missing.

    *Sensitivity:* of a whole file nothing is said, and health is well (see the first lines).
    """
    job = made(tmp_path, LADDER)
    assert feed_checks(job, at(-4))["feed feeds/price_*.csv"].level.name == "OK"
    issue(tmp_path, "surplus", NEXT, 2)
    path = issue(tmp_path, "price", NEXT, 1)
    lines = path.read_text(encoding="utf-8").split("\n")[:12]
    path.write_text("\n".join(lines)[:-3] if cut == "in a number" else "\n".join(lines) + "\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        record = night(job, NEXT).record
    assert (record.exit_code, record.step) == (0, "newest")
    tail = f"{PRICE}: feeds/{path.name} and 2 older ends at 2024-04-11T11:00+02:00; what follows is its tail"
    tail = tail.replace(" and 2 older", "")
    sentences = [f"{PRICE}: feeds/{path.name} ends without a line break"] * (cut == "in a number") + [tail]
    attempts = attempt_lines(read_job(job).open_store().attempts("small", 1))
    history = history_lines(read_job(job).open_store().history("small", 1))
    check = feed_checks(job, at(-4, NEXT))["feed feeds/price_*.csv"]
    assert check.level.name == "WARNING" and sentences[0] in check.text
    for sentence in sentences:
        for place in (record.labels, caplog.messages, plan_of(job, record)["notes"], attempts, history):
            assert any(sentence in line for line in place), (sentence, place)


def test_a_feed_in_another_unit_is_a_faulty_feed(tmp_path, caplog):
    """The surplus comes in kW under the name of MW: hundreds of times what the plant can draw.

    *Proves:* the older issue takes its place where it reaches far enough, the mark names the file, its lines and what
    is wrong with it; and where no older issue does, safe power is held, and every step that was tried is in the log.

    *Sensitivity:* looked at only when the whole case is read, every step fails alike, hold too, and names the case.
    """
    job = made(tmp_path, LADDER)
    issue(tmp_path, "price", NEXT, 1)
    path = issue(tmp_path, "surplus", NEXT, 2, factor=9e3)
    whole = next((tmp_path / "feeds").glob("surplus_20240409*.csv"))
    write_series(whole, "surplus_mw", surplus_mw, "Europe/Oslo", DAY, 3)
    record = night(job, NEXT).record
    assert (record.exit_code, record.step) == (5, "older_issue")
    (label,) = record.labels
    assert f"an older issue, feeds/{whole.name}" in label
    assert f"the newest cannot be used: feeds/{path.name}:2 to feeds/{path.name}:49: column surplus_mw: " in label
    assert "far more than the plant can draw" in label
    check = feed_checks(job, at(-4, NEXT))["feed feeds/surplus_*.csv"]
    assert check.level.name == "WARNING" and path.name in check.text
    first = health(read_job(job), at(-4, NEXT)).lines[0]
    assert (
        "the plan of 2024-04-11 is fallback, by step older_issue: " in first and "the newest cannot be used: " in first
    )
    whole.unlink()
    text = job.read_text(encoding="utf-8").replace("{step: previous_plan}, ", "")
    job.write_text(text, encoding="utf-8")
    after = NEXT + timedelta(days=1)
    issue(tmp_path, "price", after, 1)
    issue(tmp_path, "surplus", after, 2, factor=9e3)
    with caplog.at_level(logging.WARNING):
        record = night(job, after).record
    assert (record.exit_code, record.step) == (5, "hold")
    for step in ("newest", "older_issue", "fill"):
        assert any(f"step {step} " in message for message in caplog.messages), step


def test_the_look_ahead_that_is_kept_says_what_was_filled_in_it(tmp_path):
    """*Proves:* the prices of a kept look-ahead, which were a tail, stand under `filled` of the plan made of it, with
    the values of then; the label says why there is no other plan, and a message names what has not come.

    *Sensitivity:* taken over as values, they look like prices of an auction.
    """
    job = made(tmp_path, "{step: previous_plan}")
    last = read_job(job).open_store().followed("small", DAY)
    issue(tmp_path, "surplus", NEXT, 2)
    record = night(job, NEXT).record
    assert record.step == "previous_plan"
    (filled,) = plan_of(job, record)["filled"]
    assert (filled["series"], filled["first_step"], filled["steps"]) == (PRICE, 0, 24)
    then, now = case_of(job, last), case_of(job, record)
    for key in (PRICE, SURPLUS, "temperature_c"):
        assert np.array_equal(now.series[key], then.series[key][24:48])
    assert (
        "as it stands; sources.grid.price_usd_per_mwh: no file feeds/price_*.csv that goes beyond" in record.labels[0]
    )
    assert "the newest, feeds/price_20240409T1000Z.csv, issued 2024-04-09T12:00+02:00, ends at" in record.labels[0]
    assert feed_checks(job, at(-4, NEXT))["feed feeds/price_*.csv"].level.name == "WARNING"


@pytest.mark.parametrize("kind", [REPLAN, REDISPATCH])
def test_a_plan_in_force_is_not_replaced_by_a_fallback(tmp_path, kind):
    """One bad cell of tomorrow's noon, and the rest of today is planned anew.

    *Proves:* the optimal plan in force stays, exit 0, published as before; attempt and health name the cell.

    *Sensitivity:* replaced by the next step that has a plan, the plant is held at safe power for the rest of the day.
    """
    job = made(tmp_path, LADDER)
    before = read_job(job).open_store().last_published("small")
    issue(tmp_path, "surplus", NEXT, 2)
    path = issue(tmp_path, "price", NEXT, 1)
    bad_cell(path, 12, "x73.65")
    results = Intraday(Night(read_job(job), at(13.2)), kind).run()
    assert not results[0].new and results[0].record.run_id == before.run_id and exit_code(results) == 0
    store = read_job(job).open_store()
    assert store.last_published("small").run_id == before.run_id
    (message,) = store.attempts("small", 1)[0].messages
    assert message.startswith(f"revision 1 (newest) stays: {PRICE}: feeds/{path.name}:14: ") and "x73.65" in message
    assert feed_checks(job, at(13.2))["feed feeds/price_*.csv"].level.name == "WARNING"


def test_a_plan_in_force_that_breaks_what_is_known_now_is_replaced(tmp_path):
    """*Proves:* with an order that the plan in force breaks, a fallback takes its place: the older file, in which
    today's prices are right, and its tail for the look-ahead.

    *Sensitivity:* kept, the plant would draw more than the order allows.
    """
    job = made(tmp_path, LADDER)
    case = tmp_path / "case.yaml"
    order = "{name: cut, from: 2024-04-10T14:00:00+02:00, to: 2024-04-10T18:00:00+02:00, cap_mw: 1.0}"
    case.write_text(case.read_text(encoding="utf-8") + f"orders: [{order}]\n", encoding="utf-8")
    issue(tmp_path, "surplus", NEXT, 2)
    bad_cell(issue(tmp_path, "price", NEXT, 1), 12, "x73.65")
    record = Intraday(Night(read_job(job), at(12.2)), REPLAN).run()[0].record
    assert (record.exit_code, record.step, record.revision) == (5, "older_issue", 2)
    case = case_of(job, record)
    prices = case.series[PRICE]
    assert prices[:11] == pytest.approx([price(case.time.begin(t)) for t in range(11)])


def test_without_a_ladder_a_price_that_has_not_come_is_named(tmp_path):
    """*Proves:* the message says what has not come, the newest there is and where it ends.

    *Sensitivity:* asked about the years of the file, one looks for a fault that is not there.
    """
    job = made(tmp_path, "{step: older_issue}")
    issue(tmp_path, "surplus", NEXT, 2)
    with pytest.raises(BadInput, match=r"no file feeds/price_\*.csv that goes beyond 2024-04-11T00:00") as error:
        night(job, NEXT)
    assert "years of the file" not in str(error.value)


def test_a_notice_says_how_a_run_ended_once_and_names_the_feed(tmp_path, monkeypatch):
    """*Proves:* of a fallback the status stands beside the exit code, and below it step, series and file.

    *Sensitivity:* where the status is made of the exit code, the notice says it twice and names nothing.
    """
    job = made(tmp_path, LADDER)
    issue(tmp_path, "surplus", NEXT, 2)
    sent = []
    monkeypatch.setattr(afterwards, "send_notices", lambda notices, bulletin, warn: sent.append(bulletin))
    monkeypatch.setattr(cli_log, "start_log", lambda run_id, log_format: None)
    code = run_unattended(
        "nightly", job, at(-4, NEXT), "human", lambda night: night.run(NEXT), as_json=True, progress=lambda _: None
    )
    (bulletin,) = sent
    first, second, third = bulletin.text.split("\n")[:3]
    assert code == 5 and first.startswith("flexmine nightly of small: exit 5, fallback (run ")
    assert second == "2024-04-11: fallback, by step previous_plan of the ladder"
    assert f"{PRICE}: no file feeds/price_*.csv that goes beyond" in third


@pytest.mark.parametrize(("factor", "said"), [(25.0, True), (0.1, True), (3.0, False)])
def test_prices_far_from_those_of_the_days_before_are_marked(tmp_path, factor, said):
    """Prices of 41 to 64 USD/MWh, then the same times 25, as roubles are, times a tenth, or times 3.

    *Proves:* the plan is made, exit 0, and a mark with both means stands in the plan and makes health warn; a market
    may treble. *Sensitivity:* 1,300 USD/MWh lies in the band of possible prices, and nothing else would say a word.
    """
    job = made(tmp_path, LADDER)
    issue(tmp_path, "surplus", NEXT, 2)
    issue(tmp_path, "price", NEXT, 1, factor)
    record = night(job, NEXT).record
    marks = [note for note in plan_of(job, record)["notes"] if "is its unit right?" in note]
    assert (record.exit_code, bool(marks)) == (0, said)
    assert (feed_checks(job, at(-4, NEXT))["feed feeds/price_*.csv"].level.name == "WARNING") == said
    if said:
        mean = factor * np.mean([price(at(h, NEXT)) for h in range(24)])
        assert marks[0].startswith(f"{PRICE}: its mean is {mean:.4g} USD/MWh, that of the last 3 days with a feed ")


def test_an_issue_that_did_not_come_is_missed_though_the_last_reaches_far_enough(tmp_path):
    """The surplus of the evening before reaches over tomorrow and is younger than `max_age_h`.

    *Proves:* with `every_h` the plan is made as before, exit 0, and plan and health say what has not come since when.
    *Sensitivity:* without it, as in the first line, nobody hears of it before the feed is stale.
    """
    job = made(tmp_path, LADDER)
    issue(tmp_path, "surplus", DAY, 4)
    issue(tmp_path, "price", NEXT, 1)
    text, feed = job.read_text(encoding="utf-8"), 'surplus_*.csv", max_age_h: '
    for given, said in (("60, older_max_age_h: 72", False), ("60, every_h: 26, older_max_age_h: 72", True)):
        job.write_text(text.replace(f"{feed}30, older_max_age_h: 54", feed + given), encoding="utf-8")
        record = night(job, NEXT).record
        marks = [note for note in plan_of(job, record)["notes"] if "every_h" in note]
        check = feed_checks(job, at(-4, NEXT))["feed feeds/surplus_*.csv"]
        assert (record.exit_code, record.step, bool(marks)) == (0, "newest", said)
        assert (check.level.name, "one is expected every 26 h" in check.text) == ("WARNING" if said else "OK", said)
    assert marks[0].startswith(f"{SURPLUS}: nothing has come since feeds/surplus_20240409T1000Z.csv, issued")


def test_all_feeds_that_fail_are_named_and_where_hours_come_from(tmp_path):
    """Neither surplus nor prices come for tomorrow; the afternoon is planned anew from two files.

    *Proves:* the label of the fallback names both series; `show` names the older file beside the newest.
    *Sensitivity:* named alone, the first of them sends one to the wrong supplier.
    """
    job = made(tmp_path, "{step: previous_plan}")
    record = night(job, NEXT).record
    assert record.step == "previous_plan"
    assert f"; nor can {PRICE} be used" in record.labels[0] or f"; nor can {SURPLUS} be used" in record.labels[0]
    issue(tmp_path, "surplus", NEXT, 2)
    issue(tmp_path, "price", NEXT, 1)
    again = Intraday(Night(read_job(job), at(15.1)), REPLAN).run()[0].record
    lines = run_lines(again, plan_of(job, again), "-")
    (surplus,) = [line for line in lines if line.startswith(f"feed: {SURPLUS}")]
    assert "surplus_20240410T1000Z.csv" in surplus
    assert surplus.endswith("; other hours from feeds/surplus_20240409T1000Z.csv")
