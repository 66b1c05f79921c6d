"""Cells as they stand in sheets that exist, and what each must become: a value, or refused.

One list for each kind of cell. What a person could read in two ways is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from matching.intake.sheet import CellValue
from matching.need import Answer, NeedLevel, Tolerance, YesNo
from matching.ranking.facts import LegalPosition, Sex, SexApproved

REFUSED: Final = "refused"

# A workbook says no zone.
_MORNING: Final = datetime(2024, 3, 7, 9)  # noqa: DTZ001
_MADE_A_DATE: Final = datetime(2026, 4, 2)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Case:
    """One cell; ``kind`` is the parser's name."""

    kind: str
    cell: CellValue
    becomes: Any


def cases() -> tuple[Case, ...]:
    """Return every case, by kind."""
    return tuple(Case(kind, cell, becomes) for kind, made in _KINDS.items() for cell, becomes in made)


_Cases = Iterable[tuple[CellValue, Any]]


def _all(cells: Iterable[CellValue], becomes: Any) -> Iterator[tuple[CellValue, Any]]:
    return ((cell, becomes) for cell in cells)


_NOT_KNOWN: Final = ("n/k", "N/K", "unknown", "Not known", "TBC", "?", "-", "–", "n/a", "N/A", "to be confirmed", "NK")

# ── ages ──


def _ages(youngest: int | None, oldest: int | None) -> dict[str, int | None]:
    return {"age_from_months": youngest, "age_to_months": oldest}


_AGE_RANGE: _Cases = (
    *_all((None, *_NOT_KNOWN), _ages(None, None)),
    *_all(
        ("0-3 yrs", "0-3", "0 - 3", "0–3", "0 to 3", "0-3 years", "0yrs-3yrs", "Birth to 3", "birth-3"), _ages(0, 47)
    ),
    *_all(("0 -3 years old", "aged 0-3", "Ages 0-3", "between 0 and 3", "newborn to 3", "0-3 inclusive"), _ages(0, 47)),
    *_all(
        ("under 5", "Under 5", "<5", "< 5", "under 5s", "0-4", "0 – 4", "up to 4", "4 and under", "0-4 yrs"),
        _ages(0, 59),
    ),
    *_all(("4 or under", "less than 5", "younger than 5", "below 5", "max 4", "birth to 4 years", "≤4"), _ages(0, 59)),
    *_all(("up to 5th birthday", "until their 5th birthday", "up to 4 yrs", "up to age 4", "under five"), _ages(0, 59)),
    *_all(("0 – 36 months", "0-36 months", "0-36m", "0 to 36 mths", "0-36 mos", "birth to 36 months"), _ages(0, 36)),
    ("up to 36 months", _ages(0, 36)),
    ("under 36 months", _ages(0, 35)),
    ("under 2 years", _ages(0, 23)),
    *_all(
        ("2+", "2 +", "2 plus", "2 and over", "2yrs+", "2 years and above", "from 2", "2 or older", "at least 2"),
        _ages(24, None),
    ),
    ("18 months +", _ages(18, None)),
    *_all(("6m-4y", "6 months - 4 years", "6m to 4 yrs", "6mths–4yrs", "from 6 months to 4 years"), _ages(6, 59)),
    *_all(
        ("18 months – 5 years", "18m-5y", "18 mths to 5 yrs", "1y6m-5y", "1 year 6 months to 5 years"), _ages(18, 71)
    ),
    ("1.5-3", _ages(18, 47)),
    ("0-2.5 yrs", _ages(0, 30)),
    ("0-2½", _ages(0, 30)),
    *_all(("3 and under", "3 & under", "up to three"), _ages(0, 47)),
    *_all(("0 to 5 years", "0-5", "zero to five", "0 up to 5"), _ages(0, 71)),
    *_all(("2-4", "2-4 years", "2 - 4yrs", "2 to 4", "between 2 and 4 years"), _ages(24, 59)),
    *_all(("4-4", "4 to 4 yrs"), _ages(48, 59)),
    *_all(("0-17", "under 18"), _ages(0, 215)),
    *_all(("any", "Any age", "all ages"), _ages(0, 215)),
    ("0-18 months", _ages(0, 18)),
    ("3-6 months", _ages(3, 6)),
    # Excel has made dates of 2-4 and 0-3; one age alone may mean up to it or it alone.
    *_all((date(2026, 4, 2), _MADE_A_DATE, 4, "4", "four", 4.0, "4 years", "36 months", 0), REFUSED),
    *_all(("4-2", "5 years - 18 months", "6 - 3", "36-24 months"), REFUSED),
    *_all(("6m-12", "6 months to 4", "0-36", "0-18", "2-34", "18-", "-4", "0-3-5", "0-2 & 4-6", "1,2,3"), REFUSED),
    *_all(
        ("toddler", "pre-school", "baby", "see notes", "approx 3", "around 2-4", "over 2", "2-4 (5 for sibs)"), REFUSED
    ),
    *_all(("0-3 weeks", "0-3 km", "x-y", "2--4", "two-ish", True, time(2, 4), 0.7, -1, "0-999", "1.3-2"), REFUSED),
    *_all(("34, 36", "34", "34 and 36", "42/45", "35-40"), REFUSED),
)
_YOUNGEST: _Cases = (
    *_all((None, "n/k", "TBC"), None),
    *_all(("0", 0, "birth", "Newborn", "0 yrs", "0 months", 0.0), 0),
    *_all(("2", 2, 2.0, "two", "2 yrs", "2 years", "2+", "from 2", "24 months", "aged 2", "2 years old"), 24),
    *_all(("18 months", "18m", "18 mths", "1.5", 1.5, "1y 6m", "1½"), 18),
    *_all((date(2026, 4, 2), "0-3", "under 5", "up to 4", "18", 18, 24, "-1", -1, True, "1.2", "2m4", "baby"), REFUSED),
)
_OLDEST: _Cases = (
    *_all((None, "?", "n/a"), None),
    *_all(("4", 4, 4.0, "four", "4 yrs", "4 years old", "under 5", "<5", "up to 4", "4 and under", "max 4"), 59),
    *_all(("36 months", "up to 36 months", "36m"), 36),
    ("under 36 months", 35),
    *_all(("0", 0), 11),
    ("17", 215),
    *_all(
        ("2+", "0-3", "3 and over", "18", 18, 36, "36", "over 3", date(2026, 4, 2), False, "any child", "0.2"), REFUSED
    ),
)

