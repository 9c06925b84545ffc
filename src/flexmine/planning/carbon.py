"""The carbon of a plan: by hour, location-based, per TH and per BTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flexmine.audit.replay import Replay
from flexmine.physics.carbon import avoided_spill_mwh, location_based_kg
from flexmine.problem import Floats, Problem
from flexmine.problem.schedule import Schedule

SECONDS_PER_H = 3600.0


@dataclass(frozen=True)
class CarbonAccount:
    """Emissions of the power taken; nothing is claimed to be avoided.

    Attributes
    ----------
    kg_by_step : ndarray, shape (T,) or None
        Location-based [kg CO2e]; None where a source has no intensity.
    avoided_spill_mwh_by_step : ndarray, shape (T,) or None
        Surplus taken within the room of the turbines [MWh]; None where no surplus states its room.
    hash_th_by_step : ndarray, shape (T,)
        Work done [TH].
    btc_by_step : ndarray, shape (T,)
        Expected to be mined by it, before fees of pool and firmware [BTC].
    missing : tuple of str
        What the case does not say, in words.
    """

    kg_by_step: Floats | None
    avoided_spill_mwh_by_step: Floats | None
    hash_th_by_step: Floats
    btc_by_step: Floats
    missing: tuple[str, ...]

    def document(self, steps: int) -> dict[str, Any]:
        """Return totals of the first `steps` steps, and the emissions by step."""
        span = slice(0, steps)
        hash_th, btc = float(self.hash_th_by_step[span].sum()), float(self.btc_by_step[span].sum())
        kg = None if self.kg_by_step is None else float(self.kg_by_step[span].sum())
        spill = self.avoided_spill_mwh_by_step
        return {
            "method": "location-based; no avoided emissions are claimed",
            "kg_co2e": None if kg is None else round(kg, 3),
            "g_per_th": None if kg is None or hash_th == 0 else float(f"{1000 * kg / hash_th:.6g}"),
            "g_per_btc": None if kg is None or btc == 0 else round(1000 * kg / btc, 0),
            "btc_expected": round(btc, 8),
            "avoided_spill_mwh": None if spill is None else round(float(spill[span].sum()), 6),
            "kg_co2e_by_step": None if self.kg_by_step is None else [round(float(x), 3) for x in self.kg_by_step[span]],
            "missing": list(self.missing),
        }


def carbon_account(problem: Problem, schedule: Schedule, replay: Replay, btc_per_th_s_h: Floats) -> CarbonAccount:
    """Return the carbon of a schedule.

    Parameters
    ----------
    problem : Problem
    schedule : Schedule
    replay : Replay
    btc_per_th_s_h : ndarray, shape (T,)
        Bitcoin that a hash rate is expected to mine [BTC per TH/s per h].
    """
    step_h = problem.time.step_h
    missing = [f"source {s.name} has no carbon_g_per_kwh" for s in problem.sources if s.carbon_g_per_kwh is None]
    kg = None
    if not missing:
        intensity = np.array([s.carbon_g_per_kwh for s in problem.sources])
        kg = location_based_kg(np.maximum(schedule.supply_mw, 0.0), intensity, step_h)
    spill: Floats | None = None
    for j, s in enumerate(problem.sources):
        if s.kind != "surplus":
            continue
        if s.headroom_mw is None:
            missing.append(f"source {s.name} states no room in the turbines, so none of it counts as avoided spill")
            continue
        avoided = avoided_spill_mwh(np.maximum(schedule.supply_mw[j], 0.0), s.headroom_mw, step_h)
        spill = avoided if spill is None else spill + avoided
    rate_th_s = replay.hash_rate_th_s.sum(axis=0)
    return CarbonAccount(
        kg_by_step=kg,
        avoided_spill_mwh_by_step=spill,
        hash_th_by_step=rate_th_s * step_h * SECONDS_PER_H,
        btc_by_step=rate_th_s * step_h * btc_per_th_s_h,
        missing=tuple(missing),
    )
