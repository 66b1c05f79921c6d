from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import select

from matching.link import get_link
from matching.sealing.gathering import gather
from matching.sealing.record import AdoptionRecord, PartKind, SealingCertificate
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import make_ordered, make_placed
from tests.matching.report_factory import Pairing, make_par
from tests.platform.web.equal import page_of
from tests.site import Visitor

Visit = Callable[[Tenant], Visitor]
SURE: dict[str, Any] = {"sure": "y"}


class TestSeal:
    def test_is_asked_for_by_one_person_confirmed_by_another_and_certified(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        pairing = make_ordered(factories, database)
        make_par(database, pairing.family, pairing.household_id)
        first, path = visit_as(pairing.children), f"/links/{pairing.link_id}/seal"
        second = visit_as(factories.colleague(pairing.children, roles=frozenset({Role.MANAGER})))
        lead = visit_as(factories.colleague(pairing.children, roles=frozenset({Role.INFORMATION_GOVERNANCE})))

        first.get("/sealings")
        assert "Nobody has asked for it yet." in page_of(first).text
        first.get(f"/links/{pairing.link_id}/placement")
        first.get(page_of(first).links()["Seal the adoption"])
        assert first.post(path, {}).status_code == 422
        assert "Confirm that you have read it" in page_of(first).text
        assert first.post(path, SURE).status_code == 303
        first.get(path)
        assert "asked for it. A second person confirms it. Workers are still" in page_of(first).text
        assert first.post(path, SURE).status_code == 403
        first.get("/sealings")
        assert "You asked for it" in page_of(first).text
        # Who sees no links comes to it from the list, and goes back there.
        lead.get("/sealings")
        assert "asked for it: a second person, such as you, confirms it." in page_of(lead).text
        assert path in page_of(lead).links().values()
        lead.get(path)
        assert page_of(lead).links()["Sealed adoptions"] == "/sealings"
        second.get(path)
        assert second.post(path, SURE).status_code == 409
        assert "has not been gathered yet" in page_of(second).text
        for tenant in (pairing.children, pairing.family):
            with transaction(database, tenant) as session:
                gather(session, get_link(session, pairing.link_id), tally=None, now=utc_now())
        self._gather_at_once(database, pairing)
        second.get(path)
        sealed = second.post(path, SURE)
        assert sealed.status_code == 303
        second.get(sealed.location)
        assert "Still to be given, by a worker" in page_of(second).text
        assert second.get(f"{sealed.location}/certificate.pdf").data[:5] == b"%PDF-"
        assert second.get(path).status_code == 404
        # A manager sees what was sealed; the record itself is its keeper's.
        second.get("/sealings")
        number = sealed.location.rsplit("/", 1)[-1]
        assert number in page_of(second).text
        assert second.get(f"/adoption-records/{number}").status_code == 403
        self._look_at_the_record(visit_as, database, pairing.family)

    def _gather_at_once(self, database: Database, pairing: Pairing) -> None:
        """Gather twice at once, as when a worker is at it still while the second person seals: it is one record."""

        def once(_: int) -> None:
            with transaction(database, pairing.children) as session:
                gather(session, get_link(session, pairing.link_id), tally=None, now=utc_now())

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(once, range(2)))
        with transaction(database, pairing.children) as session:
            query = select(AdoptionRecord.id).where(AdoptionRecord.link_id == pairing.link_id)
            session.scalars(query.where(AdoptionRecord.kind == PartKind.RECORD)).one()

    def _look_at_the_record(self, visit_as: Visit, database: Database, family: Tenant) -> None:
        with transaction(database, family) as session:
            number = session.scalars(select(SealingCertificate.number)).one()
        keeper = visit_as(family)
        keeper.get("/sealings")
        keeper.get(page_of(keeper).links()[number])
        keeper.get(f"/adoption-records/{number}")
        assert "Alder Example" in page_of(keeper).text
        assert b'"Alder Example"' in keeper.get(f"/adoption-records/{number}/record.json").data
        assert keeper.get(f"/adoption-records/{number}/par.pdf").data[:5] == b"%PDF-"
        assert keeper.get(f"/adoption-records/{number}/cpr.pdf").status_code == 404
        assert keeper.get("/adoption-records/A-000000").status_code == 404
        assert keeper.get("/sealings/A-000000").status_code == 404

    def test_is_taken_back_and_is_the_childrens_agencys(
        self, visit_as: Visit, factories: Factories, database: Database
    ) -> None:
        placed, ordered = make_placed(factories, database), make_ordered(factories, database)
        early, visitor, theirs = visit_as(placed.children), visit_as(ordered.children), visit_as(ordered.family)
        path = f"/links/{ordered.link_id}/seal"

        early.get(f"/links/{placed.link_id}/seal")
        assert "No adoption order is recorded" in page_of(early).text
        theirs.get("/sealings")
        assert "None waits." in page_of(theirs).text
        theirs.get(path)
        assert "The children’s agency seals the adoption." in page_of(theirs).text
        assert theirs.post(path, SURE).status_code == 403
        visitor.get(path)
        visitor.post(path, SURE)
        visitor.get(path)
        assert visitor.post(f"{path}/withdraw").status_code == 303
        visitor.get(path)
        assert "This asks for it" in page_of(visitor).text
        assert visitor.post(f"{path}/withdraw").status_code == 404
