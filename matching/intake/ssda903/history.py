"""What a return tells of one child, typed and checked: who it is, its episodes, its SHOBPA decisions, its match."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from matching.intake.cell import ETHNIC_CODES
from matching.intake.row import RowProblem
from matching.intake.ssda903.cells import CellReader, in_words
from matching.intake.ssda903.table import Record, Table
from matching.ranking.facts import Sex


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch of care under one legal status in one placement; ``ended`` is ``None`` while it lasts."""

    record: Record
    began: date
    ended: date | None
    legal_status: str | None
    placement: str | None
    new_because: str | None
    ended_because: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """A SHOBPA decision, and its reversal where there was one. DATE_PLACED is the day of the decision itself."""

    record: Record
    made: date
    reversed_on: date | None
    reversed_because: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """What AD1 tells of an adoption: the day of the SHOBPA decision and that of the match decision."""

    record: Record
    decided: date | None
    matched: date | None


@dataclass(frozen=True, slots=True)
class History:
    """One child's records, in the order in which things happened."""

    header: Record
    reference: str
    born_on: date
    sex: Sex
    heritage: str | None
    episodes: tuple[Episode, ...]
    decisions: tuple[Decision, ...]
    match: Match | None

    @property
    def last(self) -> Episode | None:
        """The episode that began last."""
        return self.episodes[-1] if self.episodes else None


def read_history(records: Sequence[Record], *, today: date) -> tuple[History | None, tuple[RowProblem, ...]]:
    """Return what a return tells of a child, or every reason why it cannot be taken at its word."""
    cells = CellReader(today=today)
    cells.problems += [problem for record in records for problem in record.problems]
    header = _header(records, cells)
    born_on = _birth(records, cells)
    episodes = _episodes(_of(records, Table.EPISODES), born_on, cells)
    decisions = _decisions(_of(records, Table.PLACED), born_on, cells)
    match = _match(_of(records, Table.AD1), decisions, born_on, cells)
    sex, heritage = _sex(header, cells), _heritage(header, cells)
    if cells.problems or header is None or born_on is None or header.child is None:
        return None, tuple(cells.problems)
    return History(header, header.child, born_on, sex, heritage, episodes, decisions, match), ()


def _of(records: Iterable[Record], table: Table) -> list[Record]:
    return [record for record in records if record.table is table]


# ── who ──


def _header(records: Sequence[Record], cells: CellReader) -> Record | None:
    headers = _of(records, Table.HEADER)
    if not headers:
        cells.wrong(records[0], "CHILD", "the child is not in the table Header")
        return None
    for record in headers if len(headers) > 1 else []:
        others = " and ".join(other.place() for other in headers if other is not record)
        cells.wrong(record, "CHILD", f"the same child is on {others} too; expected each child once")
    return headers[0]


def _birth(records: Sequence[Record], cells: CellReader) -> date | None:
    """Return the day of birth, on which all tables that tell it must agree."""
    told = [(record, cells.day(record, "DOB")) for record in records]
    said = [(record, day) for record, day in told if day is not None]
    for record, day in said[1:]:
        if day != said[0][1]:
            cells.wrong(record, "DOB", f"{said[0][0].place()} says {in_words(said[0][1])} of the same child")
    if not said and not any("DOB" in record.cells for record in records):
        cells.wrong(records[0], "DOB", "it is blank and must be filled")
    return said[0][1] if said else None


def _sex(header: Record | None, cells: CellReader) -> Sex:
    code = cells.code(header, "SEX") if header else None
    return {"1": Sex.MALE, "2": Sex.FEMALE}.get(code or "", Sex.UNKNOWN)


def _heritage(header: Record | None, cells: CellReader) -> str | None:
    code = header.cells.get("ETHNIC", "").upper() if header else ""
    if header and code and code not in ETHNIC_CODES:
        cells.wrong(header, "ETHNIC", "it is no SSDA903 code of ethnic origin, such as WBRI or MWBC")
    return code or None


# ── episodes ──


def _episodes(records: Sequence[Record], born_on: date | None, cells: CellReader) -> tuple[Episode, ...]:
    read = [episode for record in records if (episode := _episode(record, born_on, cells))]
    episodes = sorted(read, key=lambda each: (each.began, each.ended or date.max))
    for one, next_one in pairwise(episodes):
        if one.ended is None:
            reason = f"the episode has not ended, though another began on {in_words(next_one.began)}"
            cells.wrong(one.record, "DEC", f"{reason}, on {next_one.record.place()}")
        elif one.began == next_one.began != one.ended:
            cells.wrong(next_one.record, "DECOM", f"another episode began on the same day, on {one.record.place()}")
    _check_end(episodes, cells)
    return tuple(episodes)


