"""Cells of needs: how much of one a child has, and what a household says of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from matching.intake.cell.choice import ANSWERS, MAYBE, NO, YES, choice_cell
from matching.intake.cell.problem import CellProblem, quoted
from matching.intake.cell.text import checked_text
from matching.intake.cell.word import is_not_known, listed, word
from matching.intake.sheet import CellValue
from matching.need import Answer, NeedLevel, Tolerance

_LEVELS: Final = ("low", "medium", "high")
_LEVEL_WORDS: Final = {
    **dict.fromkeys(("low", "mild"), "low"),
    **dict.fromkeys(("medium", "moderate", "med", "mod"), "medium"),
    **dict.fromkeys(("high", "severe"), "high"),
}
_LEVEL: Final = "|".join(_LEVEL_WORDS)
_EXPECTED: Final = "expected such as can meet low; would discuss medium; cannot high"

# ── a child's ──

# “Yes” says that there is a need and not how much of it. That is unknown: it asks, and is never none.
_SOME: Final = (
    *YES,
    *MAYBE,
    "present",
    "diagnosed",
    "confirmed",
    "suspected",
    "query",
    "none known",
    "not known to us",
)
_level_in: Final = choice_cell(
    {level.value: level for level in NeedLevel},
    blank=NeedLevel.UNKNOWN,
    others={
        **dict.fromkeys(_SOME, NeedLevel.UNKNOWN),
        **dict.fromkeys((*NO, "nil"), NeedLevel.NONE),
        **{said: NeedLevel(level) for said, level in _LEVEL_WORDS.items()},
        **{f"{said} {noun}": NeedLevel(level) for said, level in _LEVEL_WORDS.items() for noun in ("level", "need")},
    },
    may_be_unknown=True,
)


def need_level_cell(value: CellValue) -> NeedLevel:
    """Return how much of a need a child has; “no” is none, and “yes” leaves the level unknown."""
    return _level_in(("yes" if value else "no") if isinstance(value, bool) else value)


# ── a household's ──

_ANSWER: Final = "|".join(sorted(map(re.escape, ANSWERS), key=len, reverse=True))
_ANSWERED: Final = re.compile(
    rf"({_ANSWER})(?: (?:to|for|at|up to|with|from))? ({_LEVEL}|any level|all levels)(?: (?:needs?|levels?))?"
)
_BY_LEVEL: Final = re.compile(rf"({_LEVEL}) ?[:= ] ?({_ANSWER})")
_LEVEL_ONLY: Final = re.compile(rf"(?:up to (?:and including )?)?({_LEVEL})(?: (?:needs?|levels?))?")
_ONLY: Final = re.compile(rf"(?:(?:{'|'.join(YES[:2])}) )?(?:only ({_LEVEL})|({_LEVEL}) only)")
_SPAN: Final = re.compile(rf"\b({_LEVEL}) ?(?:/| to | and | or |&) ?({_LEVEL})\b(?! ?[:=])")
_PARTS: Final = re.compile(r"[;\n,/]")
_ANY_LEVEL: Final = frozenset({"any", "any level", "all", "all levels", "yes all", "yes any level"})

_Said = tuple[Answer, str]


def tolerance_cell(value: CellValue) -> Tolerance:
    """Return a household's answers to one need, from such as “can meet low; would discuss medium; cannot high”.

    “can meet” and “would discuss” hold up to their level, “cannot” from its level up, “cannot” alone at every level. A
    plain “yes” is can meet low, and leaves what lies above unknown; a plain “maybe” is would discuss at every level; a
    level alone is can meet up to it. “low: can meet; medium: cannot” says each level by itself.
    Levels that no part covers are unknown. Parts that say two things of one level are refused.
    """
    if value is None or is_not_known(value):
        return Tolerance()
    if isinstance(value, bool):
        value = "yes" if value else "no"
    parts = _parts(checked_text(value, 2_000))
    by_level = [match for match in map(_BY_LEVEL.fullmatch, parts) if match is not None]
    if by_level:
        return _level_by_level(by_level, parts)
    said = [each for part in parts for each in _said(part)]
    if len({answer for answer, _ in said}) < len(said):
        raise CellProblem(f"an answer is given twice; {_EXPECTED}, each once")
    return _spread(dict(said))


def _parts(text: str) -> tuple[str, ...]:
    whole = _SPAN.sub(lambda match: f"{match[1]}~{match[2]}", _word_with_marks(text))
    return tuple(filter(None, (_one_level(word(part)) for part in listed(whole, separators=_PARTS))))


def _word_with_marks(text: str) -> str:
    return "\n".join(" ".join(line.casefold().split()) for line in text.split("\n"))


def _one_level(part: str) -> str:
    """Return a part whose span of levels, such as mild/moderate, is the one level that its answer is counted from."""
    refusing = any(part.startswith(f"{answer} ") for answer, meaning in ANSWERS.items() if meaning is Answer.CANNOT)

    def ends(match: re.Match[str]) -> str:
        return (min if refusing else max)(match.groups(), key=lambda level: _LEVELS.index(_LEVEL_WORDS[level]))

    return re.sub(rf"\b({_LEVEL})~({_LEVEL})\b", ends, part)


def _said(part: str) -> Iterable[_Said]:
    match = _ANSWERED.fullmatch(part)
    if match is not None:
        answer = ANSWERS[match[1]]
        return [(answer, _LEVEL_WORDS.get(match[2]) or ("low" if answer is Answer.CANNOT else "high"))]
    match = _ONLY.fullmatch(part)
    if match is not None:
        return _only(_LEVEL_WORDS[match[1] or match[2]])
    match = _LEVEL_ONLY.fullmatch(part)
    if match is not None:
        return [(Answer.CAN_MEET, _LEVEL_WORDS[match[1]])]
    if part in _ANY_LEVEL:
        return [(Answer.CAN_MEET, "high")]
    if part not in ANSWERS:
        raise CellProblem(f"{quoted(part)} is not understood; {_EXPECTED}")
    # Alone, “yes” is only sure of the lowest level; “maybe” and “no” speak of all.
    return [(ANSWERS[part], "high" if ANSWERS[part] is Answer.WOULD_DISCUSS else "low")]


def _only(level: str) -> Iterable[_Said]:
    above = _LEVELS[_LEVELS.index(level) + 1 :]
    return [(Answer.CAN_MEET, level), *((Answer.CANNOT, each) for each in above[:1])]


def _spread(said: Mapping[Answer, str]) -> Tolerance:
    reach = {answer: _levels_of(answer, level) for answer, level in said.items()}
    discussed = reach.get(Answer.WOULD_DISCUSS, set()) - reach.get(Answer.CAN_MEET, set())
    if Answer.WOULD_DISCUSS in reach and not discussed:
        raise CellProblem(f"“would discuss” says nothing that “can meet” has not said; {_EXPECTED}")
    positive = reach.get(Answer.CAN_MEET, set()) | discussed
    if positive & reach.get(Answer.CANNOT, set()):
        raise CellProblem(f"“cannot” contradicts what is said of the same level; {_EXPECTED}")
    return Tolerance(**{level: _answer_at(level, reach) for level in _LEVELS})


def _level_by_level(matches: list[re.Match[str]], parts: tuple[str, ...]) -> Tolerance:
    levels = [_LEVEL_WORDS[match[1]] for match in matches]
    if len(matches) < len(parts) or len(set(levels)) < len(levels):
        raise CellProblem("expected each level once, as in low: can meet; medium: would discuss; high: cannot")
    return Tolerance(**{level: ANSWERS[match[2]] for level, match in zip(levels, matches, strict=True)})


def _levels_of(answer: Answer, level: str) -> set[str]:
    position = _LEVELS.index(level)
    return set(_LEVELS[position:] if answer is Answer.CANNOT else _LEVELS[: position + 1])


def _answer_at(level: str, reach: Mapping[Answer, set[str]]) -> Answer:
    for answer in (Answer.CAN_MEET, Answer.WOULD_DISCUSS, Answer.CANNOT):
        if level in reach.get(answer, set()):
            return answer
    return Answer.UNKNOWN
