"""What each key of the files means, in one line: from the docstring of its document, else from the table below.

Editors (:mod:`flexmine.inputs.json_schema`) and starter files (:mod:`flexmine.inputs.starter`) show these lines.
"""

from __future__ import annotations

import inspect
import re
from functools import cache

from pydantic import BaseModel

from flexmine.inputs.explain import document_in
from flexmine.inputs.units import unit_of

_NAME = "a short name: letters, digits, _ and -, beginning with a letter"
_FROM, _TO = "beginning, included: a time with its UTC offset", "end, excluded: a time with its UTC offset"
_SOURCES = "where the numbers come from, a line each; at least one"

MEANINGS: dict[str, dict[str, str]] = {
    "CaseDocument": {
        "schema": "which kind of file this is",
        "name": _NAME,
        "title": "what the report is called",
        "notes": "what a reader should know about the data; shown in plan and report",
        "plant": "file of the plant, relative to this file, or shipped:plants/NAME",
        "start": "beginning of the first step: a time with its UTC offset",
        "as_of": "moment of planning; of a series with several issues, what was issued later is not used",
        "step_minutes": "length of a step: 15, 30 or 60",
        "horizon_h": "how far the plan looks ahead",
        "publish_h": "how much of it is the plan; the rest is look-ahead; absent: 24 h or the horizon",
        "series": "series that belong to no source",
        "sources": "sources of power with their prices",
        "hash_value": "what a hash earns, and whose money counts",
        "windows": "legal or contractual times in which nothing may be mined",
        "orders": "announced curtailments: a cap on the whole site for a time",
        "outages": "containers out of service",
        "must_run": "containers that have to run",
        "available": "at most so many containers of a model at once",
        "pins": "what an operator holds a container or the site to",
        "commitment": "who runs, taken from an earlier plan; only power is decided anew",
        "state": "the plant just before the first step",
        "terminal_on_usd": "what a container is worth that ends on; absent: a warm start saved, below 36 h only",
        "minimum_mw": "power that the site has to take in every step, a number or a series",
        "max_starts_per_day": "starts of one container in a day of the site",
        "options": "how hard to search",
    },
    "SeriesOfCase": {
        "temperature_c": "outside air: a column of a file",
        "ghi_w_m2": "sunlight on a level surface: a column of a file; absent: no sun",
    },
    "Series": {
        "file": "path relative to this file, or shipped:NAME.csv",
        "column": "name of the column in the header",
        "time_column": "name of the column with the times",
        "factors": "named multipliers of the column, such as a rate of exchange",
        "issue_column": "column that says when each row of a forecast was issued",
        "revision_column": "column with the revision of that issue",
    },
    "Fill": {"policy": "hold the last value, same_hour_yesterday, or interpolate between the two sides"},
    "Factor": {
        "name": "what the column is multiplied with, such as usd_per_eur",
        "value": "the multiplier",
        "note": "where it comes from",
    },
    "SourceEntry": {
        "name": _NAME,
        "kind": "surplus (may be left) or firm (bought as needed)",
        "available_mw": "power on offer in each step, a number or a series",
        "price_usd_per_mwh": "price of its energy, a number or a series",
        "network_tariff_usd_per_mwh": "network charge on top of the price, a number or a series",
    },
    "HashValue": {
        "btc_price_usd": "price of a bitcoin, a number or a series",
        "difficulty": "network difficulty, such as 89.47e12; a number or a series",
        "next_retarget": "the next change of the difficulty; within the horizon a step in the hash value",
        "block_height": "block that is worked on at the start; gives the subsidy and its halvings",
        "subsidy_btc": "subsidy of a block, in place of block_height",
        "fees_btc_per_block": "mean transaction fees of a block, a number or a series",
        "pool_fee": "share of the hash value that the pool keeps",
        "firmware_fee": "share of the hash value that the firmware keeps",
        "host_hash_share": "share of the hash that the host keeps; for host and client",
        "hosting_fee_usd_per_mwh": "what the client pays for energy; for host and client",
    },
    "Retarget": {"height": "its block, a multiple of 2016; only checked: it follows from block_height"},
    "Window": {
        "name": _NAME,
        "from": "first day of every year, MM-DD",
        "to": "last day of every year, included, MM-DD",
        "from_date": "first day, once: YYYY-MM-DD",
        "to_date": "last day, included, once: YYYY-MM-DD",
    },
    "Order": {"from": _FROM, "to": _TO, "name": _NAME, "cap_mw": "the site draws at most so much"},
    "Outage": {"from": _FROM, "to": _TO, "container": "name of the container", "reason": "shown where it is off"},
    "MustRun": {"from": _FROM, "to": _TO, "containers": "names of the containers", "reason": "shown in the plan"},
    "Available": {
        "from": _FROM,
        "to": _TO,
        "model": "the text that the plant's groups use as model",
        "count": "at most so many at once",
        "reason": "shown in the plan",
    },
    "Pin": {
        "container": "name of the container; or site: true",
        "site": "true: all of the site; or container",
        "from": "beginning, included; absent: in force already",
        "until": "end, excluded: a time with its UTC offset",
        "by": "who pinned it",
        "why": "the reason",
    },
    "CommittedRun": {"from": _FROM, "to": _TO, "container": "name of the container"},
    "State": {
        "initial_mw": "power of the site just before the first step; null: the first ramp is free",
        "default": "state of every container that is not named below",
        "containers": "state of single containers, by name",
    },
    "ContainerState": {
        "on": "true or false",
        "hours": "[h] time spent in the present state",
        "run_hours": "[h] in all; only differences between containers matter, for even wear",
        "starts": "in all; only differences between containers matter, for even wear",
    },
    "Options": {
        "gap": "how close to the proven bound, as a share of the money",
        "time_limit_s": "time for the search",
        "seed": "of the solver's random numbers",
    },
    "PlantDocument": {
        "schema": "which kind of file this is",
        "name": _NAME,
        "zone": "IANA time zone of the site, such as Asia/Irkutsk",
        "latitude_deg": "north is positive; for sunlight",
        "longitude_deg": "east is positive; for sunlight",
        "altitude_m": "above the sea",
        "cap_mw": "highest power of the site at the meter",
        "ramp_up_mw_per_h": "how fast the site may rise; null: no limit",
        "ramp_down_mw_per_h": "how fast the site may fall; null: no limit",
        "base_load_mw": "what the site draws besides its containers",
        "feeders": "feeders or transformers with a cap of their own",
        "containers": "groups of containers of one model",
        "sources": _SOURCES,
    },
    "Feeder": {
        "name": _NAME,
        "cap_mw": "highest power of its containers together",
        "containers": "names of the containers that hang on it",
    },
    "Group": {
        "model": "file of the container model, relative to this file, or shipped:containers/NAME",
        "client": "whose miners they are",
        "names": "names of the containers; or prefix, first and last",
        "prefix": "C makes C01, C02, ...",
        "first": "number of the first",
        "last": "number of the last",
        "digits": "digits of the numbers",
    },
    "ContainerDocument": {
        "schema": "which kind of file this is",
        "name": _NAME,
        "title": "in words",
        "modes": "breakpoints of IT power and hash rate, rising and concave; or miners.minimum_power_mw",
        "miners": "the miners in one container",
        "overhead": "facility power per IT power, by outside temperature",
        "standby_mw": "draw of a container that is off",
        "min_up_h": "once started it stays on so long",
        "min_down_h": "once stopped it stays off so long",
        "start": "what a start costs",
        "thermal": "how a sleeping container cools; decides which starts are cold",
        "heat": "derating in hot air",
        "cold": "least power in cold air",
        "sources": _SOURCES,
    },
    "Mode": {"it_power_mw": "IT power of one container", "hash_rate_th_s": "hash rate of one container at it"},
    "MinerSet": {"count": "miners in a container"},
    "Preset": {"power_w": "power of one miner", "hash_rate_th_s": "hash rate of one miner at it"},
    "Overhead": {
        "base": "facility power per IT power in cool air",
        "per_k": "more of it for each kelvin above above_c",
        "above_c": "outside temperature from which it rises",
    },
    "Start": {"warm_wear_usd": "wear of one warm start", "cold_wear_usd": "wear of one cold start"},
    "Stagger": {
        "boot_s": "time from command to full hash of one miner",
        "miners_per_packet": "miners started at once",
        "packet_interval_s": "time from packet to packet",
    },
    "Thermal": {
        "heat_capacity_mj_per_k": "of the box and what stands in it",
        "conductance_w_per_k": "of walls and leaks with the dampers shut",
        "fans_conductance_w_per_k": "with the fans running",
        "running_temperature_c": "inside, while running",
        "start_temperature_c": "inside; below it a start is cold",
        "thermostat_c": "set point; belongs to asleep: kept_warm",
        "heater_kw": "power of the heater; gives the energy of a cold start",
        "length_m": "of the box",
        "width_m": "of the box",
        "height_m": "of the box",
    },
    "Heat": {
        "inlet_rise_k": "how much warmer than outside the inlet is",
        "derate_from_c": "inlet temperature up to which full power is possible",
        "stop_c": "inlet temperature above which nothing runs",
        "share_at_stop": "share of full power at stop_c",
    },
    "Cold": {
        "inlet_min_c": "lowest inlet temperature allowed",
        "recirculation_max": "largest share of warm air that can be led back",
        "air_conductance_kw_per_k": "heat that the full air flow carries per kelvin",
        "minimum_flow_share": "least share of the full air flow",
    },
    "MinerDocument": {
        "schema": "which kind of file this is",
        "name": _NAME,
        "title": "in words",
        "nameplate": "what the maker states",
        "presets": "settings that the miner accepts, with measured hash rates, rising in power",
        "scaled_from": "the measured ladder that the presets are scaled from",
        "sleep_w": "draw of a sleeping miner",
        "sources": _SOURCES,
    },
    "Nameplate": {
        "power_w": "power",
        "hash_rate_th_s": "hash rate",
        "power_tolerance": "to either side, as a share",
        "hash_rate_tolerance": "to either side, as a share",
    },
}
"""By class and key, what no docstring says."""


