"""What the papers of privacy need and only people can say."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from matching.papers.risk import RISK_LEFT, risks
from tenants.error import NotFound


class Whose(StrEnum):
    """Who answers a question, and of whom."""

    AGENCY = "agency"
    CONSORTIUM = "consortium"


class Form(StrEnum):
    """How a question is answered."""

    LINE = "line"
    WORDS = "words"
    DAY = "day"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Question:
    """One question: ``shared`` when the other members’ papers name the answer too."""

    code: str
    title: str
    hint: str
    whose: Whose
    shared: bool
    form: Form
    options: tuple[str, ...] = ()


class QuestionUnknown(NotFound):
    """No paper asks that of this agency."""


@cache
def questions() -> dict[str, Question]:
    """Return every question by its code, in the order in which pages ask them."""
    said = tomllib.loads(files("matching.papers").joinpath("questions.toml").read_text(encoding="utf-8"))
    asked = {code: _question(code, each) for code, each in said.items()}
    return asked | {risk.question: _of_risk(risk.question, risk.title) for risk in risks()}


def _question(code: str, said: dict[str, Any]) -> Question:
    return Question(
        code=code,
        title=said["title"],
        hint=said["hint"],
        whose=Whose(said["whose"]),
        shared=said["shared"],
        form=Form(said["form"]),
        options=tuple(said.get("options", ())),
    )


def _of_risk(code: str, title: str) -> Question:
    return Question(
        code=code,
        title=f"Risk left: {title[0].lower()}{title[1:]}",
        hint="With the measures that the assessment names, and your own.",
        whose=Whose.AGENCY,
        shared=False,
        form=Form.CHOICE,
        options=RISK_LEFT,
    )
