"""The result of a back-test."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from flexmine.studies.backtest import Setup
from flexmine.studies.run import Run
from flexmine.studies.summary import Summary


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
    def steps(self) -> pd.DataFrame:
        """Every step of every policy and seed."""
        parts = (run.steps.assign(policy=run.policy, seed=run.seed) for run in self.runs)
        return pd.concat(parts, ignore_index=True)

    @property
    def by_month(self) -> pd.DataFrame:
        """The same by month."""
        return self.summary.months
