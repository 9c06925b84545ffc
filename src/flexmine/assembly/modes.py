"""The mode curve of a container model: as written, or the envelope of what its miners can do."""

from __future__ import annotations

import numpy as np

from flexmine.errors import BadInput
from flexmine.inputs.equipment import ContainerDocument
from flexmine.physics.mode_envelope import mode_envelope
from flexmine.problem import Floats, Miners

CURVE_SLACK = 1e-3
"""Relative difference that is allowed between a written curve and what the presets beside it give."""
POWER_SLACK_MW = 1e-6


def miners(document: ContainerDocument) -> Miners | None:
    """Return the miners of one container, None where the file gives no presets."""
    given = document.miners
    if not given.presets:
        return None
    return Miners(
        count=given.count,
        presets=tuple((p.power_w, p.hash_rate_th_s) for p in given.presets),
        sleep_w=given.sleep_w,
        fixed_mw=given.fixed_mw,
    )


def mode_curve(document: ContainerDocument) -> tuple[Floats, Floats]:
    """Return the breakpoints of one container's mode curve: IT power [MW] and hash rate [TH/s], shape (S + 1,).

    Raises
    ------
    BadInput
        Where the miners cannot run at the minimum power, or modes and presets contradict each other.
    """
    minimum_mw = document.miners.minimum_power_mw
    if minimum_mw is not None:
        try:
            return _envelope(document, minimum_mw)
        except ValueError as error:
            raise BadInput(f"{document.name}: miners.minimum_power_mw: {error}") from error
    power = np.array([m.it_power_mw for m in document.modes])
    rate = np.array([m.hash_rate_th_s for m in document.modes])
    if document.miners.presets:
        _check_agreement(document, power, rate)
    return power, rate


def _envelope(document: ContainerDocument, minimum_mw: float) -> tuple[Floats, Floats]:
    given = document.miners
    return mode_envelope(
        [p.power_w for p in given.presets],
        [p.hash_rate_th_s for p in given.presets],
        count=given.count,
        sleep_w=given.sleep_w,
        fixed_mw=given.fixed_mw,
        minimum_power_mw=minimum_mw,
    )


def _check_agreement(document: ContainerDocument, power: Floats, rate: Floats) -> None:
    """Refuse a curve that whole miners at the presets beside it do not give: rounding would miss what was planned."""
    try:
        mix_power, mix_rate = _envelope(document, float(power[0]))
    except ValueError as error:
        raise BadInput(f"{document.name}: modes and miners.presets contradict each other: {error}") from error
    if power[-1] > mix_power[-1] + POWER_SLACK_MW:
        raise BadInput(
            f"{document.name}: modes and miners.presets contradict each other: the highest mode draws "
            f"{power[-1]:g} MW, all miners at their highest preset {mix_power[-1]:.6g} MW"
        )
    inside = mix_power[(mix_power >= power[0]) & (mix_power <= power[-1])]
    for p in np.union1d(power[power >= mix_power[0]], inside):
        written, mixed = float(np.interp(p, power, rate)), float(np.interp(p, mix_power, mix_rate))
        if abs(written - mixed) > CURVE_SLACK * mixed:
            raise BadInput(
                f"{document.name}: modes and miners.presets contradict each other: at {p:g} MW the modes give "
                f"{written:.0f} TH/s, the best mix of the presets {mixed:.0f} TH/s. Leave modes out and give "
                f"miners.minimum_power_mw, or leave the presets out"
            )