# ── numbers ──


def _children(fewest: int | None, most: int | None) -> dict[str, int | None]:
    return {"fewest_children": fewest, "most_children": most}


_CHILDREN: _Cases = (
    *_all((None, *_NOT_KNOWN), _children(None, None)),
    *_all(("1", 1, 1.0, "one", "single", "Single child", "1 child", "one child", "single only"), _children(1, 1)),
    *_all(("2", 2, "two", "2 children", "Two children"), _children(None, 2)),
    *_all(
        ("sib group of 2", "Sibling group of 2", "siblings (2)", "sibling group (2)", "sibs x2", "pair"),
        _children(2, 2),
    ),
    *_all(
        ("a pair", "sibling pair", "pair of siblings", "sib group of two", "siblings x 2", "group of 2"),
        _children(2, 2),
    ),
    *_all(("1 or 2", "1-2", "1 - 2", "1 to 2", "1–2", "one or two", "1 or 2 children", "1/2", "1, 2"), _children(1, 2)),
    *_all(("single or sibling group of 2", "1 or sib group of 2", "single or pair", "one or a pair"), _children(1, 2)),
    *_all(
        ("up to 3", "max 3", "3 max", "maximum of 3", "no more than 3", "3 or fewer", "up to three children"),
        _children(1, 3),
    ),
    *_all(("1, 2 or 3", "1,2,3", "1-3", "1 to 3 children"), _children(1, 3)),
    *_all(("2+", "2 or more", "at least 2", "2 plus"), _children(2, None)),
    *_all(("2-3", "2 or 3", "sib group of 2-3", "sibling group of 2 or 3"), _children(2, 3)),
    ("sibling group of up to 3", _children(None, 3)),
    *_all(
        (date(2026, 2, 1), "3-1", "0", 0, "11", 11, "siblings", "sibling group", "several", "many", "1 or 3"), REFUSED
    ),
    *_all(
        ("2 boys", "a few", "1.5", 1.5, True, "yes", "Y", "2?", "maybe 2", "1 now 1 later", "-2", "2-", "1 and 3"),
        REFUSED,
    ),
)
_MOST: _Cases = (
    *_all((None, "n/k"), None),
    *_all(("2", 2, "two", "up to 2", "2 max", "sib group of 2", "pair", "2 children"), 2),
    *_all(("1", "single"), 1),
    *_all(("1-2", "2+", "0", "11", "sibs", date(2026, 2, 1), "1 or 2"), REFUSED),
)
_FEWEST: _Cases = (
    *_all(("2", "2+", "at least 2", "pair", "sib group of 2"), 2),
    *_all(("1", "single", 1), 1),
    *_all(("up to 2", "1-2", "0", "none"), REFUSED),
)
_AT_HOME: _Cases = (
    *_all((None, "n/a", "TBC"), None),
    *_all(("0", 0, "none", "No", "nil", "N", "zero", "no children", 0.0), 0),
    *_all(("1", 1, "one", "1 child", "1 birth child", "one birth child"), 1),
    *_all(("2", "two children", "2.0", "02"), 2),
    *_all(("yes", "Y", "2 (4 and 6)", "1 son", "-1", 21, 1.5, True, "some", "1 or 2", date(2024, 1, 2), "١"), REFUSED),
)
_ADOPTERS_NUMBER: _Cases = (
    *_all((None, "n/k"), None),
    *_all(("1", 1, "one", "single", "Single adopter", "sole"), 1),
    *_all(("2", 2, "two", "couple", "Married couple", "joint"), 2),
    *_all(("3", 0, "yes", "M", "single/couple", date(2026, 1, 2)), REFUSED),
)

