"""A row that names nobody is the asking program's: no person, command or other program writes it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import ProgrammingError

from matching.link import DayKind, LinkDay, get_link
from tenants.api_client import add_client
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import Scope
from tests.factories import Factories, transaction
from tests.matching.placement.stage import TODAY
from tests.matching.report_factory import Pairing, make_link


class TestRowOfNobody:
    def test_is_the_asking_programs_under_its_own_name(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        ours, theirs = pairing.children, pairing.family
        made = {}
        for name, tenant in (("Case system", ours), ("Diary", ours), ("Their system", theirs)):
            with transaction(database, tenant) as session:
                client = add_client(session, name=name, scopes=["links.write"], now=utc_now()).client
                made[name] = Scope(tenant.id, None, tenant.scope.consortium_id, client_id=client.id)

        _say(database, pairing, made["Case system"], name="Case system", number=1)

        for scope, name in (
            (made["Case system"], "Diary"),
            (made["Case system"], "Their system"),
            (ours.scope, "Case system"),
            (replace(ours.scope, person_id=None), "Case system"),
            (made["Their system"], "Their system"),
        ):
            with pytest.raises(ProgrammingError, match="row-level security"):
                _say(database, pairing, scope, name=name, number=2)


def _say(database: Database, pairing: Pairing, scope: Scope, *, name: str, number: int) -> None:
    with database.transaction(scope) as session:
        link = get_link(session, pairing.link_id)
        row = {"link_id": link.id, "kind": DayKind.VISIT, "number": number, "day": TODAY, "at": utc_now()}
        sides = {"group_agency_id": link.group_agency_id, "household_agency_id": link.household_agency_id}
        whose = {"agency_id": pairing.children.id, "person_id": None, "person_name": name}
        session.execute(insert(LinkDay).values(**row, **sides, **whose))
