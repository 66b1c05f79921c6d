"""The consortium's figures: what the database tells, against the same definitions in plain Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from concord.servers.login import DatabaseUrls
from matching.link import WAY, LinkOutcome, LinkState
from matching.monitoring.consortium import NOTHING, Kind, Told, read_consortium
from matching.monitoring.quarter import quarter_of, quarters_before
from matching.monitoring.spread import spread_of
from matching.monitoring.stage import Stage, time_stages
from tenants.agency import AgencyKind
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Factories, Tenant, transaction
from tests.matching.monitoring.ground import Made, links_of

QUARTERS = quarters_before(utc_now().date())
BEGINS, ENDS = QUARTERS[0].begins, QUARTERS[-1].ends
DAY = QUARTERS[-1].begins
ENDED = LinkState.ENDED


@pytest.fixture(scope="module")
def agencies(factories: Factories) -> tuple[Tenant, ...]:
    """The consortium's office and four members."""
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    return office, *(factories.tenant(consortium_id) for _ in range(4))


def read(database: Database, reader: Tenant) -> dict[Kind, Told]:
    with transaction(database, reader) as session:
        return read_consortium(session)


def consortium_of(tenant: Tenant) -> UUID:
    assert tenant.scope.consortium_id is not None
    return tenant.scope.consortium_id


def ended(children: Tenant, family: Tenant, *, days: int = 10, day: date = DAY) -> Made:
    moves = ((LinkState.INTEREST, day), (ENDED, day + timedelta(days=days)))
    return Made(children, family, moves, LinkOutcome.NOT_RIGHT)


def expected(links: Sequence[Made], reader: Tenant) -> dict[Kind, Told]:
    """Return what is to be told, by the definitions."""
    facts: dict[Kind, list[tuple[int, Made]]] = defaultdict(list)
    for link in links:
        course = link.course
        for timed in time_stages([course], []):
            quarter = quarter_of(timed.left_on).begins
            if BEGINS <= timed.left_on < ENDS:
                facts[Kind("stage", timed.stage)].append((timed.days, link))
                facts[Kind("stage", timed.stage, quarter)].append((timed.days, link))
        if BEGINS <= course.started_on < ENDS:
            for state in course.reached:
                facts[Kind("reached", state)].append((0, link))
        if course.outcome and course.ended_on and BEGINS <= course.ended_on < ENDS:
            facts[Kind("ended", course.outcome)].append((0, link))
    return {kind: told(found, reader, timed=kind.kind == "stage") for kind, found in facts.items()}


