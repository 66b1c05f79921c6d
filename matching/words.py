"""Search by words: which records say something, and where they say it.

What is searched is the summary and the anonymous profile, never a name or a place. The database finds the ids, of what
the scope may see; the records, and the excerpts that say why each was found, are read behind the wall as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select, text
from sqlalchemy.orm import Session

from matching.code import comparable, read_code
from matching.household import Household, HouseholdProfile
from matching.need import Answer, NeedLevel, need_catalogue
from matching.ranking.facts import GroupFacts, HouseholdFacts
from matching.sibling_group import GroupProfile, SiblingGroup
from matching.summary import HERITAGE_WORDS
from tenants import audit
from tenants.error import Invalid

LONGEST = 200
"""How many characters may be searched for at once."""
PROFILE = "Profile"
"""Where an excerpt is from that is a piece of an anonymous profile."""
_CODE = re.compile(r"\b[GH]-[0-9A-Z]{6}\b", re.IGNORECASE)
# Of those characters that Unicode leaves to each program: no text of a person holds them.
_START, _STOP = "\ue000", "\ue001"
_MARKS = {ord(_START): None, ord(_STOP): None}
_SHOWN: Final = f'StartSel={_START}, StopSel={_STOP}, MaxFragments=2, MaxWords=18, MinWords=9, FragmentDelimiter=" … "'
_ENDS = " .!?"
"""What is no word: where only this is left off, nothing is."""
_SAID = {NeedLevel.LOW, NeedLevel.MEDIUM, NeedLevel.HIGH}
_WILLING = {Answer.CAN_MEET, Answer.WOULD_DISCUSS}


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: words as a person types them, and whether words that are spelt alike will do."""

    words: str
    alike: bool = False

    @property
    def query(self) -> str:
        """Return the words as the database takes them; a code is one word there."""
        return _CODE.sub(lambda code: read_code(code[0]).replace("-", ""), comparable(self.words))


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an excerpt; marked, where it is what was looked for."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Why a record was found: a piece of what it says, and where it says so."""

    source: str
    parts: tuple[Part, ...]


class WordsInvalid(Invalid):
    """What was typed holds nothing that could be looked for."""


def check_words(session: Session, words: str) -> None:
    """See that there is something to look for.

    :raises WordsInvalid: when the words are too many, or none of them must be there.
    """
    if len(words) > LONGEST:
        raise WordsInvalid(f"Search for at most {LONGEST} characters. This is {len(words):,}.")
    needed = session.scalar(select(func.querytree(func.websearch_to_tsquery("english", Sought(words).query))))
    if not needed:
        raise WordsInvalid("Enter a word to look for. Words such as “the” or “with” are in every profile.")
    if needed == "T":
        raise WordsInvalid("Enter a word that must be there: Concord does not search by what must not be there alone.")


def households_saying(sought: Sought) -> ColumnElement[bool]:
    """Return that a household says what is looked for."""
    return Household.id.in_(select(func.find_households(sought.query, sought.alike).column_valued("found")))


def groups_saying(sought: Sought) -> ColumnElement[bool]:
    """Return that a sibling group says what is looked for."""
    return SiblingGroup.id.in_(select(func.find_groups(sought.query, sought.alike).column_valued("found")))


def spell(session: Session, sought: Sought, *, groups: bool) -> Sought | None:
    """Return what to look for so that anything is found: the very words or those spelt alike; ``None`` for nothing.

    It depends on what this scope sees alone, so that it tells of no other record.

    :raises WordsInvalid: when there is nothing to look for.
    """
    check_words(session, sought.words)
    for alike in (True,) if sought.alike else (False, True):
        each = Sought(sought.words, alike)
        condition = groups_saying(each) if groups else households_saying(each)
        if session.scalar(select(exists().where(condition))):
            return each
    return None


def excerpts_of_households(
    session: Session, facts: Sequence[HouseholdFacts], sought: Sought
) -> dict[UUID, tuple[Excerpt, ...]]:
    """Return why each household was found, by its id."""
    ids = [each.id for each in facts]
    query = select(HouseholdProfile.household_id, HouseholdProfile.text).where(HouseholdProfile.household_id.in_(ids))
    profiles: dict[UUID, str] = dict(session.execute(query).all())
    texts = [(each.id, PROFILE, profiles.get(each.id, "")) for each in facts]
    texts += [(each.id, "Can meet or would discuss", _titles(_willing(each))) for each in facts]
    texts += [(each.id, "Background", _background(each)) for each in facts]
    return _explained(session, [(each.id, each.code) for each in facts], texts, sought)


