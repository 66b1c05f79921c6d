"""The shapes of an agency's sheets, and what it has said that their columns hold."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from matching.intake.column import SheetKind
from tenants.base import Base, Id, Word


class ImportShape(Base):
    """One order of headings that an agency has handed in, with what its columns hold, sealed."""

    __tablename__ = "import_shape"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    kind: Mapped[SheetKind] = mapped_column(Word(SheetKind))
    shape: Mapped[bytes]
    """The headings in their order, as an HMAC under the agency's key."""
    sealed: Mapped[bytes]
    person_id: Mapped[UUID | None]
    """Who confirmed it; ``None`` when there was nothing to ask."""
    remembered_at: Mapped[datetime]
