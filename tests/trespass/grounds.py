"""A consortium of five agencies with everything in it, who may come, and what they may try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask
from psycopg import sql

from concord.limits import Limits
from matching.pool import Stage
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.platform.api.program import Program
from tests.site import Visitor
from tests.tenants import catalogue
from tests.tenants.world import make_world
from tests.trespass.attempt import Attempt, rules_of
from tests.trespass.hidden import hidden_from, ids_of, mark_rows, told_of_rows
from tests.trespass.intruder import Intruder, gather
from tests.trespass.learning import learn, route_of
from tests.trespass.programs import is_operation, learn_operations

UNLIMITED = Limits(**dict.fromkeys((each.name for each in fields(Limits)), "1000000 per minute"))
"""What lets somebody try as often as they like."""
_TABLES_OF = {
    "action_id": ("meeting_action",),
    "agreement_id": ("fee_agreement",),
    "archive_id": ("agency_archive",),
    "bar_id": ("record_bar",),
    "breach_id": ("breach",),
    "client_id": ("api_client",),
    "domain_id": ("email_domain",),
    "entry_id": ("agreement_entry",),
    "file_id": ("link_file",),
    "grant_id": ("document_grant",),
    "group_id": ("sibling_group",),
    "hold_id": ("retention_hold",),
    "item_id": ("subject_item",),
    "order_id": ("adoption_order",),
    "payer_id": ("fee_payer",),
    "paper_id": ("paper", "panel_paper"),
    "provider_id": ("identity_provider",),
    "reader_id": ("panel_reader",),
    "record_id": ("household", "sibling_group"),
    "request_id": ("subject_request",),
    "row_id": ("rectification",),
    "run_id": ("import_run", "ranking_run", "retention_run"),
    "session_id": ("sign_in_session",),
}
"""Of what an id is, by the name that addresses give it; else of the table of that name."""
_OF_OTHERS = frozenset({"record_bar", "meeting_action", "notice"})
"""Tables of an agency's rows that others may write: who knows a family says so, the office sets what is to do,
and whoever takes a step of a link tells the other side."""
_ENTERED_BY_OTHERS = {
    "email_domain": ("confirmed_at", "confirmed_by"),
    "fee_statement": (
        *("other_agreed_at", "other_agreed_by", "other_agreed_name", "other_notes"),
        *("withdrawn_at", "withdrawn_by", "withdrawn_name", "withdrawn_reason"),
    ),
    "fee_payer": ("confirmed_at", "confirmed_by", "confirmed_name", "ends_on"),
    "netting": ("posted_at", "declined_at", "declined_by", "declined_name", "declined_reason", "declined_agency_id"),
    "netting_leg": ("due_on",),
    "hand_over": ("taken_at", "taken_by", "withdrawn_at", "withdrawn_by"),
}
"""Columns of an agency's rows that another rightly fills in: the office confirms, whoever receives or pays agrees."""


def tables_of(name: str) -> tuple[str, ...]:
    """Return the tables of which addresses give an id this name."""
    return _TABLES_OF.get(name, (name.removesuffix("_id"),))


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is there to try, and to be found."""

    app: Flask
    admin: psycopg.Connection[Any]
    owners: tuple[Tenant, ...]
    intruders: tuple[Intruder, ...]
    learnt: dict[str, list[Attempt]]
    """What the owners' own people can send, by route."""
    operations: dict[str, list[Attempt]]
    """What the owners' own programs can send, by route."""
    ids: dict[str, list[str]]
    """Every id in the owners' rows, by the table."""

    @property
    def all_ids(self) -> list[str]:
        """Return every id in the owners' rows, once."""
        return list(dict.fromkeys(each for ids in self.ids.values() for each in ids))

    def ids_for(self, name: str) -> list[str]:
        """Return the ids that addresses give a name."""
        return [each for table in tables_of(name) for each in self.ids.get(table, ())]

    def fingerprints(self) -> dict[str, str]:
        """Return what tells whether the owners' rows are as they were, by agency and table."""
        return {f"{owner.name}: {table}": mark for owner in self.owners for table, mark in self._of(owner)}

    def _of(self, owner: Tenant) -> Iterator[tuple[str, str]]:
        for table in catalogue.walled_tables(self.admin):
            if table not in _OF_OTHERS and "agency_id" in catalogue.columns(self.admin, table):
                query = sql.SQL("SELECT md5(string_agg(said, '' ORDER BY said)) FROM ({}) AS told (said)")
                said = sql.SQL("SELECT (to_jsonb(t) - {}::text[])::text FROM {} t WHERE agency_id = {}")
                left_out = sql.Literal(list(_ENTERED_BY_OTHERS.get(table, ())))
                rows = said.format(left_out, sql.Identifier(table), owner.id)
                row = self.admin.execute(query.format(rows)).fetchone()
                yield table, str(row[0]) if row else ""


def make_grounds(app: Flask, database: Database, admin: psycopg.Connection[Any]) -> Grounds:
    """Fill an empty database, learn what its agencies' people and programs can reach, and let others in."""
    world = make_world(database, admin)
    second = _second_agency(database, world.agency)
    owners = (world.agency, second)
    mark_rows(admin)
    visitors = [Visitor(app).sign_in(database, owner) for owner in owners]
    learnt = _by_route(app, learn(app, visitors))
    names = {name for rule in filter(is_operation, rules_of(app)) for name in rule.arguments}
    programs = [(Program(app, database, owner), _named_ids(admin, owner, names)) for owner in owners]
    operations = _by_route(app, learn_operations(app, programs))
    told = told_of_rows(admin)
    strangers = (world.stranger, world.office, world.neighbour)
    intruders = tuple(gather(app, database, strangers, hidden=lambda scope: hidden_from(admin, scope, told)))
    ids: dict[str, list[str]] = {}
    for owner in owners:
        for table, found in ids_of(admin, owner).items():
            ids.setdefault(table, []).extend(found)
    return Grounds(app, admin, owners, intruders, learnt, operations, ids)


def _second_agency(database: Database, first: Tenant) -> Tenant:
    factories = Factories(database)
    second = factories.tenant(first.scope.consortium_id or UUID(int=0))
    for stage in Stage:
        factories.household(second, stage=stage, profile=f"Hidden{stage.value}home", adopter="Hiddenadopter")
        factories.group(second, stage=stage, profile=f"Hidden{stage.value}group", forename="Hiddenchild")
    return second


def _named_ids(admin: psycopg.Connection[Any], owner: Tenant, names: Iterable[str]) -> dict[str, list[str]]:
    found = ids_of(admin, owner)
    return {name: [each for table in tables_of(name) for each in found.get(table, ())[:2]] for name in names}


def _by_route(app: Flask, attempts: Iterator[Attempt]) -> dict[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = {}
    for attempt in dict.fromkeys(attempts):
        found.setdefault(route_of(app, attempt), []).append(attempt)
    return found
