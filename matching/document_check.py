"""Files that are handed in as reports: only a sound PDF passes, unencrypted, and with nothing in it that acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pikepdf

from tenants.error import Invalid

MOST_PAGES = 1_000
_MOST_UNPACKED = 64 * 2**20
_MOST_DRAWN = 32 * 2**20
_MOST_DRAWN_ON_A_PAGE = 4 * 2**20
# A few thousand bytes can unpack to thousands of megabytes. For the whole process, which reads no other PDFs.
pikepdf.settings.set_qpdf_limits(
    flate_max_memory=_MOST_UNPACKED,
    run_length_max_memory=_MOST_UNPACKED,
    png_max_memory=_MOST_UNPACKED,
    tiff_max_memory=_MOST_UNPACKED,
    max_stream_filters=4,
)
_MAGIC = b"%PDF-"
_MAGIC_WITHIN = 1_024
_ACTIONS = frozenset({"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/GoToR", "/Rendition"})
# “AA” are actions that nobody starts by choosing them.
_ACTING_KEYS = ("/AA", "/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/XFA")
_ACTING_SUBTYPES = frozenset({"/FileAttachment", "/RichMedia", "/3D", "/Screen", "/Movie", "/Sound"})
_DEEPEST = 100
_AS_PDF = "In Word choose “File”, “Save as” and “PDF”; in another program print it to a PDF. Then hand that in."
# By how other files begin; what none of these is, is a file of some other kind.
_OTHER_KINDS = (
    (b"PK\x03\x04", "a document of Word, LibreOffice or a zip file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of an older Word"),
    (b"{\\rtf", "a document in rich text"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"II*\x00", "a picture"),
    (b"MM\x00*", "a picture"),
)


@dataclass(frozen=True, slots=True)
class CheckedPdf:
    """A file that has passed every check, and how many pages it has."""

    content: bytes
    pages: int


class DocumentRefused(Invalid):
    """The file cannot be taken as a report; nothing of it is kept."""


def check_document(content: bytes, *, scan: Callable[[bytes], None] | None = None) -> CheckedPdf:
    """Return a file that may be kept as a report; ``scan`` raises for one that carries a virus.

    :raises DocumentRefused: saying what is wrong with it, and what to do.
    """
    if not content:
        raise DocumentRefused("The file is empty. Choose the report as a PDF.")
    if _MAGIC not in content[:_MAGIC_WITHIN]:
        kind = next((words for start, words in _OTHER_KINDS if content.startswith(start)), "no PDF")
        raise DocumentRefused(f"The file is {kind}. Reports are kept as PDF only. {_AS_PDF}")
    pages = _open(content)
    if scan is not None:
        scan(content)
    return CheckedPdf(content, pages)


def _open(content: bytes) -> int:
    try:
        with pikepdf.open(BytesIO(content)) as pdf:
            if pdf.is_encrypted:
                raise _locked()
            if any(_acts(each, 0) for each in (*pdf.objects, pdf.trailer)) or _calls(pdf.Root.get("/OpenAction")):
                raise DocumentRefused(
                    "The PDF holds a script, an attached file or something else that acts when it is opened. "
                    "Print it to a new PDF, which leaves that out, then hand that in."
                )
            return _count(pdf)
    except pikepdf.PasswordError:
        raise _locked() from None
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError, RecursionError):
        raise DocumentRefused(f"The PDF is damaged and cannot be read. Make it anew. {_AS_PDF}") from None


def _count(pdf: pikepdf.Pdf) -> int:
    pages = len(pdf.pages)
    if not 1 <= pages <= MOST_PAGES:
        raise DocumentRefused(f"A report has from 1 to {MOST_PAGES:,} pages; this file has {pages:,}.")
    # Read page by page: what is damaged shows itself here, and not when somebody opens the report.
    drawn = 0
    for page in pdf.pages:
        drawn += _drawn(page)
        if page.mediabox is None or drawn > _MOST_DRAWN:
            raise _too_much()
        pikepdf.parse_content_stream(page, "q Q")
    return pages


def _drawn(page: pikepdf.Page) -> int:
    """Return how many bytes draw a page once they are unpacked, reading no more than a page may have."""
    contents, drawn = page.obj.get("/Contents"), 0
    for each in contents if isinstance(contents, pikepdf.Array) else (contents,):
        if not isinstance(each, pikepdf.Stream):
            continue
        # The one way of packing whose size qpdf does not bound; nothing has written it for decades.
        if "/LZWDecode" in repr(each.get("/Filter")):
            raise _too_much()
        drawn += len(each.read_bytes())
        if drawn > _MOST_DRAWN_ON_A_PAGE:
            raise _too_much()
    return drawn


def _too_much() -> DocumentRefused:
    return DocumentRefused(f"The PDF unpacks to far more than a report needs, and was not read. {_AS_PDF}")


def _locked() -> DocumentRefused:
    return DocumentRefused(
        "The PDF is encrypted or locked with a password. Save it without, then hand it in: Concord keeps it sealed."
    )


def _acts(found: Any, depth: int) -> bool:  # noqa: ANN401 - whatever a PDF may hold
    """Say whether an object, or one written within it, is an action or a file; others are looked at in their turn."""
    if depth > _DEEPEST:
        return True
    if isinstance(found, pikepdf.Array):
        return any(_acts(each, depth + 1) for each in found if _direct(each))
    if not isinstance(found, pikepdf.Dictionary | pikepdf.Stream):
        return False
    if any(key in found for key in _ACTING_KEYS):
        return True
    if str(found.get("/S", "")) in _ACTIONS or str(found.get("/Subtype", "")) in _ACTING_SUBTYPES:
        return True
    return any(_acts(each, depth + 1) for each in _values(found))


def _calls(opening: Any) -> bool:  # noqa: ANN401 - as above
    """Say whether what is done on opening tells a site that the report is being read."""
    return isinstance(opening, pikepdf.Dictionary) and opening.get("/S") == pikepdf.Name.URI


def _values(found: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    yield from (found[key] for key in found.keys() if _direct(found[key]))  # noqa: SIM118 - a stream has no iterator


def _direct(value: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(value, pikepdf.Object) and not value.is_indirect
