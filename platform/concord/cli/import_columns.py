"""What the operator says of a sheet's columns on the command line, and what Concord made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import click

from matching.intake.mapping import BookMapping, MappedColumn, SheetChoice, SheetMapping, plain_heading
from tenants.error import Invalid

LEFT_OUT = "-"
"""Said of a column that is not to be read."""


class ColumnUnknown(Invalid):
    """No column of the file has this heading or letter."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said: columns by heading or letter, the sheets to read, the keys; whether the rest is taken as it is."""

    columns: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    accept: bool = False

    def __bool__(self) -> bool:
        """Return whether anything was said."""
        return bool(self.columns or self.sheets or self.keys or self.accept)


def choices_of(mapping: BookMapping, answers: Answers) -> list[SheetChoice]:
    """Return what each sheet's columns are to be taken for: as proposed, but for what the answers say.

    :raises ColumnUnknown: when an answer names no column, or no sheet, of the file.
    """
    said = dict(_answer(each) for each in answers.columns)
    titles = [sheet.title for sheet in mapping.sheets]
    for unknown in (title for title in answers.sheets if title not in titles):
        raise ColumnUnknown(f"There is no sheet “{unknown}”. The file has: {', '.join(titles)}.")
    known = {name for sheet in mapping.sheets for column in sheet.columns for name in _names(column)}
    for unknown in (name for name in said if name not in known):
        raise ColumnUnknown(f"No column has the heading or the letter “{unknown}”.")
    return [_choice(sheet, said, answers) for sheet in mapping.sheets]


def say_columns(mapping: BookMapping) -> Iterator[str]:
    """Return the lines that tell what each column was taken for, and how surely."""
    for sheet in mapping.sheets:
        name = f"Sheet “{sheet.title}”" if sheet.title else "The sheet"
        yield f"{name}: {sheet.rows:,} rows" + ("." if sheet.read else ", not read.")
        for column in sheet.columns:
            mark = " " if column.sure else "?"
            taken = f"{column.column} ({column.how}, {column.confidence})" if column.column else "left out"
            yield f" {mark} {column.letter:<3} {column.heading or '(no heading)'} → {taken}"


def _answer(text: str) -> tuple[str, str | None]:
    theirs, sign, ours = text.rpartition("=")
    if not sign or not theirs.strip():
        raise click.BadParameter(f"“{text}”: write THEIRS=OURS, or THEIRS={LEFT_OUT} to leave a column out.")
    return plain_heading(theirs), None if ours.strip() == LEFT_OUT else ours.strip()


def _names(column: MappedColumn) -> Iterable[str]:
    return plain_heading(column.heading), plain_heading(column.letter)


def _choice(sheet: SheetMapping, said: Mapping[str, str | None], answers: Answers) -> SheetChoice:
    columns: dict[int, str | None] = {}
    for column in sheet.columns:
        named = next((name for name in _names(column) if name in said), None)
        columns[column.index] = column.column if named is None else said[named]
    read = sheet.title in answers.sheets if answers.sheets else sheet.read
    return SheetChoice(sheet.title, read, columns, answers.keys or sheet.keys)
