"""The typesetting process: a document's view as JSON comes in, a PDF goes out.

Run by ``workers.document.pdf`` as ``python -m workers.document.typeset SECONDS TEMPLATE``, where SECONDS is the moment
that the document says it was made, counted from 1970, and TEMPLATE the name of one of the templates beside this
module. It ends with 1 when typst refuses the document.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typst

from workers.document import font

_FOLDER = Path(__file__).parent


def typeset(view: str, *, template: str = "pack", made_at: int) -> bytes:
    """Return the PDF/UA-1 file that a template makes of a view.

    :raises typst.TypstError: The document breaks a rule of PDF/UA-1.
    """
    # The machine's own fonts would make the bytes differ from one machine to the next.
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[font.FOLDER])
    compiler = typst.Compiler(_FOLDER / f"{template}.typ", root=_FOLDER, font_paths=fonts)
    pdf = compiler.compile(format="pdf", pdf_standards=["ua-1"], sys_inputs={template: view}, timestamp=made_at)
    if not isinstance(pdf, bytes):
        raise TypeError("typst returned pages instead of one PDF: check its version against the lock file.")
    return pdf


def main() -> int:
    """Typeset what stands on standard input and write the PDF to standard output."""
    try:
        pdf = typeset(sys.stdin.buffer.read().decode(), template=sys.argv[2], made_at=int(sys.argv[1]))
    except typst.TypstError as error:
        # Typst's messages quote the text they complain of; only its kind is fit for a log.
        print(type(error).__name__, file=sys.stderr)  # noqa: T201 -- this process has no other way to speak
        return 1
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
