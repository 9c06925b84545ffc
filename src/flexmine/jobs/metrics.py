"""The figures of a plant as a text file that Prometheus' node exporter collects; written whole, by a rename."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from flexmine.errors import BadInput
from flexmine.jobs.health import Health
from flexmine.places import check_file

MEANING = {
    "health": "0 ok, 1 warning, 2 critical, as flexmine health",
    "feed_size_bytes": "Size of the newest issue of a feed",
    "disk_free_bytes": "Room where the runs are kept",
    "folders_writable": "1 where the folders of runs and publications could be written, 0 where one could not",
    "database_writable": "1 where the database could be written, 0 where it could not",
    "clock_behind_seconds": "How far the last publication, or the end of the last run, lies after now; right is 0",
    "plan_sequence": "Number of the current publication",
    "plan_published_timestamp_seconds": "When the current plan was published",
    "plan_valid_until_timestamp_seconds": "When the current plan ends",
    "plan_fallback": "1 where the current plan was made by a fallback",
    "plan_money_usd": "Money of the published part of the newest stored plan",
    "plan_gap": "Proven gap of the newest stored plan",
    "last_run_exit_code": "Exit code of the last run",
    "last_run_timestamp_seconds": "When the last run ended",
    "runs_without_plan": "Runs in a row, the last one backwards, that brought no plan",
    "feed_issued_timestamp_seconds": "When the newest issue of a feed was issued",
    "feed_max_age_seconds": "How old an issue of a feed may be",
    "pins_in_force": "Pins of operators that hold now",
}


def write_metrics(found: Health, path: Path) -> None:
    """Write the figures of a plant to the text file `path`.

    Raises
    ------
    BadInput
        The place cannot be written.
    """
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for name, labels, value in found.figures:
        if name not in gauges:
            gauges[name] = Gauge(f"flexmine_{name}", MEANING[name], ["plant", *labels], registry=registry)
        gauges[name].labels(plant=found.plant, **labels).set(value)
    place = check_file(path)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(place), registry)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror or error}") from error
