"""Which report opens at which state of a link: in the program, and in the database past all of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.document import ReportKind, add_cpr, add_par
from matching.document_check import CheckedPdf
from matching.grant import ask, get_grant, grant
from matching.household import get_household
from matching.link import LinkState, StepName, get_link
from matching.report_stage import NotConsidered, opens_at
from matching.sibling_group import get_group
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, transaction
from tests.matching.placement.stage import TODAY, step
from tests.matching.report_factory import make_link
from tests.tenants.world import acting

PAR = set(LinkState) - {LinkState.INTEREST, LinkState.ORDERED, LinkState.ENDED, LinkState.DISRUPTED}
CPR = PAR - {LinkState.CONSIDERING, LinkState.SHORTLISTED, LinkState.VISITING}


class TestStages:
    def test_are_those_of_each_kind(self, factories: Factories, database: Database, migrated: DatabaseUrls) -> None:
        pairing = make_link(factories, database)
        file, now = CheckedPdf(b"%PDF-a-made-up-report", 1), utc_now()
        with transaction(database, pairing.family) as session:
            add_par(session, get_household(session, pairing.household_id), file=file, now=now)
        with transaction(database, pairing.children) as session:
            add_cpr(session, get_group(session, pairing.group_id), file=file, now=now)
        with transaction(database, pairing.family) as session, pytest.raises(NotConsidered, match="linking meeting"):
            ask(session, get_link(session, pairing.link_id), kind=ReportKind.CPR, reason="To prepare.", now=now)
        for name in (StepName.SHORTLIST, StepName.VISIT, StepName.MEET):
            step(database, pairing.children, pairing, name, day=TODAY)
        sides = {ReportKind.PAR: (pairing.children, pairing.family), ReportKind.CPR: (pairing.family, pairing.children)}
        for kind, (reader, owner) in sides.items():
            with transaction(database, reader) as session:
                link = get_link(session, pairing.link_id)
                grant_id = ask(session, link, kind=kind, reason="To prepare.", now=now).id
            with transaction(database, owner) as session:
                grant(session, get_grant(session, grant_id), ends_on=TODAY + timedelta(days=9), now=now)

        with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as admin:
            seen: dict[ReportKind, set[LinkState]] = {kind: set() for kind in ReportKind}
            for state in LinkState:
                for kind, (reader, _) in sides.items():
                    with admin.transaction(force_rollback=True):
                        _set(admin, pairing.link_id, state)
                        with acting(admin, reader.scope):
                            found = admin.execute("SELECT FROM document WHERE kind = %s", (kind.value,)).rowcount
                        if found:
                            seen[kind].add(state)

        assert seen == {ReportKind.PAR: PAR, ReportKind.CPR: CPR}
        with transaction(database, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            for kind, states in seen.items():
                assert {state for state in LinkState if _at(link, state, kind)} == states
            session.expire(link)


def _set(admin: psycopg.Connection[Any], link_id: object, state: LinkState) -> None:
    # Past the trigger, which would revoke what is to be looked at.
    admin.execute("SET LOCAL session_replication_role = replica")
    ended = state is LinkState.ENDED
    values = (state.value, "other" if ended else None, "Sorry." if ended else None, link_id)
    admin.execute("UPDATE link SET state = %s, outcome = %s, feedback = %s WHERE id = %s", values)


def _at(link: Any, state: LinkState, kind: ReportKind) -> bool:
    link.state = state
    return opens_at(kind, link)
