"""What is told by its form: dates, telephone numbers, e-mail and web addresses, numbers of people and of cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache

from matching.anonymity.finding import Finding, Kind, Known, found
from matching.anonymity.word import letters_of, lists, may_tell

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b(?:\.(?=\s*\d))?"
)
_YEAR = r"(?:,?\s*(?:in\s+)?(?P<year>(?:19|20)\d\d|['’]?\d\d(?!\d|:|\.\d)))?"
_TENS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"),
    *("twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
    "twentieth",
)
_ORDINALS = {
    **{word: number for number, word in enumerate(_TENS, start=1)},
    **{f"twenty-{word}": 20 + number for number, word in enumerate(_TENS[:9], start=1)},
    "thirtieth": 30,
    "thirty-first": 31,
}
_SPELT = "|".join(sorted((word.replace("-", r"[\s\-]") for word in _ORDINALS), key=len, reverse=True))
_NUMBER = r"(?P<day>\d{1,2})"
_WRITTEN = (
    re.compile(rf"(?<![\d/.]){_NUMBER}(?:st|nd|rd|th)?\s*(?:day\s+)?(?:of\s+)?{_MONTH}{_YEAR}", re.IGNORECASE),
    re.compile(rf"\b{_MONTH}\s+(?:the\s+)?{_NUMBER}(?:st|nd|rd|th)?\b{_YEAR}", re.IGNORECASE),
    re.compile(rf"\b(?P<day>{_SPELT})\s+(?:day\s+)?(?:of\s+)?{_MONTH}{_YEAR}", re.IGNORECASE),
)
_FIGURES = (
    re.compile(
        r"(?<![\d/.\-])(?P<day>\d{1,2})\s?[/.\-–]\s?(?P<month>\d{1,2})\s?[/.\-–]\s?(?P<year>\d{4}|\d\d)(?![\d/])"
    ),
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)[/.\-–](?P<month>\d{1,2})[/.\-–](?P<day>\d{1,2})(?!\d)"),
)
_MAIL = re.compile(r"[\w.+'\-]+@[\w\-]+(?:\.[\w\-]+)+")
_WEB = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w\-]+(?:\.[\w\-]+)*\.(?:co\.uk|org\.uk|ac\.uk|gov\.uk|sch\.uk|com|org|net|uk)\b"
)
_HANDLE = re.compile(r"(?<![\w.])@\w{3,}")
_TELEPHONE = re.compile(r"(?<![\w+])(?:\+44|0044|0)(?:[\s()\-]*\d){9,10}(?!\d)")
_COURT = re.compile(r"\b[A-Z]{2}\s?\d{2}\s?[CZPAF]\s?\d{4,5}\b", re.IGNORECASE)
_UPN = re.compile(r"\b[A-Z]\d{11}[A-Z\d]\b", re.IGNORECASE)
_INSURANCE = re.compile(r"\b[A-CEGHJ-PR-TW-Z]{2}\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]\b", re.IGNORECASE)
_NHS = re.compile(r"(?<!\d)\d{3}[\s\-]?\d{3}[\s\-]?\d{4}(?!\d)")
_LONG = re.compile(r"(?<![\w£.,])\d{6,}(?!\w)")
_FIGURE = re.compile(r"\d")
_SEPARATOR = r"[\s/\-_.]*"


def dates(text: str, known: Known) -> Iterator[Finding]:
    """Yield exact dates in the forms that Britons write; one of the record's own is named as such."""
    for pattern in _date_patterns(text):
        for match in pattern.finditer(text):
            day, month, year = _day(match["day"]), _month(match["month"]), _year(match["year"])
            if not (1 <= day <= 31 and 1 <= month <= 31 and min(day, month) <= 12):
                continue
            own = any(_same(each, day, month, year) for each in known.dates)
            # “They may 2 or 3 times …” has a day and a month in it, and no date.
            if not own and year is None and match["month"].casefold() in ("may", "mar", "march") and _small(match):
                continue
            why = "is a birth date of this record" if own else "is an exact date"
            sure = own or year is not None
            yield found(text, match.start(), match.end(), Kind.DATE, sure=sure, why=why)
    for each in known.dates:
        for match in re.finditer(_own_figures(each), text):
            yield found(text, match.start(), match.end(), Kind.DATE, sure=True, why="is a birth date of this record")


def contacts(text: str, known: Known) -> Iterator[Finding]:
    """Yield e-mail and web addresses and telephone numbers."""
    for pattern, why, marks in (
        (_MAIL, "is an e-mail address", "@"),
        (_WEB, "is a web address", ".:"),
        (_TELEPHONE, "is a number to ring", "0+"),
    ):
        for match in pattern.finditer(text) if any(mark in text for mark in marks) else ():
            yield found(text, match.start(), match.end(), Kind.CONTACT, sure=True, why=why)
    for match in _HANDLE.finditer(text):
        yield found(
            text, match.start(), match.end(), Kind.CONTACT, sure=False, why="may be somebody’s name on a network"
        )
    for said in (*known.telephones, *known.emails):
        plain = "".join(said.split())
        if not plain or not may_tell(text, plain):
            continue
        for match in re.finditer(r"[\s()\-]*".join(map(re.escape, plain)), text, re.IGNORECASE):
            yield found(text, match.start(), match.end(), Kind.CONTACT, sure=True, why="reaches this record’s people")


