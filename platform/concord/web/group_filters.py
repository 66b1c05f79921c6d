"""The filters and orders of the list of sibling groups, in words."""

from __future__ import annotations

from collections.abc import Sequence

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
from matching.group_search import LARGEST, GroupFilter, GroupSex, GroupSort, HowMuch
from matching.ranking.facts import LegalPosition
from matching.sibling_group import GroupStatus
from matching.summary import legal_position_words
from tenants.agency import Agency

SORTS: dict[str, tuple[str, str]] = {
    GroupSort.WAITING: ("Longest waiting", "longest waiting first"),
    GroupSort.NEWEST: ("Newest", "newest in Concord first"),
    GroupSort.YOUNGEST: ("Youngest", "youngest child first"),
    GroupSort.OLDEST: ("Oldest", "oldest child first"),
    GroupSort.LARGEST: ("Largest", "largest group first"),
    GroupSort.CODE: ("Code", "by code"),
}
"""Each order as a link says it, and as the list says it."""

_SEXES = {
    GroupSex.GIRLS: "Girls only",
    GroupSex.BOYS: "Boys only",
    GroupSex.BOTH: "Girls and boys",
    GroupSex.UNKNOWN: "Not recorded",
}
_HOW_MUCH = {
    HowMuch.LOW_OR_MORE: "low or more",
    HowMuch.MEDIUM_OR_MORE: "medium or more",
    HowMuch.HIGH: "high",
    HowMuch.NONE: "none",
    HowMuch.LOW_AT_MOST: "low at most",
    HowMuch.MEDIUM_AT_MOST: "medium at most",
}
_OWN_ALONE = frozenset({GroupStatus.MATCHED, GroupStatus.WITHDRAWN})
_WAITING = (("3", "3 months or more"), ("6", "6 months or more"), ("12", "a year or more"), ("18", "18 months or more"))


def group_filters(agencies: Sequence[Agency], *, own: bool) -> tuple[Filter, ...]:
    """Return the filters of the list: of one's own groups, or of all that one may see, by agency and region too."""
    return (
        Filter(
            "ages",
            "Children’s ages",
            ages("Youngest is at least", "Oldest is at most"),
            unsaid="Also groups where a child’s age is not recorded",
        ),
        Filter(
            "size",
            "Number of children",
            (Question("size", "Number of children", _sizes()),),
            unsaid="Also groups with no child recorded",
        ),
        Filter("sex", "Sex", (Question("sex", "Sex", tuple((each.value, words) for each, words in _SEXES.items())),)),
        Filter("legal", "Legal position", (Question("legal", "Legal position", _positions()),)),
        Filter(
            "waiting",
            "Waiting",
            (Question("waiting", "Waiting for", _WAITING, several=False),),
            unsaid="Also groups whose waiting time is not recorded",
        ),
        Filter("new", "New to the pool", (Question("new", "Shared in", NEW_CHOICES, several=False),)),
        Filter("status", "Status", (Question("status", "Status", _statuses(own)),)),
        *(() if own else of_agencies(agencies)),
        Filter(
            "needs",
            "Needs",
            (
                Question("need", "Needs", need_choices()),
                Question("much", "How much of each", _how_much(), several=False, detail=True),
            ),
            unsaid="Also groups where the level of a need is not recorded",
            hint="A group is shown when it fits every need that you tick.",
        ),
    )


def read_group_filter(panel: Panel) -> GroupFilter:
    """Return what a panel asks of groups."""
    low, high = read_ages(panel)
    return GroupFilter(
        age_from=low,
        age_to=high,
        sizes=frozenset(map(int, panel.all("size"))),
        sexes=frozenset(map(GroupSex, panel.all("sex"))),
        legal=frozenset(map(LegalPosition, panel.all("legal"))),
        needs=frozenset(panel.all("need")),
        how_much=HowMuch(panel.one("much") or HowMuch.LOW_OR_MORE),
        waiting_months=panel.number("waiting"),
        agencies=frozenset(panel.all("agency")),
        regions=frozenset(panel.all("region")),
        new_days=panel.number("new"),
        statuses=frozenset(map(GroupStatus, panel.all("status"))),
        unsaid=frozenset(panel.all(UNSAID)),
    )


def _sizes() -> tuple[tuple[str, str], ...]:
    words = ("One", "Two", "Three", "Four or more")
    return tuple((str(size), words[size - 1]) for size in range(1, LARGEST + 1))


def _positions() -> tuple[tuple[str, str], ...]:
    return tuple((each.value, legal_position_words(each)) for each in LegalPosition)


def _how_much() -> tuple[tuple[str, str], ...]:
    return tuple((each.value, words) for each, words in _HOW_MUCH.items())


def _statuses(own: bool) -> tuple[tuple[str, str], ...]:
    return tuple((each.value, each.label) for each in GroupStatus if own or each not in _OWN_ALONE)
