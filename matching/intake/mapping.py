"""What each column of a file is taken for: proposed by its name and its cells, corrected by a person, remembered."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from matching.intake.column import Column, SheetKind, columns_of
from matching.intake.key import NAMES, REFERENCES, words_of
from tenants.error import Invalid

SURE: Final = 95
"""From which confidence, of 100, nobody is asked."""
TO_MEND: Final = "What to mend"
"""The heading of the column that a workbook of refusals adds; it is passed over when the workbook comes back."""


class How(StrEnum):
    """Why a column is taken for what it is."""

    SAME = "same"
    OTHER_NAME = "other name"
    ALIKE = "alike"
    REMEMBERED = "remembered"
    CHOSEN = "chosen"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column of a sheet. ``column`` is the documented heading it is taken for; ``None`` leaves it out.

    ``confidence`` is 0 to 100; ``filled`` says how many rows hold something; ``examples`` quote the sheet.
    """

    index: int
    letter: str
    heading: str
    column: str | None
    confidence: int
    how: How
    examples: tuple[str, ...] = ()
    filled: int = 0

    @property
    def sure(self) -> bool:
        """Say whether nobody need be asked about it."""
        return not self.filled or self.confidence >= SURE


@dataclass(frozen=True, slots=True)
class SheetMapping:
    """One worksheet: whether it is read, its columns, and the columns that know a row where it has no reference.

    ``confirmed`` says that a person has settled it, now or the last time a sheet of this shape came.
    """

    title: str
    shape: str
    rows: int
    read: bool
    columns: tuple[MappedColumn, ...]
    keys: tuple[str, ...] = ()
    confirmed: bool = False
    doubtful: bool = False
    """It is not clear whether it is to be read."""

    def headings(self) -> tuple[str, ...]:
        """Return the documented headings that its columns are taken for."""
        return tuple(each.column for each in self.columns if each.column is not None)


@dataclass(frozen=True, slots=True)
class BookMapping:
    """Every worksheet of a file, in its order."""

    kind: SheetKind
    sheets: tuple[SheetMapping, ...]


@dataclass(frozen=True, slots=True)
class SheetChoice:
    """A person's word on one worksheet: what each column, by its index, is to be taken for."""

    title: str
    read: bool
    columns: Mapping[int, str | None]
    keys: tuple[str, ...] = ()


class MappingWrong(Invalid):
    """The columns cannot be taken for what was chosen; ``problems`` says why, each in a sentence."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


def shape_of(headings: Sequence[str]) -> str:
    """Return what sheets of the same headings in the same order have in common, as SHA-256 in hex.

    Case, spaces and punctuation do not count, nor does the column that a workbook of refusals adds.
    """
    names = [plain_heading(heading) for heading in headings if not is_to_mend(heading)]
    while names and not names[-1]:
        names.pop()
    return hashlib.sha256(json.dumps(names, ensure_ascii=False).encode()).hexdigest()


def plain_heading(heading: str) -> str:
    """Return a heading in small letters, its words apart by one space, without punctuation."""
    return " ".join(_WORDS.findall(heading.casefold()))


def is_to_mend(heading: str) -> bool:
    """Say whether a column is the one that a workbook of refusals adds."""
    return plain_heading(heading) == plain_heading(TO_MEND)


def doubts_of(mapping: BookMapping) -> tuple[str, ...]:
    """Return why a person is to be asked, without a word of the sheet's own; none when the mapping is sure."""
    found = [doubt for sheet in mapping.sheets for doubt in _doubts(mapping.kind, sheet)]
    if not any(sheet.read for sheet in mapping.sheets):
        found.append(f"No sheet has columns that are known from sheets of {words_of(mapping.kind)}.")
    return tuple(found)


def notes_of(mapping: BookMapping) -> tuple[str, ...]:
    """Return what was assumed of the sheets, for the report."""
    notes: list[str] = []
    for sheet in mapping.sheets:
        if not sheet.read:
            notes.append(f"{_name(sheet)} was not read: {sheet.rows:,} {'row' if sheet.rows == 1 else 'rows'}.")
            continue
        left_out = [each.letter for each in sheet.columns if each.column is None and each.filled and not _own(each)]
        if left_out:
            notes.append(f"{_name(sheet)}: left out {_listed('column', left_out)}.")
        notes += _assumed(mapping.kind, sheet)
    return tuple(notes)


def correct(mapping: BookMapping, choices: Iterable[SheetChoice]) -> BookMapping:
    """Return the mapping as a person has settled it. A worksheet that the choices do not name is not read.

    :raises MappingWrong: when a choice names what is not there, or leaves a sheet without a key.
    """
    chosen = {choice.title: choice for choice in choices}
    problems = [
        f"There is no sheet “{title}” in the file."
        for title in sorted(chosen.keys() - {sheet.title for sheet in mapping.sheets})
    ]
    for sheet in mapping.sheets:
        problems += _problems(mapping.kind, sheet, chosen.get(sheet.title))
    if not any(choice.read for choice in chosen.values()):
        problems.append("Choose at least one sheet to read.")
    if problems:
        raise MappingWrong(problems)
    return replace(
        mapping, sheets=tuple(_settled(mapping.kind, each, chosen.get(each.title)) for each in mapping.sheets)
    )


