"""Text that any document can hold: what people typed, without what breaks a file or misleads its reader."""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Joiners and direction marks shape Arabic, Indic and Hebrew words; every other format character (overrides that
# turn the rest of a line round, invisible tags, byte-order marks) only hides something from the reader.
_KEPT_FORMATS = frozenset("\u200c\u200d\u200e\u200f")
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_PLAIN = re.compile(r"[ -~\n]*")


def clean(text: str) -> str:
    r"""Return the text composed (NFC), with ``\n`` as its only control character and nothing unprintable.

    Tabs become spaces; control and hidden format characters go; halves of surrogate pairs, unassigned and private
    characters become the replacement character, so that a reader sees that something stood there.
    """
    if _PLAIN.fullmatch(text):
        return text
    lines = _LINE_ENDS.sub("\n", text).replace("\t", " ")
    return unicodedata.normalize("NFC", "".join(map(_printable, lines)))


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if character == "\n" or character in _KEPT_FORMATS:
        return character
    if category in ("Cc", "Cf"):
        return ""
    return REPLACEMENT if category in ("Cs", "Cn", "Co") else character
