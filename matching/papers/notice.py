"""Privacy notices (UK GDPR Articles 13 and 14): for adopters, for children and birth families, and for staff."""

from __future__ import annotations

from typing import Any

from matching.papers.draft import Draft
from matching.papers.facts import Facts
from matching.retention.record_class import RecordClass, fixed_classes


def notice_for_adopters(facts: Facts) -> dict[str, Any]:
    """Return the notice for adopters."""
    draft = _begin("How we use adopters’ information", facts)
    draft.section(
        "What we hold about you",
        "Your names, address and dates of birth; what your home and family are like; your health, heritage, "
        "religion and "
        "experience where they matter for matching; which children’s needs you can meet; reports about you, such "
        "as the "
        "prospective adopter report; and what you agreed to.",
        "It comes from you, from your agency’s own case records and from the people who assessed you. Where "
        "something is "
        "not known we keep it as not known.",
    )
    draft.section(
        "What we use it for",
        "To find out whether you and a child or sibling group may fit together. A program compares what children "
        "need with "
        "what you can meet, and makes a list with reasons. It decides nothing: people choose and say why.",
    )
    _write_basis(draft, facts)
    _write_sharing(draft, facts, whose="Your record")
    _write_time(draft, facts, RecordClass.ADOPTION_RECORD, RecordClass.HOUSEHOLD_NOT_PLACED)
    _write_rights(draft, facts)
    return draft.content()


def notice_for_families(facts: Facts) -> dict[str, Any]:
    """Return the notice for children and birth families, in plain words."""
    draft = _begin("How we use information about children and birth families", facts)
    draft.section(
        "What we hold",
        "A child’s name, date of birth and where they live now; their health and how they are doing; what has "
        "happened to "
        "them; their heritage, religion and languages; their brothers and sisters; and the decisions of courts and "
        "of the "
        "agency. Some of it tells of birth parents and relatives, for example an area near which a child must not be "
        "placed.",
        "It comes from the agency’s own case records. Where something is not known we keep it as not known.",
    )
    draft.section(
        "What we use it for",
        "To find a family for a child, and to keep brothers and sisters together where that is the plan. A program "
        "compares "
        "what a child needs with what families can offer, and makes a list with reasons. It decides nothing: people "
        "choose and say why.",
    )
    _write_basis(draft, facts)
    _write_sharing(draft, facts, whose="A child’s record")
    _write_time(draft, facts, RecordClass.ADOPTION_RECORD, RecordClass.GROUP_NOT_PLACED)
    _write_rights(draft, facts)
    return draft.content()


def notice_for_staff(facts: Facts) -> dict[str, Any]:
    """Return the notice for the agency’s own people."""
    draft = _begin("How we use information about staff", facts)
    draft.section(
        "What we hold about you",
        "Your name, work e-mail address and roles; who invited you; when and from which network address you signed "
        "in; and "
        "what you looked at, searched for and changed, record by record.",
        "It comes from your agency’s administrator, from the service you sign in by, and from your own work here.",
    )
    draft.section(
        "What we use it for",
        "To let you do your work and nobody else in your name; to answer people who ask who saw their record, and why; "
        "and to find out when something went wrong.",
        "If you know a family, say so on its record: you are then shut out of it, and your agency keeps that you are.",
    )
    draft.section("Our lawful basis", draft.answer("staff_basis", facts.own.answers))
    draft.section(
        "Who sees it",
        points=(
            "Your own agency’s information-governance lead and manager see what you did, by name.",
            "Another agency sees that somebody of yours opened its record, and not who. Where you sign for your "
            "agency, or "
            "are named in a grant or an undertaking, the other agency reads your name.",
            f"Those who run the service: {draft.answer('platform_host', facts.settled)}",
        ),
    )
    draft.section(
        "How long we keep it", pairs=[(each.title, each.period) for each in fixed_classes() if each.code == "audit"]
    )
    _write_rights(draft, facts)
    return draft.content()


def _begin(title: str, facts: Facts) -> Draft:
    own = facts.own.answers
    draft = Draft(title, facts.own.agency.name)
    draft.section(
        "Who we are",
        pairs=[
            ("Controller", draft.answer("legal_name", own)),
            ("Registered with the Information Commissioner as", draft.answer("ico_number", own)),
            ("Data-protection officer", draft.answer("officer", own)),
            ("Reached at", draft.answer("officer_contact", own)),
        ],
    )
    return draft


def _write_basis(draft: Draft, facts: Facts) -> None:
    own = facts.own.answers
    draft.section(
        "Our lawful basis",
        "You may be asked whether you agree to something. We keep what you say, and it counts; but it is not the "
        "lawful "
        "basis on which we hold the records.",
        pairs=[
            ("Basis", draft.answer("article_6", own)),
            ("Acts and regulations", draft.answer("powers", own)),
            ("For special-category information", draft.answer("article_9", own)),
            ("Condition of Schedule 1", draft.answer("schedule_1", own)),
        ],
    )


def _write_sharing(draft: Draft, facts: Facts, *, whose: str) -> None:
    points = [f"{whose} is our own: names, addresses, exact dates and places stay with us."]
    if facts.consortium is not None:
        members = ", ".join(party.agency.name for party in facts.members if party.agency.id != facts.own.agency.id)
        points += [
            f"The other members of {facts.consortium.name} see a summary and an anonymous profile, once it is "
            "shared with "
            f"them. They are: {members or 'none at present'}.",
            "Where it is shared nationally, agencies of other consortia on this service see the same.",
            "A full report is opened by people whom we name, of the one agency with which we look at a match, "
            "until a day, "
            "after they have undertaken to keep it confidential.",
        ]
    points += [
        f"Those who run the service for us: {draft.answer('platform_host', facts.settled)}",
        f"Whom they use in turn, and in which countries: {draft.answer('sub_processors', facts.settled)}",
        f"Others who work for us: {draft.answer('processors', facts.own.answers)}",
    ]
    draft.section("Who sees it", points=points)


def _write_time(draft: Draft, facts: Facts, *classes: RecordClass) -> None:
    rules = [facts.schedule[each] for each in classes]
    draft.section(
        "How long we keep it",
        pairs=[
            *((rule.title, f"{rule.period}. {rule.ends.label}.") for rule in rules),
            ("In backups", draft.answer("backups", facts.settled)),
        ],
    )


def _write_rights(draft: Draft, facts: Facts) -> None:
    draft.section(
        "Your rights",
        "You can ask us for a copy of what we hold about you, to put right what is wrong, to hold still what is in "
        "dispute, "
        "and you can object. Adoption records are exempt from the right to a copy (Data Protection Act 2018, "
        "Schedule 4, "
        "paragraph 3) unless we release them; what would identify others is left out.",
        "You can complain to us, and to the Information Commissioner (ico.org.uk).",
        pairs=[("Write to", draft.answer("privacy_contact", facts.own.answers))],
    )
