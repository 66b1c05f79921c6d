"""A fee agreement as a tagged PDF (PDF/UA-1): what was agreed, by which rule, and who has signed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from workers.document.paper import printable
from workers.document.pdf import typeset_pdf


def render_agreement(
    content: Mapping[str, Any], *, state: str, places: Sequence[tuple[str, str]], made_at: datetime
) -> bytes:
    """Return an agreement as a PDF/UA-1 file, ``state`` in its head on every page.

    :raises TypesettingFailed: when it cannot be typeset.
    """
    view = printable({**content, "state": state, "places": [list(each) for each in places]})
    return typeset_pdf(view, template="paper", made_at=datetime.combine(made_at.date(), time(), tzinfo=UTC))
