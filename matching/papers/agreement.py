"""The information-sharing agreement of a consortium: the same, to the letter, whichever member reads it."""

from __future__ import annotations

from typing import Any

from matching.papers.controllers import describe, write_parties, write_sharing
from matching.papers.draft import Draft
from matching.papers.facts import Facts
from matching.papers.processing import Basis, processings


def sharing_agreement(facts: Facts) -> dict[str, Any]:
    """Return the agreement as the configuration stands."""
    draft = Draft("Information-sharing agreement", facts.consortium.name if facts.consortium else "")
    draft.section(
        "What this is",
        "The agreement by which the members share information about children who wait for adoption and approved "
        "adopters, filled from how Concord is set up for them. Each member’s information-governance lead or manager "
        "signs it by name.",
        pairs=[
            ("Begins on", draft.answer("begins_on", facts.settled)),
            ("Looked at again on", draft.answer("agreement_review", facts.settled)),
        ],
    )
    write_parties(draft, facts)
    write_sharing(draft, facts)
    for processing in processings():
        if processing.basis is not Basis.STAFF:
            draft.section(processing.title, pairs=describe(draft, processing, facts, for_each=True))
    _write_terms(draft, facts)
    return draft.content()


def _write_terms(draft: Draft, facts: Facts) -> None:
    draft.section("Duties to people", draft.answer("arrangement", facts.settled), points=_RIGHTS)
    draft.section(
        "Security",
        points=(
            "The database itself keeps each member’s information from the others, but for what is shared.",
            "Names, addresses, exact dates of birth, reports, packs and files are sealed under a key of each "
            "member’s own.",
            "Reads are recorded as well as writes, and the record cannot be edited.",
            "Each member lets in its own people, by its own sign-in service where it has set one, and ends that when "
            "they leave.",
        ),
    )
    draft.section(
        "Breaches",
        "Each member keeps its own record of breaches, with the clock of 72 hours.",
        pairs=[("Whom to tell", draft.answer("breach_contact", facts.settled))],
    )
    draft.section(
        "Leaving",
        points=(
            "A member leaves from a day that two of its people agree to. From that day it acts here no more, and its "
            "records are out of the pool.",
            "It can take out everything that is its own, in an open format, and a second person signs for it.",
            "What its former partners have written for themselves, and who saw what, stays with them.",
        ),
    )


_RIGHTS = (
    "Each member answers requests about its own records. What is gathered, released and withheld is recorded part by "
    "part.",
    "A correction says which other agencies have to be told.",
    "Adopters’ agreement to sharing is recorded apart. It is not the lawful basis, and its absence stops nothing by "
    "itself.",
)
