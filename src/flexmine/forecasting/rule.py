"""Which model is taken where none is named: by the length of the history, and in between by a test on the site itself.

In trials on five open series a regression on less than 30 days was worse than persistence.  From 180 days on, the mean
of the linear one and of gradient boosting was better on prices; on surplus and temperature the mean of both with
persistence is what is least often worse (benchmarks/RESULTS.md).  In between it depends on the site, so the last 30
issues decide.
"""

from __future__ import annotations

from flexmine.forecasting.rolling import LEAST_FIT_DAYS, Issues, Rolled
from flexmine.forecasting.scores import block_interval, by_day

SURE_DAYS = 180
TEST_ISSUES = 30


def candidate(kind: str) -> str:
    """Return the regression that is the default for a series of `kind`, ``price`` or another, on a long history."""
    return "lin+gbm" if kind == "price" else "all3"


def models_to_try(issues: Issues, kind: str, row: int) -> tuple[tuple[str, ...], str]:
    """Return the models that the rule needs forecasts of at an issue, and why those.

    Parameters
    ----------
    issues : Issues
    kind : str
    row : int
        Day of issue: as many days of history lie before it.
    """
    best = candidate(kind)
    if row >= SURE_DAYS:
        return (best,), f"{row} days of history; from {SURE_DAYS} days on {best} is the default for a {kind}"
    if row < LEAST_FIT_DAYS:
        return ("persistence",), f"{row} days of history; below {LEAST_FIT_DAYS} days no regression beats persistence"
    needed = LEAST_FIT_DAYS + issues.warm_up
    if row < needed:
        return ("persistence",), f"{row} days of history; a test on the site's own days needs {needed}"
    return ("persistence", best), f"{row} days of history"


def choose(issues: Issues, made: dict[str, Rolled], why: str, row: int) -> tuple[str, str]:
    """Return the model to take of those that were tried, and why.

    Parameters
    ----------
    issues : Issues
    made : dict of Rolled
        Of the models of :func:`models_to_try`.
    why : str
    row : int
    """
    if len(made) == 1:
        return next(iter(made)), why
    reference, best = made
    base, other = (by_day(issues, made[name], _settled_rows(issues, row)) for name in (reference, best))
    both = base.merge(other, on=["lead", "target"], suffixes=("", "_best"))
    # The leads of one target day are wrong together: they count as one day.
    days = both.groupby("target")[["mae", "mae_best"]].mean()
    mean, difference = float(days["mae"].mean()), (days["mae_best"] - days["mae"]).to_numpy()
    low, high = block_interval(difference)
    if not high < 0.0:  # also where the days are too few for an interval
        by = f": MAE {difference.mean() / mean:+.0%}" if mean > 0.0 else ""
        return reference, f"{why}; on the last {TEST_ISSUES} settled issues {best} was not surely better{by}"
    told = f"{difference.mean() / mean:+.0%} [{low / mean:+.0%}, {high / mean:+.0%}]"
    return best, f"{why}; on the last {TEST_ISSUES} settled issues its MAE was {told} against persistence"


def _settled_rows(issues: Issues, row: int) -> list[range]:
    """Return of each lead the last issues whose target days were known whole."""
    return [range(max(0, lags.settled(row) - TEST_ISSUES), lags.settled(row)) for lags in issues.lags]