# ── dates ──

_SEVENTH: Final = date(2024, 3, 7)
_DATE: _Cases = (
    *_all((None, *_NOT_KNOWN), None),
    *_all(("07/03/2024", "7/3/2024", "7/3/24", "07/03/24", "07.03.2024", "7.3.24", "07-03-2024", "7-3-24"), _SEVENTH),
    *_all(
        ("7 March 2024", "7th March 2024", "7th Mar 24", "7 Mar 2024", "7-Mar-24", "07-MAR-2024", "7 mar 24"), _SEVENTH
    ),
    *_all(("7th of March 2024", "7 march, 2024", "March 7, 2024", "March 7th 2024", "Thursday 7 March 2024"), _SEVENTH),
    *_all(("2024-03-07", "2024/03/07", "2024.03.07", "2024-3-7", "2024-03-07 00:00:00", "07/03/2024 00:00"), _SEVENTH),
    *_all(
        ("2024-03-07T00:00:00", "Thu 07/03/2024", "7 Mar '24", "7/ 3/ 2024", _SEVENTH, _MORNING),
        _SEVENTH,
    ),
    ("25/12/2023", date(2023, 12, 25)),
    ("29/02/2024", date(2024, 2, 29)),
    ("1 Sept 2020", date(2020, 9, 1)),
    ("31/12/99", date(1999, 12, 31)),
    ("01/01/69", date(2069, 1, 1)),
    ("01/01/70", date(1970, 1, 1)),
    *_all(
        ("31/02/2024", "29/02/2023", "00/01/2024", "32/01/2024", "03/25/2024", "13/13/2024", "31 June 2024"), REFUSED
    ),
    *_all(
        ("7 March", "March 2024", "Mar-24", "2024", "7/3", "03/2024", "7th", "March", "spring 2024", "Q1 2024"), REFUSED
    ),
    *_all((45358, "45358", 45358.5, 2024, 7, True, time(9), 0, -3, float("nan"), float("inf"), 20240307), REFUSED),
    *_all(("07/03/2024 14:30", "07.03-2024", "07/03/2024?", "c. 07/03/2024", "approx 7/3/24", "07/03/20244"), REFUSED),
    *_all(
        ("7/3/024", "07/03/1066", "07/03/9999", "2024-13-01", "7 Marhc 2024", "٠٧/٠٣/٢٠٢٤", "yes", "07032024"), REFUSED
    ),
    *_all(
        ("07/03/2024 & 08/03/2024", "07/03/2024; 01/04/2024", "tomorrow", "7 3 24", "7 Febtober 2024", "/", "//"),
        REFUSED,
    ),
)
_MONTH: _Cases = (
    *_all((None, "n/k", "-"), None),
    *_all(
        ("03/2021", "3/2021", "03-2021", "3.2021", "2021-03", "March 2021", "Mar 2021", "Mar-21", "Mar 21"),
        date(2021, 3, 1),
    ),
    *_all(
        ("Mar '21", "march 2021", date(2021, 3, 17), "17/03/2021", "17 March 2021", "17/3/21", "2021-03-17"),
        date(2021, 3, 1),
    ),
    ("Sept 2019", date(2019, 9, 1)),
    *_all(
        ("13/2021", "0/2021", "03/21", "2021", 2021, "21 March", "March", "03", 44256, "early 2021", True, "3/3"),
        REFUSED,
    ),
)

# ── yes and no ──

_YES: Final = ("Y", "y", "yes", "YES", "Yes.", "true", "TRUE", True, 1, 1.0, "1", "✓", "✔", "✔️", "☑", "✅", " yes ")
_NO: Final = ("N", "n", "no", "NO", "No.", "false", False, 0, 0.0, "0", "✗", "✘", "❌")
_MAYBE: Final = (
    "maybe",
    "Maybe",
    "possibly",
    "discuss",
    "would discuss",
    "would consider",
    "Would consider.",
    "perhaps",
)
_YES_NO: _Cases = (
    *_all(_YES, YesNo.YES),
    *_all(_NO, YesNo.NO),
    *_all((None, *_NOT_KNOWN, *_MAYBE), YesNo.UNKNOWN),
    *_all(("x", "X", "×", "☒", "☐", "yes?", "yes/no", "Y/N", "ja", "2", 2, -1, 0.5, "sometimes", "none"), REFUSED),
    *_all(
        ("yes but ask", "no longer", "see notes", date(2024, 1, 1), time(1), "not yes", "yn", "1.0", "nope", "ü"),
        REFUSED,
    ),
)
_PETS: _Cases = (
    *_all(
        ("yes", "Y", "dog", "1 dog", "2 dogs", "2 cats, 1 dog", "Dog and cat", "a dog & 2 cats", "Yes - 1 dog"),
        YesNo.YES,
    ),
    *_all(("no", "none", "None", "nil", "N", False), YesNo.NO),
    *_all((None, "n/k", "maybe", "?"), YesNo.UNKNOWN),
    *_all(
        ("no dogs", "allergic", "outside dog", "2", "dog (died)", "would like a dog", "no dog but cat", "lizard"),
        REFUSED,
    ),
)
_SMOKERS: _Cases = (
    *_all(("yes", "smoker", "Smokers", "Y"), YesNo.YES),
    *_all(("no", "non-smokers", "Non smoker", "non-smoking", "none", "smoke free"), YesNo.NO),
    *_all((None, "unknown"), YesNo.UNKNOWN),
    *_all(("vapes", "ex-smoker", "outside only", "one", "socially", "gave up 2020"), REFUSED),
)
_ANSWER: _Cases = (
    *_all(("can meet", "Can  meet", "yes", "Y", "✓", True, "TRUE", "accept"), Answer.CAN_MEET),
    *_all((*_MAYBE, "consider", "open to discussion", "to discuss", "case by case"), Answer.WOULD_DISCUSS),
    *_all(("cannot", "no", "N", False, "✗", "would not consider", "can't", "Can not"), Answer.CANNOT),
    *_all((None, *_NOT_KNOWN), Answer.UNKNOWN),
    *_all((1, 0, "1", "0", "x", "none", "low", "yes?", "prefer not", "yes, if supervised", "depends", 2.5), REFUSED),
)

