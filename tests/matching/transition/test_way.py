"""What the database itself lets a link do, held to the table of transitions: for whoever gets past the code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from concord.migrations.link_way_back import MOVES
from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.household import get_household
from matching.legal_hold import HoldKind
from matching.link import LinkState, StepName
from matching.sibling_group import get_group
from matching.transition import TRANSITIONS, Taker, set_legal_hold, start_link
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction
from tests.matching.placement.stage import TODAY, agree_plan, decide, make_matched, step
from tests.matching.report_factory import Pairing, make_link
from tests.tenants.world import acting

_WORDS = {Taker.CHILDREN: "children", Taker.OTHER: "other", Taker.EITHER: "either"}
_TO_PANEL = (StepName.SHORTLIST, StepName.VISIT, StepName.MEET, StepName.GO_TO_PANEL)


class TestMoves:
    def test_are_those_of_the_table(self) -> None:
        table = {
            (source.value, row.target.value, _WORDS[row.taker])
            for row in TRANSITIONS
            if row.target is not None
            for source in row.sources
        }

        assert set(MOVES) == table
        assert len(MOVES) == len(table)

    def test_nothing_else_moves_a_link(
        self, factories: Factories, database: Database, admin: psycopg.Connection[Any]
    ) -> None:
        pairing = make_link(factories, database)
        moved = set()
        for source in LinkState:
            for target in LinkState:
                for side, tenant in (("children", pairing.children), ("family", pairing.family)):
                    if source is not target and _moves(admin, pairing, tenant, source, target):
                        moved.add((source.value, target.value, side))

        # The children's agency showed the interest; nobody has decided on a match, or agreed a plan for moving in.
        sides = {"children": ("children",), "other": ("family",), "either": ("children", "family")}
        assert moved == {
            (source, target, side)
            for source, target, taker in MOVES
            for side in sides[taker]
            if target != "placed" and (source, target) != ("panel", "matched")
        }

    def test_nobody_says_for_the_childrens_agency_that_they_live_there(
        self, factories: Factories, database: Database, admin: psycopg.Connection[Any]
    ) -> None:
        pairing = make_link(factories, database)
        fostered = "UPDATE link SET path = 'early_permanence', fostered_on = now() WHERE id = %s"
        with acting(admin, pairing.children.scope):
            assert admin.execute(fostered, (pairing.link_id,)).rowcount == 1
        with acting(admin, pairing.family.scope), pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute(fostered, (pairing.link_id,))


class TestGuards:
    def test_no_match_without_a_decision_for_it(
        self, factories: Factories, database: Database, admin: psycopg.Connection[Any]
    ) -> None:
        pairing = make_link(factories, database)
        for name in _TO_PANEL:
            step(database, pairing.children, pairing, name, day=None if name is StepName.SHORTLIST else TODAY)

        assert not _moves(admin, pairing, pairing.children, LinkState.PANEL, LinkState.MATCHED)
        decide(database, pairing)
        assert _moves(admin, pairing, pairing.children, LinkState.PANEL, LinkState.MATCHED)

    def test_no_placing_while_a_legal_hold_stands(
        self, factories: Factories, database: Database, admin: psycopg.Connection[Any]
    ) -> None:
        pairing = make_matched(factories, database)
        agree_plan(database, pairing)
        with transaction(database, pairing.children) as session:
            facts: dict[str, Any] = {"kind": HoldKind.STAY, "from_on": TODAY, "reason": "An appeal"}
            set_legal_hold(session, get_group(session, pairing.group_id), **facts, now=utc_now())

        assert not _moves(admin, pairing, pairing.children, LinkState.INTRODUCTIONS, LinkState.PLACED)

    def test_what_panel_and_placing_need_is_asked_of_whoever_gets_past_the_code(
        self, factories: Factories, database: Database, admin: psycopg.Connection[Any]
    ) -> None:
        pairing = make_matched(factories, database)
        to_panel = (LinkState.LINKING_MEETING, LinkState.PANEL)
        to_place = (LinkState.INTRODUCTIONS, LinkState.PLACED)
        assert _moves(admin, pairing, pairing.children, *to_panel)
        assert not _moves(admin, pairing, pairing.children, *to_place)
        agree_plan(database, pairing)
        assert _moves(admin, pairing, pairing.children, *to_place)

        for change, moves in (
            ("sibling_group SET shobpa_on = NULL", {to_place}),
            ("sibling_group SET shobpa_on = now() + interval '2 days'", {to_place}),
            ("sibling_group SET placement_order_on = NULL, legal_position = 'unknown'", {to_panel}),
            ("sibling_group SET legal_position = 'order_applied'", {to_panel}),
            ("child SET unborn = true", {to_panel}),
        ):
            table, _, rest = change.partition(" SET ")
            column = "sibling_group_id" if table == "child" else "id"
            with admin.transaction(force_rollback=True):
                admin.execute(f"UPDATE {table} SET {rest} WHERE {column} = %s", (pairing.group_id,))
                found = {each for each in (to_panel, to_place) if _moves(admin, pairing, pairing.children, *each)}
            assert found == moves, change
        # What was decided, or granted, is not taken back by the way.
        assert not _moves(admin, pairing, pairing.children, LinkState.PANEL, LinkState.LINKING_MEETING)

    def test_a_cap_is_passed_by_no_step_without_a_reason_and_nothing_moves_without_a_step(
        self, factories: Factories, database: Database
    ) -> None:
        consortium_id = factories.consortium(group_cap=1, household_cap=1)
        ours, theirs = factories.tenant(consortium_id), factories.tenant(consortium_id)
        group_id, household_id = factories.group(ours), factories.household(theirs)
        for number in range(2):
            with transaction(database, ours) as session:
                pair: dict[str, Any] = {"group": get_group(session, group_id if number else factories.group(ours))}
                pair["household"] = get_household(session, household_id)
                override = "Both may fit." if number else None
                link_id = start_link(session, **pair, reason="They may fit.", override=override, now=utc_now()).id
        with transaction(database, ours) as session, pytest.raises(ProgrammingError, match="a cap is reached"):
            session.execute(
                text(
                    "INSERT INTO link_step SELECT gen_random_uuid(), link_id, group_agency_id, household_agency_id, 9, "
                    "from_state, to_state, at, agency_id, person_id, person_name, person_roles, reason, step, NULL "
                    "FROM link_step WHERE link_id = :link"
                ),
                {"link": link_id},
            )
        with pytest.raises(ProgrammingError, match="a link moves by a step"), transaction(database, theirs) as session:
            session.execute(text("UPDATE link SET state = 'considering' WHERE id = :link"), {"link": link_id})


def _moves(
    admin: psycopg.Connection[Any], pairing: Pairing, tenant: Tenant, source: LinkState, target: LinkState
) -> bool:
    """Say whether a tenant's own SQL moves the link from a state to another; it is as it was afterwards."""
    set_state = "UPDATE link SET state = %s, outcome = %s, feedback = %s WHERE id = %s"
    with admin.transaction(force_rollback=True):
        admin.execute(set_state, (*_ended(source), pairing.link_id))
        try:
            with acting(admin, tenant.scope):
                return admin.execute(set_state, (*_ended(target), pairing.link_id)).rowcount == 1
        except psycopg.errors.InsufficientPrivilege:
            return False


def _ended(state: LinkState) -> tuple[str, str | None, str | None]:
    return (state.value, "other", "x") if state is LinkState.ENDED else (state.value, None, None)


@pytest.fixture(scope="module")
def admin(migrated: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection, which may become any role and put any row into any state."""
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as connection:
        yield connection
