"""The filters of a list: read from the address, shown as a panel, and told as what is in use.

They are kept in the address, so that a list can be kept as a bookmark; it holds choices, pool codes and words that some
profile holds, and those name nobody. Whatever an address holds that answers no question of the panel is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from matching.need import need_catalogue
from matching.words import Sought
from tenants.agency import Agency, AgencyKind

_MANY = 9
"""From how many choices on a question is given the panel's whole width."""
UNSAID = "unsaid"
NEW_CHOICES = (("7", "the last week"), ("28", "the last 4 weeks"), ("91", "the last 3 months"))


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a filter asks: several answers of the options, given as value and words, or one.

    A ``detail`` says more about the answer to another question of its filter, and asks nothing by itself.
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    several: bool = True
    detail: bool = False

    def read(self, args: MultiDict[str, str]) -> tuple[str, ...]:
        """Return the valid answers that an address gives, in the options' order."""
        given = set(args.getlist(self.name))
        found = tuple(value for value, _ in self.options if value in given)
        return found if self.several else found[:1]


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of a panel: its questions, and the words of the tick that takes in those who have not said."""

    name: str
    legend: str
    questions: tuple[Question, ...]
    unsaid: str | None = None
    hint: str | None = None

    @property
    def wide(self) -> bool:
        """Say whether the filter needs the panel's whole width."""
        return any(question.several and len(question.options) >= _MANY for question in self.questions)


@dataclass(frozen=True, slots=True)
class InUse:
    """One answer that narrows the list, in words, and the address of the list without it."""

    words: str
    href: str


@dataclass(frozen=True, slots=True)
class Panel:
    """The filters of one list as one person sees them, with what the address answers."""

    endpoint: str
    filters: tuple[Filter, ...]
    answers: Mapping[str, tuple[str, ...]]
    whose: str
    sort: str
    sought: Sought | None = None
    """What the list is searched for."""

    def all(self, name: str) -> tuple[str, ...]:
        """Return every answer to a question."""
        return self.answers.get(name, ())

    def one(self, name: str) -> str | None:
        """Return the answer to a question that has one."""
        return next(iter(self.all(name)), None)

    def number(self, name: str) -> int | None:
        """Return the answer to a question whose options are numbers."""
        answer = self.one(name)
        return None if answer is None else int(answer)

    def link(self, **changes: Any) -> str:  # noqa: ANN401 - what url_for takes
        """Return the address of the list as it is, but for some changes."""
        asked = {"whose": self.whose, "sort": self.sort or None, **self._searched(), **self.answers}
        return url_for(self.endpoint, **{**asked, **changes})

    def cleared(self) -> str:
        """Return the address of the list with no filter in use; what is searched for stays."""
        kept: dict[str, Any] = {"whose": self.whose, "sort": self.sort or None, **self._searched()}
        return url_for(self.endpoint, **kept)

    def without(self, name: str) -> str:
        """Return the address of the list without one filter."""
        gone = next(each for each in self.filters if each.name == name)
        return self.link(**dict.fromkeys(question.name for question in gone.questions), unsaid=self._unsaid(name))

    def legend(self, name: str) -> str:
        """Return what a filter is called."""
        return next(each.legend for each in self.filters if each.name == name)

    @property
    def in_use(self) -> list[InUse]:
        """Return each answer that narrows the list."""
        return [each for asked in self.filters for each in self._in_use(asked)]

    def _searched(self) -> dict[str, str | None]:
        if self.sought is None:
            return {}
        return {"q": self.sought.words, "alike": "1" if self.sought.alike else None}

    def _in_use(self, asked: Filter) -> Iterator[InUse]:
        details = [words for each in asked.questions if each.detail for words in self._words(each)]
        more = f" ({', '.join(details)})" if details else ""
        for question in (each for each in asked.questions if not each.detail):
            given = self.all(question.name)
            label = "" if question.label == asked.legend else f"{question.label} "
            for value, words in question.options:
                if value in given:
                    rest = [each for each in given if each != value]
                    gone = self.link(**{question.name: rest}) if rest else self._without(asked, question)
                    yield InUse(f"{asked.legend}: {label.lower()}{words}{more}", gone)
        if asked.name in self.all(UNSAID):
            yield InUse(f"{asked.legend}: also where it is not recorded", self.link(unsaid=self._unsaid(asked.name)))

    def _without(self, asked: Filter, question: Question) -> str:
        others = (each for each in asked.questions if not each.detail and each is not question)
        return self.link(**{question.name: None}) if any(map(self._answered, others)) else self.without(asked.name)

    def _answered(self, question: Question) -> bool:
        return bool(self.all(question.name))

    def _words(self, question: Question) -> list[str]:
        return [words for value, words in question.options if value in self.all(question.name)]

    def _unsaid(self, name: str) -> list[str]:
        return [each for each in self.all(UNSAID) if each != name]


def read_panel(
    endpoint: str,
    filters: tuple[Filter, ...],
    args: MultiDict[str, str],
    *,
    whose: str,
    sort: str,
    sought: Sought | None = None,
) -> Panel:
    """Return the panel with the answers that an address gives to it; details of no answer are left out."""
    answers: dict[str, tuple[str, ...]] = {}
    unsaid = []
    for each in filters:
        given = {question.name: question.read(args) for question in each.questions}
        if any(given[question.name] for question in each.questions if not question.detail):
            answers |= {name: found for name, found in given.items() if found}
            unsaid += [each.name] if each.unsaid and each.name in args.getlist(UNSAID) else []
    return Panel(endpoint, filters, answers | ({UNSAID: tuple(unsaid)} if unsaid else {}), whose, sort, sought)


def ages(youngest: str, oldest: str) -> tuple[Question, Question]:
    """Return the two questions of a range of ages in whole years."""
    years = tuple((str(age), str(age)) for age in range(18))
    return (
        Question("age_from", youngest, years, several=False),
        Question("age_to", oldest, years, several=False),
    )


def read_ages(panel: Panel) -> tuple[int | None, int | None]:
    """Return the range of ages asked; given the wrong way round it means the same."""
    low, high = panel.number("age_from"), panel.number("age_to")
    return (high, low) if low is not None and high is not None and low > high else (low, high)


def need_choices() -> tuple[tuple[str, str], ...]:
    """Return every need of the catalogue as an option."""
    return tuple((need.code, need.title) for need in need_catalogue().needs)


def of_agencies(agencies: Sequence[Agency]) -> tuple[Filter, ...]:
    """Return the filters by agency and, where it is recorded of any, by region."""
    named = tuple((each.slug, each.name) for each in agencies if each.kind is not AgencyKind.CONSORTIUM_OFFICE)
    regions = tuple((region, region) for region in sorted({each.region for each in agencies if each.region}))
    by_agency = Filter("agency", "Agency", (Question("agency", "Agency", named),))
    return (
        (Filter("region", "Region", (Question("region", "Region", regions),)), by_agency) if regions else (by_agency,)
    )