def _check_end(episodes: Sequence[Episode], cells: CellReader) -> None:
    """Refuse a child whose episodes leave open which of them is the last."""
    last = episodes[-1].ended if episodes else None
    for each in episodes[:-1]:
        if last is not None and each.ended is not None and each.ended > last:
            cells.wrong(
                each.record, "DEC", f"the episode that began last, on {episodes[-1].record.place()}, ended before"
            )


def _episode(record: Record, born_on: date | None, cells: CellReader) -> Episode | None:
    wrong_before = len(cells.problems)
    began, ended = cells.day(record, "DECOM"), cells.day(record, "DEC")
    if "DECOM" not in record.cells:
        cells.wrong(record, "DECOM", "it is blank and must be filled")
    _check_order(record, ("DECOM", began), ("DEC", ended), cells)
    _check_birth(record, ("DECOM", began), born_on, cells)
    # What is wrong in itself is told once, and not again as what it would mean beside the other episodes.
    untold = began is None or len(cells.problems) > wrong_before
    legal_status, placement = cells.code(record, "LS"), cells.code(record, "PLACE")
    ended_because = cells.code(record, "REC")
    if began is None or untold:
        return None
    return Episode(record, began, ended, legal_status, placement, record.cells.get("RNE"), ended_because)


# ── SHOBPA decisions and matches ──


def _decisions(records: Sequence[Record], born_on: date | None, cells: CellReader) -> tuple[Decision, ...]:
    read = [decision for record in records if (decision := _decision(record, born_on, cells))]
    decisions = sorted(read, key=lambda each: (each.made, each.reversed_on or date.max))
    for one, next_one in pairwise(decisions):
        if one.reversed_on is None or one.reversed_on > next_one.made:
            reason = f"the decision of {in_words(one.made)}, on {one.record.place()}, still stood then"
            cells.wrong(next_one.record, "DATE_PLACED", f"{reason}; expected one decision at a time")
    return tuple(decisions)


def _decision(record: Record, born_on: date | None, cells: CellReader) -> Decision | None:
    if not record.cells.keys() - {"DOB"}:
        return None
    wrong_before = len(cells.problems)
    made, reversed_on = cells.day(record, "DATE_PLACED"), cells.day(record, "DATE_PLACED_CEASED")
    _check_order(record, ("DATE_PLACED", made), ("DATE_PLACED_CEASED", reversed_on), cells)
    _check_birth(record, ("DATE_PLACED", made), born_on, cells)
    untold = made is None or len(cells.problems) > wrong_before
    because = cells.code(record, "REASON_PLACED_CEASED")
    if "DATE_PLACED" not in record.cells:
        cells.wrong(record, "DATE_PLACED", "it is blank, though the row tells of a reversal")
    for column, other in (
        ("DATE_PLACED_CEASED", "REASON_PLACED_CEASED"),
        ("REASON_PLACED_CEASED", "DATE_PLACED_CEASED"),
    ):
        if other in record.cells and column not in record.cells:
            cells.wrong(record, column, f"it is blank, though {other} is filled")
    if made is None or untold:
        return None
    return Decision(record, made, reversed_on, because)


def _match(
    records: Sequence[Record], decisions: Sequence[Decision], born_on: date | None, cells: CellReader
) -> Match | None:
    matches = [Match(each, cells.day(each, "DATE_INT"), cells.day(each, "DATE_MATCH")) for each in records]
    matches = [each for each in matches if each.decided or each.matched]
    for each in matches:
        _check_order(each.record, ("DATE_INT", each.decided), ("DATE_MATCH", each.matched), cells)
        _check_birth(each.record, ("DATE_INT", each.decided), born_on, cells)
        if each.decided and decisions and each.decided not in {decision.made for decision in decisions}:
            other = decisions[-1]
            reason = f"DATE_PLACED on {other.record.place()} is {in_words(other.made)}"
            cells.wrong(each.record, "DATE_INT", f"{reason}; both are the day of the SHOBPA decision")
        if (each.decided, each.matched) != (matches[0].decided, matches[0].matched):
            cells.wrong(each.record, "CHILD", f"{matches[0].record.place()} says otherwise of the same child")
    return matches[0] if matches else None


# ── both ──


def _check_order(
    record: Record, first: tuple[str, date | None], then: tuple[str, date | None], cells: CellReader
) -> None:
    if first[1] is not None and then[1] is not None and then[1] < first[1]:
        cells.wrong(record, then[0], f"it is before {first[0]}, {in_words(first[1])}")


def _check_birth(record: Record, told: tuple[str, date | None], born_on: date | None, cells: CellReader) -> None:
    if told[1] is not None and born_on is not None and told[1] < born_on:
        cells.wrong(record, told[0], f"it is before the birth, {in_words(born_on)}")
