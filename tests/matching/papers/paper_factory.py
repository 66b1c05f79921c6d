"""A consortium whose papers are complete: an office, two members, and whoever signs for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matching.papers.answer import answer, questions_of
from matching.papers.question import Form, Question
from tenants.agency import AgencyKind
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant, transaction


@dataclass(frozen=True, slots=True)
class Members:
    """An office and two members of one consortium."""

    office: Tenant
    ours: Tenant
    theirs: Tenant


def make_members(factories: Factories) -> Members:
    """Make the three, nothing answered."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    return Members(office, factories.tenant(consortium_id), factories.tenant(consortium_id))


def answer_all(database: Database, *tenants: Tenant) -> None:
    """Have each answer everything that it is asked."""
    for tenant in tenants:
        with transaction(database, tenant) as session:
            for question in questions_of(session):
                answer(session, question, good(question, tenant), now=NOW)


def good(question: Question, tenant: Tenant) -> str:
    """Return an answer that fits the question."""
    if question.form is Form.DAY:
        return date(2027, 3, 27).isoformat()
    return question.options[0] if question.form is Form.CHOICE else f"{question.code} of {tenant.slug}"
