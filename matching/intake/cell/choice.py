"""Cells that say one of a few things."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from matching.intake.cell.problem import CellProblem, either
from matching.intake.cell.word import is_not_known, word
from matching.intake.sheet import CellValue
from matching.need import Answer, YesNo
from matching.ranking.facts import LegalPosition, Sex, SexApproved

Choice = TypeVar("Choice")

YES: Final = ("yes", "y", "true", "✓", "✔", "✅", "☑", "yes please")
NO: Final = ("no", "n", "false", "✗", "✘", "❌")
MAYBE: Final = (
    *("maybe", "may be", "possibly", "perhaps", "possible", "discuss", "to discuss", "would discuss", "will discuss"),
    *("consider", "would consider", "will consider", "to consider", "could consider", "may consider", "might consider"),
    *("for discussion", "open to discussion", "case by case", "would need to discuss", "happy to discuss"),
)


def choice_cell(
    choices: Mapping[str, Choice],
    *,
    blank: Choice,
    others: Mapping[str, Choice] | None = None,
    may_be_unknown: bool = False,
) -> Callable[[CellValue], Choice]:
    """Return a parser of one of the words given, in any case; ``blank`` is what an empty cell means.

    ``others`` are further words that are taken and not advertised. Words for “not known” are taken for a blank only
    when it ``may_be_unknown``.
    """
    expected = f"expected {either(tuple(choices))}"
    known = {word(said): choice for said, choice in {**(others or {}), **choices}.items()}

    def parse(value: CellValue) -> Choice:
        if value is None or (may_be_unknown and is_not_known(value)):
            return blank
        if not isinstance(value, str) or word(value) not in known:
            raise CellProblem(expected)
        return known[word(value)]

    return parse


def _all(words: Iterable[str], choice: Choice) -> dict[str, Choice]:
    return dict.fromkeys(words, choice)


# ── yes or no ──

_YES_NO: Final = {
    **_all(YES, YesNo.YES),
    **_all(NO, YesNo.NO),
    # A fact cannot be “maybe”. It is not known then, and every use of one that is not known asks.
    **_all(MAYBE, YesNo.UNKNOWN),
    "1": YesNo.YES,
    "0": YesNo.NO,
}
_yes_no_in: Final = choice_cell(
    {"yes": YesNo.YES, "no": YesNo.NO}, blank=YesNo.UNKNOWN, others=_YES_NO, may_be_unknown=True
)
_any_in: Final = choice_cell(
    {"yes": YesNo.YES, "no": YesNo.NO},
    blank=YesNo.UNKNOWN,
    others={**_YES_NO, "none": YesNo.NO, "nil": YesNo.NO},
    may_be_unknown=True,
)


def yes_no_cell(value: CellValue) -> YesNo:
    """Return yes or no; a blank cell, a “maybe” and words for “not known” are unknown. 1 is yes and 0 no."""
    return _yes_no_in(_mark(value))


def any_cell(value: CellValue) -> YesNo:
    """Return whether there is any: as yes or no, where “none” is no."""
    return _any_in(_mark(value))


def _mark(value: CellValue) -> CellValue:
    """Return true, false, 1 and 0 as words."""
    return ("yes" if value else "no") if isinstance(value, bool | int | float) and value in (0, 1) else value


_ANIMAL: Final = (
    r"(?:(?:[1-9][0-9]?|a|an|one|two|three|four) )?"
    r"(?:dogs?|cats?|rabbits?|hamsters?|guinea pigs?|fish|horses?|ponies|pony|hens|chickens)"
)
_ANIMALS: Final = re.compile(rf"(?:yes[ ,:(-]*)?{_ANIMAL}(?:(?:,| and|,? &|/) ?{_ANIMAL})*\)?")
_SMOKING: Final = {
    **_all(("non smoker", "non smokers", "non smoking", "nonsmoker", "nonsmokers", "smoke free", "do not smoke"), "no"),
    **_all(("smoker", "smokers", "smoking"), "yes"),
}


def pets_cell(value: CellValue) -> YesNo:
    """Return whether there are pets: yes, no, or the animals themselves, such as “2 dogs and a cat”."""
    animals = isinstance(value, str) and _ANIMALS.fullmatch(" ".join(value.casefold().split()))
    return YesNo.YES if animals else any_cell(value)


def smokers_cell(value: CellValue) -> YesNo:
    """Return whether anybody smokes: yes, no, “smoker” or “non-smokers”."""
    return any_cell(_SMOKING.get(word(value), value) if isinstance(value, str) else value)


# ── what a household answers ──

ANSWERS: Final[dict[str, Answer]] = {
    **_all((*YES, "can meet", "accept", "would accept", "yes would accept"), Answer.CAN_MEET),
    **_all(MAYBE, Answer.WOULD_DISCUSS),
    **_all((*NO, "cannot", "can not", "can't", "would not consider", "not considered", "unable"), Answer.CANNOT),
}
_answer_in: Final = choice_cell(
    {"can meet": Answer.CAN_MEET, "would discuss": Answer.WOULD_DISCUSS, "cannot": Answer.CANNOT},
    blank=Answer.UNKNOWN,
    others=ANSWERS,
    may_be_unknown=True,
)


def answer_cell(value: CellValue) -> Answer:
    """Return can meet, would discuss or cannot, from these words or from yes, maybe and no."""
    return _answer_in(("yes" if value else "no") if isinstance(value, bool) else value)


# ── other choices ──

sex_cell: Final = choice_cell(
    {"female": Sex.FEMALE, "male": Sex.MALE},
    blank=Sex.UNKNOWN,
    others={**_all(("f", "girl"), Sex.FEMALE), **_all(("m", "boy"), Sex.MALE), "unborn": Sex.UNKNOWN},
    may_be_unknown=True,
)
_GIRLS: Final = ("f", "girl", "girls", "girl only", "girls only", "female only", "females", "a girl", "females only")
_BOYS: Final = ("m", "boy", "boys", "boy only", "boys only", "male only", "males", "a boy", "males only")
_ANY_SEX: Final = (
    *("either", "both", "m/f", "f/m", "mf", "fm", "m or f", "f or m", "male or female", "female or male"),
    *("male/female", "female/male", "boy or girl", "girl or boy", "boy/girl", "girl/boy", "boys or girls"),
    *("boys and girls", "boys/girls", "girls/boys", "no preference", "either sex", "any sex", "either gender"),
    *("any gender", "m & f", "male & female", "male and female", "girls or boys", "girls and boys"),
)
sex_approved_cell: Final = choice_cell(
    {"any": SexApproved.ANY, "female": SexApproved.FEMALE, "male": SexApproved.MALE},
    blank=SexApproved.UNKNOWN,
    others={
        **_all(_ANY_SEX, SexApproved.ANY),
        **_all(_GIRLS, SexApproved.FEMALE),
        **_all(_BOYS, SexApproved.MALE),
    },
    may_be_unknown=True,
)
_CONSENT: Final = ("s19", "s 19", "s19 consent", "s 19 consent", "section 19", "section 19 consent", "consented")
_GRANTED: Final = (
    *("po", "placement order", "po granted", "placement order granted", "granted", "po made", "order made", "full po"),
    *("placement order made", "e1", "yes po", "po in place", "placement order in place"),
)
_APPLIED: Final = (
    *("po applied", "po applied for", "applied", "applied for", "placement order applied for", "po application"),
    *("placement order application", "application made", "po application made", "order applied for", "po pending"),
    *("placement order pending", "order not granted", "po not granted", "po not yet granted", "awaiting hearing"),
)
_CONTESTED: Final = ("po contested", "placement order contested", "order contested", "contested po", "opposed")
_APPEAL: Final = (
    *("appeal lodged", "under appeal", "appealed", "po appealed", "po under appeal", "leave to appeal"),
    *("order under appeal", "parents appealing", "on appeal", "appeal pending"),
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
    others={
        **_all(_CONSENT, LegalPosition.CONSENT),
        **_all(_GRANTED, LegalPosition.ORDER_GRANTED),
        **_all(_APPLIED, LegalPosition.ORDER_APPLIED),
        **_all(_CONTESTED, LegalPosition.CONTESTED),
        **_all(_APPEAL, LegalPosition.APPEAL),
    },
    may_be_unknown=True,
)
# “Approved” and “inactive” are not here: each may or may not be looking for a match.
_WAITING: Final = ("available", "active", "searching", "family finding", "approved and waiting", "seeking a match")
_ON_HOLD: Final = ("hold", "paused", "unavailable", "temporarily unavailable", "not available", "on pause", "on break")
_WITHDRAWN: Final = ("withdrew", "withdrawn from process", "closed", "resigned")
_status: Final[dict[str, str | None]] = {
    "waiting": "waiting",
    "on hold": "on_hold",
    "matched": "matched",
    "withdrawn": "withdrawn",
}
status_cell: Final[Callable[[CellValue], str | None]] = choice_cell(
    _status,
    blank=None,
    others={**_all(_WAITING, "waiting"), **_all(_ON_HOLD, "on_hold"), **_all(_WITHDRAWN, "withdrawn")},
)
_HELD: Final = ("held", "hold back", "held back", "do not share", "not to be shared", "withhold", "withheld")
_sharing: Final[dict[str, str | None]] = {"in-house": "in_house", "consortium": "consortium", "hold": "hold"}
sharing_cell: Final[Callable[[CellValue], str | None]] = choice_cell(
    _sharing,
    blank=None,
    others={
        **_all(("inhouse", "in house only", "internal", "own agency", "own agency only"), "in_house"),
        **_all(("shared", "pool", "pooled", "shared with consortium", "consortium wide"), "consortium"),
        **_all(_HELD, "hold"),
    },
)
