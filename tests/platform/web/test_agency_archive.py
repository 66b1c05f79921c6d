from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from zipfile import ZipFile

import pytest

from tenants.agency_archive import list_archives
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
GOVERNANCE = frozenset({Role.INFORMATION_GOVERNANCE})


class TestRecords:
    def test_go_out_as_a_file_and_are_signed_for_by_another(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        factories.household(us)
        manager, lead = visit_as(us), visit_as(factories.colleague(us, roles=GOVERNANCE))
        manager.get("/agency/records")
        assert "Nobody has taken your agency’s records out" in page_of(manager).text

        response = manager.post("/agency/records")

        assert (response.mimetype, response.headers["Cache-Control"]) == ("application/zip", "no-store")
        with ZipFile(BytesIO(response.data)) as archive:
            word = re.search(r"Check word: (\w+)", archive.read("README.txt").decode())
        response.close()
        assert word
        lead.get("/agency/records")
        assert "To sign" in page_of(lead).text
        assert "Take everything out" not in page_of(lead).text
        path = receipt(database, us)
        assert lead.get(path).status_code == 200
        assert "records/household.jsonl" in page_of(lead).text
        assert lead.post(path, {"word": word[1]}).status_code == 303
        lead.get(path)
        assert "Received, counts agree: signed by Kit Sample" in page_of(lead).text
        assert visit_as(them).get(path).status_code == 404

    @pytest.mark.parametrize(
        ("typed", "words"), [("", "Enter the check word"), ("wrong", "not the check word"), ("\x00", "Enter the check")]
    )
    def test_are_not_signed_for_without_the_word(
        self, typed: str, words: str, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        us, _ = factories.two_tenants()
        manager, lead = visit_as(us), visit_as(factories.colleague(us, roles=GOVERNANCE))
        manager.get("/agency/records")
        manager.post("/agency/records").close()
        path = receipt(database, us)
        lead.get(path)

        assert lead.post(path, {"word": typed}).status_code == 422

        assert words in page_of(lead).text
        manager.get(path)
        assert "a second person has to sign" in page_of(manager).text
        assert manager.post(path, {"word": "x"}).status_code == 403

    def test_are_not_taken_by_who_only_signs(self, visit_as: Visit, factories: Factories) -> None:
        us, _ = factories.two_tenants()
        lead = visit_as(factories.colleague(us, roles=GOVERNANCE))
        lead.get("/agency/records")

        assert lead.post("/agency/records").status_code == 403


def receipt(database: Database, tenant: Tenant) -> str:
    with database.transaction(tenant.scope) as session:
        return f"/agency/records/{list_archives(session)[0].id}"
