from __future__ import annotations

from matching.document_opening import Reader
from matching.panel.reading import list_readings, open_paper, read_papers
from tenants.base import utc_now
from tenants.database import Database
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
