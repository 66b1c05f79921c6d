"""What becomes of one child of a return: taken, not for adoption, or refused; and what is then to be recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Final

from matching.intake.row import RowProblem
from matching.intake.ssda903.cells import in_words
from matching.intake.ssda903.code import (
    ADOPTED,
    ANOTHER_EPISODE,
    CARE_BEGAN,
    FREEING_ORDER,
    PLACEMENT_ORDER,
    WITH_ADOPTERS,
    WITH_CONSENT,
    meaning,
)
from matching.intake.ssda903.history import Episode, History
from matching.place import InvalidPlace, outward_code_of
from matching.ranking.facts import LegalPosition, Sex

_YEARS_OF_CHILDHOOD: Final = 18


class Fate(StrEnum):
    """The three things that can become of a child of a return."""

    TAKEN = "taken"
    NOT_FOR_ADOPTION = "not_for_adoption"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a return says of a child who is to be adopted; ``None`` where it says nothing.

    ``on_hold`` asks that no family be looked for until somebody has read the remarks.
    """

    born_on: date
    sex: Sex
    heritage: str | None
    legal_position: LegalPosition | None
    shobpa_on: date | None
    placement_order_on: date | None
    entered_care_on: date | None
    home_outward_code: str | None
    on_hold: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """A child's fate, why, and where the return says so. The remarks of a child that is taken are to be told too."""

    fate: Fate
    remarks: tuple[RowProblem, ...]
    waiting: Waiting | None = None


def judge(history: History, *, today: date) -> Verdict:
    """Return what becomes of a child whose records can be taken at their word.

    Taken: a child in care for whom a SHOBPA decision stands, or who is under a placement order (LS E1) now.
    """
    settled = _adopted(history) or _reversed(history) or _left_care(history)
    if settled is not None:
        return settled
    last = history.last
    under_order = last is not None and last.legal_status == PLACEMENT_ORDER
    if not history.decisions and not under_order:
        return _without_plan(history)
    grown_up = _grown_up(history, today)
    return grown_up or _taken(history)


# ── not taken ──


def _adopted(history: History) -> Verdict | None:
    last = history.last
    if last is None or last.ended is None or last.ended_because not in ADOPTED:
        return None
    return _not_for_adoption(last.record.problem("REC", f"adopted on {in_words(last.ended)}"))


def _reversed(history: History) -> Verdict | None:
    decision = history.decisions[-1] if history.decisions else None
    if decision is None or decision.reversed_on is None or decision.reversed_because is None:
        return None
    why = meaning("REASON_PLACED_CEASED", decision.reversed_because)
    reason = f"the SHOBPA decision was reversed on {in_words(decision.reversed_on)} ({why})"
    return _not_for_adoption(decision.record.problem("REASON_PLACED_CEASED", reason))


def _left_care(history: History) -> Verdict | None:
    last = history.last
    if last is None or last.ended is None:
        return None
    if last.ended_because is None:
        reason = "it is blank, though the last episode has ended; whether the child is still in care cannot be told"
        return Verdict(Fate.REFUSED, (last.record.problem("REC", reason),))
    if last.ended_because == ANOTHER_EPISODE:
        reason = f"it says that another episode began on {in_words(last.ended)}, and the return has none"
        return Verdict(Fate.REFUSED, (last.record.problem("REC", reason),))
    reason = f"left care on {in_words(last.ended)} ({meaning('REC', last.ended_because)})"
    return _not_for_adoption(last.record.problem("REC", reason))


def _without_plan(history: History) -> Verdict:
    last = history.last
    if last is None:
        reason = "the return has no SHOBPA decision and no episode of this child"
        return _not_for_adoption(history.header.problem("CHILD", reason))
    reason = "no SHOBPA decision stands and there is no placement order"
    since = _with_adopters_since(history)
    if since is not None:
        reason += f"; the child has lived with adopters since {in_words(since)}, so no family is looked for"
    return _not_for_adoption(last.record.problem("LS", reason))


def _not_for_adoption(remark: RowProblem) -> Verdict:
    return Verdict(Fate.NOT_FOR_ADOPTION, (remark,))


def _grown_up(history: History, today: date) -> Verdict | None:
    born = history.born_on
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if years < _YEARS_OF_CHILDHOOD:
        return None
    reason = f"this person is no longer a child: {years} years old on {in_words(today)}"
    return Verdict(Fate.REFUSED, (history.header.problem("DOB", reason),))


# ── taken ──


def _taken(history: History) -> Verdict:
    doubts = _doubts(history)
    home, unplaced = _home(history)
    waiting = Waiting(
        born_on=history.born_on,
        sex=history.sex,
        heritage=history.heritage,
        legal_position=_legal_position(history.last),
        shobpa_on=_shobpa_on(history),
        placement_order_on=_order_began(history),
        entered_care_on=_entered_care(history),
        home_outward_code=home,
        on_hold=bool(doubts),
    )
    return Verdict(Fate.TAKEN, (*doubts, *_gaps(history), *unplaced), waiting)


