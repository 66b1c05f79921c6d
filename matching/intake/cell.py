"""What one cell may say: a parser per kind of cell, each strict, each saying what it expected.

A blank cell is unknown: never yes, never no. Nothing is guessed: a date in another order than day, month, year, a
number that Excel has changed, a word outside the list is a problem, and the row that holds it is not taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, TypeVar

from matching.code import is_code, read_code
from matching.intake.sheet import CellValue
from matching.need import Answer, NeedLevel, Tolerance, YesNo
from matching.place import EXCLUSION_MILES, InvalidPlace, outward_code_of
from matching.ranking.facts import LegalPosition, Sex, SexApproved
from tenants.error import Invalid

Choice = TypeVar("Choice")

#: SSDA903 codes of ethnic origin.
ETHNIC_CODES: Final = frozenset(
    "WBRI WIRI WOTH WIRT WROM MWBC MWBA MWAS MOTH AIND APKN ABAN AOTH BCRB BAFR BOTH CHNE OOTH REFU NOBT".split()  # noqa: SIM905
)
EARLIEST_YEAR: Final = 1900
LATEST_YEAR: Final = 2100
MOST_LISTED: Final = 20
"""How many words, codes or areas one cell may list."""

_DATE: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_MONTH: Final = re.compile(r"([0-9]{2})/([0-9]{4})")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_TELEPHONE: Final = re.compile(r"\+?[0-9][0-9 ()-]{5,24}")
_EMAIL: Final = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+")
_WORD: Final = re.compile(r"[^\W\d_][\w '\u2019().-]{0,59}")
_AREA: Final = re.compile(r"(\S(?:.*\S)?)\s+([0-9]{1,3})")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class CellProblem(Invalid):
    """The cell cannot be taken; the text says what was expected."""


# ── words ──


def text_cell(longest: int, *, lines: bool = False) -> Callable[[CellValue], str | None]:
    """Return a parser of free text of at most ``longest`` characters, on one line unless ``lines``."""

    def parse(value: CellValue) -> str | None:
        if value is None:
            return None
        text = _plain(value)
        if len(text) > longest:
            raise CellProblem(f"it has {len(text)} characters; expected at most {longest}")
        if _CONTROL.search(text):
            raise CellProblem("it holds a character that cannot be shown; type it again")
        return text if lines else " ".join(text.split())

    return parse


def email_cell(value: CellValue) -> str | None:
    """Return an e-mail address in the case it was typed."""
    text = text_cell(254)(value)
    if text is not None and not _EMAIL.fullmatch(text):
        raise CellProblem("expected one e-mail address, such as name@example.org")
    return text


def telephone_cell(value: CellValue) -> str | None:
    """Return a telephone number as typed: digits, spaces, brackets, hyphens."""
    if isinstance(value, int):
        raise CellProblem("Excel has made a number of it and dropped its first 0; make the column text and retype it")
    text = text_cell(30)(value)
    if text is not None and not _TELEPHONE.fullmatch(text):
        raise CellProblem("expected one telephone number, such as 01632 960001")
    return text


def words_cell(value: CellValue) -> frozenset[str]:
    """Return words separated by semicolons, each in one form, so that “ENGLISH” and “English” are one word."""
    return frozenset(_one_form(word) for word in _listed(value))


def _one_form(word: str) -> str:
    if not _WORD.fullmatch(word):
        raise CellProblem(f"“{word[:40]}” is not a word; expected words separated by semicolons")
    small = {"of", "and", "the"}
    return " ".join(part if part in small else part.capitalize() for part in word.lower().split())


def household_code_cell(value: CellValue) -> str | None:
    """Return a household's code of the pool, such as ``H-7K2M4P``, however it was typed."""
    if value is None:
        return None
    code = read_code(_plain(value))
    if not is_code(code, prefix="H"):
        raise CellProblem("expected a household’s code, such as H-7K2M4P")
    return code


# ── numbers and dates ──


def whole_number_cell(fewest: int, most: int) -> Callable[[CellValue], int | None]:
    """Return a parser of a whole number from ``fewest`` to ``most``."""
    expected = f"expected a whole number from {fewest} to {most}"

    def parse(value: CellValue) -> int | None:
        if value is None:
            return None
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not fewest <= value <= most:
            raise CellProblem(expected)
        return value

    return parse


