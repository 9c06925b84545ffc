"""How fast one container may change its power: it starts and stops at its lowest, and ramps in between."""

from __future__ import annotations

import pyomo.core as pe

from flexmine.milp.pyomo_types import Model, Row, Term
from flexmine.milp.variables import Classes


def container_ramps(m: pe.ConcreteModel, classes: Classes) -> None:
    """Add the rows of all classes whose containers have a ramp."""
    start_and_stop_power(m, classes)
    ramp_between_steps(m, classes)


def start_and_stop_power(m: pe.ConcreteModel, classes: Classes) -> None:
    r"""In the step of its start, and in the last one before a stop, a container is at its lowest power.

    .. math::
        q_{k,s,t} \le w_{k,s,t}\,(n_{k,t} - y_{k,t} - z_{k,t+1}) \quad U_k \ge 2 \\
        q_{k,s,t} \le w_{k,s,t}\,(n_{k,t} - y_{k,t}), \quad
        q_{k,s,t} \le w_{k,s,t}\,(n_{k,t} - z_{k,t+1}) \quad U_k = 1

    Exact on counts, with y and z integer, where the ramp is at least the range: then nothing else ties the power of a
    container to the step before.  Where a container may run for one step alone, those that stop are best those that
    have just started, so that the larger of both counts is held.
    Source: Morales-Espana, Latorre and Ramos (2013).
    """
    ramped = {k: c for k, c in classes.items() if c.ramp is not None}
    last = max(m.T)
    segments = [(k, s) for k, s in m.KS if k in ramped]
    both = [(k, s, t) for k, s in segments if ramped[k].U >= 2 for t in m.T]
    short = [(k, s, t) for k, s in segments if ramped[k].U == 1 for t in m.T]

    def stopping(m: Model, k: str, t: int) -> Term:
        return m.z[k, t + 1] if t < last else 0

    def held(m: Model, k: str, s: int, t: int) -> Row:
        return m.q[k, s, t] <= m.width[k, s, t] * (m.n[k, t] - m.y[k, t] - stopping(m, k, t))

    def started(m: Model, k: str, s: int, t: int) -> Row:
        return m.q[k, s, t] <= m.width[k, s, t] * (m.n[k, t] - m.y[k, t])

    def stopped(m: Model, k: str, s: int, t: int) -> Row:
        return m.q[k, s, t] <= m.width[k, s, t] * (m.n[k, t] - stopping(m, k, t))

    m.start_and_stop_power = pe.Constraint(both, rule=held)
    m.start_power = pe.Constraint(short, rule=started)
    m.stop_power = pe.Constraint(short, rule=stopped)


def ramp_between_steps(m: pe.ConcreteModel, classes: Classes) -> None:
    r"""While it runs, a container's IT power changes by at most r; for classes of one container.

    .. math::
        Q_t - Q_{t-1} &\le (r - P0_t + P0_{t-1})\,(n_t - y_t) \\
        Q_{t-1} - Q_t &\le (r + P0_t - P0_{t-1})\,(n_t - y_t)

    Q = sum of q : IT power above the minimum [MW];  n - y : the container ran in the step before, too.  Into step 0
    the power before it counts, where it is known.  Summed over several containers these rows are wrong: one could
    rise for the other.
    """
    slow = {k: c for k, c in classes.items() if c.slow_ramp}
    steps = [(k, t) for k, c in slow.items() for t in m.T if t > 0 or c.power_before is not None]

    def above(m: Model, k: str, t: int) -> Term:
        return sum(m.q[k, s, t] for s in range(len(slow[k].w))) if t >= 0 else 0.0

    def floor_rise(m: Model, k: str, t: int) -> Term:
        # Before the horizon nothing is decided: all of the power before it counts as the floor.
        return m.P0[k, t] - (m.P0[k, t - 1] if t > 0 else m.P_before[k])

    def up(m: Model, k: str, t: int) -> Row:
        room = m.r_slow[k] - floor_rise(m, k, t)
        return above(m, k, t) - above(m, k, t - 1) <= room * (m.n[k, t] - m.y[k, t])

    def down(m: Model, k: str, t: int) -> Row:
        room = m.r_slow[k] + floor_rise(m, k, t)
        return above(m, k, t - 1) - above(m, k, t) <= room * (m.n[k, t] - m.y[k, t])

    m.container_ramp_up = pe.Constraint(steps, rule=up)
    m.container_ramp_down = pe.Constraint(steps, rule=down)
