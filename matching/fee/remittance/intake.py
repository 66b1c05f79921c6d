"""The work of taking a file: its lines become rows in one transaction, or the whole of it is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.fee.remittance.bank_file import BankFile, BankLine, FileFormat, UnreadableRemittance
from matching.fee.remittance.column_map import signature_of
from matching.fee.remittance.line import LineState, LineWords, RemittanceLine
from matching.fee.remittance.mapping import recall_mapping
from matching.fee.remittance.reading import format_of, read_lines, read_statement, read_table
from matching.fee.remittance.remittance import (
    RECORD_KIND,
    Purpose,
    Remittance,
    RemittanceState,
    lock_remittances,
    open_content,
)
from tenants import audit
from tenants.bulk import Values, add_rows
from tenants.cipher import keyed_digest, seal

Progress = Callable[[int, int, str], None]
"""Told how many lines of how many are done, and what is being done."""
AT_ONCE: Final = 500
AHEAD: Final = timedelta(days=31)
"""How far ahead a bank may date a line: further, day and month are in each other’s place."""


@dataclass(frozen=True, slots=True)
class _Marked:
    """A line with what it is known by."""

    position: int
    line: BankLine
    fingerprint: bytes


def perform_remittance(session: Session, remittance: Remittance, *, progress: Progress, now: datetime) -> Remittance:
    """Take a file in the session's one transaction: each line is taken, or known already, or the file is refused.

    One that was taken, or taken back, is left as it is, so that a job that runs twice does no harm. A CSV file of a
    layout that nobody has explained takes nothing and waits for a person.
    """
    lock_remittances(session, remittance.agency_id)
    session.refresh(remittance)
    if remittance.state not in (RemittanceState.READING, RemittanceState.ASKING):
        return remittance
    progress(0, 0, "Reading the file")
    try:
        file = _read(session, remittance)
        if file is not None:
            _refuse_future(file, on=now.date())
    except UnreadableRemittance as refusal:
        remittance.state, remittance.refusal = RemittanceState.REFUSED, str(refusal)
        remittance.finished_at = now
        file = None
    if file is not None:
        _take(session, remittance, file, progress=progress, now=now)
    audit.record(session, audit.Act.IMPORT, record_kind=RECORD_KIND, record_id=remittance.id, now=now)
    session.flush()
    return remittance


def payer_mark(session: Session, payer: str, *, agency_id: UUID, now: datetime) -> bytes | None:
    """Return what a bank's name for a payer is known by, ``None`` where it gives none."""
    name = " ".join(payer.upper().split())
    return keyed_digest(session, name.encode(), purpose="payer name", agency_id=agency_id, now=now) if name else None


def _read(session: Session, remittance: Remittance) -> BankFile | None:
    """Return the lines of a file; ``None`` where a person is to say first what its columns hold."""
    content = open_content(session, remittance)
    remittance.format = format_of(content)
    if remittance.format is not FileFormat.CSV:
        return read_statement(content, remittance.format)
    table = read_table(content)
    remittance.signature = signature_of(table.headings)
    columns = recall_mapping(session, remittance)
    if columns is None:
        remittance.state = RemittanceState.ASKING
        return None
    return read_lines(table, columns)


def _refuse_future(file: BankFile, *, on: date) -> None:
    late = next((line for line in file.lines if line.dated_on > on + AHEAD), None)
    if late is not None:
        raise UnreadableRemittance(
            f"{late.place}: {late.dated_on:%d/%m/%Y} lies ahead. Days are read as day, month, year. Nothing was taken."
        )


