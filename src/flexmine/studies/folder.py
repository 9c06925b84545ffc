"""The folder of a back-test: what is missing is run, tables and page are written."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

from flexmine.durable import write_durably
from flexmine.errors import BadInput
from flexmine.studies.backtest import Progress, Setup, run_all
from flexmine.studies.page import backtest_html
from flexmine.studies.parts import Parts
from flexmine.studies.result import Backtest
from flexmine.studies.summary import summarise


def run_backtest(
    setup: Setup,
    folder: Path,
    *,
    workers: int = 1,
    fresh: bool = False,
    parquet: bool = False,
    progress: Progress | None = None,
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
    parquet : bool
        Write every step of all policies as steps.parquet, too.
    progress : callable, optional

    Raises
    ------
    BadInput
        The folder holds something else, a worker died, or Parquet is asked for and its package is not installed.
    """
    if parquet and find_spec("pyarrow") is None:
        raise BadInput("Parquet needs a further package: pip install 'flexmine[parquet]'")
    parts = Parts.opened(folder, setup.digest, fresh=fresh)
    runs = tuple(run_all(setup, parts, workers, progress))
    found = Backtest(setup, runs, summarise(runs, setup.case.time.step_h))
    tables = {"summary.csv": found.totals, "months.csv": found.by_month, "seeds.csv": found.summary.by_seed}
    for name, table in tables.items():
        write_durably(folder / name, table.to_csv(index=False, lineterminator="\n").encode())
    if parquet:
        steps = io.BytesIO()
        found.steps.to_parquet(steps, index=False)
        write_durably(folder / "steps.parquet", steps.getvalue())
    write_durably(folder / "backtest.html", backtest_html(found).encode())
    return found
