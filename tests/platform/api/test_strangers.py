"""No operation tells an agency that another has something: its answer is that for what is not there, byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from flask import Flask

from concord.api.app import OPERATIONS
from concord.schema.placement import PlanSchema
from concord.servers.login import DatabaseUrls
from matching.fee.remittance.remittance import Purpose, request_remittance
from matching.fee.statement.statement import make_statement
from matching.intake.column import SheetKind
from matching.intake.import_run import request_import
from matching.meeting import arrange_meeting
from matching.pack import request_pack
from matching.pool import Stage
from matching.ranking_run import families_for
from matching.sibling_group import get_group
from matching.swap.group import Terms, make_swap_group
from matching.swap.rule import SwapRule
from tenants.agency import AgencyKind
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.matching.fee.invoice.invoice_ground import make_invoice_ground
from tests.matching.placement.stage import make_placed
from tests.matching.report_factory import make_link
from tests.platform.api.census import API_CENSUS
from tests.platform.api.program import Program

NAMED = sorted(route for route, access in API_CENSUS.items() if "<uuid:" in route and access != "anyone")
LISTS = (
    *("/groups", "/households", "/imports", "/jobs", "/links", "/meetings", "/placements"),
    *("/fees/agreements", "/fees/invoices", "/fees/postings", "/fees/remittances", "/fees/statements"),
)
BODIES = {
    "rankings": {"top": 1},
    "columns": {"sheets": [{"title": "", "columns": []}]},
    "availability": {"available": False},
    "messages": {"words": "A word."},
    "plan": dict.fromkeys(PlanSchema._declared_fields),
    "steps": {"step": "shortlist", "reason": "It is time."},
}


@dataclass(frozen=True, slots=True)
class Belongings:
    """An agency with something of every kind, of which it shares nothing."""

    ids: dict[str, list[UUID]]
    """By the name that addresses give them."""


@pytest.fixture(scope="module")
def ours(factories: Factories) -> Tenant:
    return factories.tenant(factories.consortium())


@pytest.fixture(scope="module")
def program(ours: Tenant, api_site: Flask, database: Database, theirs: Belongings) -> Program:
    assert theirs
    return Program(api_site, database, ours)


@pytest.fixture(scope="module")
def theirs(factories: Factories, database: Database, migrated: DatabaseUrls) -> Belongings:
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    agency, other = factories.tenant(consortium_id), factories.tenant(consortium_id)
    placed = make_placed(factories, database, make_link(factories, database, tenants=(agency, other)))
    terms = Terms("Swaps", SwapRule(begins_on=TODAY, ends_on=None))
    with database.transaction(office.scope) as session:
        swaps = make_swap_group(session, terms, agency_ids=[agency.id, other.id], now=NOW)
    group, household = (make(agency, stage=Stage.IN_HOUSE) for make in (factories.group, factories.household))
    with database.transaction(office.scope) as session:
        meeting = arrange_meeting(session, title="November", held_on=TODAY, place="Sample Hall", now=NOW)
    fees = _make_fees(factories, database, migrated)
    with database.transaction(agency.scope) as session:
        pack = request_pack(session, meeting, now=NOW)
        ranking = families_for(session, get_group(session, group), as_of=TODAY, top=1, now=NOW).run
        run = request_import(
            session, kind=SheetKind.HOUSEHOLDS, filename="a.csv", content=b"Reference\nA1\n", dry_run=True, now=NOW
        )
        return Belongings(
            {
                "group_id": [group],
                "household_id": [household],
                "run_id": [run.id, ranking.id],
                "meeting_id": [meeting.id],
                "pack_id": [pack.id],
                "job_id": [run.job_id, pack.job_id],
                "link_id": [placed.link_id],
                "swap_group_id": [swaps.id],
                **fees,
            }
        )


def _make_fees(factories: Factories, database: Database, urls: DatabaseUrls) -> dict[str, list[UUID]]:
    ground = make_invoice_ground(database, urls, factories)
    agreement_id, invoice = ground.due(1), ground.read(ground.payee, ground.issue(1_000))
    with database.transaction(ground.payee.scope) as session:
        file = request_remittance(session, purpose=Purpose.RECEIPTS, filename="a.csv", content=b"a", now=NOW)
        statement = make_statement(session, ground.payer.id, until_on=TODAY, now=NOW)
        return {
            "agreement_id": [agreement_id],
            "invoice_id": [invoice.id],
            "ledger_transaction_id": [invoice.transaction_id],
            "remittance_id": [file.id],
            "fee_statement_id": [statement.id],
        }


class TestOperations:
    @pytest.mark.parametrize("route", NAMED)
    def test_answer_for_anothers_as_for_what_is_not_there(
        self, route: str, program: Program, theirs: Belongings
    ) -> None:
        method, path = route.split(" ", 1)
        names = [part.split(":")[1].rstrip(">") for part in path.split("/") if part.startswith("<uuid:")]

        nobodys = answer(program, method, path, {name: uuid4() for name in names})
        for position in range(max(len(theirs.ids[name]) for name in names)):
            ids = {name: theirs.ids[name][min(position, len(theirs.ids[name]) - 1)] for name in names}
            assert answer(program, method, path, ids) == nobodys

        assert nobodys[0] == 404
        assert b'"type": "urn:concord:' in nobodys[1]

    @pytest.mark.parametrize("path", LISTS)
    def test_list_nothing_of_anothers(self, path: str, program: Program) -> None:
        assert program.items(path) == []

    def test_are_all_in_the_census(self, api_site: Flask) -> None:
        areas = {blueprint.name for blueprint in OPERATIONS}
        rules = {rule.rule for rule in api_site.url_map.iter_rules() if rule.endpoint.split(".")[0] in areas}

        assert rules == {route.split(" ", 1)[1] for route, access in API_CENSUS.items() if access != "anyone"}


def answer(program: Program, method: str, path: str, ids: dict[str, UUID]) -> tuple[int, bytes, str]:
    """Return what is answered, without the request's own id."""
    for name, value in ids.items():
        path = path.replace(f"<uuid:{name}>", str(value))
    path = path.replace("<any(pdf, xlsx):kind>", "pdf").removeprefix("/api/v1")
    last = path.rsplit("/", 1)[-1]
    headers = {"If-Match": "*"} if method == "PUT" or last == "steps" else {}
    if method == "GET":
        response = program.get(path)
    else:
        response = program.send(path, BODIES.get(last), method=method, headers=headers)
    return response.status_code, response.data, str(response.mimetype)
