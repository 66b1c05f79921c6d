"""Every page that people of an agency can reach is open to everyone: tried with axe, on the smallest screen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from concord.servers.login import DatabaseUrls
from concord.servers.port import free_port
from concord.settings import libpq_url
from concord.web import create_app
from matching.fee.remittance.intake import perform_remittance
from matching.fee.remittance.remittance import Purpose, RemittanceState, request_remittance
from tenants.base import utc_now
from tenants.database import Database
from tenants.scope import NOBODY
from tenants.sign_in import sign_in
from tests.browser import Visit
from tests.factories import ISSUER, Tenant
from tests.fee_tables import check_tables
from tests.own_database import make_database, opened
from tests.servers import TestServers
from tests.site import COOKIE, Visitor, make_settings, port_of, running
from tests.tenants.remittance_world import issue_pound
from tests.tenants.world import World, make_world
from tests.trespass import UNLIMITED, one_of_each


@pytest.fixture
def urls(servers: TestServers) -> DatabaseUrls:
    return make_database(servers, "concord_pages")


@pytest.fixture
def database(urls: DatabaseUrls) -> Iterator[Database]:
    with opened(urls) as database:
        yield database


@pytest.fixture
def world(urls: DatabaseUrls, database: Database) -> World:
    with psycopg.connect(libpq_url(urls.admin), autocommit=True) as admin:
        world = make_world(database, admin)
        _go_on_with_fees(database, admin, world)
        return world


def _go_on_with_fees(database: Database, admin: psycopg.Connection[Any], world: World) -> None:
    """Have an agreement signed, an invoice wait to be paid, and a bank's file ask what its columns hold."""
    signed = {"reference": "FA-111111", "link_id": None, "state": "signed"}
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute(_SIGNED, (Jsonb(signed),))
    with database.transaction(world.agency.scope) as session:
        issue_pound(session, world.agency, number="BANK-2")
        content = b"Then,Whence,For,How much\n23/11/2026,SOMEBODY,FEE,1.00"
        found = request_remittance(
            session, purpose=Purpose.RECEIPTS, filename="june.csv", content=content, now=utc_now()
        )
        perform_remittance(session, found, progress=lambda *_: None, now=utc_now())
        assert found.state is RemittanceState.ASKING


_SIGNED = """
    INSERT INTO fee_agreement
    SELECT (jsonb_populate_record(f, %s || jsonb_build_object(
        'id', gen_random_uuid(), 'payer_signed_by', f.drafted_by, 'payer_signed_name', 'Sam',
        'payer_signed_at', f.drafted_at, 'payee_signed_by', gen_random_uuid(), 'payee_signed_name', 'Sam',
        'payee_signed_at', f.drafted_at
    ))).*
    FROM fee_agreement f WHERE reference = 'FA-000000'
"""


_NOT_OURS = frozenset({"api_docs.page"})
"""The API's description is drawn by Swagger UI, with its own markup."""


class TestEveryPage:
    def test_is_open_to_everyone(
        self, visit: Visit, urls: DatabaseUrls, database: Database, world: World, valkey_url: str
    ) -> None:
        given = partial(make_settings, database_url=urls.app, valkey_url=valkey_url, limits=UNLIMITED)
        near = create_app(given(), database)
        url = f"http://127.0.0.1:{free_port()}"
        looked, tables = set(_NOT_OURS), dict[str, set[str]]()

        with running(create_app(given(site_url=url), database), port=port_of(url)):
            # What only who pays can do, the neighbour does.
            fees = ((world.agency, "/fees"), (world.neighbour, "/fees"))
            for tenant, under in ((world.agency, ""), (world.office, ""), *fees):
                visit.tab.context.add_cookies([{"name": COOKIE, "value": token_of(database, tenant), "url": url}])
                visitor = Visitor(near).sign_in(database, tenant)
                for route, path in one_of_each(near, visitor, under=under).items():
                    if path.startswith("/fees") and (under or tenant is world.office) and not tables.get(route):
                        tables[route] = check_tables(visitor, path)
                    if route not in looked:
                        visit.tab.goto(f"{url}{path}")
                        visit.check_narrow(route)
                        looked.add(route)

        visit.check_quiet(url)
        assert {"home.page", "groups.show", "households.show", "agency.index", "meetings.show"} <= looked
        assert {"invoices.approve", "invoices.credit", "payee_accounts.order", "remittances.columns"} <= looked
        assert {"aged-debt", "ledger", "paid-by-us", "savings-over"} <= set().union(*tables.values())
        assert {"fee_agreements.amend", "fee_agreements.state", "fee_cost.show", "fee_matching.back"} <= looked


def token_of(database: Database, tenant: Tenant) -> str:
    with database.transaction(NOBODY) as session:
        return sign_in(session, issuer=ISSUER, subject=tenant.subject, now=utc_now()).token