def numbers(text: str, known: Known) -> Iterator[Finding]:
    """Yield the agency's own references, and numbers of people and of court cases."""
    for reference in known.references:
        if may_tell(text, reference):
            yield from _reference(text, reference)
    if not _FIGURE.search(text):
        return
    for pattern, why in (
        (_COURT, "is a court’s case number"),
        (_UPN, "is a pupil’s number"),
        (_INSURANCE, "is a number"),
    ):
        for match in pattern.finditer(text):
            yield found(text, match.start(), match.end(), Kind.NUMBER, sure=True, why=why)
    for match in _NHS.finditer(text):
        if _checks(match[0]):
            yield found(text, match.start(), match.end(), Kind.NUMBER, sure=True, why="is an NHS number")
    for match in _LONG.finditer(text):
        yield found(text, match.start(), match.end(), Kind.NUMBER, sure=False, why="is long enough to name somebody")


def rare_details(text: str) -> Iterator[Finding]:
    """Yield what few children or families have, by the list that ships with Concord."""
    for pattern, what, instead, words in _rare():
        for match in pattern.finditer(text) if any(may_tell(text, each) for each in words) else ():
            yield found(text, match.start(), match.end(), Kind.RARE, sure=False, why=f"is {what}", instead=instead)


# ── within ──


def _date_patterns(text: str) -> tuple[re.Pattern[str], ...]:
    """Return the patterns of which there can be a date in a text: without a figure only one spelt out, if any."""
    if _FIGURE.search(text):
        return (*_WRITTEN, *_FIGURES)
    return _WRITTEN[2:] if any(month in letters_of(text) for month in _MONTHS) else ()


def _day(said: str) -> int:
    return int(said) if said.isdecimal() else _ORDINALS["-".join(said.casefold().replace("-", " ").split())]


def _month(said: str) -> int:
    return int(said) if said.isdecimal() else _MONTHS.index(said.casefold()[:3]) + 1


def _year(said: str | None) -> int | None:
    return None if said is None else int(said.strip("'’"))


def _same(known: date, day: int, month: int, year: int | None) -> bool:
    years = (None, known.year, known.year % 100)
    return year in years and (known.day, known.month) in ((day, month), (month, day))


def _small(match: re.Match[str]) -> bool:
    return match["month"][:1].islower()


@cache
def _own_figures(known: date) -> re.Pattern[str]:
    """Return a date's figures without a year, or run together: they are a date only where they are that one."""
    day, month = rf"0?{known.day}", rf"0?{known.month}"
    joined = f"{known:%d%m%Y}|{known:%d%m%y}|{known:%Y%m%d}|{known:%y%m%d}"
    return re.compile(rf"(?<![\d/.]){day}\s?[/.\-–]\s?{month}(?![\d/.])|(?<!\d)(?:{joined})(?!\d)")


def _reference(text: str, reference: str) -> Iterator[Finding]:
    marks = [mark for mark in reference if mark.isalnum()]
    if not any(mark.isdecimal() for mark in marks):
        # “A” or “Example” may be a reference, and is a word: it is looked for as it is written.
        pattern, clear = re.compile(rf"(?<!\w){re.escape(reference)}(?!\w)"), False
    else:
        spaced = _SEPARATOR.join(map(re.escape, marks))
        pattern, clear = re.compile(rf"(?<!\w){spaced}(?!\w)", re.IGNORECASE), len(marks) > 3
    if len(marks) > 1:
        for match in pattern.finditer(text):
            why = "is your agency’s reference of this record" if clear else "reads like your reference of this record"
            yield found(text, match.start(), match.end(), Kind.NUMBER, sure=clear, why=why)


def _checks(number: str) -> bool:
    """Say whether ten digits are an NHS number by their check digit, modulo 11."""
    digits = [int(mark) for mark in number if mark.isdecimal()]
    rest = 11 - sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=False)) % 11
    return rest % 11 == digits[9]


@cache
def _rare() -> tuple[tuple[re.Pattern[str], str, str, tuple[str, ...]], ...]:
    return tuple(
        (re.compile(rf"(?<!\w)(?:{'|'.join(map(_phrase, words))})(?!\w)", re.IGNORECASE), what, instead, words)
        for what, instead, words in lists().rare
    )


def _phrase(words: str) -> str:
    return re.escape(words).replace("’", "['’]?").replace(r"\ ", r"[\s\-]+").replace(r"\-", r"[\s\-]")
