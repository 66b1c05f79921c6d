"""From a sheet to a pack: a family finder's work, on a real queue with real workers; and what others see of it."""

from __future__ import annotations

import csv
import io
import os
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Page as Tab

from concord.servers.child import Child
from concord.servers.login import DatabaseUrls
from concord.servers.supervisor import Supervisor
from concord.settings import encode_key
from matching.household import HouseholdStatus
from matching.intake.column import SheetKind, columns_of
from matching.intake.import_run import list_imports, request_import
from matching.meeting import arrange_meeting
from matching.need import Answer, Tolerance, need_catalogue
from tenants.agency import AgencyKind, get_agency
from tenants.base import utc_now
from tenants.database import Database
from tenants.person import appoint, invite_person
from tenants.role import Role
from tenants.scope import OPERATOR
from tests.browser import Visit
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import LONG_AGO, Factories, Tenant, transaction
from tests.site import Place, site_and_provider, write_people
from tests.workers.document.pdf_reading import text_of
from workers.handler import HANDLERS
from workers.runner import JobRunner

PATIENCE = 60_000
"""How long a worker may take on a busy machine, in milliseconds."""
MOST_OF_ONE = 30
"""How often one page is opened with other questions: by months alone a report leads back to the last century."""
NEEDS = need_catalogue().needs
GIRL_BORN, BOY_BORN = (date(utc_now().year - years, 1, 17) for years in (3, 5))

GROUP = {
    "Group reference": "GRP-REF-0417",
    "Legal position": "order granted",
    "Placement order on": "02/03/2026",
    "Waiting since": "02/03/2026",
    "Early permanence": "no",
    "Letterbox contact": "yes",
    "Direct contact": "no",
    "Contact with siblings": "no",
    "Must be youngest": "no",
    "Must be only child": "no",
    "No pets": "no",
    "Smoke-free": "no",
    "Home outward code": "TQ9",
    "Exclusion areas": "PL21 5",
    "Profile": "Two children who love mud, music and each other.",
    "Sharing": "consortium",
}
CHILDREN = [
    {
        **GROUP,
        "Child reference": "CHD-REF-1",
        "Forename": "Perpetua",
        "Surname": "Quillfeather",
        "Born": f"{GIRL_BORN:%d/%m/%Y}",
        "Sex": "female",
    },
    {
        **GROUP,
        "Child reference": "CHD-REF-2",
        "Forename": "Barnaby",
        "Surname": "Quillfeather",
        "Born": f"{BOY_BORN:%d/%m/%Y}",
        "Sex": "male",
    },
]
HOUSEHOLD = {
    "Reference": "HSE-REF-0093",
    "Adopter 1 name": "Thaddeus Marrowby",
    "Adopter 2 name": "Ottoline Marrowby",
    "Address": "14 Invented Row",
    "Postcode": "EX5 2QJ",
    "Telephone": "01632 960417",
    "Email": "marrowby@example.org",
    "Approved on": "06/01/2025",
    "Status": "waiting",
    "Youngest age": "0",
    "Oldest age": "8",
    "Fewest children": "1",
    "Most children": "2",
    "Sex approved": "any",
    "Profile": "A house full of books beside a river.",
    "Sharing": "consortium",
}
IDENTITIES = (
    *("Perpetua", "Barnaby", "Quillfeather", "Thaddeus", "Ottoline", "Marrowby"),
    *("GRP-REF", "CHD-REF", "HSE-REF", "Invented Row", "EX5 2QJ", "960417", "marrowby@"),
    *("TQ9", "PL21", "17 January", "17/01/", *(born.isoformat() for born in (GIRL_BORN, BOY_BORN))),
)


