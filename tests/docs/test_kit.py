"""What a contributor is told is true: places and commands exist, decisions are dated, hosted CI runs the gate."""

from __future__ import annotations

import os
import re
import tomllib

import pytest
import yaml

from flexmine import __version__
from pages import CODE, DOCS, table

ROOT = DOCS.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
GATE = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
WITHOUT_BLOCKS = re.sub(r"^ *```.*?^ *```$", "", PAGE, flags=re.M | re.S)
PLACE = re.compile(r"(?:\.?[\w-]+/)*[\w.-]+\.(?:py|md|toml|cff|txt|yaml)|(?:\.?[\w-]+/)+(?:run)?")


def missing_places(text: str) -> list[str]:
    """Return the files and folders that a page names, in code font or as links, and that are not there."""
    named = set(re.findall(r"\]\(([^)#:]+)\)", text))
    for code in CODE.findall(text):
        words = code.split()
        named |= {word for word in words if PLACE.fullmatch(word) and "NAME" not in word}
    # A room is called by its name alone.
    return sorted(p for p in named if not (ROOT / p).exists() and not (ROOT / "src" / "flexmine" / p).exists())


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.M))


def test_places_of_contributing_exist():
    """*Proves:* every file, folder and link that the page names is there.  *Sensitivity:* one that is not is named."""
    assert len([c for c in CODE.findall(WITHOUT_BLOCKS) if PLACE.fullmatch(c)]) > 30
    assert missing_places(WITHOUT_BLOCKS) == []
    assert missing_places("`src/flexmine/gone.py` and [x](docs/gone.md)") == ["docs/gone.md", "src/flexmine/gone.py"]


def test_tests_that_contributing_runs_exist():
    """*Proves:* each `pytest ... -k NAME` of the page finds a test.  *Sensitivity:* a renamed test fails here."""
    lines = [code for code in CODE.findall(WITHOUT_BLOCKS) if code.startswith("pytest ")]
    assert len(lines) >= 5
    for line in lines:
        path = next(word for word in line.split() if word.startswith("tests/"))
        assert (ROOT / path).exists(), line
        for name in re.findall(r" -k (\w+)", line):
            assert re.search(rf"def test_\w*{name}", (ROOT / path).read_text(encoding="utf-8")), line


def test_targets_of_the_makefile():
    """*Proves:* whatever page says `make X`, there is an X, with words for the help; what it calls is here.

    *Sensitivity:* a target renamed, or without words, fails.
    """
    told = set(re.findall(r"`make ([a-z]+)`", PAGE + (ROOT / ".github/pull_request_template.md").read_text("utf-8")))
    assert told and told <= targets()
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.M)[1].split()
    assert set(phony) == targets() == set(re.findall(r"^([a-z]+):", MAKEFILE, re.M))
    called = re.findall(r"python ((?:tools|benchmarks)/\w+\.py)|^\t(\.ci/\w+)", MAKEFILE, re.M)
    assert len(called) >= 5
    for place in {a or b for a, b in called}:
        assert (ROOT / place).exists(), place
        assert not place.startswith(".ci/") or os.access(ROOT / place, os.X_OK), place


def test_the_fast_check_has_all_linters_of_the_gate():
    """*Proves:* what `make lint` passes, the linters of the gate pass.  *Sensitivity:* a linter added to one alone."""
    of_gate = re.findall(r"^\.venv/bin/((?:ruff|mypy|lint-imports).*)$", GATE, re.M)
    of_make = re.findall(r"^\t\$\(BIN\)((?:ruff|mypy|lint-imports).*)$", MAKEFILE, re.M)
    assert len(of_gate) == 4 and of_make == of_gate


def test_hosted_ci_runs_the_gate_and_nothing_beside_it():
    """*Proves:* pushes and pull requests run `.ci/run`, on what the README asks for, with no right to write.

    *Sensitivity:* a workflow with checks of its own would pass what the gate refuses, or the other way round.
    """
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "gate.yml").read_text(encoding="utf-8"))
    assert set(workflow[True]) == {"push", "pull_request"}  # YAML 1.1 reads the key `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["container"].startswith("debian:")
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert runs[-1].splitlines()[-1] == ".ci/run"
    assert not re.search(r"pytest|ruff|mypy|pip ", "\n".join(runs))
    assert [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step] == ["actions/checkout"]


