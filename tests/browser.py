"""A person at a real browser: each page they look at is read, tried with axe, and held to make no stray request."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import AxeResults
from playwright.sync_api import ConsoleMessage, Request
from playwright.sync_api import Page as Tab

from tests.page import Page

PATIENCE = 10_000
"""How long to wait for a page, in milliseconds."""
NARROW = {"width": 320, "height": 640}
WIDE = {"width": 1200, "height": 900}
_RUN_AXE = """
    axe.run({resultTypes: ["violations"]}).then(
        found => ({...found, passes: [], incomplete: [], inapplicable: []})
    )
"""
"""Every rule is tried; to hand over what else was found takes as long as to find it."""


class Visit:
    """A browser window that belongs to one person."""

    def __init__(self, tab: Tab, *, pictures: Path | None) -> None:
        """Watch ``tab``; pictures of pages go into a folder, where one is named."""
        self.tab = tab
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        self._pictures = pictures
        tab.set_default_timeout(PATIENCE)
        tab.on("request", self._note_request)
        tab.on("console", self._note_console)
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))

    def look(self, name: str, heading: str) -> Page:
        """Wait for the page of that heading and check it: its source, its accessibility, its width on a small screen.

        Two pictures of it are kept, wide and narrow, where somebody asked for them.
        """
        # A form that is on its way says so; the answer may have the heading that the page has already.
        self.tab.locator("form[aria-busy]").wait_for(state="detached")
        self.tab.get_by_role("heading", level=1, name=heading, exact=True).wait_for()
        page = Page(self.tab.content())
        page.check()
        self._picture(f"{name}-wide")
        self._check_accessibility(name)
        self.tab.set_viewport_size(NARROW)  # type: ignore[arg-type]
        self._check_narrow(name)
        self._picture(f"{name}-narrow")
        self._check_accessibility(f"{name}, narrow")
        self.tab.set_viewport_size(WIDE)  # type: ignore[arg-type]
        return page

    def check_narrow(self, name: str) -> None:
        """Check whatever page is shown, on a small screen: its accessibility and its width."""
        self.tab.set_viewport_size(NARROW)  # type: ignore[arg-type]
        self._check_narrow(name)
        self._picture(f"{name}-narrow")
        self._check_accessibility(name)

    def check_quiet(self, *homes: str) -> None:
        """Assert that nothing was asked of any host but these, and that nothing went wrong in a page."""
        assert self.hosts <= {urlsplit(home).netloc for home in homes}
        assert self.complaints == []

    def _check_accessibility(self, name: str) -> None:
        # A page that was tried at another width has it already: to read it anew takes as long as many rules do.
        if not self.tab.evaluate("'axe' in window"):
            self.tab.evaluate(AXE_SCRIPT)
        results = AxeResults(self.tab.evaluate(_RUN_AXE))
        assert results.violations_count == 0, f"{name}: {results.generate_report()}"

    def _check_narrow(self, name: str) -> None:
        # WCAG 2.2, 1.4.10: no scrolling in two directions at 320 px.
        width = self.tab.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], f"{name} is {width} px wide on a screen of {NARROW['width']}"

    def _picture(self, name: str) -> None:
        if self._pictures is None:
            return
        self._pictures.mkdir(parents=True, exist_ok=True)
        # A hidden caret would leave its mark on every box.
        self.tab.screenshot(path=self._pictures / f"{name}.png", full_page=True, caret="initial")

    def _note_request(self, request: Request) -> None:
        self.hosts.add(urlsplit(request.url).netloc)

    def _note_console(self, message: ConsoleMessage) -> None:
        # A page that answers 4xx is a line of this kind too, and no fault.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)
