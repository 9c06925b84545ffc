"""The folder of a back-test: what is missing is run, tables and page are written."""

from __future__ import annotations

from pathlib import Path

from flexmine.durable import write_durably
from flexmine.studies.backtest import Progress, Setup, run_all
from flexmine.studies.page import backtest_html
from flexmine.studies.parts import Parts
from flexmine.studies.result import Backtest
from flexmine.studies.summary import summarise


def run_backtest(
    setup: Setup, folder: Path, *, workers: int = 1, fresh: bool = False, progress: Progress | None = None
) -> Backtest:
    """Run what is missing of a back-test, and write its tables and its page into `folder`.

    Parameters
    ----------
    setup : Setup
    folder : Path
    workers : int
        Processes side by side; the result does not depend on it.
    fresh : bool
        Begin anew, whatever the folder holds of it.
    progress : callable, optional

    Raises
    ------
    BadInput
        The folder holds something else, or a worker died.
    """
    parts = Parts.opened(folder, setup.digest, fresh=fresh)
    runs = tuple(run_all(setup, parts, workers, progress))
    found = Backtest(setup, runs, summarise(runs, setup.case.time.step_h))
    tables = {"summary.csv": found.totals, "months.csv": found.by_month, "seeds.csv": found.summary.by_seed}
    for name, table in tables.items():
        write_durably(folder / name, table.to_csv(index=False, lineterminator="\n").encode())
    write_durably(folder / "backtest.html", backtest_html(found).encode())
    return found