def written(mapping: BookMapping) -> bytes:
    """Return a mapping as JSON, to be sealed: headings and examples may be personal."""
    return json.dumps(asdict(mapping), ensure_ascii=False).encode()


def read_back(content: bytes) -> BookMapping:
    """Return what ``written`` was given."""
    said = json.loads(content)
    return BookMapping(kind=SheetKind(said["kind"]), sheets=tuple(_sheet(each) for each in said["sheets"]))


# ── within ──

_WORDS: Final = re.compile(r"[^\W_]+")


def _sheet(said: dict[str, Any]) -> SheetMapping:
    columns = tuple(
        MappedColumn(**{**each, "how": How(each["how"]), "examples": tuple(each["examples"])})
        for each in said["columns"]
    )
    return SheetMapping(**{**said, "columns": columns, "keys": tuple(said["keys"])})


def _name(sheet: SheetMapping) -> str:
    return f"Sheet “{sheet.title}”" if sheet.title else "The sheet"


def _own(column: MappedColumn) -> bool:
    return is_to_mend(column.heading)


def _listed(noun: str, letters: Sequence[str]) -> str:
    if len(letters) == 1:
        return f"{noun} {letters[0]}"
    return f"{noun}s {', '.join(letters[:-1])} and {letters[-1]}"


def _doubts(kind: SheetKind, sheet: SheetMapping) -> Iterable[str]:
    if sheet.doubtful:
        yield f"{_name(sheet)} may or may not be one of {words_of(kind)}."
    if not sheet.read or sheet.confirmed:
        return
    unsure = [
        f"{each.letter} (perhaps “{each.column}”)" if each.column else each.letter
        for each in sheet.columns
        if not each.sure
    ]
    if unsure:
        verb = "holds" if len(unsure) == 1 else "hold"
        yield f"{_name(sheet)}: it is not clear what {_listed('column', unsure)} {verb}."
    have = set(sheet.headings())
    if REFERENCES[kind] not in have and not sheet.keys:
        yield f"{_name(sheet)}: no column holds your own reference, nor {NAMES[kind]}."
    missing = [each.heading for each in _needed(kind) if each.heading not in have]
    if missing:
        yield f"{_name(sheet)}: no column is known to be “{'” or “'.join(missing)}”."


def _needed(kind: SheetKind) -> list[Column]:
    known_otherwise = {REFERENCES[kind], "Group reference"}
    return [column for column in columns_of(kind) if column.needed and column.heading not in known_otherwise]


def _assumed(kind: SheetKind, sheet: SheetMapping) -> Iterable[str]:
    have = set(sheet.headings())
    if REFERENCES[kind] not in have:
        yield (
            f"{_name(sheet)}: no column holds your own reference, so each row is known by its "
            f"{' and '.join(sheet.keys)}. Change one of these and it is another record."
        )
    if kind is SheetKind.CHILDREN and "Group reference" not in have:
        yield (
            f"{_name(sheet)}: no column says who are siblings, so each child is a group of its own, "
            "unless it is recorded in a group already."
        )
    if kind is SheetKind.HOUSEHOLDS and "Status" not in have:
        yield f"{_name(sheet)}: no column holds the status, so each new household is waiting."


def _problems(kind: SheetKind, sheet: SheetMapping, choice: SheetChoice | None) -> Iterable[str]:
    if choice is None or not choice.read:
        return
    known = {column.heading for column in columns_of(kind)}
    indexes = {each.index for each in sheet.columns}
    for index in sorted(choice.columns.keys() - indexes):
        yield f"{_name(sheet)} has no column number {index + 1}."
    chosen = [heading for heading in choice.columns.values() if heading is not None]
    for heading in sorted(set(chosen) - known):
        yield f"“{heading}” is not a heading of a sheet of {words_of(kind)}."
    for heading, times in sorted(Counter(chosen).items()):
        if times > 1:
            yield f"{_name(sheet)}: “{heading}” was chosen for {times} columns; choose it for one."
    if REFERENCES[kind] in chosen:
        return
    if not choice.keys:
        yield f"{_name(sheet)}: choose the column that holds your own reference, or the columns that know a row."
    for heading in sorted(set(choice.keys) - set(chosen)):
        yield f"{_name(sheet)}: “{heading}” is to know a row, and no column was chosen for it."


def _settled(kind: SheetKind, sheet: SheetMapping, choice: SheetChoice | None) -> SheetMapping:
    if choice is None or not choice.read:
        return replace(sheet, read=False, confirmed=True, doubtful=False)
    columns = tuple(
        replace(each, column=choice.columns.get(each.index), confidence=100, how=How.CHOSEN) for each in sheet.columns
    )
    keys = () if REFERENCES[kind] in {each.column for each in columns} else choice.keys
    return replace(sheet, read=True, columns=columns, keys=keys, confirmed=True, doubtful=False)
