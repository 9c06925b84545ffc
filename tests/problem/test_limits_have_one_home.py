"""Every limit has all its parts, and a part that is left out is named: the list of problem/limits.py is the home.

Each part is asked for where it stands: rows in the model, checks in the audit, a line on the page of the mathematics,
a case worked out by hand, a draw in the random plants, words of a conflict and of a reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyomo.environ as pe
import pytest

from flexmine.audit.reason_codes import CODES
from flexmine.explain import prechecks
from flexmine.milp.model import build_model
from flexmine.problem import limits as home
from flexmine.problem.limits import FAMILIES, LIMITS, ROWS, Limit
from pages import DOCS, codes, section, table
from plants import FEATURES, NAMED_FEATURES, random_problem

ROOT = Path(__file__).parents[2]
PLANTS = 60


@cache
def plants():
    """Random plants of all features, those that are drawn only where they are named included."""
    return [random_problem(s) for s in range(PLANTS)] + [random_problem(s, frozenset({f})) for s, f in named()]


def named() -> Iterator[tuple[int, str]]:
    return ((seed, feature) for feature in (*FEATURES, *NAMED_FEATURES) for seed in range(2))


@cache
def components() -> frozenset[str]:
    return frozenset(c.name for c in build_model(random_problem(0)).component_objects(pe.Constraint))


@cache
def strings_of_the_audit() -> frozenset[str]:
    """Return the first argument of every call in the audit that is plain text: the codes that it can name."""
    found = set()
    for file in (ROOT / "src" / "flexmine" / "audit").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
            elif isinstance(node, ast.Tuple) and node.elts and isinstance(node.elts[0], ast.Constant):
                found.add(node.elts[0].value)
    return frozenset(map(str, found))


@cache
def rows_of_the_page() -> frozenset[str]:
    text = (DOCS / "mathematics.md").read_text(encoding="utf-8")
    return frozenset(code.partition("[")[0] for row in table(section(text, "## Rows")) for code in codes(row["row"]))


@cache
def cases_by_hand() -> frozenset[str]:
    """Return the rows that tests under proves/ are marked with."""
    found = set()
    for file in (ROOT / "tests" / "proves").glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.limit":
                found.add(ast.literal_eval(node.args[0]))
    return frozenset(found)


@cache
def rows_as_text() -> frozenset[str]:
    return frozenset(file.stem for file in (ROOT / "tests" / "rows").glob("*.lp"))


@cache
def broken_plans() -> frozenset[str]:
    """Return the codes with which the sentences begin that tests of the audit expect."""
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "tests" / "audit").glob("test_*.py")]
    return frozenset(code for text in texts for code in re.findall(r"[\"']([a-z_]+)(?:: | at |[\"'])", text))


# Part -> whether a limit has it.
PARTS: dict[str, Callable[[Limit], bool]] = {
    "rows in milp/": lambda limit: limit.row in components(),
    "a check in audit/": lambda limit: limit.check in strings_of_the_audit(),
    "a row in docs/mathematics.md": lambda limit: limit.row in rows_of_the_page(),
    "a case by hand in tests/proves": lambda limit: limit.row in cases_by_hand(),
    "a draw in the random plants": lambda limit: any(limit.present(p) for p in plants()),
    "words for a conflict": lambda limit: bool(limit.words and limit.unit),
    "a proof in words, or a word why not": lambda limit: limit.row in prechecks.PROVEN | prechecks.LEFT_TO_THE_SOLVER,
    "codes of reasons, in audit/reason_codes.py": lambda limit: (
        bool(limit.reasons) and set(limit.reasons) <= set(CODES)
    ),
    "its rows as text, in tests/rows": lambda limit: limit.row in rows_as_text(),
    "a broken plan in tests/audit": lambda limit: limit.check in broken_plans(),
    "words of its effect on power": lambda limit: (
        limit.touches != "power" or bool(limit.effects and limit.more and limit.widen)
    ),
    "words of why a container is on or off": lambda limit: (
        bool(limit.why_off or limit.why_on) == bool(limit.without) or limit.without == "container_ramp"
    ),
}


def missing(limit: Limit) -> list[str]:
    """Return in words the parts that a limit lacks."""
    return [f"{limit.row}: {part} is missing" for part, has in PARTS.items() if not has(limit)]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.row)
def test_every_part_of_a_limit_is_there(limit):
    """*Proves:* whoever declares a limit and forgets a part is told which.  *Sensitivity:* see the next test."""
    assert missing(limit) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_left_out_is_named(part, monkeypatch):
    """Each part in turn is taken away from everywhere, or from the declaration.

    *Proves:* the test above is not content with anything less.  *Sensitivity:* a part that nobody looks for would
    leave the list empty.
    """
    limit, places = LIMITS[0], {
        "rows in milp/": "components",
        "a check in audit/": "strings_of_the_audit",
        "a row in docs/mathematics.md": "rows_of_the_page",
        "a case by hand in tests/proves": "cases_by_hand",
        "a draw in the random plants": "plants",
        "its rows as text, in tests/rows": "rows_as_text",
        "a broken plan in tests/audit": "broken_plans",
    }  # fmt: skip
    if part in places:
        monkeypatch.setitem(globals(), places[part], lambda: ())
    elif part == "words for a conflict":
        limit = replace(limit, words="")
    elif part.startswith("codes of reasons"):
        limit = replace(limit, reasons=("whim",))
    elif part == "words of its effect on power":
        limit = replace(next(x for x in LIMITS if x.over == "site"), effects=())
    elif part.startswith("words of why"):
        limit = replace(limit, without="whim")
    else:
        limit = replace(limit, row="whim")
    assert f"{limit.row}: {part} is missing" in missing(limit)


def test_every_row_of_the_model_is_declared():
    """*Proves:* no row can be added to milp/ that conflicts, worths and roundings do not know.

    *Sensitivity:* a row left out of both lists, or declared and gone from the model, is named.
    """
    assert set(FAMILIES) == components()
    assert len(FAMILIES) == len(LIMITS) + len(ROWS)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.row)
def test_a_limit_taken_away_is_gone_and_forbids_nothing(limit):
    """On every random plant that has it.

    *Proves:* `relax` leaves no such limit, `value` is a number wherever there is a row, and the index of a row and its
    place belong together.  *Sensitivity:* a relaxation of another field leaves the limit present.
    """
    always = {"site_cap", "supply_limit"}
    for p in [p for p in plants() if limit.present(p)][:10]:
        assert limit.row in always or not limit.present(limit.relax(p)) or limit.row == "minimum_down_time"
        for index in build_model(p).component(limit.row):
            who, step = limit.place(index)
            assert np.isfinite(limit.value(p, who, step))
            if limit.window == "step" and limit.touches != "both":
                assert limit.index(who, step) == index


@pytest.mark.parametrize("limit", [x for x in LIMITS if x.widen], ids=lambda limit: limit.row)
def test_a_limit_made_wider_is_wider_there_and_nowhere_else(limit):
    """*Proves:* `widen` by 1 raises `value` by 1 (lowers a minimum) for the one it names, and changes no other limit.

    *Sensitivity:* the wrong sign, or all sources in place of one, fails.
    """
    for p in [p for p in plants() if limit.present(p)][:10]:
        for who in limit.members(p):
            wide = limit.widen(p, 1.0, who, 0)
            for other in home.worth_something():
                for member in other.members(p):
                    by = other.value(wide, member, 0) - other.value(p, member, 0)
                    same = other is limit and member == who and wide is not p
                    assert by == pytest.approx((-1.0 if limit.least else 1.0) if same else 0.0, abs=1e-8)


def test_rows_that_repeat_a_limit_name_one():
    """*Proves:* what tightens a limit goes when that goes.  *Sensitivity:* a name that is not a limit would keep it."""
    assert {row.tightens for row in ROWS} - {""} <= {limit.row for limit in LIMITS}