# ── needs ──

_CAN, _TALK, _CANNOT, _UNSAID = Answer.CAN_MEET, Answer.WOULD_DISCUSS, Answer.CANNOT, Answer.UNKNOWN
_TOLERANCE: _Cases = (
    *_all((None, *_NOT_KNOWN), Tolerance()),
    # A plain yes is sure of the lowest level alone; above it the family is asked.
    *_all(
        ("yes", "Y", "✓", True, "can meet", "low", "mild", "up to low", "can meet low", "yes - mild"),
        Tolerance(_CAN, _UNSAID, _UNSAID),
    ),
    *_all(("no", "N", False, "cannot", "cannot low", "✗", "would not consider"), Tolerance(_CANNOT, _CANNOT, _CANNOT)),
    *_all(
        ("maybe", "discuss", "would consider", "would discuss high", "possibly", "would discuss"),
        Tolerance(_TALK, _TALK, _TALK),
    ),
    *_all(
        ("medium", "moderate", "up to medium", "Up to Moderate", "mild/moderate", "mild to moderate"),
        Tolerance(_CAN, _CAN, _UNSAID),
    ),
    *_all(
        ("can meet mild to moderate", "yes to moderate", "mild and moderate", "low or medium"),
        Tolerance(_CAN, _CAN, _UNSAID),
    ),
    *_all(
        ("high", "severe", "up to severe", "can meet high", "any", "all levels", "can meet any level"),
        Tolerance(_CAN, _CAN, _CAN),
    ),
    *_all(
        ("can meet low; would discuss medium", "can meet low, would discuss medium", "low; would discuss medium"),
        Tolerance(_CAN, _TALK, _UNSAID),
    ),
    *_all(
        ("yes; would discuss medium", "yes, maybe medium", "can meet mild; would consider moderate"),
        Tolerance(_CAN, _TALK, _UNSAID),
    ),
    *_all(
        ("can meet low; would discuss medium; cannot high", "yes to mild; maybe to moderate; no to severe"),
        Tolerance(_CAN, _TALK, _CANNOT),
    ),
    *_all(
        ("low: yes; medium: maybe; high: no", "low: can meet; medium: would discuss; high: cannot"),
        Tolerance(_CAN, _TALK, _CANNOT),
    ),
    *_all(
        ("low only", "mild only", "only low", "can meet low; cannot medium", "can meet low; cannot medium/high"),
        Tolerance(_CAN, _CANNOT, _CANNOT),
    ),
    *_all(("can meet low; cannot high", "yes; no to severe"), Tolerance(_CAN, _UNSAID, _CANNOT)),
    *_all(("cannot high", "no to severe"), Tolerance(_UNSAID, _UNSAID, _CANNOT)),
    *_all(("medium: can meet", "moderate - yes"), Tolerance(_UNSAID, _CAN, _UNSAID)),
    ("low: cannot; high: can meet", Tolerance(_CANNOT, _UNSAID, _CAN)),
    *_all(
        ("can meet high; cannot medium", "can meet low; cannot", "yes; no", "maybe; cannot high", "yes/no", "Y/N"),
        REFUSED,
    ),
    *_all(("some", "a bit", "none", "can meet none", "can meet severe-ish", "yes?", "x", 1, 0, "1", 3, 2.5), REFUSED),
    *_all(
        ("can meet low; can meet high", "low: yes; low: no", "low: yes; cannot", "low medium high", date(2024, 1, 1)),
        REFUSED,
    ),
    *_all(
        ("Has experience of this", "cannot say", "not severe", "mild FASD only", "can meet medium; would discuss low"),
        REFUSED,
    ),
)
_NEED_LEVEL: _Cases = (
    *_all(("none", "None", "no", "N", "nil", False, "✗", "no."), NeedLevel.NONE),
    *_all(("low", "Mild", "LOW", "low level", "low need"), NeedLevel.LOW),
    *_all(("medium", "moderate", "Med", "mod"), NeedLevel.MEDIUM),
    *_all(("high", "Severe", "high level"), NeedLevel.HIGH),
    # There is a need, and nobody says how much: that is asked, and is never none.
    *_all(("yes", "Y", True, "✓", "suspected", "possible", "diagnosed", "maybe", "confirmed"), NeedLevel.UNKNOWN),
    *_all((None, *_NOT_KNOWN, "none known"), NeedLevel.UNKNOWN),
    *_all(
        ("mild/moderate", "low-medium", "some", "significant", 0, 1, 3, "0", "x", "can meet low", "no concerns"),
        REFUSED,
    ),
    *_all(("extreme", "very high", "lowish", date(2024, 1, 1), 0.5, "high?", "n0", "under assessment"), REFUSED),
)