def _doubts(history: History) -> tuple[RowProblem, ...]:
    """Return every sign that the child has a family already, or is not in care; each puts the group on hold."""
    doubts: list[RowProblem] = []
    last, since = history.last, _with_adopters_since(history)
    if last is not None and last.placement is not None and since is not None:
        reason = f"with adopters since {in_words(since)} ({meaning('PLACE', last.placement)}), so put on hold"
        doubts.append(last.record.problem("PLACE", reason))
    if history.match is not None:
        day = history.match.matched
        told = f"the match with adopters was decided on {in_words(day)}" if day else "AD1 tells of an adoption"
        doubts.append(history.match.record.problem("DATE_MATCH" if day else "DATE_INT", f"{told}, so put on hold"))
    if last is not None and last.ended_because not in {None, ANOTHER_EPISODE}:
        told = f"{meaning('REC', last.ended_because or '')}, though DEC is blank and the episode goes on"
        doubts.append(last.record.problem("REC", f"{told}; put on hold until somebody knows"))
    return tuple(doubts)


def _gaps(history: History) -> tuple[RowProblem, ...]:
    """Return what the return leaves unknown of a child, or tells in a way that somebody should look at."""
    gaps: list[RowProblem] = []
    if not history.decisions:
        dated = history.match is not None and history.match.decided is not None
        told = "is dated by DATE_INT of AD1" if dated else "is unknown"
        reason = f"PlacedAdoption has no row of this child, so the SHOBPA decision {told}"
        gaps.append(history.header.problem("DATE_PLACED", reason))
    if history.last is None:
        gaps.append(history.header.problem("CHILD", "the return has no episode of this child: legal position unknown"))
    run = _order_run(history)
    if run and run[0].new_because in {"P", "T", "U"}:
        reason = "the episode began with a change of placement, so the placement order may be older than it"
        gaps.append(run[0].record.problem("RNE", reason))
    gaps += [
        one.record.problem("DEC", f"the episodes overlap: the next began on {in_words(next_one.began)}")
        for one, next_one in pairwise(history.episodes)
        if one.ended is not None and one.ended > next_one.began
    ]
    return tuple(gaps)


def _shobpa_on(history: History) -> date | None:
    """Return the day of the SHOBPA decision. DATE_INT is the same day, and stands in where PlacedAdoption is blank."""
    if history.decisions:
        return history.decisions[-1].made
    return history.match.decided if history.match else None


def _legal_position(last: Episode | None) -> LegalPosition | None:
    """Return where the child stands in law as far as the legal status tells it: care orders leave it unknown."""
    if last is None:
        return None
    if last.legal_status in {PLACEMENT_ORDER, FREEING_ORDER}:
        return LegalPosition.ORDER_GRANTED
    return LegalPosition.CONSENT if last.placement in WITH_CONSENT else None


def _order_run(history: History) -> list[Episode]:
    """Return the episodes of the present placement order, in order, without a leaving of care between them."""
    run: list[Episode] = []
    for episode in reversed(history.episodes):
        left_care = bool(run) and episode.ended_because not in {None, ANOTHER_EPISODE}
        if episode.legal_status != PLACEMENT_ORDER or left_care:
            break
        run.insert(0, episode)
    return run


def _order_began(history: History) -> date | None:
    run = _order_run(history)
    return run[0].began if run else None


def _entered_care(history: History) -> date | None:
    """Return the day on which the present period of care began, where the return goes back as far (RNE S)."""
    for episode in reversed(history.episodes):
        if episode is not history.last and episode.ended_because not in {None, ANOTHER_EPISODE}:
            return None
        if episode.new_because == CARE_BEGAN:
            return episode.began
    return None


def _with_adopters_since(history: History) -> date | None:
    """Return the day of moving in with adopters: the beginning of the present run of A3 to A6."""
    since: date | None = None
    for episode in reversed(history.episodes):
        if episode.placement not in WITH_ADOPTERS:
            break
        since = episode.began
    return since


def _home(history: History) -> tuple[str | None, tuple[RowProblem, ...]]:
    """Return the outward code of the home from which the child came into care, as the latest episode has it."""
    told = [episode.record for episode in history.episodes if "HOME_POST" in episode.record.cells]
    if not told:
        return None, (history.header.problem("HOME_POST", "no home postcode is told, so the home area is unknown"),)
    try:
        return outward_code_of(told[-1].cells["HOME_POST"]), ()
    except InvalidPlace as problem:
        return None, (told[-1].problem("HOME_POST", f"{problem} The home area is left unknown."),)