def excerpts_of_groups(
    session: Session, facts: Sequence[GroupFacts], sought: Sought
) -> dict[UUID, tuple[Excerpt, ...]]:
    """Return why each sibling group was found, by its id."""
    ids = [each.id for each in facts]
    query = select(GroupProfile.sibling_group_id, GroupProfile.text).where(GroupProfile.sibling_group_id.in_(ids))
    profiles: dict[UUID, str] = dict(session.execute(query).all())
    texts = [(each.id, PROFILE, profiles.get(each.id, "")) for each in facts]
    texts += [(each.id, "Needs", _titles(_needed(each))) for each in facts]
    texts += [(each.id, "Background", _background(each)) for each in facts]
    return _explained(session, [(each.id, each.code) for each in facts], texts, sought)


class Found(Protocol):
    """A record in a list, with why it was found."""

    @property
    def id(self) -> UUID:
        """Return which record it is."""

    @property
    def agency_id(self) -> UUID:
        """Return whose it is."""

    @property
    def why(self) -> tuple[Excerpt, ...]:
        """Return where it says what was looked for."""


def record_search(session: Session, *, record_kind: str, shown: Iterable[Found], now: datetime) -> None:
    """Put a search on record, and each record of whose profile it showed a piece.

    Never the words: they may be a name.
    """
    audit.record(session, audit.Act.SEARCH, record_kind=record_kind, level=audit.Level.SUMMARY, now=now)
    read = [(each.id, each.agency_id) for each in shown if any(why.source == PROFILE for why in each.why)]
    audit.record_each(
        session, audit.Act.SEARCH, record_kind=record_kind, level=audit.Level.PROFILE, records=read, now=now
    )


_EXCERPTS = text(r"""
    SELECT i.record, i.source, ts_headline('english', i.content, m.query, :shown)
    FROM unnest(CAST(:records AS uuid[]), CAST(:sources AS text[]), CAST(:contents AS text[]))
        WITH ORDINALITY i (record, source, content, place)
    CROSS JOIN LATERAL (
        SELECT CAST(string_agg('''' || replace(replace(l.word, '\', '\\'), '''', '''''') || '''', '|') AS tsquery)
        FROM unnest(tsvector_to_array(to_tsvector('english', i.content))) l (word)
        WHERE EXISTS (SELECT FROM unnest(tsvector_to_array(to_tsvector('english', :asked))) a (word)
            WHERE l.word = a.word OR (:alike AND spelt_alike(l.word, a.word)))
    ) m (query)
    WHERE m.query IS NOT NULL
    ORDER BY i.place
""")


def _explained(
    session: Session, codes: Sequence[tuple[UUID, str]], texts: Sequence[tuple[UUID, str, str]], sought: Sought
) -> dict[UUID, tuple[Excerpt, ...]]:
    contents = [content.translate(_MARKS) for _, _, content in texts]
    given = {"records": [record for record, _, _ in texts], "sources": [source for _, source, _ in texts]}
    rows = session.execute(
        _EXCERPTS, {**given, "contents": contents, "shown": _SHOWN, "asked": sought.query, "alike": sought.alike}
    )
    whole = {(record, source): content.translate(_MARKS) for record, source, content in texts}
    found: dict[UUID, tuple[Excerpt, ...]] = {}
    for record, source, shown in rows:
        excerpt = Excerpt(source, _parts(shown, whole[record, source]))
        found[record] = (*found.get(record, ()), excerpt)
    # What no text explains was found by its code.
    return {record: found.get(record) or (Excerpt("Code", (Part(code, True),)),) for record, code in codes}


def _parts(shown: str, whole: str) -> tuple[Part, ...]:
    plain = shown.translate(_MARKS)
    cut_before, cut_after = (
        not whole.startswith(plain[:20]),
        not whole.rstrip(_ENDS).endswith(plain.rstrip(_ENDS)[-20:]),
    )
    said = f"{'… ' if cut_before else ''}{shown}{' …' if cut_after else ''}"
    pieces = [piece.split(_STOP, 1) for piece in said.split(_START)]
    parts = [Part(pieces[0][0], False)]
    for marked, rest in pieces[1:]:
        parts += [Part(marked, True), Part(rest, False)]
    return tuple(part for part in parts if part.text)


def _titles(codes: Iterable[str]) -> str:
    wanted = set(codes)
    return "; ".join(need.title for need in need_catalogue().needs if need.code in wanted)


def _willing(facts: HouseholdFacts) -> Iterable[str]:
    return (need for need, said in facts.tolerances.items() if _WILLING & {said.low, said.medium, said.high})


def _needed(facts: GroupFacts) -> Iterable[str]:
    return (need for child in facts.children for need, level in child.needs.items() if level in _SAID)


def _background(facts: HouseholdFacts | GroupFacts) -> str:
    heritage = [HERITAGE_WORDS.get(code, code) for code in sorted(facts.heritage)]
    return "; ".join(
        [*heritage, *(each for said in (facts.religions, facts.languages, facts.cultures) for each in sorted(said))]
    )
