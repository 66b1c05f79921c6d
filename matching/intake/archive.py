"""Files packed in a zip archive, looked over before anything opens them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol
from xml.parsers import expat

from matching.intake.sheet import UnreadableSheet

MOST_UNPACKED: Final = 400 * 1024 * 1024
MOST_TIMES_SMALLER: Final = 400
MOST_PARTS: Final = 2_000
"""Caps on an archive: bytes once unpacked, packing ratio, files inside."""

SAVE_AS: Final = "Open it in Excel or LibreOffice and save it again as .xlsx."
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)


class Watch(Protocol):
    """What is told of each element of an XML part, in order."""

    def start(self, element: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element."""

    def end(self, element: str) -> None:
        """Take the end of an element."""

    def text(self, text: str) -> None:
        """Take text; a long one may come in pieces."""


@contextmanager
def opened(content: bytes) -> Iterator[zipfile.ZipFile]:
    """Open an archive that is safe to unpack.

    :raises UnreadableSheet: when it is damaged, locked, or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_sizes(archive, packed=len(content))
            yield archive
    except _DAMAGE as error:
        raise UnreadableSheet(f"The file is damaged or was cut off. {SAVE_AS}") from error
    except expat.ExpatError as error:
        raise UnreadableSheet(f"The file is damaged: line {error.lineno} of a part of it. {SAVE_AS}") from error


def _check_sizes(archive: zipfile.ZipFile, *, packed: int) -> None:
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
        raise UnreadableSheet(f"The file unpacks to {unpacked // 2**20} MB, more than can be read. Split it in parts.")
    if unpacked > 10 * 2**20 and unpacked > MOST_TIMES_SMALLER * packed:
        raise UnreadableSheet(f"The file is packed more tightly than any real sheet. {SAVE_AS}")
    if len({_plain(part.filename) for part in parts}) != len(parts):
        # One reader takes the first of two parts of one name and another the last: what is looked over is what is read.
        raise UnreadableSheet(f"The file holds two parts of one name, which no spreadsheet program writes. {SAVE_AS}")
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableSheet("The file has a password. Take it off and save the file again.")


def parse(archive: zipfile.ZipFile, part: zipfile.ZipInfo, watch: Watch, *, namespaces: bool = False) -> None:
    """Tell ``watch`` what an XML part holds, element by element, in bounded memory.

    With ``namespaces`` the names are “namespace name”, otherwise as they are written.

    :raises UnreadableSheet: when it declares entities: no spreadsheet program does.
    """
    parser = expat.ParserCreate(namespace_separator=" ") if namespaces else expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = watch.start
    parser.EndElementHandler = watch.end
    parser.CharacterDataHandler = watch.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    with archive.open(part) as stream:
        parser.ParseFile(stream)


def find_part(archive: zipfile.ZipFile, path: str) -> zipfile.ZipInfo | None:
    """Return the part of that path, whichever its case and slashes; ``None`` when there is none."""
    wanted = _plain(path)
    return next((part for part in archive.infolist() if _plain(part.filename) == wanted), None)


def check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Unpack a part once, so that one which holds more than it says does not come as far as the reader."""
    with archive.open(part) as stream:
        while stream.read(1 << 20):
            pass


def _plain(path: str) -> str:
    return path.replace("\\", "/").strip("/").lower()


def _refuse_doctype(*_: object) -> None:
    # No spreadsheet has one; entities declared in it could grow without end.
    raise UnreadableSheet(f"The file holds declarations that no spreadsheet program writes. {SAVE_AS}")