# ── other choices ──

_SEX: _Cases = (
    *_all(("F", "f", "female", "Female", "girl", "FEMALE."), Sex.FEMALE),
    *_all(("M", "male", "Boy"), Sex.MALE),
    *_all((None, *_NOT_KNOWN, "unborn"), Sex.UNKNOWN),
    *_all(("M/F", 1, 2, "1", "woman", "x", "boy/girl", True, "either", "mail"), REFUSED),
)
_SEX_APPROVED: _Cases = (
    *_all(
        ("any", "Either", "both", "M/F", "F/M", "m / f", "male or female", "Boy or girl", "no preference"),
        SexApproved.ANY,
    ),
    *_all(("boys and girls", "either sex", "M or F", "M & F", "girl/boy"), SexApproved.ANY),
    *_all(("female", "F", "girl", "girls", "girl only", "Girls only", "females"), SexApproved.FEMALE),
    *_all(("male", "M", "boy", "boys", "Boy only"), SexApproved.MALE),
    *_all((None, *_NOT_KNOWN), SexApproved.UNKNOWN),
    *_all(("prefer girl", "girl preferred", "1 girl 1 boy", "yes", 1, "MM", "boy first", "not boys"), REFUSED),
)
_LEGAL: _Cases = (
    *_all(
        ("PO", "po", "Placement order", "placement order granted", "PO granted", "order granted", "granted"),
        LegalPosition.ORDER_GRANTED,
    ),
    *_all(("consent", "s.19 consent", "S19", "section 19 consent", "s19 consent", "Section 19"), LegalPosition.CONSENT),
    *_all(
        ("PO applied for", "applied", "order applied", "application made", "PO application", "PO not granted"),
        LegalPosition.ORDER_APPLIED,
    ),
    *_all(("contested", "PO contested", "opposed"), LegalPosition.CONTESTED),
    *_all(("appeal", "appeal lodged", "under appeal", "leave to appeal"), LegalPosition.APPEAL),
    *_all((None, *_NOT_KNOWN), LegalPosition.UNKNOWN),
    *_all(
        ("ICO", "care order", "relinquished", "PO and appeal", "no", "yes", "hearing 7/3/24", "SHOBPA", 1, "S20"),
        REFUSED,
    ),
    *_all(
        ("awaiting PO", "final hearing", "PO refused", "revoked", date(2024, 3, 7), "not contested", "no appeal"),
        REFUSED,
    ),
)
_STATUS: _Cases = (
    *_all(("waiting", "Available", "active", "ACTIVE", "searching", "family finding"), "waiting"),
    *_all(("on hold", "On-hold", "hold", "paused", "not available", "temporarily unavailable"), "on_hold"),
    *_all(("matched", "Matched"), "matched"),
    *_all(("withdrawn", "Withdrew", "closed", "resigned"), "withdrawn"),
    (None, None),
    # Each of these may or may not be looking; a family is never offered on a guess.
    *_all((*_NOT_KNOWN, "approved", "linked", "placed", "inactive", "yes", "Y", True, 1, "stage 2"), REFUSED),
)
_SHARING: _Cases = (
    *_all(("in-house", "In house", "inhouse", "internal"), "in_house"),
    *_all(("consortium", "Shared", "pool"), "consortium"),
    *_all(("hold", "held", "do not share", "hold back"), "hold"),
    (None, None),
    *_all(("yes", "no", "TBC", "?", True, "national", "SWAC"), REFUSED),
)

# ── ethnicity ──

