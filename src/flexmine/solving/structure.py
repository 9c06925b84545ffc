"""Which parts of a Problem decide about rows and columns, and which are only numbers in them.

Fields named in `NUMBERS` reach the matrix as parameters of the model alone.  Everything else counts as structure: a
field that is added later and forgotten here causes more compiles, never a wrong one.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from flexmine.milp.class_data import ClassData, StopCohort, Tier
from flexmine.milp.variables import Classes
from flexmine.problem import ContainerClass, Group, History, Problem, Site, Source, StartTerms, TimeAxis

NUMBERS: dict[type, frozenset[str]] = {
    ClassData: frozenset(
        (
            *("history", "N", "P0", "H0", "w", "g", "a", "sb", "v", "cw", "cc", "e", "terminal", "starts_left"),
            *("ramp", "power_before"),
        )
    ),
    StopCohort: frozenset(("count",)),
    Tier: frozenset(("cost", "e")),
    History: frozenset(("count",)),
    StartTerms: frozenset(("warm_cost_usd", "cold_cost_usd", "warm_off_steps", "cold_energy_mwh")),
    Site: frozenset(
        ("cap_mw", "base_load_mw", "minimum_mw", "ramp_up_mw_per_step", "ramp_down_mw_per_step", "initial_mw")
    ),
    Group: frozenset(("cap_mw",)),
    Source: frozenset(("available_mw", "price_usd_per_mwh")),
    ContainerClass: frozenset(
        (
            *("count", "it_power_mw", "hash_rate_th_s", "max_it_power_mw", "min_it_power_mw", "overhead"),
            *("standby_mw", "hash_value_usd_per_th_s_h", "start", "available", "must_run", "committed"),
            *("history", "terminal_on_usd", "container_ramp_mw_per_step"),
        )
    ),
}
# Names, what no row and no price knows, and what counts only where something else is there, see `structure_of`.
BESIDE: dict[type, frozenset[str]] = {
    ClassData: frozenset(("containers", "cohorts", "day")),
    Site: frozenset(("rounding_reserve_mw", "day_of_step")),
    Source: frozenset(("carbon_g_per_kwh", "headroom_mw")),
    ContainerClass: frozenset(("containers", "miners")),
    TimeAxis: frozenset(("start", "zone")),
    Problem: frozenset(("warnings",)),
}
DISTURBED_BY = 0.1


def structure_of(p: Problem, classes: Classes) -> Hashable:
    """Return what two Problems must have in common for their matrices to differ in numbers only."""
    patterns = (
        tuple((g.must_run > 0).tobytes() for g in p.classes),
        tuple(g.committed is None for g in p.classes),
        (p.site.minimum_mw > 0).tobytes(),
        (p.site.ramp_up_mw_per_step is None, p.site.ramp_down_mw_per_step is None),
        # Days matter to limits of starts alone; else a window that begins an hour later is of the same structure.
        tuple(k.day for k in classes.values() if k.layered or k.starts_left is not None),
    )
    return patterns, _key(p), tuple((_key(k), _windows(k)) for k in classes.values())


def _windows(k: ClassData) -> Hashable:
    """Return who may start when; where starts are not tied to stops, how far a stop may reach is all of it."""
    tied, draws = not k.pooled, (k.cold_energy, *(tier.draws for tier in k.tiers))
    cohorts = tuple((c.used, c.step, c.earliest, c.last_warm, c.last_of_tier) for c in k.cohorts)
    ramp = (k.ramp is None, k.power_before is None)
    return tied, draws, ramp, len(k.w), tuple(k.starts_left or ()), cohorts if tied else k.fresh_within


def _key(value: Any) -> Hashable:
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if is_dataclass(value) and not isinstance(value, type):
        known = NUMBERS.get(type(value), frozenset()) | BESIDE.get(type(value), frozenset())
        return tuple((f.name, _key(getattr(value, f.name))) for f in fields(value) if f.name not in known)
    if isinstance(value, tuple | list):
        return tuple(_key(member) for member in value)
    if isinstance(value, dict):
        return tuple((key, _key(member)) for key, member in value.items())
    number: Hashable = value
    return number


def disturbed(value: Any, rng: np.random.Generator) -> Any:
    """Return a Problem, or classes of the model, of the same structure in which every number is another one.

    What is zero stays zero, because zeros are not in a matrix.
    """
    if is_dataclass(value) and not isinstance(value, type):
        numbers = NUMBERS.get(type(value), frozenset())
        changed = {
            f.name: _other(getattr(value, f.name), rng) if f.name in numbers else disturbed(getattr(value, f.name), rng)
            for f in fields(value)
        }
        return replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(disturbed(member, rng) for member in value)
    if isinstance(value, dict):
        return {key: disturbed(member, rng) for key, member in value.items()}
    return value


def _other(number: Any, rng: np.random.Generator) -> Any:
    """Return other numbers of the same kind, which are zero where these are."""
    if is_dataclass(number):
        return disturbed(number, rng)
    if isinstance(number, tuple):
        return tuple(_other(member, rng) for member in number)
    if isinstance(number, dict):
        return {key: _other(member, rng) for key, member in number.items()}
    if number is None:
        return None
    if np.asarray(number).dtype.kind == "i":
        return number + (number > 0)
    return number * (1 + DISTURBED_BY * rng.random(np.shape(number)))
