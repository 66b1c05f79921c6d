"""The page on which somebody says what each column of a sheet holds, where its names alone could not say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from concord.web.access import may
from concord.web.form import one_line
from concord.web.request import transaction
from matching.intake.column import SheetKind, columns_of
from matching.intake.import_run import VERB_OF, choose_mapping, get_import, read_mapping
from matching.intake.key import stand_ins
from matching.intake.mapping import BookMapping, How, MappedColumn, MappingWrong, SheetChoice, SheetMapping
from tenants.base import utc_now
from tenants.permission import Verb, require

blueprint = Blueprint("import_mapping", __name__)

REASONS = {
    How.SAME: "The same heading",
    How.OTHER_NAME: "Another name for it",
    How.ALIKE: "Looks alike",
    How.REMEMBERED: "As your agency said last time",
    How.CHOSEN: "You chose it",
    How.NONE: "Not recognised",
}


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """One column as the page shows it: the field's name, what is chosen, and the column itself."""

    name: str
    column: MappedColumn
    chosen: str
    reason: str


@dataclass(frozen=True, slots=True)
class SheetForm:
    """One worksheet as the page shows it."""

    name: str
    sheet: SheetMapping
    read: bool
    columns: tuple[ColumnChoice, ...]
    keys: frozenset[str]

    @property
    def unsure(self) -> int:
        """Return how many columns somebody should look at."""
        return sum(not each.column.sure for each in self.columns)


@blueprint.get("/imports/<uuid:run_id>/columns")
@may(Verb.IMPORT_HOUSEHOLDS)
def show(run_id: UUID) -> ResponseReturnValue:
    """Show what each column is taken for, with examples from the sheet."""
    mapping, filename = _read(run_id)
    forms = [_as_proposed(index, sheet) for index, sheet in enumerate(mapping.sheets)]
    return _page(run_id, mapping.kind, filename, forms)


@blueprint.post("/imports/<uuid:run_id>/columns")
@may(Verb.IMPORT_HOUSEHOLDS)
def choose(run_id: UUID) -> ResponseReturnValue:
    """Check the sheet again with its columns as they were chosen, and remember them."""
    mapping, filename = _read(run_id)
    forms = [_as_sent(index, sheet, request.form) for index, sheet in enumerate(mapping.sheets)]
    try:
        with transaction() as session:
            run = get_import(session, run_id)
            checked = choose_mapping(session, run, [_choice(form) for form in forms], now=utc_now())
    except MappingWrong as wrong:
        return _page(run_id, mapping.kind, filename, forms, wrong.problems), 422
    return redirect(url_for("imports.show", run_id=checked.id), 303)


def _read(run_id: UUID) -> tuple[BookMapping, str]:
    with transaction() as session:
        run = get_import(session, run_id)
        require(g.scope, VERB_OF[run.kind])
        return read_mapping(session, run, now=utc_now()), run.filename


def _as_proposed(index: int, sheet: SheetMapping) -> SheetForm:
    said = {_column_name(index, each): each.column or "" for each in sheet.columns}
    return _form(index, sheet, read=sheet.read, said=said, keys=frozenset(sheet.keys))


def _as_sent(index: int, sheet: SheetMapping, sent: MultiDict[str, str]) -> SheetForm:
    name = f"sheet-{index}"
    return _form(index, sheet, read=f"{name}-read" in sent, said=sent, keys=frozenset(sent.getlist(f"{name}-keys")))


def _form(index: int, sheet: SheetMapping, *, read: bool, said: Mapping[str, str], keys: frozenset[str]) -> SheetForm:
    columns = (
        ColumnChoice(name, each, one_line(said.get(name, "")) or "", REASONS[each.how])
        for each in sheet.columns
        for name in [_column_name(index, each)]
    )
    return SheetForm(f"sheet-{index}", sheet, read, tuple(columns), keys)


def _column_name(sheet: int, column: MappedColumn) -> str:
    return f"sheet-{sheet}-column-{column.index}"


def _choice(form: SheetForm) -> SheetChoice:
    columns = {each.column.index: each.chosen or None for each in form.columns}
    keys = tuple(key for key in columns.values() if key is not None and key in form.keys)
    return SheetChoice(form.sheet.title, form.read, columns, keys)


def _page(run_id: UUID, kind: SheetKind, filename: str, forms: list[SheetForm], problems: tuple[str, ...] = ()) -> str:
    columns = columns_of(kind)
    return render_template(
        "import-columns.html",
        run_id=run_id,
        kind=kind,
        filename=filename,
        forms=forms,
        problems=problems,
        stand_ins=stand_ins(kind),
        facts=[column.heading for column in columns if not column.of_need],
        needs=[column.heading for column in columns if column.of_need],
    )