def date_cell(value: CellValue) -> date | None:
    """Return a date from dd/mm/yyyy, or as a workbook holds it.

    Two digits are asked for day and month: where they are missing a program with other customs may have written
    the month first, and nobody could tell.
    """
    if isinstance(value, str):
        match = _DATE.fullmatch(value)
        if match is None:
            raise CellProblem("expected a date as dd/mm/yyyy, such as 07/03/2024")
        return _day(int(match[3]), int(match[2]), int(match[1]))
    if value is None:
        return None
    if not isinstance(value, date):
        raise CellProblem("expected a date as dd/mm/yyyy, such as 07/03/2024")
    return _day(value.year, value.month, value.day)


def month_cell(value: CellValue) -> date | None:
    """Return the first day of a month from mm/yyyy, or from a date in a workbook."""
    if isinstance(value, str):
        match = _MONTH.fullmatch(value)
        if match is None:
            raise CellProblem("expected a month as mm/yyyy, such as 03/2021")
        return _day(int(match[2]), int(match[1]), 1)
    if value is None:
        return None
    if not isinstance(value, date):
        raise CellProblem("expected a month as mm/yyyy, such as 03/2021")
    return _day(value.year, value.month, 1)


def _day(year: int, month: int, day: int) -> date:
    if not EARLIEST_YEAR <= year < LATEST_YEAR:
        raise CellProblem(f"the year {year:04} is not between {EARLIEST_YEAR} and {LATEST_YEAR}")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise CellProblem("there is no such date; expected dd/mm/yyyy, the day before the month") from error


# ── choices ──


def choice_cell(choices: Mapping[str, Choice], *, blank: Choice) -> Callable[[CellValue], Choice]:
    """Return a parser of one of the words given, in any case; ``blank`` is what an empty cell means."""
    expected = f"expected {_either(tuple(choices))}"

    def parse(value: CellValue) -> Choice:
        if value is None:
            return blank
        if not isinstance(value, str):
            raise CellProblem(expected)
        word = " ".join(value.casefold().split())
        if word not in choices:
            raise CellProblem(expected)
        return choices[word]

    return parse


def yes_no_cell(value: CellValue) -> YesNo:
    """Return yes or no; a blank cell is unknown."""
    if isinstance(value, bool):
        return YesNo.YES if value else YesNo.NO
    return _yes_or_no(value)


