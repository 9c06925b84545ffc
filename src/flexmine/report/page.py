"""report.html: one self-contained page that opens without a network, the same bytes for the same plan."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from flexmine.report.carbon_chart import carbon_figure
from flexmine.report.charts import Figure, quick_charts
from flexmine.report.container_map import map_figure
from flexmine.report.curve import curve_figure
from flexmine.report.day import day_figure
from flexmine.report.facts import facts
from flexmine.report.marginal_chart import marginal_figure
from flexmine.report.money_chart import money_figure
from flexmine.report.palette import DARK, LIGHT, THIN, energy, money, number, percent
from flexmine.report.reasons_chart import reasons_figure
from flexmine.report.sentence import finding, period, verdict
from flexmine.report.vega import vega_script
from flexmine.workflow.plan import Plan


@dataclass(frozen=True)
class Page:
    """What a page says, whatever it is of.

    Attributes
    ----------
    title : str
        Of the window.
    heading, eyebrow, finding : str
        What it is of; when, where and which file; the finding in a sentence or two.
    verdict : tuple of (str, bool)
        Short judgements, and whether each is good.
    key_figures : tuple of (str, str, str)
        Value, what it is, small print.
    figures : tuple of Figure
    notes : tuple of str
        What the data are.
    provenance : tuple of (str, pairs)
        Headings, each with names and values.
    provenance_words : tuple of (str, str)
        Heading of that section, and what its folded part holds.
    version : str
        Of flexmine; empty where it is not known.
    """

    title: str
    heading: str
    eyebrow: str
    finding: str
    verdict: tuple[tuple[str, bool], ...]
    key_figures: tuple[tuple[str, str, str], ...]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]
    provenance: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    provenance_words: tuple[str, str]
    version: str


def page_html(page: Page) -> str:
    """Return a page as HTML that loads nothing."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        files("flexmine.report").joinpath("template.html.j2").read_text(encoding="utf-8")
    )
    specs = {panel.key: panel.spec for figure in page.figures for panel in figure.panels}
    return template.render(
        page=page,
        figures=page.figures,
        light=LIGHT,
        dark=DARK,
        specs=_json(specs),
        schemes=_json({"light": dict(LIGHT), "dark": dict(DARK)}),
        thin=_json(THIN),
        vega=Markup(vega_script()),
    )


def report_html(plan: Plan) -> str:
    """Return the page of a plan.

    Raises
    ------
    ValueError
        The plan publishes no step.
    """
    with quick_charts():
        figures = all_figures(plan)
    zone = plan.problem.time.zone
    return page_html(
        Page(
            title=f"{plan.headline} – flexmine plan",
            heading=plan.headline,
            eyebrow=f"{period(plan).removeprefix('On ')} · site time, {zone} · {plan.case_name}",
            finding=finding(plan),
            verdict=tuple(verdict(plan)),
            key_figures=key_figures(plan),
            figures=figures,
            notes=plan.notes,
            provenance=_provenance(plan),
            provenance_words=(
                "Where the plan comes from",
                "Solve, options, versions and the sha256 of every input",
            ),
            version=plan.versions.get("flexmine", ""),
        )
    )


def all_figures(plan: Plan) -> tuple[Figure, ...]:
    """Return the figures of the report in their order, each where the plan holds what it shows."""
    curve = curve_figure(plan) if any(k.it_power_mw.size > 1 for k in plan.problem.classes) else None
    figures = (
        day_figure(plan),
        map_figure(plan),
        reasons_figure(plan),
        money_figure(plan),
        marginal_figure(plan),
        curve,
        carbon_figure(plan),
    )
    return tuple(figure for figure in figures if figure is not None)


def key_figures(plan: Plan) -> tuple[tuple[str, str, str], ...]:
    """Return (value, what it is, small print) of the published part."""
    found = facts(plan)
    share = (
        f"{percent(found.taken_mwh / found.offered_mwh)} of what is on offer"
        if found.offered_mwh > 0
        else "none on offer"
    )
    per_hash = f"{number(found.joule_per_th, 1)}{THIN}J/TH at the meter" if found.joule_per_th is not None else ""
    starts = found.warm_starts + found.cold_starts
    earned, paid = found.usd["hash_revenue"], found.usd["energy_cost"]
    return (
        (energy(found.taken_mwh), "surplus taken", share),
        (energy(found.firm_mwh), "firm power taken", f"{energy(found.taken_mwh + found.firm_mwh)} in all"),
        (money(found.money_usd), "money", f"hash {money(earned)}, energy {money(paid)}"),
        (f"{number(found.mean_hash_rate_ph_s, 1)}{THIN}PH/s", "mean hash rate", per_hash),
        (number(starts), "starts", f"{found.warm_starts} warm, {found.cold_starts} cold"),
    )


def _provenance(plan: Plan) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return (heading, (name, value) pairs) of what the plan was made from."""
    solve = (
        ("status", str(plan.status)),
        ("objective of the model, USD", number(plan.money_usd, 2)),
        ("proven bound, USD", "none proven" if plan.is_given else number(plan.bound_usd, 2)),
        ("rounded plan, USD", number(plan.replay.money_usd, 2)),
        ("rounding loss, USD", number(plan.rounding_loss_usd, 2)),
        ("gap", "none proven" if plan.is_given else f"{plan.gap:.3g}"),
        ("asked gap", f"{plan.asked_gap:.3g}"),
        ("engine", plan.engine),
    )
    preference = tuple((name.replace("_", " "), _value(value)) for name, value in plan.preference.items())
    options = tuple((name, "–" if value is None else str(value)) for name, value in plan.options.items())
    changes = tuple((change.key, str(change).removeprefix(f"{change.key}: ")) for change in plan.changes)
    return (
        ("Solve", solve),
        ("Changed, not as the files say", changes),
        ("Preference: the calmest among plans of nearly equal money", preference),
        ("Options", options),
        ("Versions", tuple(plan.versions.items())),
        ("Inputs, by sha256", tuple(plan.inputs.items())),
    )


def _value(value: Any) -> str:
    return number(value, 2) if isinstance(value, float) else str(value)


def _json(document: Any) -> Markup:
    """Return JSON that may stand inside a script element: no ``<`` ends it early."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
