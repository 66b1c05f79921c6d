"""The data-protection impact assessment of one agency (UK GDPR Article 35), filled from how it has set Concord up."""

from __future__ import annotations

from typing import Any

from matching.papers.controllers import describe, write_parties, write_sharing
from matching.papers.draft import Draft
from matching.papers.facts import Facts
from matching.papers.processing import processings
from matching.papers.risk import risks
from matching.retention.record_class import fixed_classes


def assessment(facts: Facts) -> dict[str, Any]:
    """Return the assessment as the configuration stands."""
    own, of = facts.own.answers, facts.own.agency.name
    draft = Draft("Data-protection impact assessment", of)
    draft.section(
        "The controller",
        pairs=[
            ("Legal name", draft.answer("legal_name", own)),
            ("Registered as", draft.answer("ico_number", own)),
            ("Data-protection officer", draft.answer("officer", own)),
            ("Reached at", draft.answer("officer_contact", own)),
            ("Looked at again on", draft.answer("assessment_review", own)),
        ],
    )
    draft.section(
        "Why there is an assessment",
        "Special-category information about children and adopters is held, shared between agencies and compared by a "
        "program (UK GDPR Article 35(1) and (3)(b)).",
    )
    for processing in processings():
        draft.section(processing.title, pairs=describe(draft, processing, facts, for_each=False))
    write_parties(draft, facts)
    write_sharing(draft, facts)
    _write_settings(draft, facts)
    _write_retention(draft, facts)
    _write_law(draft, facts)
    _write_risks(draft, facts)
    return draft.content()


def _write_settings(draft: Draft, facts: Facts) -> None:
    providers = [
        (
            each.name,
            f"{each.issuer}; {'a second step is asked for' if each.second_step else 'no second step is asked'}.",
        )
        for each in facts.providers
    ]
    timing = facts.timing
    draft.section(
        "How this agency has set it up",
        pairs=[
            ("Broken glass", f"A record stays open for {_counted(facts.own.agency.glass_hours, 'hour')}."),
            ("Its households are shared", _after(timing.household_in_house_days)),
            ("Its sibling groups are shared", _after(timing.group_in_house_days)),
            ("Processors of its own", draft.answer("processors", facts.own.answers)),
            *(providers or [("Sign-in", "By the service’s own sign-in; the agency has set none of its own.")]),
            *facts.delegations,
        ],
    )


def _write_retention(draft: Draft, facts: Facts) -> None:
    own = [
        (rule.title, f"{rule.period}, then {rule.ends.label.lower()}. {rule.basis}") for rule in facts.schedule.values()
    ]
    fixed = [(each.title, f"{each.period}. {each.basis}") for each in fixed_classes()]
    draft.section("How long it is kept", pairs=[*own, *fixed])


def _write_law(draft: Draft, facts: Facts) -> None:
    own = facts.own.answers
    draft.section(
        "Lawfulness",
        pairs=[
            ("Lawful basis", draft.answer("article_6", own)),
            ("Acts and regulations", draft.answer("powers", own)),
            ("Condition for special categories", draft.answer("article_9", own)),
            ("Condition of Schedule 1", draft.answer("schedule_1", own)),
            ("Appropriate policy document", draft.answer("policy_document", own)),
            ("Information about offences", draft.answer("criminal", own)),
            ("Staff", draft.answer("staff_basis", own)),
        ],
    )
    draft.section("Necessity and proportion", draft.answer("necessity", own))
    draft.section("Consultation", draft.answer("consulted", own))
    draft.section(
        "People’s rights",
        points=(
            "Requests for access are gathered table by table; adoption records leave only where a named person "
            "releases "
            "them (Data Protection Act 2018, Schedule 4, paragraph 3).",
            "Corrections are recorded, with who has to be told.",
            "A ranked list decides nothing: a person chooses and says why (UK GDPR Articles 22A to 22D).",
        ),
        pairs=[("How people are told", draft.answer("notice_given", own))],
    )


def _write_risks(draft: Draft, facts: Facts) -> None:
    own = facts.own.answers
    for risk in risks():
        draft.section(
            f"Risk: {risk.title[0].lower()}{risk.title[1:]}",
            points=risk.measures,
            pairs=[("Risk left", draft.answer(risk.question, own))],
        )
    draft.section(
        "Outcome",
        pairs=[
            ("Advice of the data-protection officer", draft.answer("officer_advice", own)),
            ("Prior consultation", draft.answer("prior_consultation", own)),
        ],
    )


def _after(days: int | None) -> str:
    if days is None:
        return "When a person says so, and never by itself."
    return "At once." if days == 0 else f"After {_counted(days, 'day')}."


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
