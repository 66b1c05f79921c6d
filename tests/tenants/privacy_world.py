"""Rows of the privacy work, in the world by which the wall is tested."""

from __future__ import annotations

from datetime import date
from typing import Any

from matching.household import HouseholdStatus, get_household
from matching.pool import Stage
from matching.retention.adoption_order import record_order
from matching.retention.hold import place_hold
from matching.retention.record_class import Clock, Ends, RecordClass
from matching.retention.rule import set_rule
from matching.retention.run import ask_for_destruction
from tests.factories import NOW, Factories, Tenant, transaction


def make_privacy(factories: Factories, tenant: Tenant) -> None:
    """Make a row of each table of the privacy work."""
    database = factories.database
    facts: dict[str, Any] = {
        "status": HouseholdStatus.WITHDRAWN,
        "changed_at": NOW.replace(year=1999),
        "stage": Stage.IN_HOUSE,
    }
    old, adopted = (factories.household(tenant, **facts) for _ in range(2))
    with transaction(database, tenant) as session:
        set_rule(
            session,
            RecordClass.HOUSEHOLD_NOT_PLACED,
            clock=Clock.WITHDRAWN,
            months=12,
            ends=Ends.DESTROY,
            basis="The records manual",
            now=NOW,
        )
        record_order(session, get_household(session, adopted), ordered_on=date(2000, 1, 1), now=NOW)
        ask_for_destruction(session, {old}, reason="Its time is over", now=NOW)
        place_hold(session, record_class=RecordClass.IMPORT_FILE, reason="An inquiry", now=NOW)
