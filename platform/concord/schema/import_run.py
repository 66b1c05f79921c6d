"""The shape of an import and of what became of its rows."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from concord.schema.page import PageQuery
from matching.intake.column import SheetKind
from matching.intake.mapping import How
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


class HandInQuery(Schema):
    """What is handed in: its kind, its name, and whether it is only checked."""

    kind = fields.Enum(SheetKind, by_value=True, required=True)
    filename = fields.String(
        required=True,
        validate=validate.Regexp(r"^[^\x00-\x1f\x7f]{1,200}\Z"),
        metadata={"example": "households.xlsx"},
    )
    check = fields.Boolean(
        load_default=True, metadata={"description": "Only say what would become of each row; nothing is saved."}
    )


class RowsQuery(PageQuery):
    """Which rows of a report."""

    outcome = fields.List(fields.Enum(Outcome, by_value=True))


class MappedColumnSchema(Schema):
    """What one column is taken for: a heading of Concord's, or null for none; ``examples`` quote the sheet."""

    index = fields.Integer(required=True)
    letter = fields.String(required=True)
    heading = fields.String(required=True)
    column = fields.String(required=True, allow_none=True)
    confidence = fields.Integer(required=True)
    how = fields.Enum(How, by_value=True, required=True)
    examples = fields.List(fields.String(), required=True)


class SheetMappingSchema(Schema):
    """One worksheet, and what each of its columns is taken for; ``keys`` know a row that has no reference."""

    title = fields.String(required=True)
    rows = fields.Integer(required=True)
    read = fields.Boolean(required=True)
    columns = fields.List(fields.Nested(MappedColumnSchema), required=True)
    keys = fields.List(fields.String(), required=True)


class BookMappingSchema(Schema):
    """What the columns of a file are taken for."""

    kind = fields.Enum(SheetKind, by_value=True, required=True)
    sheets = fields.List(fields.Nested(SheetMappingSchema), required=True)


class ColumnChoiceSchema(Schema):
    """A person's word on one column."""

    index = fields.Integer(required=True, strict=True, validate=validate.Range(0, 16_383))
    column = fields.String(required=True, allow_none=True, validate=validate.Length(1, 200))


class SheetChoiceSchema(Schema):
    """A person's word on one worksheet."""

    title = fields.String(required=True, validate=validate.Length(0, 200))
    read = fields.Boolean(load_default=True, truthy={True}, falsy={False})
    columns = fields.List(fields.Nested(ColumnChoiceSchema), required=True, validate=validate.Length(max=500))
    keys = fields.List(
        fields.String(validate=validate.Length(1, 200)), load_default=list, validate=validate.Length(max=9)
    )


class ChooseMappingSchema(Schema):
    """What the columns of a file really hold, sheet by sheet."""

    sheets = fields.List(fields.Nested(SheetChoiceSchema), required=True, validate=validate.Length(1, 50))