_ETHNICITY: _Cases = (
    *_all((None, *_NOT_KNOWN), None),
    *_all(
        ("WBRI", "wbri", "White British", "White - British", "white british.", "White (British)", "White: British"),
        "WBRI",
    ),
    *_all(("White English", "White Brtish", "WBRI - White British", "Whtie British"), "WBRI"),
    *_all(("White Welsh", "White Scottish"), "WBRI"),
    *_all(("White - Irish", "White Irish", "Irish", "WIRI"), "WIRI"),
    *_all(("White other", "Any other White background", "White European", "Other white"), "WOTH"),
    *_all(("Traveller of Irish heritage", "Irish Traveller", "WIRT"), "WIRT"),
    *_all(("Gypsy/Roma", "Gypsy / Roma", "Gypsy or Roma", "Roma", "Gypsy", "Gypsy & Roma", "Romany"), "WROM"),
    *_all(("Mixed White and Black Caribbean", "White and Black Caribbean", "White & Black Caribbean"), "MWBC"),
    *_all(("White/Black Caribbean", "Mixed - White and Black Caribbean", "mixed: white & black carribean"), "MWBC"),
    *_all(("White and Black African", "Mixed White/Black African", "MWBA"), "MWBA"),
    *_all(
        (
            "White and Asian",
            "Mixed White and Asian",
            "White & Asian",
            "Dual heritage White and Asian",
            "White and Asain",
        ),
        "MWAS",
    ),
    *_all(("Any other mixed background", "Mixed other", "Other mixed", "Mixed - any other mixed background"), "MOTH"),
    *_all(("Indian", "Asian Indian", "Asian or Asian British - Indian", "British Indian"), "AIND"),
    *_all(("Pakistani", "British Pakistani", "Asian - Pakistani"), "APKN"),
    *_all(("Bangladeshi", "Asian Bangladeshi", "British Bangladeshi"), "ABAN"),
    *_all(("any other Asian background", "Asian other", "Other Asian"), "AOTH"),
    *_all(("Black Caribbean", "Caribbean", "Black or Black British - Caribbean", "Black Carribean", "BCRB"), "BCRB"),
    *_all(("Black African", "Black - African", "African", "Black British African", "Black Afircan"), "BAFR"),
    *_all(("Any other Black background", "Black other", "Other Black"), "BOTH"),
    *_all(("Chinese", "Chinse", "CHNE"), "CHNE"),
    *_all(("Any other ethnic group", "Arab", "Other ethnic group"), "OOTH"),
    *_all(("Refused", "Prefer not to say", "REFU"), "REFU"),
    *_all(("Information not yet obtained", "not obtained", "NOBT"), "NOBT"),
    *_all(
        ("British", "English", "Black", "Asian", "White", "mixed", "Mixed heritage", "Mixed race", "Black British"),
        REFUSED,
    ),
    *_all(
        ("WBRIX", "W1", 1, "Black American", "Iranian", "Iraqi", "Polish", "African Caribbean", "other", "Other"),
        REFUSED,
    ),
    *_all(
        (
            "WBRI; MWBC",
            "White British/White Irish",
            "WBRI - White Irish",
            "White, Black Caribbean, ?",
            True,
            date(2024, 1, 1),
        ),
        REFUSED,
    ),
    *_all(("Gypsy or Irish Traveller", "Roman", "Jewish", "White and", "and Asian", "/"), REFUSED),
)
_ETHNICITIES: _Cases = (
    *_all((None, "n/k", ";"), frozenset()),
    *_all(
        ("WBRI; MWBC", "WBRI, MWBC", "wbri/mwbc", "WBRI & MWBC", "WBRI and MWBC", "WBRI\nMWBC"),
        frozenset({"WBRI", "MWBC"}),
    ),
    *_all(
        ("White British; White and Black Caribbean", "White British, Mixed White and Black Caribbean"),
        frozenset({"WBRI", "MWBC"}),
    ),
    *_all(
        ("White British / White and Black Caribbean", "White British & White & Black Caribbean"),
        frozenset({"WBRI", "MWBC"}),
    ),
    *_all(("White and Asian", "White & Asian", "White and Asian; MWAS"), frozenset({"MWAS"})),
    *_all(("White British and White and Asian", "White and Asian and White British"), frozenset({"WBRI", "MWAS"})),
    *_all(("White British & Black African", "Black African / White British"), frozenset({"WBRI", "BAFR"})),
    *_all(("Both White British", "White British & White British", "WBRI/WBRI"), frozenset({"WBRI"})),
    ("BOTH", frozenset({"BOTH"})),
    ("White Irish, Indian and Chinese", frozenset({"WIRI", "AIND", "CHNE"})),
    ("Gypsy/Roma, White British", frozenset({"WROM", "WBRI"})),
    *_all(
        ("White British and Polish", "White/Asian/British", "WBRI; ZZZZ", "White British, other", "Black and Asian"),
        REFUSED,
    ),
)

# ── places ──

