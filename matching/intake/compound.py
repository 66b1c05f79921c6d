"""The container of old Office files: a small file system of streams, walked with every step checked."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from matching.intake.archive import SAVE_AS
from matching.intake.sheet import UnreadableSheet

_END: Final = 0xFFFFFFFC
"""From here on, a sector's number is a mark: end, free, or part of the table itself."""
_ENTRY: Final = 128
_DAMAGED: Final = f"The file is damaged or was cut off. {SAVE_AS}"


@dataclass(frozen=True, slots=True)
class _Entry:
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Compound:
    """The streams of a container, by their names in small letters (MS-CFB, version 3 and 4)."""

    content: bytes
    sector: int
    table: tuple[int, ...]
    small_table: tuple[int, ...]
    small: bytes
    least: int
    entries: dict[str, _Entry]

    def stream(self, name: str) -> bytes | None:
        """Return what a stream holds, ``None`` when there is none of that name.

        :raises UnreadableSheet: when it is damaged.
        """
        entry = self.entries.get(name.lower())
        if entry is None:
            return None
        if entry.size < self.least:
            return _chain(self.small, 0, 64, self.small_table, entry.start)[: entry.size]
        return _chain(self.content, self.sector, self.sector, self.table, entry.start)[: entry.size]


def read_compound(content: bytes) -> Compound:
    """Return the streams of an old Office file.

    :raises UnreadableSheet: when its tables are damaged, or lead in a ring.
    """
    try:
        return _read(content)
    except (struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
        raise UnreadableSheet(_DAMAGED) from error


def _read(content: bytes) -> Compound:
    sector = 1 << _checked(struct.unpack_from("<H", content, 30)[0])
    directory, _, least, small_start, _, further, _ = struct.unpack_from("<7I", content, 48)
    table = _table(content, sector, further)
    entries = _entries(_chain(content, sector, sector, table, directory))
    root = entries.get("root entry", _Entry(_END, 0))
    small_table = _numbers(_chain(content, sector, sector, table, small_start))
    small = _chain(content, sector, sector, table, root.start)[: root.size]
    return Compound(content, sector, table, small_table, small, least, entries)


def _checked(shift: int) -> int:
    if shift not in (9, 12):
        raise UnreadableSheet(_DAMAGED)
    return shift


def _table(content: bytes, sector: int, further: int) -> tuple[int, ...]:
    """Return which sector follows which: the table's own sectors are listed at the beginning, and further on."""
    places = list(struct.unpack_from("<109I", content, 76))
    seen: set[int] = set()
    while further < _END and further not in seen:
        seen.add(further)
        listed = _numbers(content[(further + 1) * sector : (further + 2) * sector])
        places += listed[:-1]
        further = listed[-1]
    table: list[int] = []
    for place in dict.fromkeys(places):
        if place < _END:
            table += _numbers(content[(place + 1) * sector : (place + 2) * sector])
    return tuple(table)


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _chain(data: bytes, offset: int, size: int, table: tuple[int, ...], start: int) -> bytes:
    parts: list[bytes] = []
    seen: set[int] = set()
    while start < _END:
        if start in seen or start >= len(table):
            raise UnreadableSheet(_DAMAGED)
        seen.add(start)
        parts.append(data[offset + start * size : offset + (start + 1) * size])
        start = table[start]
    return b"".join(parts)


def _entries(directory: bytes) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    for place in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        length, kind = struct.unpack_from("<HB", directory, place + 64)
        if kind in (2, 5) and 2 <= length <= 64:
            name = directory[place : place + length - 2].decode("utf-16-le").lower()
            entries.setdefault(name, _Entry(*struct.unpack_from("<II", directory, place + 116)))
    return entries
