"""The files of a return packed as one, so that a folder is handed in, kept and taken like any sheet."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from matching.intake.sheet import MOST_BYTES, UnreadableSheet

MOST_FILES: Final = 200
MOST_UNPACKED: Final = 200 * 1024 * 1024
"""Caps on a packed return: files in it, bytes once unpacked."""

ARCHIVE: Final = b"PK\x03\x04"
_EMPTY_ARCHIVE: Final = b"PK\x05\x06"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)


def pack_return(files: Mapping[str, bytes]) -> bytes:
    """Return the files of a return as one archive; the same files give the same bytes, in whatever order they come.

    :raises UnreadableSheet: when there are none, or too much of them to read.
    """
    if not files:
        raise UnreadableSheet("There are no files. Choose the CSV files of the return, or its XML.")
    if len(files) > MOST_FILES or sum(len(content) for content in files.values()) > MOST_UNPACKED:
        raise UnreadableSheet(
            f"There are {len(files)} files; a return has at most {MOST_FILES}, of {MOST_UNPACKED // 2**20} MB together."
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            # The system is written into the archive: without this the same files would differ between machines.
            info.create_system = 3
            archive.writestr(info, files[name], zipfile.ZIP_DEFLATED, 6)
    if packed.tell() > MOST_BYTES:
        raise UnreadableSheet(
            f"The files are larger than {MOST_BYTES // 2**20} MB even when packed. Leave out the rest."
        )
    return packed.getvalue()


def files_of(content: bytes, *, filename: str) -> dict[str, bytes]:
    """Return the files of a return by name: those in an archive, or the one file itself.

    What systems leave in folders and archives is not among them.

    :raises UnreadableSheet: when an archive is damaged, has a password, or unpacks to too much.
    """
    if not content.startswith((ARCHIVE, _EMPTY_ARCHIVE)):
        return {filename: content}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [part for part in archive.infolist() if not part.is_dir() and not _is_dropping(part.filename)]
            _check(archive, parts)
            names = _names([part.filename for part in parts])
            return dict(zip(names, _unpacked(archive, parts), strict=True))
    except _DAMAGE as error:
        raise UnreadableSheet("The archive is damaged or cut off. Pack the files again as .zip.") from error


def _check(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    if any(part.filename == "[Content_Types].xml" for part in parts):
        raise UnreadableSheet("This is a workbook. A return is a folder of CSV files, a zip of them, or its XML.")
    if any(part.flag_bits & 1 for part in parts):
        raise UnreadableSheet("The archive has a password. Pack the files again without one.")
    if len(archive.infolist()) > MOST_FILES:
        raise UnreadableSheet(f"The archive holds {len(archive.infolist())} files; a return has at most {MOST_FILES}.")
    if sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise UnreadableSheet(f"The archive unpacks to more than {MOST_UNPACKED // 2**20} MB.")


def _unpacked(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> Iterator[bytes]:
    left = MOST_UNPACKED
    for part in parts:
        with archive.open(part) as stream:
            # What an archive says of its sizes may be false, so what comes out is counted.
            content = stream.read(left + 1)
        left -= len(content)
        if left < 0:
            raise UnreadableSheet(f"The archive unpacks to more than {MOST_UNPACKED // 2**20} MB.")
        yield content


def _names(paths: list[str]) -> list[str]:
    """Return each file's own name, or its path where another file of the archive has the same name."""
    tidy = [_printable(path.replace("\\", "/")) for path in paths]
    own = [posixpath.basename(path) for path in tidy]
    named = [name if own.count(name) == 1 else path for name, path in zip(own, tidy, strict=True)]
    return [name if named.count(name) == 1 else f"{name} ({count})" for count, name in enumerate(named, start=1)]


def _printable(path: str) -> str:
    return "".join(character for character in path if character.isprintable())[-200:] or "file"


def _is_dropping(path: str) -> bool:
    """Say whether a system, not a person, put a file there."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    name = parts[-1].lower() if parts else ""
    return "__MACOSX" in parts or name.startswith(("._", "~$")) or name in {".ds_store", "thumbs.db", "desktop.ini"}
