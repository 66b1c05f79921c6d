"""A pack as a tagged PDF (PDF/UA-1), typeset by typst."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path

import typst

from matching.pack_content import PackContent
from workers.document import font
from workers.document.view import pack_view

_FOLDER = Path(__file__).parent
_TEMPLATE = _FOLDER / "pack.typ"


def render_pdf(content: PackContent) -> bytes:
    """Return the pack as a PDF/UA-1 file; the same content gives the same bytes on every machine.

    What people wrote reaches typst as JSON strings, never as markup, so nothing in it is run or read.

    :raises typst.TypstError: The pack cannot be typeset as PDF/UA-1.
    """
    # A compiler for each pack: one that is kept would hold the last reader's pack in its cache.
    compiler = typst.Compiler(_TEMPLATE, root=_FOLDER, font_paths=_fonts())
    pdf = compiler.compile(
        format="pdf",
        pdf_standards=["ua-1"],
        sys_inputs={"pack": json.dumps(pack_view(content))},
        timestamp=datetime.combine(content.as_of, time(), tzinfo=UTC),
    )
    if not isinstance(pdf, bytes):
        raise TypeError("typst returned pages instead of one PDF: check its version against the lock file.")
    return pdf


@cache
def _fonts() -> typst.Fonts:
    # The machine's own fonts would make the bytes differ from one machine to the next.
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[font.FOLDER])
