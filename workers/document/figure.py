"""The charts of a pack: bars with their numbers, and a text that says to a listener what a looker sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from matching.pack_content import PackContent, Supply

Series = tuple[str, str]
"""What a bar counts, of one and of many: ``household``, ``households``."""

FEW = "Too few to tell"
"""What stands in place of a count that could point at a child."""
_GROUPS = ("group", "groups")
_HOUSEHOLDS = ("household", "households")


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of bars lying one under the other; each of ``rows`` is a label with one number for each series.

    A number is ``None`` where it is too small to tell.
    """

    title: str
    series: tuple[Series, ...]
    rows: tuple[tuple[str, tuple[int | None, ...]], ...]

    @property
    def alternative(self) -> str:
        """Return every number of the chart in words, for whoever hears the pack read out."""
        said = "; ".join(f"{label}: {', '.join(self.said(counts))}" for label, counts in self.rows)
        return f"Bar chart. {self.title}. {said}."

    def said(self, counts: tuple[int | None, ...]) -> list[str]:
        """Return the numbers of one row in words, such as ``12 groups``."""
        return [
            f"{many}: {FEW.lower()}" if count is None else f"{count:,} {one if count == 1 else many}"
            for count, (one, many) in zip(counts, self.series, strict=True)
        ]

    def view(self, line: Callable[[str], str]) -> dict[str, Any]:
        """Return the chart as the page template takes it; ``line`` makes a text fit to print."""
        most = max((count or 0 for _, counts in self.rows for count in counts), default=0)
        return {
            "title": line(self.title),
            "series": len(self.series),
            "rows": [
                {"label": line(label), "counts": [count or 0 for count in counts], "said": self.said(counts)}
                for label, counts in self.rows
            ],
            "most": max(1, most),
            "alt": line(self.alternative),
        }


def charts_of(content: PackContent) -> dict[str, Bars]:
    """Return a pack's charts by name, in the order in which they are told."""
    figures = content.figures
    return {
        "waiting": Bars(
            "Groups by how long they have waited",
            (_GROUPS, ("of them yours", "of them yours")),
            tuple((bar.label, (bar.all, bar.own)) for bar in figures.waiting),
        ),
        "ages": _supply("Groups by the age of the eldest child, and households approved for that age", figures.ages),
        "sizes": _supply("Groups by number of children, and households approved for that many", figures.sizes),
        "named": Bars(
            f"Households among the first {figures.top} families of the most groups",
            (_GROUPS,),
            tuple(
                (f"{each.code}{' (yours)' if each.own else ''}, {each.agency}", (each.lists,)) for each in figures.named
            ),
        ),
    }


def _supply(title: str, bars: Iterable[Supply]) -> Bars:
    return Bars(title, (_GROUPS, _HOUSEHOLDS), tuple((bar.label, (bar.groups, bar.households)) for bar in bars))
