"""What the pages say can be followed: links resolve, commands and options exist, pictures are there and small."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from flexmine.cli.main import cli
from flexmine.resources import shipped_names
from pages import DOCS, EXAMPLES

ROOT = DOCS.parent
PAGES = sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)
WITH_README = [*PAGES, ROOT / "README.md"]
FENCE = re.compile(r"^(`{3,})(\S*)\n(.*?)^\1\s*$", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name_of(page):
    return page.relative_to(ROOT).as_posix()


def prose(page):
    """Return a page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def slugs(page):
    """Return the anchors of a page's headings, as MyST and GitHub make them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def command_lines(page):
    """Yield the words of every ``flexmine ...`` line that a page shows, in blocks and within lines."""
    text = page.read_text(encoding="utf-8")
    shown = [line for _, kind, body in FENCE.findall(text) if kind in ("sh", "console") for line in body.splitlines()]
    shown += re.findall(r"`((?:\.venv/bin/)?flexmine [^`\n]+)`", prose(page))
    for line in shown:
        for part in re.split(r"&&|\|", line):
            found = re.match(r"\s*(?:\$ )?(?:\S*/)?flexmine (.+)", part)
            if found:
                yield shlex.split(found.group(1), comments=True)


@pytest.mark.parametrize("page", WITH_README, ids=name_of)
def test_links_resolve(page):
    """*Proves:* every relative link leads to a file, and every anchor to a heading.

    *Sensitivity:* a page moved, or a heading renamed, fails in the page that points to it.
    """
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        assert place.exists(), f"{name_of(page)}: {target}"
        if anchor:
            assert anchor in slugs(place), f"{name_of(page)}: {target}"


@pytest.mark.parametrize("page", WITH_README, ids=name_of)
def test_commands_and_their_options_exist(page):
    """*Proves:* whoever types what a page shows gets a command, and no option is unknown.

    *Sensitivity:* a command renamed, or an option left out, fails in the page that still shows it.
    """
    context = click.Context(cli)
    for words in command_lines(page):
        if words[0].startswith("-"):
            assert words[0] in {"--help", "-h", "--version"}, words
            continue
        command, rest = cli.get_command(context, words[0]), words[1:]
        assert command is not None, f"{name_of(page)}: flexmine {words[0]}"
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            command, rest = command.get_command(context, rest[0]), rest[1:]
            assert command is not None, f"{name_of(page)}: {words}"
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        for word in rest:
            option = word.partition("=")[0]
            assert not option.startswith("--") or option in known | {"--help"}, f"{name_of(page)}: {words}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_begins_with_its_one_title(page):
    """*Proves:* pages can be listed by their titles.  *Sensitivity:* a second title makes a second entry."""
    assert page.read_text(encoding="utf-8").startswith("# ")
    assert len(re.findall(r"^# ", prose(page), re.M)) == 1


def test_every_example_is_a_case_with_a_page_and_a_small_picture():
    """*Proves:* pages and pictures belong together, name a case that ships, and weigh less than 120 kB, 1 MB in all.

    *Sensitivity:* a page for a case that does not ship, or a picture without words for who cannot see it, fails.
    """
    examples = set(EXAMPLES)
    pictures = {p.stem: p.stat().st_size for p in (DOCS / "examples").glob("*.png")}
    assert len(examples) >= 8
    assert examples <= set(shipped_names("cases"))
    assert set(pictures) == examples
    assert max(pictures.values()) < 120_000
    assert sum(pictures.values()) < 1_000_000
    index = (DOCS / "examples" / "index.md").read_text(encoding="utf-8")
    for name in examples:
        text = (DOCS / "examples" / f"{name}.md").read_text(encoding="utf-8")
        assert re.search(rf"^!\[.{{40,}}\]\({name}\.png\)$", text, re.M)
        assert f"flexmine plan {name} --out" in text
        assert f"({name}.md)" in index


def test_terms_of_the_glossary_are_in_order_and_told_once():
    """*Proves:* a reader finds a term where the alphabet says.  *Sensitivity:* a term added at the end fails."""
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^(.+)\n: ", text, re.M)
    assert len(terms) >= 50
    assert terms == sorted(terms, key=lambda t: t.lower().replace("-", " "))
    assert len({t.partition(" [")[0] for t in terms}) == len(terms)


def test_pages_name_no_place_of_this_machine():
    """*Proves:* no path or address of a workplace stands in a page.  *Sensitivity:* a pasted path fails."""
    assert PAGES
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert str(ROOT.resolve()) not in text and not re.search(r"/home/|localhost:\d|127\.0\.0\.1:\d{5}", text), page
