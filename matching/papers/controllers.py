"""The controllers’ map: for each thing that is done with information, who decides, who works on it, and for whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from matching.papers.draft import Draft
from matching.papers.facts import Facts, said
from matching.papers.processing import Basis, Controller, Processing, processings
from matching.retention.record_class import RecordClass, class_defaults, fixed_classes
from tenants.agency import Nation

NO_CONSORTIUM = "This agency acts in no consortium here: nothing is pooled or shared by it."


def controllers_map(facts: Facts) -> dict[str, Any]:
    """Return the map of an agency in its consortium, or of the consortium as its office sees it."""
    draft = Draft("Controllers’ map", facts.own.agency.name)
    write_parties(draft, facts)
    write_sharing(draft, facts)
    for processing in processings():
        draft.section(processing.title, pairs=describe(draft, processing, facts, for_each=facts.is_office))
    return draft.content()


def write_parties(draft: Draft, facts: Facts) -> None:
    """Write who the members are, what each says of itself, and who hosts the service."""
    if facts.consortium is None:
        draft.section("The consortium", NO_CONSORTIUM)
        return
    office = facts.office.name if facts.office else "The consortium has no office on this service."
    draft.section(
        "The consortium",
        pairs=[
            ("Consortium", facts.consortium.name),
            ("Office", office),
            ("Legal body of the office", draft.answer("office_body", facts.settled)),
            ("What the members share for", draft.answer("purpose", facts.settled)),
            ("Who decides about what is done together", draft.answer("jointly", facts.settled)),
            ("Host and operator", draft.answer("platform_host", facts.settled)),
            ("Whom they use in turn", draft.answer("sub_processors", facts.settled)),
            ("Backups", draft.answer("backups", facts.settled)),
        ],
    )
    for party in facts.members:
        of = party.agency.name
        joined = f", a member since {said(party.joined_on)}" if party.joined_on else ""
        draft.section(
            of,
            pairs=[
                ("Kind", f"{party.agency.kind.label}{joined}"),
                ("Legal name", draft.answer("legal_name", party.answers, of=of)),
                ("Registered as", draft.answer("ico_number", party.answers, of=of)),
                ("Data-protection officer", draft.answer("officer", party.answers, of=of)),
                ("Reached at", draft.answer("officer_contact", party.answers, of=of)),
                ("Lawful basis", draft.answer("article_6", party.answers, of=of)),
                ("Acts and regulations", draft.answer("powers", party.answers, of=of)),
                ("Condition for special categories", draft.answer("article_9", party.answers, of=of)),
                ("Condition of Schedule 1", draft.answer("schedule_1", party.answers, of=of)),
            ],
        )


def write_sharing(draft: Draft, facts: Facts) -> None:
    """Write at which stage who sees what of a record, and when it moves by itself."""
    if facts.consortium is None:
        return
    here = facts.consortium
    draft.section(
        "When who sees what",
        "What is shared is the summary and the anonymous profile. Names, addresses, exact dates of birth and "
        "places stay "
        "with the agency; full reports are opened by name, for one link, until a day.",
        pairs=[
            ("In-house", "Its own agency alone."),
            (
                "Shared with the consortium",
                f"The members of {here.name}. A household of a council or trust is shared "
                f"{_after(here.council_in_house_days)}, a voluntary agency’s {_after(here.voluntary_in_house_days)}, a "
                f"sibling group {_after(here.group_in_house_days)}. A person may share earlier or hold back, with a "
                "reason; an agency may set shorter times for itself.",
            ),
            (
                "Shared nationally",
                "Agencies of other consortia on this service too. From the consortium a household goes on "
                f"{_after(here.household_national_days)}, a sibling group {_after(here.group_national_days)}. "
                f"On what footing: {draft.answer('national', facts.settled)}",
            ),
            (
                "Link of two agencies",
                f"The two agencies. At most {here.group_cap} families are considered for a group at once, and "
                f"{here.household_cap} groups for a family.",
            ),
            ("Packs", f"Can be opened for {here.pack_days} days after the meeting; then their files are destroyed."),
        ],
    )


def describe(draft: Draft, processing: Processing, facts: Facts, *, for_each: bool) -> Iterator[tuple[str, str]]:
    """Yield all that the map says of one thing that is done: of one agency, or ``for_each`` of the members."""
    yield "Purpose", processing.purpose
    yield "Information", processing.information
    yield "About", processing.about
    yield "Controller", controller_of(draft, processing, facts)
    yield "Processor", draft.answer("platform_host", facts.settled)
    yield "Lawful basis", "As each member states for itself." if for_each else _basis(draft, processing, facts)
    yield "Shared with", processing.sharing
    yield from processing.rights()
    yield "Kept", "; ".join(_kept(processing, facts, for_each)) or "As long as what it belongs to."
    yield "Where it lies", ", ".join(processing.tables)


def controller_of(draft: Draft, processing: Processing, facts: Facts) -> str:
    """Return who is the controller of one thing; of what members do together, as the consortium has settled."""
    words = processing.controller.words
    if processing.controller is not Controller.TOGETHER:
        return words
    if facts.consortium is None:
        return NO_CONSORTIUM
    return f"{words} {draft.answer('jointly', facts.settled)}"


def _basis(draft: Draft, processing: Processing, facts: Facts) -> str:
    answers, parts = facts.own.answers, []
    if processing.basis is not Basis.STAFF:
        parts += [draft.answer(code, answers) for code in ("article_6", "article_9", "schedule_1")]
    if processing.basis is not Basis.SUBJECTS:
        parts.append(f"For staff: {draft.answer('staff_basis', answers)}")
    return " ".join(parts)


def _kept(processing: Processing, facts: Facts, for_each: bool) -> Iterator[str]:
    fixed = {each.code: each for each in fixed_classes()}
    for code in processing.kept:
        if code in fixed:
            yield f"{fixed[code].title}: {_small(fixed[code].period)}"
        elif for_each:
            yield f"{class_defaults(Nation.ENGLAND)[RecordClass(code)].title}: by each member’s own schedule"
        else:
            rule = facts.schedule[RecordClass(code)]
            yield f"{rule.title}: {rule.period}, then {_small(rule.ends.label)}"


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]


def _after(days: int | None) -> str:
    if days is None:
        return "when a person says so, and never by itself"
    return "at once" if days == 0 else f"after {days} day{'' if days == 1 else 's'}"
