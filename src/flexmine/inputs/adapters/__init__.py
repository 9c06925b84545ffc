"""Files as their publishers write them, turned into tables that a case can name: pure, a table in, a table out.

An adapter only re-writes: times with their offset, units in names, marks of missing values as empty cells.  What the
publishers themselves doubt, or what contradicts itself, becomes an empty cell and is counted.  Nothing is filled; what
is derived or modelled is named so in its column and in the provenance.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from flexmine.errors import BadInput

if TYPE_CHECKING:
    from flexmine.inputs.adapters.base import Converted, Settings
    from flexmine.inputs.layout import Layout
    from flexmine.inputs.table import Table

ADAPTERS: dict[str, tuple[str, str]] = {
    "isd-lite": ("isd_lite", "NOAA ISD-Lite observations: tenths, -9999, UTC"),
    "ghcn-daily": ("ghcn_daily", "NOAA GHCN-Daily minimum and maximum: an hourly temperature profile (a model)"),
    "entsoe-prices": ("entsoe_prices", "ENTSO-E day-ahead prices: local interval text, double and absent hours"),
    "nord-pool": ("nord_pool", "Nord Pool day-ahead prices: the yearly files and the portal's, an area of them"),
    "eia930": ("eia930", "EIA-930 hourly demand and generation: hour ending, contradicting hours left empty"),
    "coin-metrics": ("coin_metrics", "Coin Metrics daily BTC price, difficulty and fees a block"),
    "lake-powell": ("lake_powell", "Glen Canyon daily releases: spill, published or derived"),
    "yearly-carbon": ("yearly_carbon", "Yearly carbon intensity of a zone, as days"),
    "pvgis-tmy": ("pvgis_tmy", "PVGIS typical year in UTC: temperature and irradiance, onto one year"),
    "nsrdb-psm": ("nsrdb_psm", "NREL NSRDB (PSM 3 and 4), true or typical year: temperature, irradiance, wind"),
    "typical-year-table": (
        "typical_year_table",
        "A typical year as month, day and hour ending, onto one year",
    ),
}
"""Module and what it reads, by name of the adapter."""


_HEADERS: dict[str, tuple[str, ...]] = {
    "entsoe-prices": ("MTU (CET/CEST)",),
    "nord-pool": ("Delivery Start (CET)", "Elspot Prices"),
    "eia930": ("Balancing Authority", "respondent,"),
    "coin-metrics": ("DiffMean", "BlkCnt"),
    "pvgis-tmy": ("time(UTC),T2m",),
    "nsrdb-psm": ("Source,Location ID",),
}
"""What stands near the beginning of files of a kind and of no other."""
_BEGINNING_BYTES = 8192
_WITH_DATES = ("ghcn-daily", "nord-pool", "eia930", "coin-metrics", "lake-powell")
"""Adapters of tables with a column of dates; others have years, days and hours apart, or texts of their own."""


def another(name: str, raw: bytes) -> str:
    """Return what to add to a refusal where a file is of the kind of another adapter, empty where it is not.

    Parameters
    ----------
    name : str
        The adapter that has refused it.
    raw : bytes
        The file.
    """
    beginning = raw[:_BEGINNING_BYTES].decode("utf-8", errors="replace").replace('"', "")
    found = [other for other, marks in _HEADERS.items() if any(mark in beginning for mark in marks)]
    return f"; it looks like a file for {found[0]}" if found and name not in found else ""


def read(name: str, raw: bytes, label: str, layout: Layout | None = None) -> Table:
    """Return the table in `raw`, the bytes of a file as its publisher writes it; an adapter may know headerless files.

    Parameters
    ----------
    name : str
        The adapter.
    raw : bytes
        The file.
    label : str
        How messages name the file.
    layout : Layout, optional
        How the text is written, where that is not as the publisher does it: the file is then a table with a header.

    Raises
    ------
    BadInput
        Where there is no such adapter, the bytes are not such a table, or a key of the layout has no effect.
    """
    from flexmine.inputs.table import read_table

    module = _module(name)
    own = getattr(module, "read", None)
    if layout is not None:
        headerless = getattr(module, "is_headerless", None)
        _refuse_without_effect(name, layout, headerless=headerless is not None and headerless(raw))
        return read_table(raw, label, layout=layout).rewritten()
    table: Table = read_table(raw, label) if own is None else own(raw, label)
    return table


def _refuse_without_effect(name: str, layout: Layout, *, headerless: bool) -> None:
    """Refuse the keys of a layout that would change nothing: whoever gives one counts on it."""
    without = {"sheet": "it reads the text of a file"}
    if name not in _WITH_DATES:
        without["date_order"] = "its files have no column of dates"
    if headerless:
        without = dict.fromkeys(
            layout.model_fields_set, "this file has no header, and is read as its publisher writes it"
        )
    wrong = [key for key in type(layout).model_fields if key in layout.model_fields_set and key in without]
    if wrong:
        raise BadInput([f"layout key {key} has no effect on {name}: {without[key]}" for key in wrong])


def convert(name: str, table: Table, settings: Settings) -> Converted:
    """Return a table in the form that a case reads, and what was judged on the way.

    Raises
    ------
    BadInput
        Where there is no such adapter, the file is not of its kind, or a setting is missing.
    """
    module = _module(name)
    if not len(table.rows):
        raise BadInput(f"{table.label}: the file has no rows")
    converted: Converted = module.convert(table, settings)
    return converted


def _module(name: str) -> ModuleType:
    if name not in ADAPTERS:
        near = difflib.get_close_matches(name, ADAPTERS, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise BadInput(f"there is no adapter {name}{hint} Adapters: {', '.join(ADAPTERS)}")
    return import_module(f"{__name__}.{ADAPTERS[name][0]}")
