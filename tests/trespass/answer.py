"""What an answer tells: all of it but what is new in each, and the words in it that name one thing only."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable

import pikepdf
from werkzeug.test import TestResponse

from tests.trespass.attempt import ID

_TELLING = re.compile(rf"{ID.pattern}|\b[GH]-[0-9A-Z]{{6}}\b|\b[HGC][0-9a-f]{{8}}\b|\bHidden\w+")
"""What names one thing only: ids, codes, references, and words that were made to be looked for."""
_NEW_EACH_TIME = re.compile(
    r'nonce="[^"]*"|nonce-[^\']*|Reference: [0-9a-f]+|name="csrf_token"[^>]*|value="[^"]*"( name="csrf_token")|'
    r'"instance": ?"[^"]*"|"request_id": ?"[^"]*"'
)
_COUNTING = frozenset({"RateLimit", "X-Request-Id", "Set-Cookie", "Date", "Expires"})
"""Headers whose values are new in each answer."""


def told_in(answer: TestResponse, words: Iterable[str]) -> tuple[object, ...]:
    """Return all that an answer tells, but for what is new in each and for the words that were sent."""
    said = [_body(answer), *(f"{name}: {value}" for name, value in _headers(answer))]
    for each in sorted(words):
        said = [line.replace(each, "…") for line in said]
    names = sorted(name for name, _ in answer.headers)
    return answer.status_code, names, *(_NEW_EACH_TIME.sub("", line) for line in said)


def telling(text: str) -> frozenset[str]:
    """Return the words of a text that name one thing only."""
    return frozenset(_TELLING.findall(text))


def readable(answer: TestResponse) -> str:
    """Return an answer's headers and body as text, what is packed in it unpacked."""
    headers = " ".join(f"{name}: {value}" for name, value in answer.headers)
    return f"{headers} {_body(answer)}"


def _headers(answer: TestResponse) -> list[tuple[str, str]]:
    # Its length goes with what is new in it, a workbook's with the time at which it was written; the rest is compared.
    left_out = _COUNTING | {"Content-Length"}
    return sorted((name, value) for name, value in answer.headers if name not in left_out)


def _body(answer: TestResponse) -> str:
    content = answer.get_data()
    if content.startswith(b"PK"):
        return _unzipped(content)
    if content.startswith(b"%PDF-"):
        return _streams(content)
    return content.decode("utf-8", "replace")


def _unzipped(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        # A workbook's properties say when it was written.
        parts = (name for name in book.namelist() if name != "docProps/core.xml")
        return " ".join(book.read(name).decode("utf-8", "replace") for name in parts)


def _streams(content: bytes) -> str:
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            streams = [each for each in pdf.objects if isinstance(each, pikepdf.Stream)]
            return " ".join(each.read_bytes().decode("utf-8", "replace") for each in streams)
    except pikepdf.PdfError:
        return content.decode("utf-8", "replace")
