"""Who can see a record and why, in words: all of it to its own agency, and to a reader why they do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from sqlalchemy.orm import Session

from matching.bar import count_bars
from matching.pool import PoolEntry, Stage, sharing_of
from matching.sharing import Move, Record, Sharing, read_sharing, stage_words
from tenants.agency import get_agency
from tenants.consortium import get_consortium
from tenants.database import scope_of


@dataclass(frozen=True, slots=True)
class Wish:
    """One way to share a record that a person may choose; without a stage it stays at the one it has."""

    words: str
    stage: Stage | None = None
    held: bool = False
    kept: bool = False


WISHES: Final = MappingProxyType(
    {
        "in_house": Wish("In-house only, until somebody shares it", Stage.IN_HOUSE, kept=True),
        "consortium": Wish("With the consortium", Stage.CONSORTIUM),
        "national": Wish("Nationally: with every agency of every consortium here", Stage.NATIONAL),
        "keep": Wish("As now, whatever the timing says", kept=True),
        "hold": Wish("Hold it back: nobody outside the agency sees it for now", held=True),
        "let_go": Wish("As now, by the timing again", None),
    }
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Some who see a record: who, how much, and why."""

    who: str
    level: str
    why: str


@dataclass(frozen=True, slots=True)
class Visibility:
    """Who sees a record. To a reader of another agency only ``sentence`` says something."""

    own: bool
    sentence: str
    stage: Stage
    state: str | None = None
    since: date | None = None
    reason: str | None = None
    coming: str | None = None
    viewers: tuple[Viewer, ...] = ()
    bars: int = 0
    moves: tuple[Move, ...] = ()


def read_visibility(session: Session, record: Record, *, on: date) -> Visibility:
    """Return who sees a record that this scope sees, in words."""
    if record.agency_id != scope_of(session).agency_id:
        entry = sharing_of(session, [record.id], anywhere=True).get(record.id)
        stage = entry.stage if entry else Stage.CONSORTIUM
        return Visibility(own=False, sentence=_why_they_see_it(session, record, stage), stage=stage)
    sharing = read_sharing(session, record)
    entry = sharing.entry
    return Visibility(
        own=True,
        sentence="You see this record because it is your own agency’s.",
        stage=entry.stage if entry else Stage.IN_HOUSE,
        state=stage_words(entry.stage, held=entry.held, kept=entry.kept) if entry else "In-house",
        since=entry.entered_on if entry else None,
        reason=entry.reason if entry else None,
        coming=_coming(sharing, on),
        viewers=_viewers(session, sharing),
        bars=count_bars(session, record),
        moves=sharing.moves,
    )


def _why_they_see_it(session: Session, record: Record, stage: Stage) -> str:
    agency = get_agency(session, record.agency_id).name
    if stage is Stage.NATIONAL:
        return (
            f"You see this record because {agency} shares it nationally: with every agency that belongs to a "
            "consortium here. You see its summary and its anonymous profile, and nothing of who it is about."
        )
    return (
        f"You see this record because {agency} shares it with {_consortium(session)}, to which your agency belongs. "
        "You see its summary and its anonymous profile, and nothing of who it is about."
    )


def _coming(sharing: Sharing, on: date) -> str:
    entry, following = sharing.entry, sharing.next
    if entry is None or entry.stage is Stage.NATIONAL:
        return "Nothing: a person shares it otherwise."
    if entry.held:
        return "Nothing, until somebody lets it go."
    if following is None:
        return "Nothing by itself: a person shares it further."
    when = "the next time that the schedule runs" if following.on <= on else f"{following.on.day} {following.on:%B %Y}"
    return f"{following.stage.label}: on {when}." if following.on > on else f"{following.stage.label}: {when}."


def _viewers(session: Session, sharing: Sharing) -> tuple[Viewer, ...]:
    entry = sharing.entry
    found = [
        Viewer(
            "People of your own agency",
            "Summary and profile; family finders, adopters’ workers, children’s social workers and managers also who "
            "it is about",
            "It is your agency’s record.",
        )
    ]
    if entry is not None and _open(entry):
        found.append(
            Viewer(
                f"The agencies of {_consortium(session)}, its office among them",
                "Summary and anonymous profile",
                "It is shared with the consortium.",
            )
        )
        if entry.stage is Stage.NATIONAL:
            found.append(
                Viewer(
                    "Agencies of every other consortium here",
                    "Summary and anonymous profile, in lists, on its page and in rankings; not in their packs",
                    "It is shared nationally.",
                )
            )
    if sharing.elsewhere:
        found.append(
            Viewer(
                "Agencies of another consortium of yours",
                "Summary and anonymous profile",
                "Your agency shares it there too: act in that consortium to see how.",
            )
        )
    return tuple(found)


def _open(entry: PoolEntry) -> bool:
    return entry.stage is not Stage.IN_HOUSE and not entry.held


def _consortium(session: Session) -> str:
    consortium_id = scope_of(session).consortium_id
    return "the consortium" if consortium_id is None else get_consortium(session, consortium_id).name
