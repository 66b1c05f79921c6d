"""The fonts that a document is set in, carried in the package so that every machine prints the same bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "fonts"

# The sub-table formats of OpenType's ``cmap`` that the carried fonts use (OpenType specification, "cmap").
_SEGMENTS = 4
_GROUPS = 12


@cache
def covered() -> frozenset[int]:
    """Return the code points that at least one carried font can draw.

    PDF/UA-1 forbids a glyph that stands for no character, so whatever is not here is replaced before typesetting.
    """
    return frozenset(point for path in sorted(FOLDER.glob("*.ttf")) for point in _code_points(path.read_bytes()))


def _code_points(font: bytes) -> Iterator[int]:
    start = _table(font, b"cmap")
    (count,) = struct.unpack_from(">H", font, start + 2)
    for record in range(count):
        (offset,) = struct.unpack_from(">I", font, start + 4 + 8 * record + 4)
        (kind,) = struct.unpack_from(">H", font, start + offset)
        if kind == _SEGMENTS:
            yield from _from_segments(font, start + offset)
        elif kind == _GROUPS:
            yield from _from_groups(font, start + offset)


def _table(font: bytes, tag: bytes) -> int:
    (count,) = struct.unpack_from(">H", font, 4)
    for record in range(12, 12 + 16 * count, 16):
        name, _, offset, _ = struct.unpack_from(">4sIII", font, record)
        if name == tag:
            return int(offset)
    raise LookupError(f"The font has no {tag.decode()} table: put back the font files that the package came with.")


def _from_segments(font: bytes, start: int) -> Iterator[int]:
    (doubled,) = struct.unpack_from(">H", font, start + 6)
    count = doubled // 2
    ends = struct.unpack_from(f">{count}H", font, start + 14)
    firsts = struct.unpack_from(f">{count}H", font, start + 16 + doubled)
    for first, end in zip(firsts, ends, strict=True):
        # The last segment is the end mark 0xFFFF, which is no character.
        yield from range(first, min(end, 0xFFFE) + 1)


def _from_groups(font: bytes, start: int) -> Iterator[int]:
    (count,) = struct.unpack_from(">I", font, start + 12)
    for group in range(count):
        first, end, _ = struct.unpack_from(">III", font, start + 16 + 12 * group)
        yield from range(first, end + 1)
