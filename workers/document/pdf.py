"""Packs, answers, papers and invoices as tagged PDF (PDF/UA-1), each typeset in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from matching.pack_content import PackContent
from workers.document.view import pack_view

_SECONDS = 120


class TypesettingFailed(Exception):
    """The typesetting process did not give a PDF; nothing of the document's text is repeated here."""


def render_pdf(content: PackContent) -> bytes:
    """Return the pack as a PDF/UA-1 file; the same content gives the same bytes on every machine.

    :raises TypesettingFailed: The pack cannot be typeset, or not in two minutes.
    """
    return typeset_pdf(pack_view(content), template="pack", made_at=datetime.combine(content.as_of, time(), tzinfo=UTC))


def typeset_pdf(view: Mapping[str, Any], *, template: str, made_at: datetime) -> bytes:
    """Return what one of the templates beside this module makes of a view, as a PDF/UA-1 file.

    What people wrote reaches typst as JSON strings, never as markup, so nothing in it is run or read. Typesetting is
    given two minutes.

    :raises TypesettingFailed: It cannot be typeset, or not in that time.
    """
    # A process of its own, for typst keeps the layout of what it has set: a worker that made one large pack after
    # another would grow by hundreds of megabytes a pack, and hold one agency's text while it works for the next.
    command = [sys.executable, "-P", "-m", "workers.document.typeset", str(int(made_at.timestamp())), template]
    try:
        done = subprocess.run(  # noqa: S603 -- our own module, no text of the document among its arguments
            command, input=json.dumps(view).encode(), capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise TypesettingFailed(
            f"The {template} took longer than {_SECONDS} seconds to typeset: give it less to show."
        ) from None
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF"):
        reason = "typst refused it" if done.returncode == 1 else f"the process ended with {done.returncode}"
        raise TypesettingFailed(f"The {template} could not be typeset ({reason}): try again, then tell the operator.")
    return done.stdout
