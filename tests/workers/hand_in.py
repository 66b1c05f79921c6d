"""Somebody who hands in a sheet at the site's page, again and again until the site has answered."""

from __future__ import annotations

import re
import time
from uuid import UUID

import requests

from matching.intake.column import SheetKind
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.factories import ISSUER, Tenant
from tests.site import COOKIE
from tests.workers.chaos import persistently

_TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')
_ANSWER_SECONDS = 20
_PAUSE = 0.2


def hand_in(database: Database, url: str, tenant: Tenant, content: bytes, *, seconds: float = 180.0) -> UUID:
    """Return the id of the import that the site said it had taken; it may have taken the sheet more than once."""
    with requests.Session() as browser:
        browser.cookies.set(COOKIE, persistently(lambda: _sign_in(database, tenant)))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            taken = _try(browser, url, content)
            if taken is not None:
                return taken
            time.sleep(_PAUSE)
    raise AssertionError("The site took no sheet in all this time.")


def _sign_in(database: Database, tenant: Tenant) -> str:
    with database.transaction(NOBODY) as session:
        return sign_in(session, issuer=ISSUER, subject=tenant.subject, now=utc_now()).token


def _try(browser: requests.Session, url: str, content: bytes) -> UUID | None:
    """Hand the sheet in once; ``None`` when no answer came, or the site could not."""
    try:
        page = browser.get(f"{url}/imports", timeout=_ANSWER_SECONDS)
        token = _TOKEN.search(page.text)
        if page.status_code != requests.codes.ok or token is None:
            return None
        answer = browser.post(
            f"{url}/imports",
            data={"csrf_token": token[1], "kind": SheetKind.HOUSEHOLDS.value, "mode": "save"},
            files={"file": ("households.csv", content)},
            headers={"Referer": f"{url}/imports"},
            timeout=_ANSWER_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException:
        return None
    assert answer.status_code in {303, 500, 502, 503}, (answer.status_code, answer.text)
    return UUID(answer.headers["Location"].rpartition("/")[2]) if answer.status_code == 303 else None