def documents(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Return a document and all documents below it, by the names of their classes."""
    found = {model.__name__: model}
    for field in model.model_fields.values():
        below = document_in(field.annotation)
        if below is not None and below.__name__ not in found:
            found |= documents(below)
    return found


def meaning(model: type[BaseModel], key: str) -> str:
    """Return what a key means, with its unit in front: ``[MW] draw of a container that is off``."""
    name = next(n for n, field in model.model_fields.items() if (field.alias or n) == key)
    text = MEANINGS.get(model.__name__, {}).get(key) or _from_docstring(model).get(name, "")
    unit = unit_of(key)
    if unit is None or unit.name.startswith("(") or "share" in text:
        return text
    return f"[{unit.name}] {text}"


@cache
def _from_docstring(model: type[BaseModel]) -> dict[str, str]:
    """Return the first sentence of each entry under Attributes, by the name of the attribute."""
    _, _, listed = inspect.cleandoc(model.__doc__ or "").partition("Attributes\n----------\n")
    found: dict[str, str] = {}
    for names, text in re.findall(r"^(\S[^\n]*)\n((?:[ ]{4}[^\n]*\n?)+)", listed, flags=re.M):
        whole = re.sub(r"\s*\[[^\]]*\](?=[.;,]|$)", "", " ".join(text.split())).replace("`", "").rstrip(".")
        for name in names.partition(" :")[0].split(", "):
            found[name] = whole[:1].lower() + whole[1:] if whole[1:2].islower() else whole
    return found
