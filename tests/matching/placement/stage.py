"""Placements for tests: links taken as far as a match, a placement or an order, by the steps that people take."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from matching.link import WAY, StepName, decide_match, get_link
from matching.placement.placement import get_placement
from matching.placement.plan import Plan, set_plan
from matching.transition import StepFacts, take
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction
from tests.matching.report_factory import Pairing, make_link

TODAY = utc_now().date()
MOVED_IN = TODAY - timedelta(days=100)
WITHOUT_PAPERS = "The papers lie elsewhere."
"""Why a link goes to panel without them."""
_TO_PANEL = (StepName.SHORTLIST, StepName.VISIT, StepName.MEET, StepName.GO_TO_PANEL)


def step(
    database: Database, tenant: Tenant, pairing: Pairing, name: StepName, *, day: date | None = None, **more: Any
) -> None:
    """Take a step of a link as a tenant, to panel without papers unless ``override`` says otherwise."""
    said = more.pop("override", WITHOUT_PAPERS if name is StepName.GO_TO_PANEL else None)
    with transaction(database, tenant) as session:
        link = get_link(session, pairing.link_id)
        facts = StepFacts("It is time.", day=day, override=said, more=more)
        take(session, link, name, version=link.version, facts=facts, now=utc_now())


def make_matched(factories: Factories, database: Database, pairing: Pairing | None = None) -> Pairing:
    """Make two agencies whose children and family are matched."""
    pairing = pairing or make_link(factories, database)
    with transaction(database, pairing.children) as session:
        taken = WAY.index(get_link(session, pairing.link_id).state) - 1
    for name in _TO_PANEL[taken:]:
        day = None if name is StepName.SHORTLIST else TODAY - timedelta(days=130)
        step(database, pairing.children, pairing, name, day=day)
    decide(database, pairing)
    step(database, pairing.children, pairing, StepName.MATCH)
    return pairing


def decide(database: Database, pairing: Pairing) -> None:
    """Decide for the match, as the decision maker."""
    with transaction(database, pairing.children) as session:
        link, decided_on = get_link(session, pairing.link_id), TODAY - timedelta(days=120)
        decide_match(session, link, approved=True, decided_on=decided_on, reason="A good match.", now=utc_now())


def agree_plan(database: Database, pairing: Pairing) -> None:
    """Agree the placement's plan."""
    with transaction(database, pairing.children) as session:
        placement, agreed = get_placement(session, pairing.link_id), TODAY - timedelta(days=115)
        plan = Plan(plan_meeting_on=agreed, plan_sent_on=agreed, plan_agreed_on=agreed)
        set_plan(session, placement, plan, version=placement.version, now=utc_now())


def make_placed(factories: Factories, database: Database, pairing: Pairing | None = None) -> Pairing:
    """Make two agencies the children of one of which have lived with a family of the other's for a hundred days."""
    pairing = make_matched(factories, database, pairing)
    agree_plan(database, pairing)
    step(database, pairing.children, pairing, StepName.INTRODUCE, day=TODAY - timedelta(days=110))
    step(database, pairing.children, pairing, StepName.PLACE, day=MOVED_IN)
    return pairing


def make_ordered(factories: Factories, database: Database, pairing: Pairing | None = None) -> Pairing:
    """Make two agencies, the children of one of which were adopted by a family of the other's."""
    pairing = make_placed(factories, database, pairing)
    step(database, pairing.children, pairing, StepName.ORDER, day=TODAY - timedelta(days=2), court="family_court")
    return pairing
