"""The smoothed linear quantile regression against the exact linear program."""

import numpy as np
import pytest
from scipy.optimize import linprog

from flexmine.forecasting.learned import RIDGE, SMOOTH, linear_quantile


def exact(x, y, level):
    """Return coefficients and mean pinball loss of the exact quantile regression: y = xb + u - v, u and v >= 0."""
    n, k = x.shape
    cost = np.concatenate([np.zeros(k), np.full(n, level / n), np.full(n, (1 - level) / n)])
    equal = np.hstack([x, np.eye(n), -np.eye(n)])
    done = linprog(cost, A_eq=equal, b_eq=y, bounds=[(None, None)] * k + [(0, None)] * (2 * n))
    assert done.status == 0
    return done.x[:k], done.fun


@pytest.mark.parametrize("seed", range(300))
def test_against_the_linear_program(seed):
    """Rows 20 to 80, columns 1 to 5, with heavy tails, ties and any level.

    The smoothed loss is above the pinball loss by at most eps / 4, so the pinball loss of its optimum is above the
    exact one by at most eps / 4 and what the ridge costs at the exact coefficients.

    *Proves:* the fit is that of the pinball loss within the width of the rounded corner.
    *Sensitivity:* the level mistaken for its complement is off by some 0.1 at 0.1 and 0.9; least squares by more.
    """
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(20, 80)), int(rng.integers(1, 6))
    x = np.hstack([np.ones((n, 1)), rng.normal(size=(n, k - 1))])
    y = x @ rng.normal(size=k) + rng.standard_t(3, n)
    if seed % 3 == 0:
        y = np.round(y)
    y = y / y.std()
    level = float(rng.choice([0.1, 0.3, 0.5, 0.7, 0.9]))
    best, least = exact(x, y, level)
    r = y - x @ linear_quantile(x, y, level)
    loss = np.maximum(level * r, (level - 1) * r).mean()
    assert least - 1e-9 <= loss <= least + SMOOTH / 4 + RIDGE * best @ best + 1e-5