_POSTCODE: _Cases = (
    *_all((None, *_NOT_KNOWN), None),
    *_all(("EX4 4QJ", "ex44qj", " EX4  4QJ", "EX4-4QJ", "Ex4 4qj"), "EX4 4QJ"),
    *_all(("EX4", "ex4", "Ex4"), "EX4"),
    *_all(("PO4 8AA", "P04 8AA", "po48aa"), "PO4 8AA"),
    *_all(("BS10 5AA", "BS1O 5AA"), "BS10 5AA"),
    *_all(("EX4 OQJ", "EX4 0QJ", "ex4oqj"), "EX4 0QJ"),
    *_all(
        ("Exeter", "ZZ9 9ZZ", "BT1 1AA", "EX4 4Q", 44, "EX4;PL4", "EX4 or PL4", "JE2 3AB", "near EX4", "E", True),
        REFUSED,
    ),
    *_all(("EX44QJEX44QJ", "EX4 4QJ, PL4 8AA", "GIR 0AA", "00000", "O0O 0OO", 4.5, date(2024, 3, 4)), REFUSED),
)
_OUTWARD: _Cases = (
    *_all(("EX4 4QJ", "EX4", "ex4 oqj"), "EX4"),
    *_all((None, "n/k"), None),
    *_all(("Plymouth", "PL", "EX4/PL4"), REFUSED),
)
_AREAS: _Cases = (
    *_all((None, "none", "None", "n/a", "-", "no", "nil", "none known"), ()),
    *_all(
        ("PL4 10", "PL4 10 miles", "pl4 10mi", "PL4 (10 miles)", "PL4 - 10 miles", "PL4: 10 miles", "PL4, 10 miles"),
        (("PL4", 10),),
    ),
    *_all(
        ("not within 10 miles of PL4", "10 miles of PL4", "Within 10 miles of PL4", "10 miles from PL4"), (("PL4", 10),)
    ),
    *_all(
        ("PL4 10 mile radius", "10 mile radius of PL4", "not in a 10 mile radius of PL4", "PL4 8AA 10"), (("PL4", 10),)
    ),
    *_all(
        ("pl4 10; EX1 5", "EX1 5, PL4 10", "PL4 10\nEX1 5", "10 miles of PL4 and 5 of EX1"), (("EX1", 5), ("PL4", 10))
    ),
    *_all(("10 miles of EX1 and 5 of PL4", "EX1 10 & PL4 5", "EX1 10 and PL4 5"), (("EX1", 10), ("PL4", 5))),
    *_all(("unknown", "TBC", "?", "n/k"), REFUSED),
    *_all(
        ("PL4", "PL4 10 km", "PL4 7", "10", "PL4 10; PL4 20", "Plymouth 10", "PL4, EX1 10", "PL4 and EX1 10 miles"),
        REFUSED,
    ),
    *_all(("Devon", "10 miles", "yes", 10, "PL4 10m", "not PL4", "ZZ9 10", "PL4 10 10", "PL4 -10 EX1", True), REFUSED),
)

# ── text and names ──

_TEXT: _Cases = (
    *_all((None, "n/a", "-", "TBC", "?", "Unknown", "not known"), None),
    *_all(("n", "N", "No", "NK", "Na", "None", "Y", "x", "True"), "as typed"),
    ("a  b\nc", "a b c"),
    (147, "147"),
    *_all((1.5, True, date(2024, 3, 4), time(1, 2), "x" * 201, "a\x07b", "a\x00", "\ufffe"), REFUSED),
    *_all(("#N/A", "#REF!", "#VALUE!"), REFUSED),
)
_REFERENCE: _Cases = (
    *_all(("ADP-0147", "147/A", "Sampleson/1", "N"), "as typed"),
    (147, "147"),
    (None, None),
    *_all(("n/a", "TBC", "-", "?", "unknown", "x" * 65, 1.5, True, date(2024, 3, 4)), REFUSED),
)
_TELEPHONE: _Cases = (
    *_all((None, "n/k", "-"), None),
    *_all(("01632 960001", "+44 (0)1632 960-001", "(01632) 960001", "07700900123", "0044 1632 960001"), "as typed"),
    *_all((1632960001, 1632960001.0, "1632960001", "7700 900123", "1632 960001"), REFUSED),
    *_all(("home", "01632", "01632 960001 / 01632 960002", "ring evenings", True, "01632 960001 ext 4"), REFUSED),
)
_EMAIL: _Cases = (
    *_all((None, "n/a"), None),
    *_all(("a.person@example.org", "A.Person@Example.org"), "as typed"),
    *_all(("a", "a@b", "a@b.uk, c@d.uk", "a b@c.uk", "@b.uk", "<a@b.uk>", "none", 4, "a@example.org;"), REFUSED),
)
_WORDS: _Cases = (
    *_all((None, "n/k", "-", "?"), frozenset()),
    *_all(
        (
            "English; Polish",
            "ENGLISH, polish",
            "English/Polish",
            "English & Polish",
            "English and Polish",
            "english\nPOLISH",
        ),
        frozenset({"English", "Polish"}),
    ),
    *_all(("C of E", "C. of E.", "Church of England", "church  OF england", "CofE"), frozenset({"Church of England"})),
    *_all(("BSL", "British Sign Language"), frozenset({"British Sign Language"})),
    ("RC", frozenset({"Roman Catholic"})),
    ("None", frozenset({"None"})),
    ("Welsh;; welsh;", frozenset({"Welsh"})),
    *_all(("1", "English; <b>", "English 2", 5, True, "@", date(2024, 1, 1)), REFUSED),
)


def _two(first: str | None, second: str | None) -> dict[str, str | None]:
    return {"adopter_1_name": first, "adopter_2_name": second}