class TestFamilyFinder:
    def test_imports_a_sheet_reads_why_a_family_ranks_first_and_takes_the_pack(
        self, visit: Visit, town: Town, tmp_path: Path
    ) -> None:
        tab = visit.tab
        tab.set_default_timeout(PATIENCE)
        sign_in(tab, town, "Ash Sample")
        visit.look("home", "Your work")

        tab.get_by_role("link", name="Import", exact=True).first.click()
        tab.get_by_role("link", name="Children and sibling groups: headings").click()
        visit.look("headings", "Headings of a sheet: children and sibling groups")
        tab.get_by_role("link", name="Import a file").click()
        visit.look("imports", "Import a file")
        tab.get_by_label("Children and sibling groups").check()
        tab.get_by_label("The file").set_input_files(files=[sheet_file(SheetKind.CHILDREN, CHILDREN)])
        tab.get_by_role("button", name="Continue").click()
        tab.get_by_role("button", name="Import for real").wait_for()
        assert "This was a check. Nothing has been saved." in visit.look("checked", "Check of children.csv").text
        tab.get_by_role("button", name="Import for real").click()
        tab.get_by_text("The file has been imported.").wait_for()
        visit.look("imported", "Import of children.csv")

        tab.get_by_role("link", name="See your sibling groups").click()
        visit.look("groups", "Sibling groups")
        tab.locator("main table a").first.click()
        group = visit.look("group", tab.locator("h1").inner_text())
        assert "Two children: a girl of" in group.text
        first = tab.locator(".concord-family").first
        assert first.get_by_text("Strong fit").is_visible()
        assert first.get_by_text("Why this family").is_visible()
        assert first.get_by_text("Approved for 2 children together.").is_visible()
        first.get_by_role("link", name=re.compile("Every check")).click()
        assert "It is number 1 of " in visit.look("why", tab.locator("h1").inner_text()).text

        tab.get_by_role("link", name="Home").click()
        tab.get_by_role("link", name="Summer meeting").click()
        visit.look("meeting", "Summer meeting")
        tab.get_by_role("button", name="Build our pack").click()
        tab.get_by_role("link", name="PDF of version 1").wait_for()
        visit.look("meeting-ready", "Summer meeting")
        pdf = take(tab, "PDF of version 1", tmp_path)
        xlsx = take(tab, "Spreadsheet of version 1", tmp_path)

        assert pdf.name == f"matching-meeting-{town.meeting_on}-pack-1.pdf"
        printed = text_of(pdf.read_bytes())
        assert "Twochildren:agirlof" in printed
        assert [name for name in IDENTITIES if name.replace(" ", "") in printed] == []
        assert "Two children: a girl of" in words_of(xlsx)
        # The agency's own reference stands beside its own rows, and nothing else that says who they are.
        assert [name for name in IDENTITIES if name in words_of(xlsx)] == ["GRP-REF"]
        visit.check_quiet(town.place.url, town.place.issuer)

    def test_opens_who_the_children_are(self, visit: Visit, town: Town) -> None:
        imported(town)
        tab = visit.tab
        sign_in(tab, town, "Ash Sample")
        tab.goto(f"{town.place.url}/groups")
        tab.locator("main table a").first.click()
        tab.get_by_role("link", name=re.compile("Who the children are")).click()

        page = visit.look("identity", tab.locator("h1").inner_text())

        assert "Perpetua Quillfeather" in page.text


