"""A real browser for journeys, and the served site that they begin at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from concord.servers.login import DatabaseUrls
from tenants.database import Database
from tests.browser import Visit
from tests.factories import Factories
from tests.journeys.council import Council, running_council

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, found in CONCORD_CHROMIUM or on the path."""
    found = os.environ.get("CONCORD_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert found, "No Chromium: name one in CONCORD_CHROMIUM, or run “make browser”."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """One person's browser window, closed at the end; every request that it makes is known.

    Pictures of what it shows are kept in the folder that CONCORD_PICTURES names: nobody looks at those of most runs.
    """
    pictures = os.environ.get("CONCORD_PICTURES")
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield Visit(context.new_page(), pictures=Path(pictures) if pictures else None)
    context.close()


@pytest.fixture
def council(factories: Factories, database: Database, migrated: DatabaseUrls, valkey_url: str) -> Iterator[Council]:
    """A council that hands in files, on a site of its own."""
    with running_council(factories, database, migrated, valkey_url) as council:
        yield council
