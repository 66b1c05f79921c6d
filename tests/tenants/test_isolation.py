"""Nobody sees or touches another's rows, in any table, by any verb; and a broken wall would be noticed."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tenants.scope import OPERATOR
from tests.tenants import catalogue
from tests.tenants.world import (
    REFUSED_BY_FOREIGN_KEY,
    REFUSED_BY_POLICY,
    World,
    acting,
    count,
    faults,
    insert_as,
    row_of_another,
)

DIRECTORY = {
    "agency",
    "agency_delegation",
    "appointment",
    "consortium",
    "consortium_member",
    "hand_over",
    "email_domain",
    "invitation",
    "person",
    "person_identity",
    "sign_in_session",
}
OF_BOTH_SIDES = {
    *("link_day", "match_decision", "decline", "decline_feedback", "link_note", "link_message", "link_file"),
    *("panel_reader", "panel_undertaking", "panel_paper"),
    *("swap_group", "swap_member"),
    *("tariff_rate", "tariff_instalment", "fee_rule", "fee_agreement", "fee_addendum"),
    *("fee_event", "fee_exception", "ledger_transaction", "posting"),
    *("payment", "payment_allocation", "fee_statement_line"),
    *("purchase_order", "invoice", "invoice_line", "pay_approval", "dispute", "dispute_message", "invoice_reminder"),
    *("link", "link_step", "document_grant", "document_undertaking", "paper_signature"),
    *("placement", "placement_child", "placement_introduction", "placement_review", "adopters_copy", "sealing"),
    # Gathered only while a sealing that the scope sees is asked for.
    "adoption_record",
}


class TestWall:
    def test_lets_nobody_see_or_touch_what_is_anothers(self, admin: psycopg.Connection[Any], world: World) -> None:
        tables = catalogue.walled_tables(admin)

        assert faults(admin, world, tables=tables) == []

    def test_shows_the_operator_the_directory_the_jobs_and_the_audit_of_no_agency_alone(
        self, admin: psycopg.Connection[Any], world: World
    ) -> None:
        assert world
        with acting(admin, OPERATOR):
            seen = {table for table in catalogue.walled_tables(admin) if count(admin, table)}

        # Of the audit, the entries of no agency, which the operator alone can answer for.
        assert seen == DIRECTORY | {"job", "audit_entry"}

    def test_shows_the_relay_the_jobs_alone(self, admin: psycopg.Connection[Any], world: World) -> None:
        assert world
        with acting(admin, None, role="concord_relay"):
            seen = {table for table in catalogue.tables(admin) if count(admin, table)}

        assert seen == {"job", "alembic_version"}
        assert catalogue.columns_open_to(admin, "concord_relay", "job", "SELECT") == [
            *("id", "urgent", "state", "attempt", "due_at", "sent_at", "lease_until")
        ]
        assert catalogue.columns_open_to(admin, "concord_relay", "job", "UPDATE") == ["sent_at"]

    def test_hides_all_from_the_owner_of_the_tables(self, admin: psycopg.Connection[Any], world: World) -> None:
        assert world
        with acting(admin, None, role="concord_owner"):
            seen = {table for table in catalogue.walled_tables(admin) if count(admin, table)}

        assert seen == set()


class TestBorrowedKeys:
    def test_are_refused_the_same_way_whether_or_not_the_other_has_such_a_row(
        self, admin: psycopg.Connection[Any], world: World
    ) -> None:
        """One's own row that points at another's record: a foreign key refuses it, never a unique constraint.

        Otherwise trying keys would tell which of them another agency has, as the outward code of an exclusion area.
        """
        outcomes = {}
        own = {"agency_id": str(world.stranger.id), "consortium_id": str(world.stranger.scope.consortium_id)}
        own |= dict.fromkeys(("person_id", "set_by"), str(world.stranger.scope.person_id))
        for table in {key.table for key in catalogue.foreign_keys(admin) if key.target not in DIRECTORY}:
            if not catalogue.columns_open_to(admin, "concord_app", table, "INSERT"):
                continue
            row = row_of_another(admin, world, table)
            if table == "job":
                # It points at a client alone, and one that a person asked for at none.
                assert row["client_id"] is None
                continue
            fresh = {"id": str(uuid4())} if "id" in row else {}
            outcomes[table] = insert_as(admin, world.stranger.scope, table, row | own | fresh)

        assert {"exclusion_area", "household_identity", "pool_entry", "pack", "import_row"} <= set(outcomes)
        # What is of two agencies is refused by its policy, before any constraint is asked.
        assert {table for table, outcome in outcomes.items() if outcome == REFUSED_BY_POLICY} == OF_BOTH_SIDES
        assert set(outcomes.values()) == {REFUSED_BY_FOREIGN_KEY, REFUSED_BY_POLICY}


class TestFaults:
    """The check above is only as good as it can fail: each condition of each policy is broken in turn."""

    def test_notice_every_broken_policy(self, admin: psycopg.Connection[Any], world: World) -> None:
        unnoticed = []
        for policy, broken in _mutants(admin):
            with admin.transaction(force_rollback=True):
                admin.execute(broken)
                if not faults(admin, world, tables=[policy.table]):
                    unnoticed.append(broken.as_string(admin))

        assert unnoticed == []

    @pytest.mark.parametrize("table", ["household", "audit_entry", "job", "pack_file"])
    def test_notice_a_wall_that_is_switched_off(self, admin: psycopg.Connection[Any], world: World, table: str) -> None:
        with admin.transaction(force_rollback=True):
            admin.execute(sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(sql.Identifier(table)))

            assert faults(admin, world, tables=[table])

    def test_notice_a_constraint_that_answers_before_the_policy(
        self, admin: psycopg.Connection[Any], world: World
    ) -> None:
        with admin.transaction(force_rollback=True):
            admin.execute("CREATE UNIQUE INDEX ON exclusion_area (sibling_group_id, outward_code)")
            row = row_of_another(admin, world, "exclusion_area") | {"agency_id": str(world.stranger.id)}

            assert insert_as(admin, world.stranger.scope, "exclusion_area", row) not in {
                REFUSED_BY_FOREIGN_KEY,
                REFUSED_BY_POLICY,
            }


def _mutants(admin: psycopg.Connection[Any]) -> list[tuple[catalogue.Policy, sql.Composed]]:
    """Return each policy of the application's login with one of its conditions replaced by “true”.

    Two kinds are left out, for nothing could show a difference. The policies of the roles that own functions are
    “true” already: what those functions let through is tested one by one. And the check after an update by the
    operator says nothing about the row: whom it would stop was stopped before.
    """
    made = []
    for policy in catalogue.policies(admin):
        if policy.roles != ("concord_app",):
            continue
        start = sql.SQL("ALTER POLICY {} ON {} ").format(sql.Identifier(policy.name), sql.Identifier(policy.table))
        if policy.using is not None:
            made.append((policy, start + sql.SQL("USING (true)")))
        if policy.check is not None and (policy.verb == "INSERT" or _may_give_away(admin, policy)):
            made.append((policy, start + sql.SQL("WITH CHECK (true)")))
    return made


def _may_give_away(admin: psycopg.Connection[Any], policy: catalogue.Policy) -> bool:
    about_the_row = "scope_agency" in (policy.check or "")
    return about_the_row and "agency_id" in catalogue.columns_open_to(admin, "concord_app", policy.table, "UPDATE")