def told(facts: list[tuple[int, Made]], reader: Tenant, *, timed: bool) -> Told:
    others = [link for _, link in facts if reader.id not in {link.children.id, link.family.id}]
    if len(others) < 5 or len({x.id for link in others for x in (link.children, link.family)}) < 2:
        return Told(None, None, None)
    spread = spread_of(days for days, _ in facts)
    nearest = 5 * ((len(facts) + 2) // 5)
    long_end = spread.ninetieth if timed and len(facts) >= 10 else None
    return Told(nearest, spread.median if timed else None, long_end)


def near(one: Told, other: Told) -> bool:
    """Say whether two are the same but for how a half is rounded in floating point."""
    pairs = list(zip(one, other, strict=True))
    return one.links == other.links and all(a is b if a is None or b is None else abs(a - b) <= 1 for a, b in pairs)


@st.composite
def journeys(draw: st.DrawFn) -> tuple[tuple[tuple[LinkState, date], ...], LinkOutcome | None]:
    """Draw a link's way: some states in their order, and then perhaps its end."""
    day = BEGINS - timedelta(days=60) + timedelta(days=draw(st.integers(0, (ENDS - BEGINS).days + 60)))
    moves = []
    for state in WAY[: draw(st.integers(1, len(WAY)))]:
        moves.append((state, day))
        day += timedelta(days=draw(st.integers(0, 90)))
    outcome = None
    if moves[-1][0] in WAY[:8] and draw(st.booleans()):
        moves.append((ENDED, day))
        outcome = draw(st.sampled_from([LinkOutcome.NOT_RIGHT, LinkOutcome.FAMILY_WITHDREW]))
    return tuple(moves), outcome


class TestReadConsortium:
    def test_is_nothing_where_nobody_has_a_link(self, database: Database, agencies: tuple[Tenant, ...]) -> None:
        assert read(database, agencies[0]) == {}

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_is_what_the_definitions_say(
        self, database: Database, database_urls: DatabaseUrls, agencies: tuple[Tenant, ...], data: st.DataObject
    ) -> None:
        sides = st.sampled_from(agencies[1:])
        drawn = data.draw(st.lists(st.tuples(sides, sides, journeys()), max_size=40))
        links = [Made(children, family, moves, outcome) for children, family, (moves, outcome) in drawn]
        reader = data.draw(st.sampled_from(agencies))

        with links_of(database_urls.admin, consortium_of(reader), links):
            found = read(database, reader)

        wanted = expected(links, reader)
        assert found.keys() == wanted.keys()
        assert [kind for kind in wanted if not near(found[kind], wanted[kind])] == []

    @pytest.mark.parametrize(("others", "links"), [(4, None), (5, 5), (7, 5), (8, 10)])
    def test_tells_of_five_and_to_the_nearest_five(
        self,
        database: Database,
        database_urls: DatabaseUrls,
        agencies: tuple[Tenant, ...],
        others: int,
        links: int | None,
    ) -> None:
        office, *members = agencies
        made = [ended(members[0], members[1]) for _ in range(others)]

        with links_of(database_urls.admin, consortium_of(office), made):
            found = read(database, office)

        assert found[Kind("ended", "not_right")].links == links
        assert found[Kind("stage", "interest")] == Told(links, 10 if links else None, None)

    def test_own_links_do_not_open_what_others_have(
        self, database: Database, database_urls: DatabaseUrls, agencies: tuple[Tenant, ...]
    ) -> None:
        _, one, two, three, _ = agencies
        made = [ended(one, two) for _ in range(40)] + [ended(two, three) for _ in range(4)]

        with links_of(database_urls.admin, consortium_of(one), made):
            assert read(database, one)[Kind("stage", "interest")] == Told(None, None, None)
            assert read(database, three)[Kind("stage", "interest")].links == 45

    def test_one_other_agency_alone_is_not_told_of(
        self, database: Database, database_urls: DatabaseUrls, agencies: tuple[Tenant, ...]
    ) -> None:
        _, one, two, *_ = agencies

        with links_of(database_urls.admin, consortium_of(one), [ended(two, two) for _ in range(20)]):
            assert read(database, one)[Kind("ended", "not_right")].links is None

    def test_nobody_can_take_a_days_growth_apart(
        self, database: Database, database_urls: DatabaseUrls, agencies: tuple[Tenant, ...]
    ) -> None:
        office, one, two, *_ = agencies
        running = [ended(one, two, day=ENDS, days=0) for _ in range(20)]

        with links_of(database_urls.admin, consortium_of(office), running):
            assert read(database, office) == {}

    def test_the_long_end_is_told_of_ten(
        self, database: Database, database_urls: DatabaseUrls, agencies: tuple[Tenant, ...]
    ) -> None:
        office, one, two, *_ = agencies
        made = [ended(one, two, days=days) for days in range(10)]

        with links_of(database_urls.admin, consortium_of(office), made):
            found = read(database, office)[Kind("stage", "interest", DAY)]

        assert found == Told(10, 5, 8)

    def test_another_consortium_is_not_in_it(
        self, database: Database, database_urls: DatabaseUrls, agencies: tuple[Tenant, ...], factories: Factories
    ) -> None:
        office, one, two, *_ = agencies
        elsewhere = factories.tenant(factories.consortium(), kind=AgencyKind.CONSORTIUM_OFFICE)

        with links_of(database_urls.admin, consortium_of(office), [ended(one, two) for _ in range(9)]):
            assert read(database, elsewhere).get(Kind("stage", Stage.INTEREST), NOTHING) == NOTHING
