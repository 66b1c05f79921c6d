"""What became of each row of an import, kept: what it held and changed is sealed, for it may be personal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, Session, mapped_column

from matching.intake.outcome import Change, Outcome, RowOutcome
from matching.intake.row import RowProblem
from tenants.base import Base, Id, Word
from tenants.bulk import add_rows
from tenants.cipher import keyed_digest, seal, unseal


class ImportRow(Base):
    """What became of one row of the sheet."""

    __tablename__ = "import_row"

    id: Mapped[Id]
    import_run_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    sheet: Mapped[str]
    row_number: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(Word(Outcome))
    record_id: Mapped[UUID | None]
    changed_columns: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    sealed_problems: Mapped[bytes | None]
    sealed_changes: Mapped[bytes | None]
    """Its reference, each change before and after, and what is to be told of it."""


def keep_rows(
    session: Session, outcomes: Sequence[RowOutcome], *, import_run_id: UUID, agency_id: UUID, now: datetime
) -> None:
    """Keep what became of every row of an import."""
    rows = []
    for each in outcomes:
        row_id = uuid4()
        said = {
            "reference": each.reference,
            "changed": [asdict(change) for change in each.changed],
            "remarks": [asdict(remark) for remark in each.remarks],
        }
        problems = [asdict(problem) for problem in each.problems]
        rows.append(
            {
                "id": row_id,
                "import_run_id": import_run_id,
                "agency_id": agency_id,
                "sheet": each.sheet,
                "row_number": each.row,
                "outcome": each.outcome,
                "record_id": each.record_id,
                "changed_columns": [change.heading for change in each.changed],
                "sealed_problems": _sealed(session, problems, agency_id, row_id, now) if problems else None,
                "sealed_changes": _sealed(session, said, agency_id, row_id, now) if each.reference else None,
            }
        )
    add_rows(session, ImportRow, rows)


def list_rows(
    session: Session,
    import_run_id: UUID,
    *,
    outcomes: frozenset[Outcome],
    sheets: Sequence[str] = (),
    limit: int | None = None,
    offset: int = 0,
) -> list[RowOutcome]:
    """Return what became of the rows of an import that had one of these outcomes, by sheet as named, then by row."""
    query = select(ImportRow).where(ImportRow.import_run_id == import_run_id, ImportRow.outcome.in_(outcomes))
    place = {sheet: position for position, sheet in enumerate(sheets)}
    found = list(session.execute(query.order_by(ImportRow.sheet, ImportRow.row_number, ImportRow.id)).scalars())
    found.sort(key=lambda row: (place.get(row.sheet, len(place)), row.sheet, row.row_number))
    end = None if limit is None else offset + limit
    return [_opened(session, row) for row in found[offset:end]]


def decision_digest(session: Session, outcomes: Sequence[RowOutcome], *, agency_id: UUID, now: datetime) -> bytes:
    """Return 32 bytes that two imports have in common when they decide alike of every row."""
    said = [
        [
            *(each.sheet, each.row, each.outcome.value, each.reference),
            [asdict(change) for change in each.changed],
            [asdict(problem) for problem in each.problems],
            # An added record has its id from the import that adds it.
            None if each.outcome is Outcome.ADDED or each.record_id is None else str(each.record_id),
        ]
        for each in outcomes
    ]
    plain = json.dumps(said, ensure_ascii=False).encode()
    return keyed_digest(session, plain, purpose="import decision", agency_id=agency_id, now=now)


def _sealed(session: Session, said: object, agency_id: UUID, row_id: UUID, now: datetime) -> bytes:
    return seal(session, json.dumps(said, ensure_ascii=False).encode(), agency_id=agency_id, row_id=row_id, now=now)


def _opened(session: Session, row: ImportRow) -> RowOutcome:
    problems: list[dict[str, Any]] = _unsealed(session, row.sealed_problems, row.id) or []
    said: dict[str, Any] = _unsealed(session, row.sealed_changes, row.id) or {"reference": None, "changed": []}
    return RowOutcome(
        row=row.row_number,
        outcome=row.outcome,
        record_id=row.record_id,
        changed=tuple(Change(**change) for change in said["changed"]),
        problems=tuple(RowProblem(**problem) for problem in problems),
        sheet=row.sheet,
        reference=said["reference"],
        remarks=tuple(RowProblem(**remark) for remark in said.get("remarks", [])),
    )


def _unsealed(session: Session, sealed: bytes | None, row_id: UUID) -> Any:  # noqa: ANN401 - what JSON holds
    return None if sealed is None else json.loads(unseal(session, sealed, row_id=row_id))
