"""A pack as a spreadsheet, written by XlsxWriter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from io import BytesIO

from xlsxwriter import Workbook  # type: ignore[import-untyped]

from matching.pack_content import PLAN, Change, PackContent, PackGroup
from workers.document.book import MARKING, Book, Cell, Column
from workers.document.figure import FEW, charts_of
from workers.document.text import clean
from workers.document.view import BANDS, day

_ADVICE = "A ranked list is advice; a person decides. What is not known is a question to ask, never a yes or a no."

_ACTIONS: tuple[Column, ...] = (
    ("What", 60),
    ("About", 14),
    ("Agency", 26),
    ("Who", 22),
    ("Due", 13),
    ("Overdue", 10),
    ("Closed", 13),
    ("What came of it", 50),
)
_CHANGES: tuple[Column, ...] = (
    ("Group or household", 16),
    ("Yours", 8),
    ("Agency", 26),
    ("Change", 14),
    ("What has changed", 90),
)
_WAITING: tuple[Column, ...] = (
    ("Group", 14),
    ("Children", 10),
    ("Waiting since", 15),
    ("Days waiting", 13),
    ("Days since SHOBPA decision", 15),
    ("Days since placement order", 15),
)
_POOL: tuple[Column, ...] = (
    ("Group or household", 16),
    ("Most groups first", 16),
    ("Fit", 14),
    ("Each in turn", 16),
    ("Fit in turn", 14),
)
_SEEN: tuple[Column, ...] = (
    ("What", 30),
    ("Kind", 40),
    ("Groups", 14),
    ("With no family", 16),
)
_CHECKS: tuple[Column, ...] = (
    ("Household", 14),
    ("Lists it is on", 12),
    ("What was said", 22),
    ("Last confirmed", 15),
)
_GROUPS: tuple[Column, ...] = (
    ("Group", 14),
    ("Your reference", 16),
    ("Yours", 8),
    ("New", 8),
    ("Agency", 26),
    ("Who they are", 36),
    ("Days waiting", 13),
    ("Legal position", 24),
    ("Profile", 70),
    *((label, 26) for label in PLAN),
    ("Needs: high", 34),
    ("Needs: medium", 34),
    ("Needs: low", 34),
    ("Needs: not known, ask", 34),
    ("Needs: none", 34),
    ("Needs: other levels", 24),
    ("Families listed", 10),
    ("Families not ruled out", 12),
)
_FAMILIES: tuple[Column, ...] = (
    ("Group", 14),
    ("Group is yours", 14),
    ("Position", 10),
    ("Fit", 14),
    ("Household", 14),
    ("Agency", 26),
    ("Availability", 18),
    ("Points", 9),
    ("Why", 50),
    ("What to ask", 50),
    ("What counts against", 50),
)
_HOUSEHOLDS: tuple[Column, ...] = (
    ("Household", 14),
    ("Your reference", 16),
    ("Yours", 8),
    ("New", 8),
    ("Agency", 26),
    ("Approved on", 14),
    ("About them", 60),
    ("Availability", 18),
    ("Last confirmed", 15),
    ("Lists it is on", 10),
    ("Groups they fit best", 40),
    ("Groups in all", 10),
)
_OPTIONAL = frozenset({"New", "Your reference", "Needs: none", "Needs: other levels", *PLAN})
_ON_THE_SITE = "The group’s page on the site says"
_LEVELS = ("high", "medium", "low", "unknown", "none")


def render_xlsx(content: PackContent) -> bytes:
    """Return the pack as an XLSX file of eleven sheets; the same content gives the same bytes.

    The reader's own rows carry its own references; of others' records stand the pooled facts alone.
    Every text is written as a constant string, so that none becomes a formula or a link.
    """
    made = BytesIO()
    with Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        workbook.set_properties(_properties(content))
        book = Book(workbook, f"Version {content.version}, {day(content.as_of)}", optional=_OPTIONAL)
        book.front("Agenda", content.title, _front_rows(content))
        book.table("Actions", _ACTIONS, _action_rows(content), "No action of an earlier meeting concerns your agency.")
        book.table("What has changed", _CHANGES, _change_rows(content), _no_change(content))
        book.table("Longest waiting", _WAITING, _waiting_rows(content), "No groups are waiting.")
        book.table("Groups", _GROUPS, _group_rows(content), "No groups are in this pack.")
        book.table("Families", _FAMILIES, _family_rows(content), "No family is on a list as things stand.")
        book.table("Households", _HOUSEHOLDS, _household_rows(content), "No households are waiting.")
        book.table("Availability", _CHECKS, _check_rows(content), "None of your households is to be confirmed.")
        book.table("One family each", _POOL, _pool_rows(content), "There is nobody to give a family to.")
        book.table("Who sees no family", _SEEN, _seen_rows(content), "No groups are in this pack.")
        book.charts(charts_of(content).values())
    return made.getvalue()


def _properties(content: PackContent) -> dict[str, object]:
    return {
        "title": clean(content.title),
        "subject": f"Prepared for {clean(content.agency)}, version {content.version}",
        "author": clean(content.consortium),
        "category": MARKING,
        # The moment of making would give each run its own bytes.
        "created": datetime.combine(content.as_of, time(), tzinfo=UTC),
    }


def _front_rows(content: PackContent) -> Iterable[tuple[str, str]]:
    yield "Consortium", content.consortium
    yield "Meeting", f"{day(content.meeting_on)}, {content.meeting_place}".rstrip(", ")
    yield "Prepared for", content.agency
    yield "Version", f"{content.version}, facts as they stood on {day(content.as_of)}"
    yield "Ranking policy", content.policy
    yield "Destroy after", f"{day(content.expires_on)}: every copy, on paper and on a screen"
    yield "Please note", _ADVICE
    for number, item in enumerate(content.agenda, start=1):
        yield f"Agenda {number}", item
    if not content.agenda:
        yield "Agenda", "No agenda has been set for this meeting."
    for code in content.new_groups:
        yield "New group", code
    if content.first:
        yield "New groups", "This is the first meeting that Concord has packs for: every group is new."
    elif not content.new_groups:
        yield "New groups", "No groups are new since the last meeting."


def _waiting_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    for row in content.longest_waiting:
        yield (
            row.code,
            row.children,
            row.waiting_since or "Not known",
            _known(row.days),
            _known(row.shobpa_days),
            _known(row.order_days),
        )


def _action_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    for action in content.actions:
        yield (
            action.what,
            action.about or "",
            action.agency,
            action.person or "",
            action.due_on,
            _yes(action.late),
            action.done_on,
            action.outcome or "",
        )


def _change_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    changes = content.changes
    if changes is not None:
        for change in (*changes.groups, *changes.households):
            yield change.code, _yes(change.own), change.agency, _kind(change), "; ".join(change.words)


def _kind(change: Change) -> str:
    return {"new": "New", "left": "No longer waiting"}.get(change.kind, "Changed")


def _no_change(content: PackContent) -> str:
    return "Nothing has changed." if content.changes else "There is no earlier pack to compare this one with."


def _pool_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    for each in content.pool.assigned:
        pairs = [pair if pair is None else (pair[0], BANDS.get(pair[1], pair[1])) for pair in (each.best, each.in_turn)]
        yield each.group or each.household, *(cell for pair in pairs for cell in pair or ("Nobody", ""))


def _seen_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    for row in content.pool.seen:
        yield (
            row.kind,
            row.label,
            FEW if row.groups is None else row.groups,
            FEW if row.unseen is None else row.unseen,
        )


def _check_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    for check in content.checks:
        yield check.code, check.lists, check.availability, check.confirmed_on or "Never"


def _group_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    new = set(content.new_groups)
    for group in content.groups:
        yield (
            group.code,
            group.reference or "",
            _yes(group.own),
            "" if content.first else _yes(group.code in new),
            group.agency,
            group.summary,
            _known(group.waiting_days),
            group.legal or "Not known",
            # The pooled facts alone of others' groups: what a file carries off nobody can take back.
            group.profile if group.own else "",
            *_plan_cells(group),
            *("; ".join(title for title, found in group.needs if found == level) for level in _LEVELS),
            "; ".join(f"{title}: {level}" for title, level in group.needs if level not in _LEVELS),
            len(group.families),
            group.families_in_all,
        )


def _family_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    for group in content.groups:
        for family in group.families:
            yield (
                group.code,
                _yes(group.own),
                family.position,
                BANDS.get(family.band, family.band),
                family.code,
                family.agency,
                family.availability,
                family.points,
                "\n".join(family.why) if family.explained else _ON_THE_SITE,
                "\n".join(family.ask),
                "\n".join(family.against),
            )


def _household_rows(content: PackContent) -> Iterable[Sequence[Cell]]:
    for household in content.households:
        yield (
            household.code,
            household.reference or "",
            _yes(household.own),
            "" if content.first else _yes(household.new),
            household.agency,
            household.approved_on or "Not known",
            household.summary,
            household.availability,
            household.confirmed_on or "Never",
            household.lists,
            ", ".join(household.fits),
            household.fits_in_all,
        )


def _plan_cells(group: PackGroup) -> Iterable[str]:
    recorded = dict(group.plan) if group.own else {}
    return (recorded.get(label, "") for label in PLAN)


def _yes(value: bool) -> str:
    return "Yes" if value else "No"


def _known(value: int | None) -> Cell:
    return "Not known" if value is None else value
