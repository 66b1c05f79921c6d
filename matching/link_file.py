"""Files that go with messages on a link: PDFs that pass every check, and plain pictures, told by what is in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from matching.document_check import DocumentRefused, check_document

MOST_BYTES = 10 * 2**20
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


class FileKind(StrEnum):
    """What a file is, which is also how its name ends."""

    PDF = "pdf"
    PNG = "png"
    JPG = "jpg"

    @property
    def media_type(self) -> str:
        """Return its type as browsers are told it."""
        return {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg"}[self]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that has passed every check."""

    content: bytes
    kind: FileKind


def check_file(content: bytes, *, scan: Callable[[bytes], None] | None = None) -> CheckedFile:
    """Return a file that may go with a message; ``scan`` raises for one that carries a virus.

    :raises DocumentRefused: saying what is wrong with it, and what to do.
    """
    if len(content) > MOST_BYTES:
        raise DocumentRefused(f"The file is larger than {MOST_BYTES // 2**20} megabytes. Make it smaller.")
    kind = _picture(content)
    if kind is None:
        return CheckedFile(check_document(content, scan=scan).content, FileKind.PDF)
    if scan is not None:
        scan(content)
    return CheckedFile(content, kind)


def _picture(content: bytes) -> FileKind | None:
    """Return which picture a file is from its first byte to its last: nothing may hang behind it."""
    if content.startswith(_PNG) and content.endswith(_PNG_END):
        return FileKind.PNG
    return FileKind.JPG if content.startswith(_JPEG) and content.endswith(_JPEG_END) else None