_ADOPTERS: _Cases = (
    *_all((None, "n/a", "TBC"), _two(None, None)),
    *_all(("Testine Sampleson", "Sampleson, Testine", " Testine  Sampleson "), _two("Testine Sampleson", None)),
    *_all(
        ("Testine & Mockford Sampleson", "Testine and Mockford Sampleson", "Testine + Mockford Sampleson"),
        _two("Testine Sampleson", "Mockford Sampleson"),
    ),
    *_all(
        ("Testine Sampleson & Mockford Sampleson", "Testine Sampleson / Mockford Sampleson"),
        _two("Testine Sampleson", "Mockford Sampleson"),
    ),
    *_all(
        ("Sampleson, Testine; Sampleson, Mockford", "Sampleson, Testine & Sampleson, Mockford"),
        _two("Testine Sampleson", "Mockford Sampleson"),
    ),
    *_all(
        ("Sampleson, Testine & Mockford", "Testine Sampleson; Mockford Sampleson"),
        _two("Testine Sampleson", "Mockford Sampleson"),
    ),
    ("Testine Sampleson, Mockford Specimen", _two("Testine Sampleson", "Mockford Specimen")),
    ("Ms T Sampleson and Mr M Specimen", _two("Ms T Sampleson", "Mr M Specimen")),
    ("Mr & Mrs Sampleson", _two("Mr Sampleson", "Mrs Sampleson")),
    ("Mr and Mrs T Sampleson", _two("Mr Sampleson", "Mrs T Sampleson")),
    ("Mr T & Mrs M Sampleson", _two("Mr T Sampleson", "Mrs M Sampleson")),
    ("T & M Sampleson", _two("T Sampleson", "M Sampleson")),
    ("Testine & Mockford", _two("Testine", "Mockford")),
    # The second name may have two surnames, so that the first is left as it was typed.
    ("Testine & Mockford James Sampleson", _two("Testine", "Mockford James Sampleson")),
    ("Testine Sampleson & Mockford", _two("Testine Sampleson", "Mockford")),
    ("N", _two("N", None)),
    ("Sandy Anderson", _two("Sandy Anderson", None)),
    *_all(
        ("Testine, Mockford Sampleson", "Sampleson, Testine, Mockford", "Ann & Bea & Cat Sample", "A; B; C"), REFUSED
    ),
    *_all((True, date(2024, 1, 1), "&", "x" * 201, "Testine,"), REFUSED),
)


def _child(forename: str | None, surname: str | None) -> dict[str, str | None]:
    return {"forename": forename, "surname": surname}


_CHILD_NAME: _Cases = (
    *_all((None, "n/a"), _child(None, None)),
    *_all(("Fictia Specimen", "Specimen, Fictia"), _child("Fictia", "Specimen")),
    ("Fictia", _child("Fictia", None)),
    ("Specimen, Fictia Ann", _child("Fictia Ann", "Specimen")),
    ("Specimen Example, Fictia", _child("Fictia", "Specimen Example")),
    *_all(
        ("Fictia Ann Specimen", "Fictia & Otter Specimen", "Fictia; Otter", "A, B, C", True, "Fictia/Otter"),
        REFUSED,
    ),
)
_HOUSEHOLD_CODE: _Cases = (
    *_all((None, "n/k"), None),
    *_all(("G-7K2M4P", "ADP-1", 5, "foster carers", True), REFUSED),
)

_KINDS: Final[dict[str, _Cases]] = {
    "age_range_cell": _AGE_RANGE,
    "youngest_age_cell": _YOUNGEST,
    "oldest_age_cell": _OLDEST,
    "number_of_children_cell": _CHILDREN,
    "most_children_cell": _MOST,
    "fewest_children_cell": _FEWEST,
    "children_at_home": _AT_HOME,
    "number_of_adopters_cell": _ADOPTERS_NUMBER,
    "date_cell": _DATE,
    "month_cell": _MONTH,
    "yes_no_cell": _YES_NO,
    "pets_cell": _PETS,
    "smokers_cell": _SMOKERS,
    "answer_cell": _ANSWER,
    "tolerance_cell": _TOLERANCE,
    "need_level_cell": _NEED_LEVEL,
    "sex_cell": _SEX,
    "sex_approved_cell": _SEX_APPROVED,
    "legal_position_cell": _LEGAL,
    "status_cell": _STATUS,
    "sharing_cell": _SHARING,
    "ethnic_code_cell": _ETHNICITY,
    "ethnic_codes_cell": _ETHNICITIES,
    "postcode_cell": _POSTCODE,
    "outward_code_cell": _OUTWARD,
    "exclusion_areas_cell": _AREAS,
    "name_cell": _TEXT,
    "reference_cell": _REFERENCE,
    "telephone_cell": _TELEPHONE,
    "email_cell": _EMAIL,
    "words_cell": _WORDS,
    "adopters_cell": _ADOPTERS,
    "child_name_cell": _CHILD_NAME,
    "household_code_cell": _HOUSEHOLD_CODE,
}