def _take(session: Session, remittance: Remittance, file: BankFile, *, progress: Progress, now: datetime) -> None:
    marked = list(_marked(session, remittance, file, now=now))
    known = _known(session, remittance.agency_id, [each.fingerprint for each in marked])
    kept: dict[bytes, _Marked] = {}
    for each in marked:
        # What two statements of one file have both is one line, as it is of two files.
        if each.fingerprint not in known:
            kept.setdefault(each.fingerprint, each)
    fresh = list(kept.values())
    for start in range(0, len(fresh), AT_ONCE):
        progress(start, len(fresh), "Keeping the lines")
        rows = [_row(session, remittance, each, now=now) for each in fresh[start : start + AT_ONCE]]
        add_rows(session, RemittanceLine, rows)
    came = [each.line.pence for each in fresh if each.line.pence > 0]
    went = [-each.line.pence for each in fresh if each.line.pence < 0]
    remittance.notes = list(file.notes)
    remittance.line_count, remittance.known_count = len(marked), len(marked) - len(fresh)
    remittance.known_lines = list(known.values())
    remittance.credit_count, remittance.credit_pence = len(came), sum(came)
    remittance.debit_count, remittance.debit_pence = len(went), sum(went)
    remittance.state, remittance.finished_at = RemittanceState.TAKEN, now


def _marked(session: Session, remittance: Remittance, file: BankFile, *, now: datetime) -> Iterator[_Marked]:
    """Yield each line with its fingerprint: the bank's own number of it where there is one, else all that it says.

    Equal lines of a file are counted: two of a day stay two, and another file that has the same two adds none. Nor does
    another statement of the account in the same file, of lines that the bank numbers, or where it is a copy.
    """
    seen: Counter[tuple[int, str]] = Counter()
    copies = _copies(file)
    for position, line in enumerate(file.lines, start=1):
        said = line.bank_id or f"{line.payer}\x1f{line.reference}"
        text = "\x1f".join((remittance.purpose, line.account, line.dated_on.isoformat(), str(line.pence), said))
        apart = line.account and (line.bank_id or line.statement in copies)
        of_statement = (line.statement if apart else 0, text)
        seen[of_statement] += 1
        plain = f"{text}\x1f{seen[of_statement]}".encode("utf-8", "replace")
        digest = keyed_digest(session, plain, purpose="bank line", agency_id=remittance.agency_id, now=now)
        yield _Marked(position, line, digest)


def _copies(file: BankFile) -> set[int]:
    """Return the statements that say the same as an earlier one, from the same balance to the same other one."""
    balances = {each.words: (each.opening, each.closing) for each in file.controls if each.moved}
    found, seen = set(), set()
    for number, lines in groupby(file.lines, key=lambda line: line.statement):
        said = (balances.get(f"Statement {number}"), *(replace(line, place="", statement=0) for line in lines))
        if said[0] is not None and said in seen:
            found.add(number)
        seen.add(said)
    return found


def _known(session: Session, agency_id: UUID, fingerprints: Sequence[bytes]) -> dict[bytes, UUID]:
    found: dict[bytes, UUID] = {}
    for start in range(0, len(fingerprints), AT_ONCE):
        query = select(RemittanceLine.fingerprint, RemittanceLine.id).where(
            RemittanceLine.agency_id == agency_id,
            RemittanceLine.state != LineState.TAKEN_BACK,
            RemittanceLine.fingerprint.in_(fingerprints[start : start + AT_ONCE]),
        )
        found.update((mark, line_id) for mark, line_id in session.execute(query))
    return found


def _row(session: Session, remittance: Remittance, each: _Marked, *, now: datetime) -> Values:
    line, line_id, agency_id = each.line, uuid4(), remittance.agency_id
    words = LineWords(line.payer, line.reference, line.place).sealable()
    return {
        "id": line_id,
        "remittance_id": remittance.id,
        "agency_id": agency_id,
        "position": each.position,
        "dated_on": line.dated_on,
        "pence": line.pence,
        "sealed": seal(session, words, agency_id=agency_id, row_id=line_id, now=now),
        "fingerprint": each.fingerprint,
        "payer_mark": payer_mark(session, line.payer, agency_id=agency_id, now=now),
        "undoes": line.undoes,
        "state": _state(remittance.purpose, line.pence),
    }


def _state(purpose: Purpose, pence: int) -> LineState:
    if purpose is Purpose.ADVICE:
        return LineState.ADVICE if pence < 0 else LineState.NOT_RECEIPT
    return LineState.WAITING if pence > 0 else LineState.NOT_RECEIPT
