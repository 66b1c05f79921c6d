"""The filters and orders of the list of adopter households, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from concord.web.filtering import (
    NEW_CHOICES,
    UNSAID,
    Filter,
    Panel,
    Question,
    ages,
    need_choices,
    of_agencies,
    read_ages,
)
from matching.availability import Availability
from matching.household import HouseholdStatus
from matching.household_search import HouseholdFilter, HouseholdSort, UpTo, Willing
from matching.need import YesNo
from matching.ranking.facts import DistanceBand, SexApproved
from matching.summary import count_words, yes_no_words
from tenants.agency import Agency

SORTS: dict[str, tuple[str, str]] = {
    HouseholdSort.WAITING: ("Longest approved", "longest approved first"),
    HouseholdSort.NEWEST: ("Newest", "newest in Concord first"),
    HouseholdSort.YOUNGEST: ("Youngest approved for", "youngest age approved for first"),
    HouseholdSort.OLDEST: ("Oldest approved for", "oldest age approved for first"),
    HouseholdSort.LARGEST: ("Most children", "most children approved for first"),
    HouseholdSort.CODE: ("Code", "by code"),
}
"""Each order as a link says it, and as the list says it."""

_SEXES = {
    SexApproved.ANY: "Girls and boys",
    SexApproved.FEMALE: "Girls only",
    SexApproved.MALE: "Boys only",
    SexApproved.UNKNOWN: "Not recorded",
}
_WILLING = {Willing.CAN_MEET: "can meet", Willing.WOULD_DISCUSS: "can meet or would discuss"}
_UP_TO = {UpTo.LOW: "up to low", UpTo.MEDIUM: "up to medium", UpTo.HIGH: "up to high"}
_BANDS = {
    DistanceBand.NEAR: "near",
    DistanceBand.REGION: "in the same region",
    DistanceBand.FAR: "far",
    DistanceBand.VERY_FAR: "very far",
}
_APPROVED = (("3", "3 months"), ("6", "6 months"), ("12", "year"), ("24", "2 years"))
_MOST_CHILDREN = 6
_OWN_ALONE = frozenset({HouseholdStatus.MATCHED, HouseholdStatus.WITHDRAWN})


def household_filters(
    agencies: Sequence[Agency], groups: Sequence[tuple[str, str]], *, own: bool
) -> tuple[Filter, ...]:
    """Return the filters of the list: of one's own households, or of all that one may see, by agency and region too.

    ``groups`` are one's own, from which distance may be asked.
    """
    return (
        Filter(
            "ages",
            "Ages approved for",
            ages("From", "To"),
            unsaid="Also households whose ages are not recorded",
        ),
        Filter(
            "children",
            "Number of children",
            (Question("children", "Approved for", _numbers(), several=False),),
            unsaid="Also households whose number is not recorded",
        ),
        Filter("sex", "Sex approved", (Question("sex", "Sex approved", _options(_SEXES)),)),
        *((_distance(groups),) if groups else ()),
        Filter("availability", "Availability", (Question("availability", "Availability", _availability()),)),
        Filter("early", "Early permanence", (Question("early", "Early permanence", _yes_no()),)),
        Filter(
            "approved",
            "Approved in the last",
            (Question("approved", "Approved in the last", _APPROVED, several=False),),
            unsaid="Also households whose approval date is not recorded",
        ),
        Filter("new", "New to the pool", (Question("new", "Shared in", NEW_CHOICES, several=False),)),
        Filter("status", "Status", (Question("status", "Status", _statuses(own)),)),
        *(() if own else of_agencies(agencies)),
        Filter(
            "needs",
            "Needs",
            (
                Question("need", "Needs", need_choices()),
                Question("willing", "What they say", _options(_WILLING), several=False, detail=True),
                Question("up_to", "At each level", _options(_UP_TO), several=False, detail=True),
            ),
            unsaid="Also households that have not said",
            hint="A household is shown when it says so of every need that you tick.",
        ),
    )


def read_household_filter(panel: Panel) -> HouseholdFilter:
    """Return what a panel asks of households."""
    low, high = read_ages(panel)
    return HouseholdFilter(
        age_from=low,
        age_to=high,
        children=panel.number("children"),
        sexes=frozenset(map(SexApproved, panel.all("sex"))),
        needs=frozenset(panel.all("need")),
        up_to=UpTo(panel.one("up_to") or UpTo.LOW),
        willing=Willing(panel.one("willing") or Willing.CAN_MEET),
        early_permanence=frozenset(map(YesNo, panel.all("early"))),
        approved_months=panel.number("approved"),
        agencies=frozenset(panel.all("agency")),
        regions=frozenset(panel.all("region")),
        new_days=panel.number("new"),
        statuses=frozenset(map(HouseholdStatus, panel.all("status"))),
        availability=frozenset(map(Availability, panel.all("availability"))),
        unsaid=frozenset(panel.all(UNSAID)),
    )


def read_distance(panel: Panel) -> tuple[str, tuple[DistanceBand, ...]] | None:
    """Return from which group distance is asked, and which bands will do; ``None`` where it is not asked."""
    code = panel.one("near")
    return (code, tuple(map(DistanceBand, panel.all("band"))) or (DistanceBand.NEAR,)) if code else None


def _distance(groups: Sequence[tuple[str, str]]) -> Filter:
    named = tuple((code, f"{code}: {children}") for code, children in groups)
    return Filter(
        "distance",
        "Distance",
        (
            Question("near", "From your group", named, several=False),
            Question("band", "How far", _options(_BANDS), detail=True),
        ),
        unsaid="Also households whose distance is not known",
        hint="A band, never a place. Without a choice, those that are near.",
    )


def _options(words: dict[Any, str]) -> tuple[tuple[str, str], ...]:
    return tuple((each.value, said) for each, said in words.items())


def _numbers() -> tuple[tuple[str, str], ...]:
    return tuple((str(number), count_words(number, "child", "children")) for number in range(1, _MOST_CHILDREN + 1))


def _availability() -> tuple[tuple[str, str], ...]:
    return tuple((each.value, each.label if each is not Availability.UNKNOWN else "Not said") for each in Availability)


def _yes_no() -> tuple[tuple[str, str], ...]:
    return tuple((each.value, yes_no_words(each)) for each in YesNo)


def _statuses(own: bool) -> tuple[tuple[str, str], ...]:
    return tuple((each.value, each.label) for each in HouseholdStatus if own or each not in _OWN_ALONE)