def test_hooks_load_nothing():
    """*Proves:* hooks are local programs of the extra `dev`.  *Sensitivity:* a hook from a repository is fetched."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dev = {re.split(r"[>=\[]", name)[0] for name in project["optional-dependencies"]["dev"]}
    for hook in hooks[0]["hooks"]:
        assert hook["language"] == "system" and "additional_dependencies" not in hook
        assert hook["entry"].split()[0] in dev
    assert "pre-commit" in dev


def test_constraints_pin_what_the_project_asks_for():
    """*Proves:* a name and a version on each line, no address, and every package of the gate's extras is among them.

    *Sensitivity:* a dependency added without `make constraints`, or a local path frozen, is named.
    """
    lines = [x for x in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not x.startswith("#")]
    pinned = {}
    for line in lines:
        name, version = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+_-]+)", line).groups()
        pinned[re.sub(r"[-_.]+", "-", name).lower()] = version
    assert "flexmine" not in pinned
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(x for e in ("dev", "docs", "postgres", "browser", "mqtt") for x in extras[e])]
    names = {re.split(r"[>=\[;]", one)[0].lower() for one in asked}
    assert sorted(names - set(pinned) - {"flexmine"}) == []


def test_citation_names_the_project_and_its_version():
    """*Proves:* the file parses, has what its schema 1.2.0 requires, an entity for author, and major.minor of today.

    *Sensitivity:* a release that forgets the file, or a person's name that nobody gave, fails.
    """
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert (cited["cff-version"], cited["title"], cited["license"]) == ("1.2.0", "flexmine", "Apache-2.0")
    assert cited["authors"] == [{"name": "The flexmine authors"}]
    assert cited["version"] == ".".join(__version__.split(".")[:2])


@pytest.mark.parametrize("page", DECISIONS, ids=lambda p: p.stem)
def test_a_decision_is_dated_and_short_and_in_the_index(page):
    """*Proves:* date in name and text alike, the four parts in order, at most 30 lines, a row of the index with title.

    *Sensitivity:* a decision that nobody can find, or that has no consequences, fails.
    """
    text = page.read_text(encoding="utf-8")
    date = re.match(r"(\d{4}-\d{2}-\d{2})-[a-z-]+$", page.stem)[1]
    title = re.match(r"# (.+)\n\n\*Decided (\d{4}-\d{2}-\d{2})", text)
    assert title[2] == date
    parts = re.findall(r"^\*\*(.+?)\.\*\*", text, re.M)
    assert parts == ["Context", "Decision", "The other way", "Consequences"]
    assert len(text.splitlines()) <= 30
    rows = table((DOCS / "design.md").read_text(encoding="utf-8"))
    assert [r["date"] for r in rows if r["decision"] == f"[{title[1]}](decisions/{page.name})"] == [date]


def test_the_index_has_no_decision_without_a_page():
    """*Proves:* as many rows as pages, in the order of their dates.  *Sensitivity:* a row of a page that is gone."""
    dates = [row["date"] for row in table((DOCS / "design.md").read_text(encoding="utf-8"))]
    assert len(dates) == len(DECISIONS) >= 11
    assert dates == sorted(dates)


@pytest.mark.parametrize("form", FORMS, ids=lambda p: p.stem)
def test_forms_of_issues_can_be_filled_in(form):
    """*Proves:* name, description and fields with labels of their own; something is required.

    *Sensitivity:* a form without them is not shown by the host.
    """
    form = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert form["name"] and form["description"]
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    assert {part["type"] for part in fields} <= {"textarea", "input"}
    assert len({part["id"] for part in fields}) == len({part["attributes"]["label"] for part in fields}) == len(fields)
    assert any(part.get("validations", {}).get("required") for part in fields)


def test_there_is_a_form_for_each_kind():
    """*Proves:* a wrong plan, a refusal, a wish; the first sends what is dangerous to the private report.

    *Sensitivity:* a public form that asks for a plan that looks right and is wrong.
    """
    assert [form.stem for form in FORMS] == ["refusal", "wish", "wrong_plan"]
    assert "SECURITY.md" in FORMS[-1].read_text(encoding="utf-8")
