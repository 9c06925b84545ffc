"""Try every published file by its recipe: loaded right, and how that is known, or refused, and in which words.

Usage: ``python tools/try_published_files.py DIRECTORY``, a folder with the files that the page
``docs/recipes/published-files.md`` names, from which the recipes are taken.  Exit 1 where a trial does not end as
expected.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import yaml
from published_trials import TRIALS, Trial

from flexmine.errors import BadInput
from flexmine.inputs.adapters import convert
from flexmine.inputs.adapters.base import Settings
from flexmine.inputs.series import read_series
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import Table, read_table
from flexmine.problem import TimeAxis

PAGE = Path(__file__).parents[1] / "docs" / "recipes" / "published-files.md"


@dataclass(frozen=True)
class Recipe:
    """Adapter with its settings, or none, and the specs by quantity."""

    adapter: str | None
    settings: Settings
    specs: dict[str, Series]


def recipes(page: str) -> dict[str, Recipe]:
    """Return the recipe of each file that a page describes."""
    found = {}
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        name = section.partition("\n")[0].strip()
        shell = re.search(r"^```sh\n(.*?)^```", section, re.M | re.S)
        block = re.search(r"^```yaml\n(.*?)^```", section, re.M | re.S)
        if block is None:
            continue
        specs = {key: Series.model_validate(spec) for key, spec in yaml.safe_load(block[1]).items()}
        adapter, settings = _command(shlex.split(shell[1])) if shell else (None, Settings())
        found[name] = Recipe(adapter, settings, specs)
    return found


def _command(words: list[str]) -> tuple[str, Settings]:
    options = dict(zip(words[4::2], words[5::2], strict=True))
    year, offset = options.get("--year"), options.get("--utc-offset")
    return words[2], Settings(int(year) if year else None, float(offset) if offset else None)


def try_one(trial: Trial, recipe: Recipe, folder: Path, tables: dict[tuple[str, bool], Table]) -> tuple[bool, str]:
    """Return whether a trial ended as expected, and what happened, in words."""
    key = (trial.file, trial.by_recipe)
    if key not in tables:
        table = read_table((folder / trial.file).read_bytes(), trial.file)
        if recipe.adapter and trial.by_recipe:
            rows = convert(recipe.adapter, table, recipe.settings).rows
            table = read_table(rows.to_csv(index=False).encode(), recipe.specs[trial.quantity].file)
        tables[key] = table
    spec = Series.model_validate(recipe.specs[trial.quantity].model_dump(exclude_unset=True) | trial.change)
    offset = trial.start.utcoffset() or timedelta(0)
    axis = TimeAxis(trial.start, 1.0, trial.hours, f"Etc/GMT{-int(offset.total_seconds()) // 3600:+d}")
    try:
        found = read_series(tables[key], spec, trial.quantity, axis)
    except BadInput as error:
        message = error.messages[0]
        return bool(trial.words) and trial.words in message, f"refused: {message}"
    if trial.check is None:
        return False, "loaded, which was not expected"
    return True, f"loaded right: {trial.check(found, folder)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder with the published files")
    folder = parser.parse_args().folder
    known, tables, wrong = recipes(PAGE.read_text(encoding="utf-8")), {}, 0
    print("| file | series | from, hours | how | result |\n|---|---|---|---|---|")
    for trial in TRIALS:
        recipe = known[trial.file]
        good, words = try_one(trial, recipe, folder, tables)
        wrong += not good
        way = "raw, without adapter" if not trial.by_recipe else (recipe.adapter or "YAML")
        changed = "".join(f", {key}: {value}" for key, value in trial.change.items() if trial.by_recipe)
        print(
            f"| {trial.file} | {trial.quantity} | {trial.start.isoformat(timespec='hours')}, {trial.hours} | "
            f"{way}{changed} | {'' if good else '**NOT AS EXPECTED** '}{words.replace('|', '/')} |"
        )
    untried = sorted(set(known) - {t.file for t in TRIALS})
    print(
        f"\n{len(TRIALS)} trials of {len(known) - len(untried)} files, {wrong} not as expected; "
        f"untried: {untried or 'none'}"
    )
    sys.exit(1 if wrong or untried else 0)


if __name__ == "__main__":
    main()
