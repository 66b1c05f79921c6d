"""A record as an import found it and as it left it, so that the import can be taken back."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Mapped

from tenants.base import Base, Id


class ImportImage(Base):
    """One record that an import wrote."""

    __tablename__ = "import_image"

    id: Mapped[Id]
    import_run_id: Mapped[UUID]
    agency_id: Mapped[UUID]
    record_id: Mapped[UUID]
    sealed_before: Mapped[bytes | None]
    """Its rows as they stood; ``None`` when the import added it."""
    digest_after: Mapped[bytes]
    """SHA-256 of its rows as the import left them."""
