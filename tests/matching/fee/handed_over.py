"""An agency's books handed over to another, as the two signed it, once its agreements have moved."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

import psycopg

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.fee.transfer import HandingOver, transfer_balances
from tenants.database import Database
from tests.factories import NOW, Tenant

_SIGNED = """
    INSERT INTO hand_over (id, agency_id, receiver_id, whole, kinds, takes_effect_on, reason, proposed_at, given_by,
        given_at, taken_by, taken_at)
    VALUES (%(id)s, %(giver)s, %(receiver)s, %(whole)s, %(kinds)s, %(now)s, 'A merger', %(now)s, %(id)s, %(now)s,
        %(receiver)s, %(now)s)
"""


def write_hand_over(admin: psycopg.Connection[Any], plan: HandingOver) -> None:
    """Write, past the verbs, that both sides signed."""
    facts = {"id": plan.id, "giver": plan.giver_id, "receiver": plan.receiver_id, "whole": plan.whole, "now": NOW}
    admin.execute(_SIGNED, {**facts, "kinds": [] if plan.whole else ["household"]})


def sign_hand_over(
    urls: DatabaseUrls, giver: Tenant, receiver: Tenant, *, agreements: Collection[UUID] | None = None
) -> HandingOver:
    """Write, past the verbs, that both signed, and move all agreements or some; return what the books go by."""
    plan = HandingOver(uuid4(), giver.id, receiver.id, agreements is None)
    some = None if agreements is None else list(agreements)
    facts = {"giver": giver.id, "receiver": receiver.id, "now": NOW}
    with psycopg.connect(libpq_url(urls.admin)) as admin:
        write_hand_over(admin, plan)
        for party in ("payer", "payee"):
            admin.execute(
                f"UPDATE fee_agreement SET {party}_agency_id = %(receiver)s WHERE {party}_agency_id = %(giver)s "
                "AND (%(some)s::uuid[] IS NULL OR id = ANY (%(some)s))",
                {**facts, "some": some},
            )
        if plan.whole:
            over = "UPDATE agency SET successor_id = %(receiver)s, closed_on = %(now)s WHERE id = %(giver)s"
            admin.execute(over, facts)
    return plan


def hand_over_books(
    database: Database,
    urls: DatabaseUrls,
    giver: Tenant,
    receiver: Tenant,
    *,
    agreements: Collection[UUID] | None = None,
) -> int:
    """Hand over all, so that the giver is over, or some agreements with what is open of them; return how much was."""
    plan = sign_hand_over(urls, giver, receiver, agreements=agreements)
    with database.transaction(receiver.scope) as session:
        return transfer_balances(session, plan, acting=database.acting, now=NOW)
