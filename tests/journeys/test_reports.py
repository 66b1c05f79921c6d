"""A report between two agencies: handed in, asked for, granted, undertaken, opened with its reader's mark, ended."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from matching.household import get_household
from matching.sibling_group import get_group
from tenants.database import Database
from tests.browser import Visit
from tests.factories import Factories, transaction
from tests.journeys.test_before_a_meeting import enter
from tests.matching.report_factory import make_pdf
from tests.site import Place, site_and_provider
from tests.workers.document.pdf_reading import text_in


class TestReports:
    def test_a_par_is_read_by_who_was_granted_it_until_the_link_ends(
        self, visit: Visit, place: Place, database: Database, factories: Factories
    ) -> None:
        tab = visit.tab
        devon, dorset = factories.two_tenants()
        group_id, household_id = factories.group(devon), factories.household(dorset)
        with transaction(database, devon) as session:
            group, household = get_group(session, group_id).code, get_household(session, household_id).code

        enter(visit, place, database, devon)
        tab.goto(f"{place.url}/links")
        assert "There is no open link" in visit.look("links-empty", "Links").text
        tab.goto(f"{place.url}/groups/{group_id}/why?household={household}")
        tab.get_by_role("link", name="Start a link of the two").click()
        visit.look("link-new", "Start a link")
        tab.get_by_role("button", name="Start the link").click()
        assert "Enter why they may be right" in visit.look("link-new-wrong", "Start a link").text
        tab.get_by_label("Why may they be right for each other?").fill("They have time, and a garden with puddles.")
        tab.get_by_role("button", name="Start the link").click()
        title = f"Link of {group} and {household}"
        assert "Your agency showed the interest" in visit.look("link-interest", title).text

        enter(visit, place, database, dorset)
        tab.goto(f"{place.url}/households/{household_id}")
        assert "Say whether you consider it" in visit.look("household-linked", f"Household {household}").text
        tab.get_by_role("link", name="The PAR and who may read it").click()
        assert "None is kept here yet." in visit.look("par-empty", f"PAR of {household}").text
        tab.get_by_label("The report, as a PDF").set_input_files(
            {"name": "par.docx", "mimeType": "application/msword", "buffer": b"PK\x03\x04 a made-up document"}
        )
        tab.get_by_role("button", name="Keep this report").click()
        assert "Reports are kept as PDF only" in visit.look("par-refused", f"PAR of {household}").text
        content = make_pdf("They have a dog called Sample.", sizes=((595, 842, 0), (842, 595, 90)))
        tab.get_by_label("The report, as a PDF").set_input_files(
            {"name": "par.pdf", "mimeType": "application/pdf", "buffer": content}
        )
        tab.get_by_role("button", name="Keep this report").click()
        tab.get_by_text("1, the present one").wait_for()
        visit.look("par-kept", f"PAR of {household}")
        tab.goto(f"{place.url}/links")
        tab.get_by_role("link", name=f"{group} and {household}").click()
        tab.get_by_role("button", name="Consider this link").click()
        visit.look("link-consider", f"Consider this link: {group} and {household}")
        tab.get_by_label("Why?").fill("The family would like to hear more.")
        tab.get_by_role("button", name="Consider this link").click()
        visit.look("link-considering", title)

        enter(visit, place, database, devon)
        tab.goto(f"{place.url}/documents")
        assert "There is none now." in visit.look("documents-empty", "Reports that you may read").text
        tab.goto(f"{place.url}/links")
        tab.get_by_role("link", name=f"{group} and {household}").click()
        tab.get_by_role("link", name="Ask to read the PAR").click()
        visit.look("grant-ask", "Ask to read the PAR")
        tab.get_by_label("Why do you need to read it?").fill("To prepare what we ask at the visit.")
        tab.get_by_role("button", name="Ask").click()
        assert "Waits for an answer" in visit.look("link-asked", title).text

        enter(visit, place, database, dorset)
        tab.goto(f"{place.url}/links")
        assert "A request to read a report waits for you" in visit.look("links-request", "Links").text
        tab.get_by_role("link", name=f"{group} and {household}").click()
        tab.get_by_role("link", name="Decide").click()
        visit.look("grant-decide", f"Decide whether Sam Sample {devon.slug} may read the PAR")
        tab.get_by_role("button", name="Save the decision").click()
        visit.look("grant-decide-wrong", f"Decide whether Sam Sample {devon.slug} may read the PAR")
        tab.get_by_label("Yes").check()
        tab.get_by_role("button", name="Save the decision").click()
        assert "May read" in visit.look("link-granted", title).text

        enter(visit, place, database, devon)
        tab.goto(f"{place.url}/documents")
        tab.get_by_role("link", name="Read what you undertake first").click()
        visit.look("undertaking", f"Before you open the PAR of {household}")
        tab.get_by_label("I have read this, and I undertake it").check()
        tab.get_by_role("button", name="Confirm").click()
        visit.look("documents", "Reports that you may read")
        with tab.expect_download() as download:
            tab.get_by_role("link", name="Open (PDF)").click()
        marks = _marks(Path(download.value.path()).read_bytes())
        assert len(marks) == 2
        for told in marks:
            assert f"SamSample{devon.slug}" in told
            assert f"Agency{devon.slug}" in told
        assert download.value.suggested_filename == f"PAR-{household}.pdf"
        opened = tab.get_by_role("link", name="Open (PDF)").get_attribute("href")
        assert opened

        enter(visit, place, database, dorset)
        tab.goto(f"{place.url}/documents/kept")
        assert f"Sam Sample {devon.slug} until" in visit.look("documents-kept", "Your agency’s reports").text
        tab.goto(f"{place.url}/links")
        tab.get_by_role("link", name=f"{group} and {household}").click()
        tab.get_by_role("button", name="End this link").click()
        visit.look("link-end", f"End the link of {group} and {household}")
        tab.get_by_label("The family did not wish to go on").check()
        tab.get_by_label("Why?").fill("They would rather wait for a younger child.")
        tab.get_by_label("What can the other agency use?").fill("They were moved by the profile, and thank you.")
        tab.get_by_role("button", name="End the link").click()
        assert "Ended" in visit.look("link-ended", title).text

        enter(visit, place, database, devon)
        response = tab.goto(f"{place.url}{opened}")
        assert response
        assert response.status == 404
        visit.look("report-gone", "Page not found")
        tab.goto(f"{place.url}/documents")
        assert "There is none now." in visit.look("documents-after", "Reports that you may read").text
        visit.check_quiet(place.url)


def _marks(pdf: bytes) -> list[str]:
    with pikepdf.open(BytesIO(pdf)) as document:
        return [
            "".join(text_in(each) for each in page.Resources.XObject.values() if each.Subtype == "/Form")
            for page in document.pages
        ]


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Iterator[Place]:
    people = tmp_path / "people.json"
    people.write_text("[]")
    with site_and_provider(database, people) as served:
        yield served
