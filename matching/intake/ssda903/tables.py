"""All tables of a return, from whichever files they came in."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from matching.intake.sheet import MOST_BYTES, UnreadableSheet
from matching.intake.ssda903.package import ARCHIVE, files_of
from matching.intake.ssda903.table import Record, Table
from matching.intake.ssda903.text_file import read_text_file
from matching.intake.ssda903.xml_file import read_xml_file

_NEEDED: Final = (Table.HEADER, Table.EPISODES)
_WORKBOOKS: Final = (ARCHIVE, b"\xd0\xcf\x11\xe0")
_BINARY: Final = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{\\rtf")
_WITHOUT: Final = {
    Table.AD1: "There is no table AD1, so matches with adopters are not known.",
    Table.PLACED: "There is no table PlacedAdoption, so every SHOBPA decision is unknown, and so is whether one was "
    "reversed.",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """The records of a return in the order of its files, and what is to be told of the whole."""

    records: tuple[Record, ...]
    notes: tuple[str, ...]


def read_tables(content: bytes, *, filename: str) -> Tables:
    """Return what a return holds: a zip of its files, one of them, or its XML, told apart by what they hold.

    Files of one table are read as one; the same file handed in twice is read once.

    :raises UnreadableSheet: when a file cannot be read, or the children or their episodes are missing.
    """
    if not content.strip():
        raise UnreadableSheet("The file is empty.")
    if len(content) > MOST_BYTES:
        raise UnreadableSheet(f"The file is larger than {MOST_BYTES // 2**20} MB. Split it in parts.")
    files = files_of(content, filename=filename)
    records: list[Record] = []
    notes: list[str] = []
    seen: dict[bytes, str] = {}
    tables: dict[Table, list[str]] = defaultdict(list)
    for name, each in files.items():
        first = seen.setdefault(hashlib.sha256(each).digest(), name)
        if first != name:
            notes.append(f"{name} was left: it is the same file as {first}.")
            continue
        found, told, held = _read_file(each, name)
        records += found
        notes += told
        for table in held:
            tables[table].append(name)
    _check_tables(tables, files)
    notes += [note for table, note in _WITHOUT.items() if table not in tables]
    notes += [
        f"The table {table} was read from {' and '.join(names)}." for table, names in tables.items() if len(names) > 1
    ]
    return Tables(tuple(records), tuple(notes))


def _read_file(content: bytes, name: str) -> tuple[list[Record], list[str], list[Table]]:
    """Return a file's records, what is to be told of it, and which tables it holds, empty ones too."""
    if content.startswith(_WORKBOOKS):
        raise UnreadableSheet(f"{name} is a workbook or an archive, which is not read within a return. Save it as CSV.")
    if content.startswith(_BINARY) or not content.strip():
        return [], [f"{name} was left: it is neither CSV nor XML."], []
    if _is_xml(content):
        return read_xml_file(content, sheet=name), [], list(Table)
    table, records, notes = read_text_file(content, sheet=name)
    return records, list(notes), [table] if table else []


def _is_xml(content: bytes) -> bool:
    start = content[:200]
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        start = start.removeprefix(mark)
    return start.replace(b"\0", b"").lstrip().startswith(b"<")


def _check_tables(tables: Mapping[Table, list[str]], files: Mapping[str, bytes]) -> None:
    missing = [table for table in _NEEDED if table not in tables]
    if not missing:
        return
    words = {Table.HEADER: "Header (CHILD, SEX, DOB, ETHNIC)", Table.EPISODES: "Episodes (CHILD, DECOM, LS, PLACE …)"}
    names = sorted(files)
    listed = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    raise UnreadableSheet(
        f"The return lacks the table {' and the table '.join(words[table] for table in missing)}. Among what was "
        f"handed in ({listed or 'nothing'}) no file has those headings in its first row. Hand in the files of the "
        "return together: choose them all at once, or a zip of their folder."
    )
