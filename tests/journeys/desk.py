"""A finance desk that one person after another sits down at: it reads tables of money and adds them up."""

from __future__ import annotations

import os
import re
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Locator

from tests.browser import Visit
from tests.factories import Tenant
from tests.journeys.finance import Finance
from tests.page import Page
from tests.site import COOKIE

_AMOUNT = re.compile(r"(−?)£([\d,]+)(?:\.(\d\d))?")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NEW_EACH_TIME = re.compile(r'nonce="[^"]*"|Reference: [0-9a-f]+|name="csrf_token"[^>]*')


class Desk:
    """A browser at which money is agreed, raised, matched and closed."""

    def __init__(self, visit: Visit, ground: Finance) -> None:
        self.visit, self.tab, self.ground = visit, visit.tab, ground
        self.seen: set[str] = set()
        """The paths of single things that were shown: nobody else's officer may see them."""

    def sit(self, person: Tenant) -> None:
        """Have a person at the browser, whoever was there before."""
        self.tab.context.clear_cookies()
        self.tab.context.add_cookies([{"name": COOKIE, "value": self.ground.token(person), "url": self.ground.url}])

    def open(self, path: str) -> None:
        """Open a page."""
        response = self.tab.goto(f"{self.ground.url}{path}")
        assert response
        assert response.status == 200, f"{path}: {response.status}"
        self.note()

    def note(self) -> None:
        """Remember the page that is shown, where it is of one thing."""
        path = self.tab.url.removeprefix(self.ground.url).partition("?")[0].partition("#")[0]
        if _ID.search(path) and "/with/" not in path:
            self.seen.add(path)

    def follow(self, name: str) -> None:
        """Follow the first link of such words, though it looks like a button."""
        self.tab.locator("main a", has_text=name).first.click()
        self.note()

    def press(self, name: str) -> None:
        """Press the first button whose name begins so."""
        self.tab.get_by_role("button", name=re.compile(f"^{re.escape(name)}")).first.click()
        self.note()

    def look(self, name: str, heading: str) -> str:
        """Wait for the page of that heading, check its source, and return what it says.

        Its accessibility and its width are tried where pictures are asked for: every page is tried with both elsewhere.
        """
        if "CONCORD_PICTURES" in os.environ:
            self.visit.look(name, heading)
        # A form that is on its way says so; the answer may have the heading that the page has already.
        self.tab.locator("form[aria-busy]").wait_for(state="detached")
        self.heading(heading)
        page = Page(self.tab.content())
        page.check()
        return page.text

    def heading(self, words: str) -> None:
        """Wait for the page of that heading."""
        self.tab.get_by_role("heading", level=1, name=words, exact=True).wait_for()
        self.note()

    def says(self) -> str:
        """Return what the page says."""
        return self.tab.inner_text("main")

    def take(self, link: str) -> bytes:
        """Follow a link to a file, and return what is in it."""
        with self.tab.expect_download() as download:
            self.tab.locator("main a", has_text=link).first.click()
        return Path(download.value.path()).read_bytes()

    # Money

    def amounts(self, label: str, *, table: int | str = 0) -> list[int]:
        """Return the amounts of a column, from the top, in pence."""
        cells = self._table(table).locator(f'td[data-label="{label}"]').all_inner_texts()
        return [pence_of(each) for each in cells]

    def adds_up(self, label: str, *, table: int | str = 0) -> int:
        """Assert that the last amount of a column is the sum of those above it, and return it."""
        *parts, total = self.amounts(label, table=table)
        assert sum(parts) == total, f"{label}: {parts} make {sum(parts)}, not {total}"
        return total

    def _table(self, table: int | str) -> Locator:
        if isinstance(table, int):
            return self.tab.get_by_role("table").nth(table)
        return self.tab.get_by_role("table", name=table)

    # The wall

    def sees_nothing(self, person: Tenant) -> None:
        """Assert that somebody else's officer finds none of what was shown: as if it had never been."""
        self.sit(person)
        for path in sorted(self.seen):
            found = self.tab.request.get(f"{self.ground.url}{path}")
            none = self.tab.request.get(f"{self.ground.url}{_ID.sub(lambda _: str(uuid4()), path)}")
            assert (found.status, none.status) == (404, 404), path
            assert _NEW_EACH_TIME.sub("", found.text()) == _NEW_EACH_TIME.sub("", none.text()), path


def pence_of(said: str) -> int:
    """Return the amount that a cell says, in pence; a dash is nothing."""
    if said.strip().endswith("–"):
        return 0
    found = _AMOUNT.search(said)
    assert found, said
    sign, pounds, pence = found.groups()
    amount = int(pounds.replace(",", "")) * 100 + int(pence or 0)
    return -amount if sign else amount
