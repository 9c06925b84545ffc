"""The log of a run: every line with the run's id, for people or as JSON for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from flexmine.errors import on_one_line


class _Json(logging.Formatter):
    def __init__(self, run_id: str):
        super().__init__()
        self.run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "run_id": self.run_id,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _Human(logging.Formatter):
    def __init__(self, run_id: str):
        super().__init__()
        self.run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        # On a terminal a progress line may stand here; the log begins at its beginning.
        begin = "\r\x1b[K" if sys.stderr.isatty() else ""
        text = f"{begin}{_time(record)} {self.run_id} {record.levelname.lower()}: {on_one_line(record.getMessage())}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def start_log(run_id: str, style: str) -> None:
    """Log what flexmine reports to stderr, each line with `run_id`; `style` is ``human`` or ``json``."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Json(run_id) if style == "json" else _Human(run_id))
    logger = logging.getLogger("flexmine")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
