"""The shape of an import and of what became of its rows."""

from __future__ import annotations

from marshmallow import Schema, fields

from matching.intake.column import SheetKind
from matching.intake.outcome import Outcome


class ProblemSchema(Schema):
    """What is to be told of a cell; ``column`` and ``value`` are null when the reason lies outside one cell.

    A return tells of a child in several tables, so that the cell may stand elsewhere than the child's own row.
    """

    sheet = fields.String()
    row = fields.Integer()
    column = fields.String(allow_none=True)
    value = fields.String(allow_none=True)
    reason = fields.String()


class ChangeSchema(Schema):
    """What one column changes, as a sheet would say it; a blank is the empty text."""

    heading = fields.String()
    before = fields.String()
    after = fields.String()


class RowOutcomeSchema(Schema):
    """One row, by its worksheet (blank for CSV) and the number that its author sees."""

    sheet = fields.String()
    row = fields.Integer()
    reference = fields.String(allow_none=True)
    outcome = fields.Enum(Outcome, by_value=True)
    record_id = fields.UUID(allow_none=True)
    changed = fields.List(fields.Nested(ChangeSchema))
    problems = fields.List(fields.Nested(ProblemSchema))
    remarks = fields.List(fields.Nested(ProblemSchema))


class ImportRunSchema(Schema):
    """One sheet in sum; ``refusal`` says why the whole file was refused, and then no row was looked at."""

    id = fields.UUID()
    kind = fields.Enum(SheetKind, by_value=True)
    filename = fields.String()
    dry_run = fields.Boolean()
    requested_at = fields.DateTime(format="iso")
    finished_at = fields.DateTime(format="iso", allow_none=True)
    refusal = fields.String(allow_none=True)
    needs_mapping = fields.Boolean()
    notes = fields.List(fields.String())
    added = fields.Integer()
    changed = fields.Integer()
    unchanged = fields.Integer()
    refused = fields.Integer()
    not_for_adoption = fields.Integer()
    undone_at = fields.DateTime(format="iso", allow_none=True)
