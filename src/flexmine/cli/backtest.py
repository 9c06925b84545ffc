"""``flexmine backtest``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from flexmine.cli.common import put, say, with_errors


@click.command("backtest", short_help="What plans would have earned, beside simple rules.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write [default: backtests/NAME].")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes side by side.")
@click.option("--parquet", is_flag=True, help="Write all steps of all policies as steps.parquet, too.")
@click.option("--fresh", is_flag=True, help="Begin anew, whatever the folder holds of it.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no summary on stderr.")
@with_errors
def backtest_command(*, file: Path, out: Path | None, workers: int, parquet: bool, fresh: bool, quiet: bool) -> int:
    """Take policies through the days of FILE, with forecasts as they were known.

    FILE is a back-test in YAML or the name of a shipped one: bratsk-year, which takes some minutes.

    Each step is settled against what came true.  The folder holds summary.csv, months.csv, a CSV of all steps for each
    policy and seed, and backtest.html.  What is finished is kept: run it again to go on.

    Exit codes: 0 done, 2 bad input, 3 no plan keeps all limits of these days (perfect), 6 none was found in time.
    """
    from flexmine.studies.backtest import read_backtest
    from flexmine.studies.folder import run_backtest
    from flexmine.studies.words import summary_lines

    setup = read_backtest(file)
    target = out or Path("backtests") / setup.document.name
    tell = None if quiet else _Progress(len(setup.tasks))
    result = run_backtest(setup, target, workers=workers, fresh=fresh, parquet=parquet, progress=tell)
    if not quiet:
        say(*summary_lines(result))
    put(str(target / "backtest.html"))
    return 0


class _Progress:
    """A line whenever a part is finished, and in between at most every ten seconds, with what is left as estimated."""

    EVERY_S = 10.0

    def __init__(self, parts: int):
        self.parts, self.done, self.begun = parts, 0, time.monotonic()
        self.told = self.part_begun = self.begun

    def __call__(self, policy: str, seed: int, days: int, of: int) -> None:
        now, finished = time.monotonic(), days == of
        if not finished and now - self.told < self.EVERY_S:
            return
        self.told = now
        # What is under way goes on at its own pace, and others take as long as those so far.
        of_part = (now - self.part_begun) * of / days
        if finished:
            self.done, self.part_begun = self.done + 1, now
        mean = ((self.part_begun - self.begun) + (0.0 if finished else of_part)) / (self.done + (not finished))
        rest = 0.0 if finished else of_part * (1.0 - days / of)
        left = rest + mean * (self.parts - self.done - (not finished))
        say(f"{policy}, seed {seed}: {days} of {of} days; {self.done} of {self.parts} parts; about {left:.0f} s left")
