"""What row-level security costs: the list of households filtered, searched by words and by words spelt alike.

``python -m bench.wall_cost`` fills a database of its own with 100,000 pooled households of 40 agencies. It lists them
as the product does, ``matching.register.list_household_cards`` in an agency's scope as ``concord_app``, and again by a
login that row-level security does not hold, with the policies' rules written into each query. The two take turns, so
that whatever else the machine does meets both; each pair must list the same households. It prints the median and the
99th percentile of each and their ratio; the exit code is 1 where a median is over 1.2 times its pair's.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import ColumnElement, event, exists, or_, text
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria

from concord.migrations import upgrade
from concord.settings import libpq_url
from matching import household_search
from matching.code import new_code
from matching.household import Household
from matching.household_search import HouseholdFilter, UpTo
from matching.need import need_catalogue
from matching.pool import PoolEntry, Stage, shared_nationally
from matching.register import list_household_cards
from matching.words import Sought
from tenants.consortium import ConsortiumMember
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import NOW, TODAY, Factories, Tenant
from tests.servers import CARELESS, TestServers, test_servers

AGENCIES, HOUSEHOLDS, RUNS = 40, 100_000, 200
GOAL = 1.2
WARM = 3
_BYPASS = "bench_bypass"
_SERVER = {**CARELESS, "shared_buffers": "512MB"}
_PLAIN = [
    *("calm", "home", "garden", "dog", "cat", "quiet", "street", "school", "friends", "family", "patient", "routine"),
    *("laughter", "therapeutic", "parenting", "training", "experience", "support", "nearby", "grandparents", "walks"),
    *("swimming", "football", "music", "stories", "baking", "curious", "gentle", "attachment", "trauma", "autism"),
    *("epilepsy", "hearing", "speech", "delay", "allergy", "siblings", "contact", "letters", "heritage", "church"),
]


@dataclass(frozen=True, slots=True)
class Timing:
    """What one kind of list took, in milliseconds, with row-level security and without."""

    kind: str
    walled: list[float]
    bare: list[float]

    @property
    def ratio(self) -> float:
        """Return how many times as long the median is with row-level security."""
        return median(self.walled) / median(self.bare)

    def as_row(self) -> dict[str, Any]:
        """Return the figures by name."""
        return {
            "kind": self.kind,
            "n": len(self.walled),
            "median_ms": round(median(self.walled), 2),
            "p99_ms": round(_p99(self.walled), 2),
            "median_ms_without": round(median(self.bare), 2),
            "p99_ms_without": round(_p99(self.bare), 2),
            "ratio": round(self.ratio, 3),
        }


def main() -> int:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--runs", type=int, default=RUNS, help="of each kind and way")
    parser.add_argument("--json", action="store_true", help="one line a kind")
    asked = parser.parse_args()
    with test_servers(_SERVER) as servers:
        tenant, words = _fill(servers, asked.households)
        rows = []
        for timing in _measure(servers, tenant, words, asked.runs):
            rows.append(timing.as_row())
            print(json.dumps(rows[-1]) if asked.json else _line(rows[-1]), flush=True)
    return 0 if all(row["ratio"] <= GOAL for row in rows) else 1


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['kind']:<11} median {row['median_ms']:>8.2f} ms, p99 {row['p99_ms']:>8.2f} ms; "
        f"without row-level security {row['median_ms_without']:>8.2f} ms, {row['p99_ms_without']:>8.2f} ms; "
        f"ratio {row['ratio']:.3f} (n = {row['n']})"
    )


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


def _fill(servers: TestServers, count: int) -> tuple[Tenant, list[str]]:
    began = time.monotonic()
    upgrade(servers.database_urls.migrate, scope_key=SCOPE_KEY)
    database = Database(servers.database_urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
    factories = Factories(database)
    consortium_id = factories.consortium()
    tenants = [factories.tenant(consortium_id) for _ in range(AGENCIES)]
    database.dispose()
    chance = random.Random(20261123)  # noqa: S311
    rare = ["".join(chance.choice("bcdfglmnprstv") + chance.choice("aeiou") for _ in range(4)) for _ in range(20_000)]
    with psycopg.connect(libpq_url(servers.database_urls.admin), autocommit=True) as admin:
        # The words are kept at once at the end; everything else that a trigger does is of no matter here.
        admin.execute("SET session_replication_role = replica")
        _copy(admin, _rows(chance, tenants, consortium_id, rare, count))
        admin.execute("SET session_replication_role = origin")
        admin.execute("SELECT keep_words_of_all()")
        admin.execute(f"CREATE ROLE {_BYPASS} LOGIN BYPASSRLS PASSWORD 'bypass-for-bench'")
        admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {_BYPASS}")
        admin.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {_BYPASS}")
        admin.execute(f"GRANT USAGE ON SCHEMA public, trigram TO {_BYPASS}")
        admin.execute("GRANT CONNECT ON DATABASE concord TO " + _BYPASS)
        admin.execute("VACUUM ANALYZE")
    print(f"{count:,} households of {AGENCIES} agencies in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return tenants[0], rare


_Rows = dict[str, list[tuple[Any, ...]]]


def _rows(
    chance: random.Random, tenants: list[Tenant], consortium_id: UUID, rare: list[str], count: int
) -> Iterator[_Rows]:
    needs, codes = need_catalogue().codes(), set[str]()
    rows: _Rows = {"household": [], "household_profile": [], "household_tolerance": [], "pool_entry": []}
    for number in range(count):
        agency_id, household_id = tenants[number % len(tenants)].id, uuid4()
        code = new_code("H")
        while code in codes:
            code = new_code("H")
        codes.add(code)
        rows["household"].append(_household(chance, household_id, agency_id, code))
        profile = " ".join(chance.choices(_PLAIN, k=60) + chance.choices(rare, k=20))
        rows["household_profile"].append((household_id, agency_id, profile))
        for need in chance.sample(needs, 3):
            rows["household_tolerance"].append((household_id, need, agency_id, "can_meet", "would_discuss", "cannot"))
        rows["pool_entry"].append(
            (uuid4(), consortium_id, agency_id, household_id, Stage.CONSORTIUM, TODAY, False, "import", False)
        )
        if number % 10_000 == 9_999 or number == count - 1:
            yield rows
            rows = {table: [] for table in rows}


_COLUMNS = {
    "household": (
        "id, agency_id, code, status, approved_on, age_from_months, age_to_months, fewest_children, most_children, "
        "sex_approved, early_permanence_approved, order_not_granted, order_contested, appeal, letterbox_contact, "
        "direct_contact, sibling_contact, children_at_home, pets, smokers, heritage, religions, languages, cultures, "
        "experience, training, parent_at_home, support_nearby, considered_for, added_at, changed_at"
    ),
    "household_profile": "household_id, agency_id, text",
    "household_tolerance": "household_id, need, agency_id, low, medium, high",
    "pool_entry": "id, consortium_id, agency_id, household_id, stage, entered_on, held, way, kept",
}


def _household(chance: random.Random, household_id: UUID, agency_id: UUID, code: str) -> tuple[Any, ...]:
    low, most = chance.choice((0, 12, 24, 36)), chance.choice((1, 2, 3))
    approved = TODAY.replace(year=TODAY.year - chance.randint(0, 2), month=chance.randint(1, 11), day=1)
    ages = (low, low + chance.choice((35, 59, 83)), 1, most)
    said = ("any", chance.choice(("yes", "no", "unknown")), *("unknown",) * 6)
    home = (chance.randint(0, 2), chance.choice(("yes", "no")), "no")
    lists: tuple[list[str], ...] = ([chance.choice(("WBRI", "APKN", "BCRB"))], [], ["English"], [])
    facts = ("unknown",) * 4
    return (
        *(household_id, agency_id, code, "waiting", approved, *ages, *said, *home, *lists, *facts),
        *(chance.choice((None, 0, 1)), NOW, NOW),
    )


def _copy(admin: psycopg.Connection[Any], chunks: Iterator[_Rows]) -> None:
    for rows in chunks:
        for table, found in rows.items():
            with admin.cursor() as cursor, cursor.copy(f"COPY {table} ({_COLUMNS[table]}) FROM STDIN") as copy:
                for row in found:
                    copy.write_row(row)


def _measure(servers: TestServers, tenant: Tenant, rare: list[str], runs: int) -> Iterator[Timing]:
    app = Database(servers.database_urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
    place = servers.database_urls.admin.rpartition("@")[2]
    url = f"postgresql+psycopg://{_BYPASS}:bypass-for-bench@{place}"
    bare = Database(url, scope_key=SCOPE_KEY, master_key=MASTER_KEY)
    chance = random.Random(7)  # noqa: S311
    kinds: dict[str, Callable[[], HouseholdFilter]] = {
        "filters": lambda: _some_filter(chance),
        "full text": lambda: HouseholdFilter(sought=Sought(_some_words(chance, rare))),
        "spelt alike": lambda: HouseholdFilter(sought=Sought(_misspelt(chance, rare), alike=True)),
    }
    for kind, make in kinds.items():
        timing = Timing(kind, [], [])
        for run in range(runs + WARM):
            wanted = make()
            ways = [(timing.walled, app), (timing.bare, bare)]
            listed = [_timed(times, database, tenant, wanted) for times, database in ways[:: 1 if run % 2 else -1]]
            if listed[0] != listed[1]:
                raise SystemExit(f"{kind}: the two ways list other households for {wanted}")
            if run < WARM:
                timing.walled.clear()
                timing.bare.clear()
        yield timing
    app.dispose()
    bare.dispose()


def _timed(times: list[float], database: Database, tenant: Tenant, wanted: HouseholdFilter) -> tuple[int, list[UUID]]:
    with _without_wall(database, tenant):
        began = time.perf_counter()
        with database.transaction(tenant.scope) as session:
            page = list_household_cards(session, own=False, number=1, as_of=TODAY, wanted=wanted)
        times.append((time.perf_counter() - began) * 1000)
    return page.total, [card.id for card in page.cards]


@contextmanager
def _without_wall(database: Database, tenant: Tenant) -> Iterator[None]:
    """For the login that no policy holds: put their rules into the queries, and search without the function."""
    if database.engine.url.username != _BYPASS:
        yield
        return

    def explicit(state: ORMExecuteState) -> None:
        if state.is_select:
            state.statement = state.statement.options(with_loader_criteria(Household, _may_see(tenant)))

    event.listen(Session, "do_orm_execute", explicit)
    try:
        with patch.object(household_search, "households_saying", _saying):
            yield
    finally:
        event.remove(Session, "do_orm_execute", explicit)


def _may_see(tenant: Tenant) -> ColumnElement[bool]:
    """Return what the policies ask of a household, in the form that is fastest without them too."""
    member = ConsortiumMember
    present = exists().where(
        member.consortium_id == PoolEntry.consortium_id,
        member.agency_id == PoolEntry.agency_id,
        member.joined_on <= TODAY,
        or_(member.left_on.is_(None), member.left_on > TODAY),
    )
    pooled = exists().where(
        PoolEntry.household_id == Household.id,
        PoolEntry.stage != Stage.IN_HOUSE,
        ~PoolEntry.held,
        or_(PoolEntry.consortium_id == tenant.scope.consortium_id, shared_nationally()),
        present.correlate(PoolEntry),
    )
    return or_(Household.agency_id == tenant.id, pooled.correlate(Household))


def _saying(sought: Sought) -> ColumnElement[bool]:
    query = "words_query(:asked, :alike)" if sought.alike else "websearch_to_tsquery('english', :asked)"
    found = text(f"household.id IN (SELECT w.household_id FROM household_words w WHERE w.words @@ {query})")  # noqa: S608
    given = {"asked": sought.query} | ({"alike": True} if sought.alike else {})
    condition: Any = found.bindparams(**given)
    return condition  # type: ignore[no-any-return]


def _some_filter(chance: random.Random) -> HouseholdFilter:
    low = chance.randint(0, 4)
    return HouseholdFilter(
        age_from=low,
        age_to=low + chance.randint(0, 2),
        children=chance.randint(1, 3),
        needs=frozenset(chance.sample(need_catalogue().codes(), 1)) if chance.random() < 0.5 else frozenset(),
        up_to=UpTo.LOW,
    )


def _some_words(chance: random.Random, rare: list[str]) -> str:
    return " ".join([chance.choice(rare), *chance.sample(_PLAIN, chance.randint(0, 1))])


def _misspelt(chance: random.Random, rare: list[str]) -> str:
    word = chance.choice(rare)
    place = chance.randrange(1, len(word) - 2)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


if __name__ == "__main__":
    sys.exit(main())
