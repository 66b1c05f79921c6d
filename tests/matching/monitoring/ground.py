"""Links for monitoring's tests: written straight into the tables, with steps on days that a test chooses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID, uuid4

import psycopg

from concord.settings import libpq_url
from matching.link import LinkOutcome, LinkState
from matching.monitoring.stage import Course, Move
from tests.factories import Tenant


@dataclass(frozen=True, slots=True)
class Made:
    """A link between two agencies: the states that it came to, each with its day, and what it came to."""

    children: Tenant
    family: Tenant
    moves: tuple[tuple[LinkState, date], ...]
    outcome: LinkOutcome | None = None

    @property
    def course(self) -> Course:
        """Return it as monitoring counts it."""
        moves = tuple(Move(state, _noon(day)) for state, day in self.moves)
        return Course(uuid4(), self.moves[0][1], self.outcome, moves)


@contextmanager
def links_of(admin_url: str, consortium_id: UUID, links: Sequence[Made]) -> Iterator[None]:
    """Have links in the database for a while; what they hang on is left out, for monitoring reads none of it."""
    ids = [uuid4() for _ in links]
    with psycopg.connect(libpq_url(admin_url), autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        try:
            with admin.cursor() as cursor:
                cursor.executemany(
                    _LINK, [_link(key, consortium_id, each) for key, each in zip(ids, links, strict=True)]
                )
                cursor.executemany(
                    _STEP, [row for key, each in zip(ids, links, strict=True) for row in _steps(key, each)]
                )
            yield
        finally:
            admin.execute("DELETE FROM link_step WHERE link_id = ANY (%s)", (ids,))
            admin.execute("DELETE FROM link WHERE id = ANY (%s)", (ids,))


_LINK = (
    "INSERT INTO link (id, consortium_id, sibling_group_id, group_agency_id, household_id, household_agency_id, "
    "started_by_id, state, version, started_at, changed_at, outcome, feedback) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_STEP = (
    "INSERT INTO link_step (id, link_id, group_agency_id, household_agency_id, version, from_state, to_state, at, "
    "agency_id, person_id, person_name, person_roles, reason) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'Sam Sample', '{manager}', 'Made up.')"
)


def _link(key: UUID, consortium_id: UUID, link: Made) -> tuple[object, ...]:
    state, last = link.moves[-1]
    sides = (uuid4(), link.children.id, uuid4(), link.family.id, link.children.id)
    return (
        *(key, consortium_id, *sides, state.value, len(link.moves), _noon(link.moves[0][1]), _noon(last)),
        *(link.outcome and link.outcome.value, "Kindly." if link.outcome else None),
    )


def _steps(key: UUID, link: Made) -> list[tuple[object, ...]]:
    sides = (link.children.id, link.family.id)
    rows: list[tuple[object, ...]] = []
    before: LinkState | None = None
    for version, (state, day) in enumerate(link.moves, start=1):
        from_state = before and before.value
        rows.append((uuid4(), key, *sides, version, from_state, state.value, _noon(day), link.children.id, uuid4()))
        before = state
    return rows


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