class TestWithoutJavaScript:
    def test_checks_a_sheet_and_reads_why(self, browser: Browser, town: Town) -> None:
        imported(town)
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()
        sign_in(tab, town, "Ash Sample")

        tab.goto(f"{town.place.url}/imports")
        tab.get_by_label("Adopter households").check()
        tab.get_by_label("The file").set_input_files(files=[sheet_file(SheetKind.HOUSEHOLDS, [HOUSEHOLD])])
        tab.get_by_role("button", name="Continue").click()
        for _ in range(PATIENCE // 500):
            if tab.get_by_text("There is nothing to import.").is_visible():
                break
            tab.wait_for_timeout(500)
            tab.get_by_role("link", name="Load it again").click()

        assert tab.get_by_text("Every row is as Concord has it already.").is_visible()
        tab.goto(f"{town.place.url}/groups")
        tab.locator("main table a").first.click()
        assert tab.get_by_text("Why this family").first.is_visible()
        context.close()


class TestPersonOfAnotherAgency:
    def test_sees_the_group_and_the_family_but_no_identity_anywhere(self, browser: Browser, town: Town) -> None:
        imported(town)
        context = browser.new_context()
        tab = context.new_page()
        sign_in(tab, town, "Cleo Sample")

        seen = crawl(context, town.place.url)

        everything = "\n".join(seen.values())
        assert "Two children who love mud, music and each other." in everything
        assert "A house full of books beside a river." in everything
        assert len(seen) > 10
        assert [name for name in IDENTITIES if name in everything] == []
        for path in list(seen):
            if re.fullmatch(r"/(groups|households)/[0-9a-f-]{36}", path) and "Your agency’s" not in seen[path]:
                assert context.request.get(f"{town.place.url}{path}/identity").status == 404
        context.close()

    def test_may_be_of_the_office_and_still_sees_none(self, browser: Browser, town: Town) -> None:
        imported(town)
        context = browser.new_context()
        tab = context.new_page()
        sign_in(tab, town, "Dara Sample")

        everything = "\n".join(crawl(context, town.place.url).values())

        assert "Two children who love mud, music and each other." in everything
        assert [name for name in IDENTITIES if name in everything] == []
        context.close()


@dataclass(frozen=True, slots=True)
class Town:
    """Two agencies and an office with a meeting to come, the site that serves them, and workers."""

    place: Place
    database: Database
    devon: Tenant
    meeting_on: str


def sign_in(tab: Tab, town: Town, name: str) -> None:
    tab.goto(f"{town.place.url}/sign-in")
    tab.get_by_role("button", name=f"Sign in as {name}").click()
    tab.get_by_role("heading", name="Your work").wait_for()


def take(tab: Tab, link: str, folder: Path) -> Path:
    """Download a file and return where it is kept, under the name that the site gave it."""
    with tab.expect_download() as download:
        tab.get_by_role("link", name=link).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def crawl(context: BrowserContext, url: str) -> dict[str, str]:
    """Return the source of every page that links lead to from home, and of every file of text."""
    seen: dict[str, str] = {}
    times: Counter[str] = Counter()
    left = ["/home"]
    while left:
        path = left.pop()
        page = path.partition("?")[0]
        if path in seen or times[page] >= MOST_OF_ONE:
            continue
        times[page] += 1
        response = context.request.get(url + path)
        assert response.status < 500, path
        if "text/html" not in response.headers["content-type"]:
            seen[path] = response.text() if response.headers["content-type"].startswith("text/") else ""
            continue
        seen[path] = response.text()
        hrefs = re.findall(r'href="(/[^"#]*)', seen[path])
        left += [each.replace("&amp;", "&") for each in hrefs if not urlsplit(each).path.startswith("/static")]
    return seen


def words_of(xlsx: Path) -> str:
    """Return every string of a workbook."""
    with zipfile.ZipFile(xlsx) as archive:
        return "\n".join(archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml"))


def sheet_file(kind: SheetKind, rows: list[dict[str, str]]) -> Any:
    """Return a CSV sheet as a browser sends it; needs that are not said are none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [column.heading for column in columns_of(kind)])
    writer.writeheader()
    needs = {f"Need: {need.title}": "none" if kind is SheetKind.CHILDREN else "can meet high" for need in NEEDS}
    writer.writerows({**needs, **row} for row in rows)
    return {"name": f"{kind.value}.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode()}


def imported(town: Town) -> None:
    """Have Devon's sheets in the register; taking them once more changes nothing."""
    for kind, rows in ((SheetKind.CHILDREN, CHILDREN), (SheetKind.HOUSEHOLDS, [HOUSEHOLD])):
        content: bytes = sheet_file(kind, rows)["buffer"]
        with transaction(town.database, town.devon) as session:
            run = request_import(
                session, kind=kind, filename="sheet.csv", content=content, dry_run=False, now=utc_now()
            )
        wait_for_import(town, run.id)


def wait_for_import(town: Town, run_id: UUID) -> None:
    """Do the import here if no worker has begun it, else wait for the worker."""
    deadline = utc_now() + timedelta(milliseconds=PATIENCE)
    while utc_now() < deadline:
        with transaction(town.database, town.devon) as session:
            run = next(each for each in list_imports(session) if each.id == run_id)
        if run.finished_at is not None:
            assert (run.refusal, run.refused) == (None, 0)
            return
        JobRunner(town.database, HANDLERS).run(run.job_id)
    raise AssertionError("The sheet was not imported in time.")


@pytest.fixture(scope="module")
def town(
    factories: Factories,
    database: Database,
    migrated: DatabaseUrls,
    valkey_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    consortium_id = factories.consortium()
    devon, torbay = factories.tenant(consortium_id), factories.tenant(consortium_id)
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE, roles=frozenset({Role.COORDINATOR}))
    families(factories, torbay)
    people = [
        ("ash", "Ash Sample", devon, [Role.FAMILY_FINDER]),
        ("cleo", "Cleo Sample", torbay, [Role.FAMILY_FINDER, Role.MANAGER]),
        ("dara", "Dara Sample", office, [Role.COORDINATOR]),
    ]
    write_people(folder / "people.json", [(subject, name, of.name, roles) for subject, name, of, roles in people])
    held_on = utc_now().date() + timedelta(days=20)
    with transaction(database, office) as session:
        arrange_meeting(session, title="Summer meeting", held_on=held_on, place="Community hall", now=utc_now())
    with (
        site_and_provider(database, folder / "people.json", valkey_url=valkey_url) as place,
        workers(migrated, valkey_url, folder),
    ):
        for subject, name, tenant, roles in people:
            invite(database, place.issuer, subject, name, tenant, roles)
        yield Town(place, database, devon, held_on.isoformat())


def families(factories: Factories, tenant: Tenant) -> None:
    """Make a family that fits well, and one that is on hold."""
    able = {need.code: Tolerance(*[Answer.CAN_MEET] * 3) for need in NEEDS}
    factories.household(tenant, tolerances=able, letterbox_contact=Answer.CAN_MEET)
    factories.household(tenant, tolerances=able, most_children=3, letterbox_contact=Answer.WOULD_DISCUSS)
    factories.household(tenant, status=HouseholdStatus.ON_HOLD)


def invite(database: Database, issuer: str, subject: str, name: str, tenant: Tenant, roles: list[Role]) -> None:
    with database.transaction(OPERATOR) as session:
        person = invite_person(session, name=name, email=f"{subject}@example.org", issuer=issuer, subject=subject)
        for role in roles:
            appoint(session, person, agency=get_agency(session, tenant.id), role=role, starts_on=LONG_AGO)


@contextmanager
def workers(urls: DatabaseUrls, valkey_url: str, folder: Path) -> Iterator[None]:
    """Have a relay and a worker, each in a process of its own, for the block."""
    keys = {"CONCORD_SCOPE_KEY": SCOPE_KEY, "CONCORD_MASTER_KEY": MASTER_KEY, "CONCORD_SECRET_KEY": SCOPE_KEY}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("CONCORD_", "DATABASE_"))},
        **{name: encode_key(value) for name, value in keys.items()},
        "CONCORD_DATA_DIR": str(folder),
        "DATABASE_URL": urls.app,
        "DATABASE_RELAY_URL": urls.relay,
        "VALKEY_URL": valkey_url,
    }
    with Supervisor() as supervisor:
        for name in ("relay", "worker"):
            line = (sys.executable, "-P", "-m", "concord", name)
            supervisor.start(Child(name=name, command=line, environment=environment, log=folder / f"{name}.log"))
        yield
