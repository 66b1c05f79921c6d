"""Mark each page of a report with who reads it, for which agency and when: across it, and along its foot.

The mark is text set by typst, so that every name can be written, and lies over the page's own content as an artefact
(ISO 32000-2, 14.8.2.2): the text beneath stays selectable and keeps its tags.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pikepdf
import typst

from matching.document_check import DocumentRefused
from matching.document_opening import Reader
from workers.document import font
from workers.document.text import clean

_FOLDER = Path(__file__).parent
_UNITED_KINGDOM = ZoneInfo("Europe/London")
_QUARTER = 90
_ANYBODY = Reader("Sam Sample", "Sampleton", datetime(2026, 1, 1, tzinfo=UTC))
_MARKED = ["BDC", "Do", "EMC"]
Size = tuple[float, float]


def watermark(content: bytes, reader: Reader) -> bytes:
    """Return a PDF with the reader's mark on every page, whatever its size and however it is turned."""
    with pikepdf.open(BytesIO(content)) as pdf:
        sizes = sorted({_size(page) for page in pdf.pages})
        with pikepdf.open(BytesIO(_typeset(sizes, reader))) as marks:
            drawn = {
                size: pdf.copy_foreign(mark.as_form_xobject()) for size, mark in zip(sizes, marks.pages, strict=True)
            }
        for page in pdf.pages:
            _mark(pdf, page, drawn[_size(page)])
        done = BytesIO()
        pdf.save(done, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return done.getvalue()


def check_markable(content: bytes) -> None:
    """Let a PDF pass that can bear the mark on each page, where it shows.

    :raises DocumentRefused: when it cannot, so that nobody is granted a report that cannot be opened.
    """
    try:
        with pikepdf.open(BytesIO(watermark(content, _ANYBODY))) as pdf:
            shown = all(_shows_its_mark(page) for page in pdf.pages)
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError):
        shown = False
    if not shown:
        raise DocumentRefused(
            "A page of the PDF is damaged, so that it cannot be marked with who reads it. Print it to a new PDF, which "
            "mends that, then hand that in."
        )


def _shows_its_mark(page: pikepdf.Page) -> bool:
    """Say whether the mark is what a page draws last, and within nothing that its own content leaves open.

    Text that is left open cannot hold the mark; marked content that is left open may be hidden, and the mark with it.
    """
    drawn = [str(each.operator) for each in pikepdf.parse_content_stream(page, "BT ET BMC BDC EMC Do")]
    text = content = 0
    for operator in drawn[: -len(_MARKED)]:
        text = {"BT": 1, "ET": 0}.get(operator, text)
        content = max(0, content + {"BMC": 1, "BDC": 1, "EMC": -1}.get(operator, 0))
    return drawn[-len(_MARKED) :] == _MARKED and not text and not content


def _mark(pdf: pikepdf.Pdf, page: pikepdf.Page, mark: pikepdf.Object) -> None:
    name = page.add_resource(mark, pikepdf.Name.XObject)
    # Turned against the page's own rotation, so that the reader sees the mark upright.
    placed = page.calc_form_xobject_placement(
        mark, name, pikepdf.Rectangle(page.cropbox), invert_transformations=True, allow_shrink=True, allow_expand=True
    )
    # What the page's own content has set, and not set back, must not touch the mark.
    before, after = _states(page)
    page.contents_add(pdf.make_stream(b"q " * before), prepend=True)
    page.contents_add(
        pdf.make_stream(
            b"\n" + b"Q " * after + b"\n/Artifact <</Type /Pagination /Subtype /Watermark>> BDC\n" + placed + b"EMC\n"
        )
    )


def _states(page: pikepdf.Page) -> tuple[int, int]:
    """Return how often to save the state before a page's content, and to set it back after, whatever that leaves open.

    Some programs write pages that save more often than they set back, or set back what they never saved.
    """
    depth = lowest = 0
    for each in pikepdf.parse_content_stream(page, "q Q"):
        depth += 1 if str(each.operator) == "q" else -1
        lowest = min(lowest, depth)
    before = 1 - lowest
    return before, before + depth


def _size(page: pikepdf.Page) -> Size:
    """Return width and height of a page as it is seen, in points."""
    box = pikepdf.Rectangle(page.cropbox)
    turned = int(page.rotation or 0) % (2 * _QUARTER) == _QUARTER
    width, height = (box.height, box.width) if turned else (box.width, box.height)
    return (max(1.0, round(float(width), 1)), max(1.0, round(float(height), 1)))


def _typeset(sizes: list[Size], reader: Reader) -> bytes:
    here = reader.at.astimezone(_UNITED_KINGDOM)
    moment = f"{here.day} {here:%B %Y at %H:%M}"
    name, agency = clean(reader.name), clean(reader.agency)
    facts = {
        "sizes": sizes,
        "lines": [name, agency, moment],
        "foot": f"Confidential. Opened by {name}, {agency}, on {moment}. Not to be copied or passed on.",
    }
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[font.FOLDER])
    compiler = typst.Compiler(_FOLDER / "watermark.typ", root=_FOLDER, font_paths=fonts)
    pdf = compiler.compile(format="pdf", sys_inputs={"mark": json.dumps(facts)}, pdf_tags=False)
    if not isinstance(pdf, bytes):
        raise TypeError("typst returned pages instead of one PDF: check its version against the lock file.")
    return pdf
