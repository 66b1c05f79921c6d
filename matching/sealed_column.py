"""Every column that holds something sealed, and under what: the one list by which keys are changed.

A table that gets such a column gets a row here; a test holds the list to the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of an agency's table, and the column with the id that its values are bound to."""

    table: str
    column: str
    row: str = "id"
    apart: str | None = None
    """A word that is worked into the id, where two columns of one row must not open in each other's place."""
    at_once: int = 200
    """How many are sealed anew in one transaction; few where each may be tens of megabytes."""

    def bound_to(self, row_id: UUID) -> UUID:
        """Return the id to which the value of a row is bound."""
        return row_id if self.apart is None else uuid5(row_id, self.apart)


UNDER_AGENCY_KEYS: tuple[SealedColumn, ...] = (
    SealedColumn("household_identity", "sealed", row="household_id"),
    SealedColumn("child_identity", "sealed", row="child_id"),
    SealedColumn("ranking_snapshot", "sealed", row="row_id", at_once=4),
    SealedColumn("pack_file", "sealed", at_once=4),
    SealedColumn("import_run", "sealed", at_once=4),
    SealedColumn("import_run", "sealed_mapping", apart="mapping"),
    SealedColumn("import_row", "sealed_problems"),
    SealedColumn("import_row", "sealed_changes"),
    SealedColumn("import_image", "sealed_before"),
    SealedColumn("import_shape", "sealed"),
    SealedColumn("api_answer", "sealed"),
    SealedColumn("retention_hold", "sealed"),
    SealedColumn("retention_hold", "sealed_lifting"),
    SealedColumn("retention_run", "sealed"),
    SealedColumn("retention_run", "sealed_decision"),
    SealedColumn("agreement_entry", "sealed"),
    SealedColumn("breach_entry", "sealed"),
    SealedColumn("placement_note", "sealed"),
    SealedColumn("link_note", "sealed"),
    SealedColumn("rectification", "sealed"),
    SealedColumn("rectification", "sealed_decision"),
    SealedColumn("subject_request", "sealed"),
    SealedColumn("subject_item", "sealed"),
    SealedColumn("subject_item", "sealed_decision"),
    SealedColumn("subject_export", "sealed", at_once=4),
    SealedColumn("remittance", "sealed", at_once=4),
    SealedColumn("remittance", "sealed_reason", apart="reason"),
    SealedColumn("remittance_line", "sealed"),
    SealedColumn("remittance_line", "sealed_reason", apart="reason"),
)
"""What is sealed under its agency's present key."""

UNDER_MASTER_KEY: tuple[SealedColumn, ...] = (
    SealedColumn("agency_key", "sealed_key"),
    SealedColumn("document_version", "sealed_key"),
    SealedColumn("panel_paper", "sealed_key"),
    SealedColumn("placement_introduction", "sealed_key"),
    SealedColumn("link_message", "sealed_key"),
    SealedColumn("link_file", "sealed_key"),
    SealedColumn("adopters_copy", "sealed_key"),
    SealedColumn("adoption_record", "sealed_key"),
    SealedColumn("payee_account_change", "sealed_key"),
    SealedColumn("invoice", "sealed_key"),
    SealedColumn("dispute_message", "sealed_key"),
    SealedColumn("identity_provider_secret", "sealed_key", row="provider_id"),
)
"""Keys that are themselves sealed, under the master key."""
