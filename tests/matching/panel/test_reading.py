from __future__ import annotations

from sqlalchemy import select

from matching.document_opening import Reader
from matching.link import get_link
from matching.panel.reading import list_readings, open_paper, read_papers
from tenants.audit import AuditEntry
from tenants.base import utc_now
from tenants.database import Database
from tenants.role import Role
from tests.factories import Factories, transaction
from tests.matching.panel.stage import ROLES, make_panel


def _plain(content: bytes, reader: Reader) -> bytes:
    return content + reader.name.encode()


class TestReading:
    def test_shows_each_of_the_named_exactly_the_papers(self, factories: Factories, database: Database) -> None:
        panel, _ = make_panel(factories, database), make_panel(factories, database)
        for role in ROLES:
            who = panel.people[role]
            with transaction(database, who) as session:
                now = utc_now()
                readings = list_readings(session, now=now)
                assert [each.link.id for each in readings] == [panel.pairing.link_id]
                lines = read_papers(session, readings[0].link, now=now)
                assert [line.paper.kind for line in lines] == ["par", "cpr", "placement_report"]
                for line in lines:
                    assert b"%PDF" in open_paper(session, line.paper, stamp=_plain, now=now)

    def test_puts_each_look_at_a_report_on_the_record_that_it_is_about(
        self, factories: Factories, database: Database
    ) -> None:
        panel = make_panel(factories, database)
        who = panel.people[Role.LEGAL_ADVISER]
        with transaction(database, who) as session:
            now = utc_now()
            for line in read_papers(session, get_link(session, panel.pairing.link_id), now=now):
                open_paper(session, line.paper, stamp=_plain, now=now)

        with transaction(database, panel.pairing.family) as session:
            looks = select(AuditEntry).where(AuditEntry.record_id == panel.pairing.household_id)
            looked = [each for each in session.scalars(looks) if each.actor_person_id == who.scope.person_id]
            assert [(each.act, each.level, each.reason) for each in looked] == [
                ("read", "report", "panel papers: prospective adopter report, version 1")
            ]
