"""A plan whose schedule is given, not searched for: replayed, audited and priced like any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from flexmine.assembly import assemble
from flexmine.audit.replay import replay_rounded
from flexmine.errors import NoPlan, Status, first_of
from flexmine.inputs.case import Case
from flexmine.problem import Problem
from flexmine.problem.schedule import Schedule
from flexmine.solving.engine import proven
from flexmine.workflow.build import Decided, build_plan, options_of
from flexmine.workflow.document import MONEY_DECIMALS
from flexmine.workflow.plan import Plan

SHOWN = 5


def plan_given(case: Case, engine: str, schedule_of: Callable[[Problem], Schedule]) -> Plan:
    """Return the plan of a case whose schedule is decided elsewhere.

    Its bound is one that needs no solver, see :func:`bound_usd_of`; so its gap says little, and its status is
    ``fallback``.

    Parameters
    ----------
    case : Case
        From :func:`flexmine.load_case`.
    engine : str
        Who decides, as the plan names it.
    schedule_of : callable
        From the problem of the case to the schedule.

    Raises
    ------
    NoPlan
        The schedule breaks a hard limit; the limits are named.
    """
    assembly = assemble(case)
    problem, options = assembly.problem, options_of(case)
    schedule = schedule_of(problem)
    audit = replay_rounded(problem, schedule)
    if audit.violations:
        raise NoPlan(first_of([f"it breaks a limit: {v.message}" for v in audit.violations], SHOWN, "more limits"))
    # As they are written, so that a large gap follows from both.
    money_usd = round(audit.money_usd, MONEY_DECIMALS)
    bound_usd = max(money_usd, round(bound_usd_of(problem), MONEY_DECIMALS))
    proof = replace(proven(money_usd, bound_usd, options.gap), status=Status.FALLBACK)
    return build_plan(case, assembly, options, Decided(problem, schedule, audit, proof, engine))


def bound_usd_of(problem: Problem) -> float:
    r"""Return an upper bound of the money that needs no solver: every step by itself, at its cheapest price [USD].

    Notes
    -----
    With the cheapest price :math:`\pi_t` on offer in a step, energy costs at least :math:`\pi_t`
    times the power, so that

    .. math:: \sum_t \Delta \Bigl(\sum_k N_k \max\{\max_s (v_t H_s - \pi_t a_t P_s),\; -\pi_t b_t\} - \pi_t B_t\Bigr)

    is never exceeded; starts cost more.  Where taking power is paid for, preheat may earn as much as the cap lets in.
    A new term that may bring money has to be counted here, too.
    """
    offers = [np.where(s.available_mw > 0.0, s.price_usd_per_mwh, np.inf) for s in problem.sources]
    price = np.min(offers, axis=0)
    price = np.where(np.isfinite(price), price, 0.0)
    total = -price * problem.site.base_load_mw + np.maximum(0.0, -price) * problem.site.cap_mw
    for k in problem.classes:
        hash_usd = k.hash_value_usd_per_th_s_h * k.hash_rate_th_s[:, None]
        running = hash_usd - price * k.overhead * k.it_power_mw[:, None]
        total = total + k.count * np.maximum(running.max(axis=0), -price * k.standby_mw)
    terminal_usd = sum(max(0.0, k.terminal_on_usd) * k.count for k in problem.classes)
    return float(total.sum()) * problem.time.step_h + terminal_usd
