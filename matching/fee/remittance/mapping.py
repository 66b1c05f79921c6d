"""What an agency has said of the columns of a CSV file: once for each layout, then remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.fee.remittance.bank_file import BankLine
from matching.fee.remittance.column_map import ColumnMap, Holds, chosen_map, guess, map_of
from matching.fee.remittance.csv_file import CsvTable
from matching.fee.remittance.reading import read_lines, read_table
from matching.fee.remittance.remittance import (
    Purpose,
    Remittance,
    RemittanceState,
    lock_remittances,
    open_content,
    read_again,
)
from tenants.base import Base, Word
from tenants.database import scope_of
from tenants.error import Conflict, Invalid
from tenants.permission import Verb, require

SHOWN: Final = 8
"""How many rows of a file a person sees while they say what its columns hold."""


class RemittanceMapping(Base):
    """What the columns of one layout hold."""

    __tablename__ = "remittance_mapping"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    signature: Mapped[bytes] = mapped_column(primary_key=True)
    purpose: Mapped[Purpose] = mapped_column(Word(Purpose), primary_key=True)
    mapping: Mapped[dict[str, Any]] = mapped_column(JSONB)
    said_by: Mapped[UUID | None]
    said_at: Mapped[datetime]


class NothingToAsk(Conflict):
    """The file's columns are known, or it has none."""


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """A file's columns with examples, what each is taken for, and its first lines read so, or why they cannot be."""

    table: CsvTable
    chosen: dict[int, Holds]
    outgoing: bool
    lines: tuple[BankLine, ...] = ()
    refusal: str | None = None


def recall_mapping(session: Session, remittance: Remittance) -> ColumnMap | None:
    """Return what the agency has said of a file's layout, ``None`` where it has not.

    Nor where this very file was taken back since: it may have been read wrongly.
    """
    kept = _kept(session, remittance)
    if kept is None or kept.said_at < (_taken_back_at(session, remittance) or kept.said_at):
        return None
    return map_of(kept.mapping)


def preview_mapping(
    session: Session,
    remittance: Remittance,
    *,
    chosen: Mapping[int, Holds] | None = None,
    outgoing: bool | None = None,
) -> MappingPreview:
    """Return how a file would be read with some columns, or as its layout was before, or as its headings suggest.

    :raises NothingToAsk: when nobody is asked about its columns.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    if remittance.state is not RemittanceState.ASKING:
        raise NothingToAsk("Nobody is asked about the columns of this file.")
    table = read_table(open_content(session, remittance))
    kept = _kept(session, remittance)
    before = map_of(kept.mapping) if kept else None
    picked = dict(chosen if chosen is not None else before.chosen() if before else guess(table.headings))
    # A list of payments made names bare amounts, all of which went out.
    usual = before.outgoing if before else remittance.purpose is Purpose.ADVICE
    leaving = usual if outgoing is None else outgoing
    try:
        read = read_lines(table, chosen_map(picked, outgoing=leaving))
    except Invalid as refusal:
        return MappingPreview(table, picked, leaving, refusal=str(refusal))
    return MappingPreview(table, picked, leaving, read.lines[:SHOWN])


def choose_mapping(
    session: Session, remittance: Remittance, chosen: Mapping[int, Holds], *, outgoing: bool, now: datetime
) -> Remittance:
    """Remember what the columns of a layout hold, and ask for the file to be read so.

    :raises ColumnsWrong: when a file cannot be read by them.
    :raises UnreadableRemittance: when this one cannot.
    :raises NothingToAsk: when nobody is asked about its columns.
    """
    require(scope_of(session), Verb.KEEP_FEES)
    lock_remittances(session, remittance.agency_id)
    session.refresh(remittance)
    if remittance.state is not RemittanceState.ASKING or remittance.signature is None:
        raise NothingToAsk("Nobody is asked about the columns of this file.")
    columns = chosen_map(chosen, outgoing=outgoing)
    read_lines(read_table(open_content(session, remittance)), columns)
    values = {
        "agency_id": remittance.agency_id,
        "signature": remittance.signature,
        "purpose": remittance.purpose,
        "mapping": columns.as_json(),
        "said_by": scope_of(session).person_id,
        "said_at": now,
    }
    changed = {name: values[name] for name in ("mapping", "said_by", "said_at")}
    statement = insert(RemittanceMapping).values(values)
    session.execute(statement.on_conflict_do_update(index_elements=["agency_id", "signature", "purpose"], set_=changed))
    return read_again(session, remittance, now=now)


def list_mappings(session: Session) -> list[RemittanceMapping]:
    """Return what the scope's agency has said of layouts, the latest first."""
    require(scope_of(session), Verb.READ_FEES)
    query = select(RemittanceMapping).order_by(RemittanceMapping.said_at.desc(), RemittanceMapping.signature)
    return list(session.scalars(query))


def _kept(session: Session, remittance: Remittance) -> RemittanceMapping | None:
    if remittance.signature is None:
        return None
    return session.get(RemittanceMapping, (remittance.agency_id, remittance.signature, remittance.purpose))


def _taken_back_at(session: Session, remittance: Remittance) -> datetime | None:
    """Return when this very file was last taken back."""
    query = select(func.max(Remittance.taken_back_at)).where(
        Remittance.agency_id == remittance.agency_id,
        Remittance.purpose == remittance.purpose,
        Remittance.sha256 == remittance.sha256,
    )
    return session.scalar(query)
