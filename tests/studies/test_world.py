"""The problem of any window of many days."""

import numpy as np
import pytest

from flexmine.studies.backtest import read_backtest
from years import write_backtest

HALVING, BLOCKS_A_DAY = 840_000, 144


def test_the_height_of_the_chain_goes_on_through_the_windows(tmp_path):
    """The case states a height at its own start, 1 January, so that the halving falls on 29 March: the fourth day.

    *Proves:* a hash earns the old subsidy in windows before that day and the new one in those after it.
    *Sensitivity:* the height of 1 January at the beginning of each window would put the halving off for ever.
    """
    file = write_backtest(tmp_path)
    case = tmp_path / "case.yaml"
    height = HALVING - 88 * BLOCKS_A_DAY
    case.write_text(case.read_text().replace("subsidy_btc: 3.125", f"block_height: {height}"), encoding="utf-8")
    setup = read_backtest(file)
    world = setup.world(1)
    value = {
        day: world.truth(world.days[day][0], 20, setup.case.document.state).problem.classes[0].hash_value_usd_per_th_s_h
        for day in (1, 4)
    }
    assert np.ptp(value[1]) == 0.0 and np.ptp(value[4]) == 0.0
    assert value[1][0] / value[4][0] == pytest.approx((6.25 + 0.05) / (3.125 + 0.05))
