"""The report of the shaped Bratsk day, opened from a file in chromium: offline, drawn, quiet, and never too wide.

Needs the extra `browser` and a chromium on the PATH; where one of them is missing these tests fail.
Run with ``pytest -m browser tests/browser``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flexmine
from flexmine.report.page import all_figures

pytestmark = pytest.mark.browser

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
OFFLINE = ("file:", "data:", "blob:")
SCHEMES, WIDTHS_PX = ("light", "dark"), (380, 1600)
DRAWN_MS = 30_000
PLACES = "document.querySelectorAll('[data-spec]')"
ALL_DRAWN = f"[...{PLACES}].every((place) => place.querySelector('svg'))"


@pytest.fixture(scope="module")
def plan() -> flexmine.Plan:
    return flexmine.plan(flexmine.load_case("bratsk-shaped"))


@pytest.fixture(scope="module")
def report(plan, tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("report") / "plan"
    flexmine.write_plan(plan, directory)
    return directory / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    assert found is not None, f"none of {', '.join(CHROMIUM)} is on the PATH; install chromium"
    # Root, as in a container of a build, may not use chromium's own sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=arguments)
        yield started
        started.close()


class Opened:
    """A page with what it asked for and what it complained about."""

    def __init__(self, browser: Any, path: Path, scheme: str, width_px: int):
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page = browser.new_page(viewport={"width": width_px, "height": 900}, color_scheme=scheme)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda said: self._heard(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def wait_until_drawn(self) -> None:
        self.page.wait_for_function(ALL_DRAWN, timeout=DRAWN_MS)


@pytest.fixture(params=[(scheme, width) for scheme in SCHEMES for width in WIDTHS_PX], ids=lambda p: f"{p[0]}-{p[1]}")
def opened(request, browser, report) -> Iterator[Opened]:
    page = Opened(browser, report, *request.param)
    page.wait_until_drawn()
    yield page
    page.page.close()


def test_every_chart_is_drawn_and_nothing_is_asked_for(opened, plan):
    """*Proves:* an <svg> with marks in each place, no request off the machine, no error and no warning.

    *Sensitivity:* a chart that fails leaves its place without marks; a library from a host would be a request.
    """
    panels = [panel.key for figure in all_figures(plan) for panel in figure.panels]
    drawn = opened.page.evaluate(
        f"[...{PLACES}].map((p) => [p.dataset.spec, p.querySelectorAll('svg path, svg line').length])"
    )
    assert [key for key, _ in drawn] == panels
    assert {"power", "map", "terms", "day-kind", "marginal", "carbon", "why-off"} <= set(panels)
    assert all(marks > 3 for _, marks in drawn), drawn
    assert opened.requests and all(url.startswith(OFFLINE) for url in opened.requests), opened.requests
    assert opened.complaints == []


def test_the_page_is_never_wider_than_the_window(opened):
    """*Proves:* no scrolling to the side, folded or with every table open; no chart is cut off.

    *Sensitivity:* a table outside its scrolling box, or a chart of fixed width, is wider than 380 pixels.
    """
    for unfold in ("false", "true"):
        opened.page.evaluate(f"document.querySelectorAll('details').forEach((d) => {{ d.open = {unfold}; }})")
        wide, window = opened.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= window
    cut = opened.page.evaluate(
        f"[...{PLACES}].filter((p) => p.scrollWidth > p.clientWidth + 1).map((p) => p.dataset.spec)"
    )
    assert cut == []


def test_the_colours_follow_the_scheme(browser, report):
    """*Proves:* background and charts change with the reader's scheme, also while the page is open.

    *Sensitivity:* colours drawn once at the start would stay those of the light scheme.
    """
    page = Opened(browser, report, "light", 1000)
    page.wait_until_drawn()
    fills = "[...document.querySelectorAll('[data-spec=power] svg path')].map((p) => p.getAttribute('fill'))"
    light = page.page.evaluate(fills), page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.page.emulate_media(color_scheme="dark")
    page.page.wait_for_function(f"{fills}.includes('#22b3a1')", timeout=DRAWN_MS)
    dark = page.page.evaluate(fills), page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert "#0a9484" in light[0] and "#0a9484" not in dark[0]
    assert light[1] != dark[1]
    assert page.complaints == []
    page.page.close()


def test_the_map_says_why_a_container_is_off(browser, report, plan):
    """*Proves:* the hover names the reason of C07 at midnight, and the miners of a container that runs, as written.

    *Sensitivity:* without the phrases the hover would show a dash; with rows mixed up, another reason.
    """
    rows = plan.setpoints[plan.setpoints["interval_start"] == plan.setpoints["interval_start"].iloc[0]]
    off, on = rows[rows["container"] == "C07"].iloc[0], rows[rows["state"] == "on"].iloc[0]
    assert off["state"] == "off" and off["reason"].startswith("price: ")
    page = Opened(browser, report, "light", 1000)
    page.wait_until_drawn()
    assert off["reason"] in _hover(page, "C07")
    text = _hover(page, on["container"])
    count = on["miner_mix"].split(";")[0].split("x")[1]
    assert "miners" in text and f"{count} at " in text
    page.page.close()


def _hover(page: Opened, container: str) -> str:
    """Return what is shown over the first hour of a container."""
    cell = page.page.evaluate_handle(
        """name => [...document.querySelectorAll("[data-spec=map] .mark-rect path")].find(
            (e) => e.__data__.datum.n === name && e.__data__.datum.t === 0)""",
        container,
    ).as_element()
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.page.wait_for_function(
        "name => document.querySelector('#vg-tooltip-element.visible')?.innerText.includes(name)", arg=container
    )
    return str(page.page.inner_text("#vg-tooltip-element"))
