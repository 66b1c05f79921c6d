"""A bank's file that was the wrong one: taken back, with all of its lines that nobody has settled.

Nothing is deleted, and the same lines may come again, of another file or of this one handed in once more: they are new
ones then. A line that several files have goes with the last of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, any_, func, literal, or_, select, update
from sqlalchemy.orm import Session

from matching.fee.remittance.line import LineState, RemittanceLine, reason_id
from matching.fee.remittance.remittance import RECORD_KIND, Remittance, RemittanceState, lock_remittances
from matching.fee.signer import find_signer
from matching.sealed_words import open_words, seal_words, tidy
from tenants import audit
from tenants.database import scope_of
from tenants.error import Conflict
from tenants.permission import Verb, require

_FREE = (LineState.WAITING, LineState.NOT_RECEIPT, LineState.ADVICE)
"""What a line is while nobody has settled it."""


class NothingTaken(Conflict):
    """The file was refused, so that there is nothing to take back."""


def take_file_back(session: Session, remittance: Remittance, *, reason: str, now: datetime) -> None:
    """Take a file back: its lines that nobody settled wait no more, and it is not asked about. The same again is once.

    :raises NothingTaken: when it was refused whole.
    :raises WordsMissing: when the reason is blank.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    said = tidy(reason, what="why it is taken back")
    lock_remittances(session, remittance.agency_id)
    session.refresh(remittance)
    if remittance.state is RemittanceState.TAKEN_BACK:
        return
    if remittance.state is RemittanceState.REFUSED:
        raise NothingTaken("The file was refused whole. Nothing of it was taken, and nothing of it waits.")
    signer = find_signer(session)
    sealed = seal_words(session, {"reason": said}, row_id=reason_id(remittance.id), now=now)
    remittance.state, remittance.taken_back_at, remittance.sealed_reason = RemittanceState.TAKEN_BACK, now, sealed
    if signer is not None:
        remittance.taken_back_by, remittance.taken_back_name = signer.person_id, signer.name
    session.flush()
    statement = update(RemittanceLine).where(*_leaving(remittance)).values(state=LineState.TAKEN_BACK)
    gone = len(session.scalars(statement.returning(RemittanceLine.id)).all())
    what = f"taken back with {gone} lines"
    audit.record(session, audit.Act.CHANGE, record_kind=RECORD_KIND, record_id=remittance.id, reason=what, now=now)


def count_lines(session: Session, remittance: Remittance) -> Mapping[LineState, int]:
    """Return how many of the lines that were taken from a file are in each state."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(RemittanceLine.state, func.count()).where(RemittanceLine.remittance_id == remittance.id)
    return {row[0]: row[1] for row in session.execute(query.group_by(RemittanceLine.state))}


def count_leaving(session: Session, remittance: Remittance) -> int:
    """Return how many lines go if a file is taken back: those that another has too stay."""
    require(scope_of(session), Verb.READ_FEES)
    return session.scalar(select(func.count()).select_from(RemittanceLine).where(*_leaving(remittance))) or 0


def free_state(session: Session, line: RemittanceLine) -> LineState:
    """Return what a line is that nobody settled: it waits, or is no receipt, while a file that has it stands."""
    standing = select(Remittance.id).where(
        Remittance.agency_id == line.agency_id,
        Remittance.state == RemittanceState.TAKEN,
        or_(Remittance.id == line.remittance_id, literal(line.id) == any_(Remittance.known_lines)),
    )
    if session.scalar(standing.limit(1)) is None:
        return LineState.TAKEN_BACK
    return LineState.WAITING if line.pence > 0 else LineState.NOT_RECEIPT


def reason_of(session: Session, row: Remittance | RemittanceLine) -> str | None:
    """Return why a file was taken back or a line set aside, ``None`` where neither was."""
    if row.sealed_reason is None:
        return None
    return open_words(session, row.sealed_reason, row_id=reason_id(row.id))["reason"]


def _leaving(remittance: Remittance) -> tuple[ColumnElement[bool], ...]:
    """Return of which lines it holds that nobody settled them, and that no file has them but those taken back."""
    others = (
        Remittance.agency_id == remittance.agency_id,
        Remittance.state == RemittanceState.TAKEN,
        Remittance.id != remittance.id,
    )
    return (
        RemittanceLine.agency_id == remittance.agency_id,
        RemittanceLine.state.in_(_FREE),
        RemittanceLine.remittance_id.not_in(select(Remittance.id).where(*others)),
        RemittanceLine.id.not_in(select(func.unnest(Remittance.known_lines)).where(*others)),
    )