def _either(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


_yes_or_no: Final = choice_cell({"yes": YesNo.YES, "no": YesNo.NO}, blank=YesNo.UNKNOWN)
_ANSWERS: Final = {"can meet": Answer.CAN_MEET, "would discuss": Answer.WOULD_DISCUSS, "cannot": Answer.CANNOT}
answer_cell: Final = choice_cell(_ANSWERS, blank=Answer.UNKNOWN)
sex_cell: Final = choice_cell({"female": Sex.FEMALE, "male": Sex.MALE}, blank=Sex.UNKNOWN)
sex_approved_cell: Final = choice_cell(
    {"any": SexApproved.ANY, "female": SexApproved.FEMALE, "male": SexApproved.MALE}, blank=SexApproved.UNKNOWN
)
legal_position_cell: Final = choice_cell(
    {
        "consent": LegalPosition.CONSENT,
        "order granted": LegalPosition.ORDER_GRANTED,
        "order applied": LegalPosition.ORDER_APPLIED,
        "contested": LegalPosition.CONTESTED,
        "appeal": LegalPosition.APPEAL,
    },
    blank=LegalPosition.UNKNOWN,
)
need_level_cell: Final = choice_cell({level.value: level for level in NeedLevel}, blank=NeedLevel.UNKNOWN)


# ── needs ──

_LEVELS: Final = ("low", "medium", "high")


def tolerance_cell(value: CellValue) -> Tolerance:
    """Return a household's answers to one need, from such as “can meet low; would discuss medium; cannot high”.

    “can meet” and “would discuss” hold up to their level, “cannot” from its level up, “cannot” alone at every level.
    Levels that no part covers are unknown. Parts that say two things of one level are refused.
    """
    said = dict(_tolerance_part(part) for part in _parts(value))
    reach = {answer: _levels_of(answer, level) for answer, level in said.items()}
    discussed = reach.get(Answer.WOULD_DISCUSS, set()) - reach.get(Answer.CAN_MEET, set())
    if Answer.WOULD_DISCUSS in reach and not discussed:
        raise CellProblem("“would discuss” says nothing that “can meet” has not said; give it a higher level")
    positive = reach.get(Answer.CAN_MEET, set()) | discussed
    if positive & reach.get(Answer.CANNOT, set()):
        raise CellProblem("“cannot” contradicts what is said of the same level; expected each level once")
    return Tolerance(**{level: _answer_at(level, reach) for level in _LEVELS})


def _parts(value: CellValue) -> tuple[str, ...]:
    parts = _listed(value)
    words = [" ".join(part.casefold().split()).rsplit(" ", 1)[0] for part in parts]
    answers = [
        "cannot" if part.casefold().startswith("cannot") else word for part, word in zip(parts, words, strict=True)
    ]
    if len(set(answers)) < len(answers):
        raise CellProblem("an answer is given twice; expected each of can meet, would discuss, cannot once")
    return parts


def _tolerance_part(part: str) -> tuple[Answer, str]:
    text = " ".join(part.casefold().split())
    if text == "cannot":
        return Answer.CANNOT, "low"
    word, _, level = text.rpartition(" ")
    if word not in _ANSWERS or level not in _LEVELS:
        raise CellProblem(
            f"“{part[:40]}” is not understood; expected such as can meet low; would discuss medium; cannot high"
        )
    return _ANSWERS[word], level


def _levels_of(answer: Answer, level: str) -> set[str]:
    position = _LEVELS.index(level)
    return set(_LEVELS[position:] if answer is Answer.CANNOT else _LEVELS[: position + 1])


def _answer_at(level: str, reach: Mapping[Answer, set[str]]) -> Answer:
    for answer in (Answer.CAN_MEET, Answer.WOULD_DISCUSS, Answer.CANNOT):
        if level in reach.get(answer, set()):
            return answer
    return Answer.UNKNOWN


# ── codes and places ──


def ethnic_code_cell(value: CellValue) -> str | None:
    """Return one SSDA903 code of ethnic origin."""
    codes = ethnic_codes_cell(value)
    if len(codes) > 1:
        raise CellProblem("expected one code")
    return next(iter(codes), None)


def ethnic_codes_cell(value: CellValue) -> frozenset[str]:
    """Return SSDA903 codes of ethnic origin, separated by semicolons."""
    codes = frozenset(code.upper() for code in _listed(value))
    unknown = sorted(codes - ETHNIC_CODES)
    if unknown:
        raise CellProblem(f"“{unknown[0][:40]}” is not an SSDA903 code of ethnic origin, such as WBRI or MWBC")
    return codes


def postcode_cell(value: CellValue) -> str | None:
    """Return a postcode, or an outward code alone, in capitals with one space."""
    text = text_cell(20)(value)
    if text is None:
        return None
    outward = _outward(text)
    return f"{outward} {''.join(text.split()).upper()[len(outward) :]}".strip()


def outward_code_cell(value: CellValue) -> str | None:
    """Return the outward code: the first half of a postcode. The rest is not kept when it is given."""
    text = text_cell(20)(value)
    return None if text is None else _outward(text)


def exclusion_areas_cell(value: CellValue) -> tuple[tuple[str, int], ...]:
    """Return outward codes, each with its miles, ordered by code, from such as “PL4 10; EX1 5”."""
    areas = [_area(part) for part in _listed(value)]
    if len({code for code, _ in areas}) < len(areas):
        raise CellProblem("an outward code is given twice; expected each once, with the larger distance")
    return tuple(sorted(areas))


def _area(part: str) -> tuple[str, int]:
    match = _AREA.fullmatch(part)
    if match is None or int(match[2]) not in EXCLUSION_MILES:
        miles = _either(tuple(str(miles) for miles in EXCLUSION_MILES))
        raise CellProblem(f"“{part[:40]}” is not understood; expected an outward code and {miles} miles, as in PL4 10")
    return _outward(match[1]), int(match[2])


def _outward(text: str) -> str:
    try:
        return outward_code_of(text)
    except InvalidPlace as error:
        raise CellProblem(str(error)) from error


# ── shared by several ──


def _plain(value: CellValue) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise CellProblem("Excel has changed it into a date, a fraction or true/false; make the column text and retype it")


def _listed(value: CellValue) -> tuple[str, ...]:
    """Return the parts of a cell between semicolons or line ends, tidied, blank ones left out."""
    text = text_cell(2_000, lines=True)(value)
    parts = tuple(" ".join(part.split()) for part in re.split(r"[;\n]", text or ""))
    parts = tuple(part for part in parts if part)
    if len(parts) > MOST_LISTED:
        raise CellProblem(f"it lists {len(parts)} things; expected at most {MOST_LISTED}")
    return parts
