"""Carbon by hour, location-based: what the power taken emits; nothing is claimed to be avoided."""

from __future__ import annotations

import altair as alt
import numpy as np

from flexmine.planning.carbon import CarbonAccount
from flexmine.problem import Floats
from flexmine.report.charts import (
    Clock,
    Figure,
    Panel,
    Row,
    Table,
    hover,
    mw_axis,
    scale_from_zero,
    specification,
    values,
)
from flexmine.report.day import ordered_sources
from flexmine.report.palette import THIN, energy, number, percent
from flexmine.workflow.plan import Plan

KG_PER_T = 1000.0
NOTHING_KG = 0.05


def carbon_figure(plan: Plan) -> Figure | None:
    """Return the figure of the carbon; None where the plan holds no account of it."""
    account = plan.carbon
    if account is None:
        return None
    clock = Clock(plan)
    title = _title(plan, account)
    drawn = account.kg_by_step is not None and bool((account.kg_by_step > NOTHING_KG).any())
    return Figure(
        key="carbon",
        title=title,
        panels=(_panel(plan, clock),) if drawn else (),
        description=f"Emissions of the power taken, by step and source. {title}. The table below holds the numbers.",
        source="Source: the energy of each source times its location-based intensity; no avoided emissions are "
        "claimed. g per BTC: of what the hash rate is expected to mine, before fees of pool and firmware.",
        table=_table(plan, account, clock),
        notes=_notes(plan, account),
    )


def source_kg(plan: Plan) -> Floats:
    """Return emissions by source and step, shape (sources, T) [kg CO2e]; 1 MWh at 1 g/kWh emits 1 kg."""
    step_h = plan.problem.time.step_h
    none = np.full(plan.problem.steps, np.nan)
    intensity = [none if s.carbon_g_per_kwh is None else s.carbon_g_per_kwh for s in plan.problem.sources]
    return np.asarray(np.array(intensity) * np.maximum(plan.schedule.supply_mw, 0.0) * step_h)


def _title(plan: Plan, account: CarbonAccount) -> str:
    if account.kg_by_step is None:
        return "The carbon of the power is not known"
    part = slice(0, plan.publish_steps)
    total = float(account.kg_by_step[part].sum())
    if total < NOTHING_KG:
        return "The power taken emits no CO₂e, location-based"
    by_source = source_kg(plan)[:, part].sum(axis=1)
    most = int(np.argmax(by_source))
    share = float(by_source[most]) / total
    whose = "all of it" if share > 0.9995 else f"{percent(share)} of it"
    return f"The power taken emits {mass(total)}, location-based; {whose} from {plan.problem.sources[most].name}"


def mass(kg: float) -> str:
    """Return a mass `kg` [kg CO2e] as in ``20.3 t CO₂e``, in kg below one tonne."""
    if kg >= KG_PER_T:
        return f"{number(kg / KG_PER_T, 1)}{THIN}t CO₂e"
    return f"{number(kg, 1)}{THIN}kg CO₂e"


def _notes(plan: Plan, account: CarbonAccount) -> tuple[str, ...]:
    """Return totals per hash and per bitcoin, avoided spill where a source states its room, and what is missing."""
    part = slice(0, plan.publish_steps)
    hash_th, btc = float(account.hash_th_by_step[part].sum()), float(account.btc_by_step[part].sum())
    out = []
    if account.kg_by_step is not None and hash_th > 0:
        grams = 1000.0 * float(account.kg_by_step[part].sum())
        words = f"{significant(grams / hash_th)} g CO₂e per TH"
        if btc > 0:
            words += f"; {number(grams / btc)} g CO₂e per BTC ({number(btc, 4)} BTC expected)"
        out.append(words + ".")
    if account.avoided_spill_mwh_by_step is not None:
        spill = float(account.avoided_spill_mwh_by_step[part].sum())
        out.append(f"Of the surplus taken, {energy(spill)} lie within the room of the turbines: avoided spill.")
    out.extend(f"Not known: {text}." for text in account.missing)
    return tuple(out)


def significant(value: float) -> str:
    """Return three significant digits without an exponent."""
    if value <= 0:
        return "0"
    return number(value, max(0, 2 - int(np.floor(np.log10(value)))))


def _panel(plan: Plan, clock: Clock) -> Panel:
    step_h, by_source = plan.problem.time.step_h, source_kg(plan)
    sources = ordered_sources(plan)
    stacked: list[Row] = []
    numbers: list[Row] = []
    for t in range(clock.steps):
        base = 0.0
        tip: Row = {"t": t, "e": t + 1, "i": clock.interval(t)}
        for j, _, colour in sources:
            rate = float(by_source[j, t]) / step_h
            if rate > NOTHING_KG:
                ends = {"a": round(base, 2), "b": round(base + rate, 2)}
                stacked.append({"t": t, "e": t + 1, **ends, "c": colour})
            base += rate
            tip[f"s{j}"] = number(rate, 1)
        numbers.append(tip | {"k": number(base, 1)})
    colours = sorted({r["c"] for r in stacked})
    highest = max((r["b"] for r in stacked), default=0.0)
    scale = alt.Scale(domain=colours, range=[f"@{c}" for c in colours])
    rects = (
        alt.Chart(values(stacked))
        .mark_rect()
        .encode(
            x=clock.x(),
            x2="e:Q",
            y=alt.Y("a:Q", axis=mw_axis("kg CO₂e per hour", tickCount=4), scale=scale_from_zero(highest)),
            y2="b:Q",
            color=alt.Color("c:N", scale=scale, legend=None),
            opacity=clock.pale(),
        )
    )
    tips = [("i", "interval"), ("k", "all, kg CO₂e/h"), *((f"s{j}", f"{s.name}, kg CO₂e/h") for j, s, _ in sources)]
    layers = [rects, hover(numbers, tips, clock), *clock.boundary(label=False)]
    shown = {r["c"] for r in stacked}
    legend = tuple((c, s.name) for _, s, c in sources if c in shown)
    return Panel("carbon", "Emissions by source", specification(layers, 120), 120, legend)


def _table(plan: Plan, account: CarbonAccount, clock: Clock) -> Table:
    sources, by_source = ordered_sources(plan), source_kg(plan)
    spill = account.avoided_spill_mwh_by_step
    columns = ["interval", "kg CO₂e", *(f"{s.name}, kg CO₂e" for _, s, _ in sources), "g CO₂e per TH", "BTC expected"]
    columns += (["avoided spill, MWh"] if spill is not None else []) + ["part"]
    rows = []
    for t in range(clock.steps):
        kg = np.nan if account.kg_by_step is None else float(account.kg_by_step[t])
        work = float(account.hash_th_by_step[t])
        row = [clock.interval(t), _known(kg, 1), *(_known(float(by_source[j, t]), 1) for j, _, _ in sources)]
        row += ["–" if work <= 0 or np.isnan(kg) else significant(1000.0 * kg / work)]
        row += [number(float(account.btc_by_step[t]), 6)]
        row += [number(float(spill[t]), 2)] if spill is not None else []
        rows.append((*row, "plan" if t < clock.publish_steps else "look-ahead"))
    return Table(tuple(columns), tuple(rows))


def _known(value: float, digits: int) -> str:
    return "not known" if np.isnan(value) else number(value, digits)
