"""A paper that people sign as a tagged PDF (PDF/UA-1): what it says, and who has signed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from matching.papers.signature import Place
from workers.document import font
from workers.document.pdf import typeset_pdf
from workers.document.text import REPLACEMENT, clean


def render_paper(content: Mapping[str, Any], *, state: str, places: Sequence[Place], made_at: datetime) -> bytes:
    """Return a paper of privacy, as ``render_signed`` does.

    :raises TypesettingFailed: when it cannot be typeset.
    """
    signed = [(f"{place.agency}, {place.capacity[:1].lower()}{place.capacity[1:]}", _said(place)) for place in places]
    return render_signed(content, state=state, places=signed, made_at=made_at)


def render_signed(
    content: Mapping[str, Any], *, state: str, places: Sequence[tuple[str, str]], made_at: datetime
) -> bytes:
    """Return what people sign as a PDF/UA-1 file, ``state`` in its head on every page, and by whom it is signed.

    :param places: for whom somebody signs, and what is said of that.
    :raises TypesettingFailed: when it cannot be typeset.
    """
    view = printable({**content, "state": state, "places": [list(each) for each in places]})
    return typeset_pdf(view, template="paper", made_at=datetime.combine(made_at.date(), time(), tzinfo=UTC))


def printable(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what JSON holds with only such letters as the fonts have."""
    if isinstance(value, str):
        return "".join(each if each == "\n" or ord(each) in font.covered() else REPLACEMENT for each in clean(value))
    if isinstance(value, Mapping):
        return {name: printable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [printable(each) for each in value]
    return value


def _said(place: Place) -> str:
    if place.signature is None:
        return "Not signed."
    return f"Signed by {place.signature.name} on {place.signature.signed_at:%d/%m/%Y}."
