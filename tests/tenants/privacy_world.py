"""Rows of the privacy work, in the world by which the wall is tested."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from matching.agreement import AfterWithdrawal, AgreedHow, AgreedTo, record_agreement, withdraw_agreement
from matching.breach import open_breach
from matching.household import HouseholdStatus, get_household
from matching.pool import Stage
from matching.rectification import ask_rectification
from matching.retention.adoption_order import record_order
from matching.retention.hold import place_hold
from matching.retention.record_class import Clock, Ends, RecordClass
from matching.retention.rule import set_rule
from matching.retention.run import ask_for_destruction
from matching.subject_access.export import FileFormat, keep_export
from matching.subject_access.gathering import gather
from matching.subject_access.request import open_request
from tests.factories import NOW, Factories, Tenant, transaction


def make_privacy(factories: Factories, tenant: Tenant, *, about: UUID) -> None:
    """Make a row of each table of the privacy work, where it is of a record about one household."""
    database = factories.database
    facts: dict[str, Any] = {
        "status": HouseholdStatus.WITHDRAWN,
        "changed_at": NOW.replace(year=1999),
        "stage": Stage.IN_HOUSE,
    }
    old = factories.household(tenant, **facts)
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
        record_order(session, get_household(session, about), ordered_on=date(2000, 1, 1), now=NOW)
        ask_for_destruction(session, {old}, reason="Its time is over", now=NOW)
        place_hold(session, record_class=RecordClass.IMPORT_FILE, reason="An inquiry", now=NOW)
        code = get_household(session, about).code
        place_hold(session, reference=code, reason="An inquiry", now=NOW)
        request = open_request(session, code, asker="Alder", identity="Seen", received_on=NOW.date(), now=NOW)
        gather(session, request, now=NOW)
        said: dict[str, Any] = {
            "field": "Pets",
            "before": "None",
            "after": "A cat",
            "statement": "We have one",
            "asked_on": NOW.date(),
        }
        ask_rectification(session, code, **said, now=NOW)
        facts = {"agreed_to": AgreedTo.PROFILE, "who": "Alder", "said_on": NOW.date(), "how": AgreedHow.ORAL}
        entry = record_agreement(session, get_household(session, about), **facts, now=NOW)
        facts = {"who": "Alder", "said_on": NOW.date(), "how": AgreedHow.ORAL, "after": AfterWithdrawal.GO_ON}
        withdraw_agreement(session, entry, **facts, reason="The law allows it", now=NOW)
        open_breach(session, what="A pack was left on a train", found_at=NOW, now=NOW)
        keep_export(session, request, files={FileFormat.PDF: b"%PDF-", FileFormat.JSON: b"{}"}, now=NOW)
