"""The result of a back-test, and its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flexmine.durable import write_durably
from flexmine.studies.backtest import Progress, Setup, run_all
from flexmine.studies.parts import Parts
from flexmine.studies.run import Run
from flexmine.studies.summary import Summary, summarise


@dataclass(frozen=True)
class Backtest:
    """What a back-test found.

    Attributes
    ----------
    setup : Setup
        What was run.
    runs : tuple of Run
        One for each policy and seed, step by step.
    summary : Summary
    """

    setup: Setup
    runs: tuple[Run, ...]
    summary: Summary

    @property
    def totals(self) -> pd.DataFrame:
        """A row for each policy: money by term, energy, starts, hash, what was captured."""
        return self.summary.totals

    @property
    def by_month(self) -> pd.DataFrame:
        """The same by month."""
        return self.summary.months


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
    from flexmine.studies.page import backtest_html

    parts = Parts.opened(folder, setup.digest, fresh=fresh)
    runs = tuple(run_all(setup, parts, workers, progress))
    found = Backtest(setup, runs, summarise(runs, setup.case.time.step_h))
    tables = {"summary.csv": found.totals, "months.csv": found.by_month, "seeds.csv": found.summary.by_seed}
    for name, table in tables.items():
        write_durably(folder / name, table.to_csv(index=False, lineterminator="\n").encode())
    write_durably(folder / "backtest.html", backtest_html(found).encode())
    return found
