"""What was handed in on a page: one file, or the files of a return packed as one."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.datastructures import FileStorage

from matching.intake.column import SheetKind
from matching.intake.sheet import UnreadableSheet
from matching.intake.ssda903.package import pack_return


def handed_in(kind: SheetKind, uploads: Sequence[FileStorage]) -> tuple[str, bytes]:
    """Return the name and the content of what was handed in; several files are one only when they are a return.

    :raises UnreadableSheet: when there are several sheets, or more files than a return has.
    """
    if len(uploads) == 1:
        return uploads[0].filename or "", uploads[0].read()
    if kind is not SheetKind.SSDA903:
        raise UnreadableSheet("Hand in one sheet at a time. Only the files of an SSDA903 return belong together.")
    names = [(upload.filename or "file").replace("\\", "/").rsplit("/", 1)[-1] for upload in uploads]
    # A browser sends names without folders, so two files may bear one name.
    distinct = [name if names.count(name) == 1 else f"{place}/{name}" for place, name in enumerate(names, start=1)]
    return "return.zip", pack_return({name: each.read() for name, each in zip(distinct, uploads, strict=True)})
