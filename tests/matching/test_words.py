"""Search by words: what is found is what the scope may list and says the words, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.bar import bar_oneself
from matching.group_search import GroupFilter
from matching.household import Household, HouseholdProfile, HouseholdTolerance, get_household
from matching.household_search import HouseholdFilter, HouseholdSort
from matching.need import Answer, NeedLevel, Tolerance
from matching.pool import Stage
from matching.register import list_group_cards, list_household_cards, list_households_after
from matching.search_plan import INDEXES, PLANS, searches_without_index
from matching.sibling_group import Child
from matching.words import LONGEST, PROFILE, Excerpt, Part, Sought, WordsInvalid, check_words, record_search, spell
from tenants.audit import Act, AuditEntry, Level
from tenants.database import Database
from tenants.scope import NOBODY, Scope
from tests.factories import NOW, TODAY, Factories, Tenant

WORDS = ("apricot", "bramble", "cobalt", "dandelion", "ember")
CAN = Tolerance(low=Answer.CAN_MEET, medium=Answer.CANNOT, high=Answer.CANNOT)
DISCUSS = Tolerance(low=Answer.CANNOT, medium=Answer.CANNOT, high=Answer.WOULD_DISCUSS)
CANNOT = Tolerance(low=Answer.CANNOT, medium=Answer.UNKNOWN, high=Answer.CANNOT)


def found(database: Database, scope: Scope, words: str, *, alike: bool = False, **more: Any) -> list[Any]:
    """Return the cards of the households that a scope finds."""
    wanted = HouseholdFilter(sought=Sought(words, alike), **more)
    with database.transaction(scope) as session:
        return list(list_household_cards(session, own=False, number=1, as_of=TODAY, wanted=wanted).cards)


def groups_found(database: Database, scope: Scope, words: str, *, alike: bool = False) -> list[Any]:
    """Return the cards of the groups that a scope finds."""
    with database.transaction(scope) as session:
        wanted = GroupFilter(sought=Sought(words, alike))
        return list(list_group_cards(session, own=False, number=1, as_of=TODAY, wanted=wanted).cards)


@pytest.fixture(scope="module")
def pool(factories: Factories, admin: psycopg.Connection[Any]) -> Iterator[tuple[Tenant, Tenant, Tenant]]:
    """Two agencies of a consortium and a stranger, whose households say two of five words, each shared otherwise."""
    us, them = factories.two_tenants()
    stranger = factories.tenant(factories.consortium())
    ways = ((Stage.CONSORTIUM, False), (Stage.CONSORTIUM, True), (Stage.IN_HOUSE, False), (Stage.NATIONAL, False))
    for number, first in enumerate(WORDS):
        for tenant in (us, them, stranger):
            stage, held = ways[(number + (tenant is them)) % len(ways)]
            second = WORDS[(number + 2) % len(WORDS)]
            factories.household(tenant, stage=stage, held=held, profile=f"They like {first} and a {second}.")
    yield us, them, stranger
    keep_in_house(admin, us, them, stranger)


def keep_in_house(admin: psycopg.Connection[Any], *tenants: Tenant) -> None:
    """Take back what is shared nationally: it would be in every other test's pool."""
    agencies = [tenant.id for tenant in tenants]
    admin.execute("UPDATE pool_entry SET stage = 'in_house' WHERE agency_id = ANY (%s)", (agencies,))


class TestFinding:
    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True),
        against=st.one_of(st.none(), st.sampled_from(WORDS)),
        either=st.booleans(),
        who=st.sampled_from((0, 1, 2)),
    )
    def test_gives_those_of_what_is_listed_that_say_it(
        self,
        words: list[str],
        against: str | None,
        either: bool,
        who: int,
        pool: tuple[Tenant, Tenant, Tenant],
        database: Database,
    ) -> None:
        asked = (" OR " if either else " ").join(words) + (f" -{against}" if against and not either else "")

        ids = {card.id for card in found(database, pool[who].scope, asked)}

        with database.transaction(pool[who].scope) as session:
            page = list_household_cards(session, own=False, number=1, as_of=TODAY)
            listed = [card.id for card in page.cards]
            rows = session.execute(select(HouseholdProfile.household_id, HouseholdProfile.text))
            profiles: dict[Any, str] = {row.household_id: row.text for row in rows}
        assert page.total == len(listed)
        says = any if either else all
        assert ids == {
            each
            for each in listed
            if says(word in profiles[each] for word in words)
            and not (against and not either and against in profiles[each])
        }

    def test_is_of_ones_own_and_what_is_shared_alone(
        self, factories: Factories, database: Database, admin: psycopg.Connection[Any]
    ) -> None:
        us, them = factories.two_tenants()
        stranger = factories.tenant(factories.consortium())
        ours = factories.household(us, stage=Stage.IN_HOUSE, profile="A quincunx.")
        shared = factories.household(them, profile="A quincunx.")
        factories.household(them, held=True, profile="A quincunx.")
        factories.household(them, stage=Stage.IN_HOUSE, profile="A quincunx.")
        factories.household(stranger, profile="A quincunx.")
        national = factories.household(stranger, stage=Stage.NATIONAL, profile="A quincunx.")

        ids = {card.id for card in found(database, us.scope, "quincunx")}

        keep_in_house(admin, stranger)
        assert ids == {ours, shared, national}

    @pytest.mark.parametrize("asked", ["quagmire", "quagmier"])
    def test_answers_ids_of_no_other_record_inside_the_wall_either(
        self, asked: str, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        stranger = factories.tenant(factories.consortium())
        shared, shut = (factories.household(them, profile="A quagmire.") for _ in range(2))
        factories.household(them, held=True, profile="A quagmire.")
        factories.household(them, stage=Stage.IN_HOUSE, profile="A quagmire.")
        factories.household(stranger, profile="A quagmire.")
        with database.transaction(us.scope) as session:
            bar_oneself(session, get_household(session, shut), reason="A neighbour", now=NOW)

        # What the function itself says: what is shown is read again behind the wall, and would hide a mistake in it.
        assert function_says(database, us.scope, asked) == {shared}
        assert function_says(database, NOBODY, asked) == set()
        assert function_says(database, Scope(agency_id=us.id), asked) == set()

    def test_ends_with_the_membership(self, factories: Factories, database: Database, admin: Any) -> None:
        us, them = factories.two_tenants()
        factories.household(them, profile="A halcyon home.")
        assert len(function_says(database, us.scope, "halcyon")) == 1

        admin.execute("UPDATE consortium_member SET left_on = %s WHERE agency_id = %s", (TODAY, them.id))

        assert function_says(database, us.scope, "halcyon") == set()

    def test_is_by_needs_heritage_and_code_too(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        willing = factories.household(them, tolerances={"drugs_in_pregnancy": CAN})
        discussing = factories.household(us, tolerances={"drugs_in_pregnancy": DISCUSS})
        factories.household(us, tolerances={"drugs_in_pregnancy": CANNOT})
        group_id = factories.group(them, needs={"drugs_in_pregnancy": NeedLevel.LOW})
        factories.group(them, needs={"drugs_in_pregnancy": NeedLevel.NONE, "neglect": NeedLevel.UNKNOWN})

        cards = found(database, us.scope, "drugs pregnancy")
        assert {card.id for card in cards} == {willing, discussing}
        assert {why.source for card in cards for why in card.why} == {"Can meet or would discuss"}
        assert [card.id for card in groups_found(database, us.scope, "drugs pregnancy")] == [group_id]
        assert {card.id for card in found(database, us.scope, "drugs british")} == {willing, discussing}
        assert found(database, us.scope, "caribbean") == []
        (by_code,) = found(database, us.scope, cards[0].code.lower())
        assert (by_code.id, by_code.why) == (cards[0].id, (Excerpt("Code", (Part(cards[0].code, True),)),))

    def test_goes_with_filters_and_any_order_from_place_to_place(
        self, factories: Factories, database: Database
    ) -> None:
        us, them = factories.two_tenants()
        ids = [factories.household(them, profile="A jamboree.", fewest_children=1 + each % 2) for each in range(5)]
        wanted = HouseholdFilter(sought=Sought("jamboree"), children=1)

        read, after = [], None
        with database.transaction(us.scope) as session:
            for _ in range(3):
                stretch = list_households_after(
                    session, own=False, as_of=TODAY, wanted=wanted, sort=HouseholdSort.CODE, after=after, limit=1
                )
                read += [card.code for card in stretch.shown]
                after = stretch.end
        assert read == sorted(read)
        assert len(read) == 3
        assert after is None
        assert {card.id for card in found(database, us.scope, "jamboree")} == set(ids)


class TestSpelling:
    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ("theraputic", "therapeutic"),
            ("therapuetic", "therapeutic"),
            ("autsim", "autism"),
            ("hosre", "horse"),
            ("dyslexa", "dyslexia"),
            ("epilespy", "epilepsy"),
            ("asma", "asthma"),
            ("attachemnt", "attachment"),
        ],
    )
    def test_forgives(self, asked: str, said: str, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them, profile=f"We know {said}.")
        factories.household(them, profile=f"We know {said}.", held=True)
        factories.household(them, profile="We know about zinc.")

        cards = found(database, us.scope, asked, alike=True)

        assert [card.id for card in cards] == [household_id]
        assert Part(said, True) in cards[0].why[0].parts
        assert found(database, us.scope, asked) == []

    def test_keeps_to_quotes_or_and_not(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        straight = factories.household(us, profile="A marigold trellis and a wheelbarrow.")
        other = factories.household(us, profile="A trellis of marigold.")

        def ids(asked: str) -> set[Any]:
            return {card.id for card in found(database, us.scope, asked, alike=True)}

        assert ids("marigodl trellsi") == {straight, other}
        assert ids('"marigodl trellsi"') == {straight}
        assert ids("wheelbarow OR trellsi") == {straight, other}
        assert ids("trellsi -wheelbarow") == {other}

    def test_is_told_by_what_the_scope_sees_alone(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        factories.household(us, profile="A bumblebee.")
        factories.household(them, profile="A bumblebea.", held=True)

        with database.transaction(us.scope) as session:
            # Another's hidden record says exactly this, and yet it is searched for as if none did.
            assert spell(session, Sought("bumblebea"), groups=False) == Sought("bumblebea", alike=True)
            assert spell(session, Sought("bumblebee"), groups=False) == Sought("bumblebee")
            assert spell(session, Sought("bumblebee"), groups=True) is None


class TestCheckWords:
    @pytest.mark.parametrize(
        "asked",
        [
            "",
            " ",
            "the with and",
            "- ! & | ( ) : * < >",
            '""',
            "\0",
            "-dog",
            "dog OR -cat",
            "x" * (LONGEST + 1),
            "\ud800",
        ],
    )
    def test_refuses_what_names_nothing(self, asked: str, pool: tuple[Tenant, ...], database: Database) -> None:
        with database.transaction(pool[0].scope) as session, pytest.raises(WordsInvalid):
            check_words(session, asked)

    @pytest.mark.parametrize(
        "asked",
        [
            "dog'); DROP TABLE household;--",
            "a\\'b:*&!(",
            "\0dog",
            "🦔 dog",
            "'dog' \"dog",
            "dog:AB & !!",
            "%dog_",
            "\ue000dog\ue001",
        ],
    )
    @pytest.mark.parametrize("alike", [True, False])
    def test_takes_whatever_holds_a_word(
        self, asked: str, alike: bool, pool: tuple[Tenant, ...], database: Database
    ) -> None:
        with database.transaction(pool[0].scope) as session:
            check_words(session, asked)
        assert found(database, pool[0].scope, asked, alike=alike) == []


class TestExcerpt:
    def test_marks_the_words_and_says_where_more_is(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        before, after = (" ".join(f"{side}{number}" for number in range(60)) for side in ("before", "after"))
        factories.household(us, profile=f"{before} “Zebras” & a \ue000zebra\ue001 {after}")

        ((why,),) = [card.why for card in found(database, us.scope, "zebra")]

        shown = "".join(part.text for part in why.parts)
        assert why.source == PROFILE
        assert [part.text for part in why.parts if part.marked] == ["Zebras", "zebra"]
        assert shown.startswith("… ")
        assert shown.endswith(" …")
        assert "“Zebras” & a zebra" in shown
        assert len(shown) < 300


class TestWords:
    def test_follow_each_change_of_a_record(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        household_id = factories.household(us, profile="A gazebo.", tolerances={"neglect": CAN}, religions=["Jedi"])
        assert found(database, us.scope, "gazebo neglect jedi")

        with database.transaction(us.scope) as session:
            session.execute(
                update(HouseholdProfile).where(HouseholdProfile.household_id == household_id).values(text="A pergola.")
            )
            session.execute(delete(HouseholdTolerance).where(HouseholdTolerance.household_id == household_id))
            session.execute(update(Household).where(Household.id == household_id).values(religions=["Sikh"]))

        assert found(database, us.scope, "pergola sikh")
        assert not any(found(database, us.scope, word) for word in ("gazebo", "neglect", "jedi"))

    def test_follow_a_groups_children(self, factories: Factories, database: Database) -> None:
        us, _ = factories.two_tenants()
        group_id = factories.group(us, needs={"neglect": NeedLevel.HIGH}, profile="A hammock.")
        assert groups_found(database, us.scope, "neglect hammock")

        with database.transaction(us.scope) as session:
            session.execute(delete(Child).where(Child.sibling_group_id == group_id))

        assert groups_found(database, us.scope, "hammock")
        assert not groups_found(database, us.scope, "neglect")

    def test_are_forgotten_with_the_last_record_that_says_them(
        self, factories: Factories, database: Database, admin: Any
    ) -> None:
        us, them = factories.two_tenants()
        ids = [factories.household(each, profile="An onomatopoeia.") for each in (us, them)]
        counted = "SELECT count(*) FROM search_word WHERE word LIKE 'onomatopo%%'"
        for tenant, household_id, left in ((us, ids[0], True), (them, ids[1], False)):
            with database.transaction(tenant.scope) as session:
                session.execute(delete(Household).where(Household.id == household_id))
            with database.transaction(us.scope) as session:
                assert session.scalar(text("SELECT forget_words()")) == 0
            with database.transaction(NOBODY) as session:
                session.execute(text("SELECT forget_words()"))
            assert bool(admin.execute(counted).fetchone()[0]) is left


class TestRecordSearch:
    def test_names_the_records_shown_and_never_the_words(self, factories: Factories, database: Database) -> None:
        us, them = factories.two_tenants()
        household_id = factories.household(them, profile="A periwinkle.", tolerances={"neglect": CAN})
        with database.transaction(us.scope) as session:
            for asked in ("periwinkle", "neglect"):
                wanted = HouseholdFilter(sought=Sought(asked))
                page = list_household_cards(session, own=False, number=1, as_of=TODAY, wanted=wanted)
                record_search(session, record_kind="household", shown=page.cards, now=NOW)

        with database.transaction(them.scope) as session:
            entries = list(session.scalars(select(AuditEntry).where(AuditEntry.act == Act.SEARCH)))
        # By a need nothing of the profile was shown.
        assert [(each.record_id, each.level, each.actor_agency_id) for each in entries] == [
            (household_id, Level.PROFILE, us.id)
        ]
        with database.transaction(us.scope) as session:
            entries = list(session.scalars(select(AuditEntry).where(AuditEntry.act == Act.SEARCH)))
            assert "periwinkle" not in str(session.execute(text("SELECT to_jsonb(e)::text FROM audit_entry e")).all())
        assert sorted(str(each.record_id) for each in entries) == sorted(["None", "None", str(household_id)])


class TestPlan:
    def test_looks_words_up_however_few_there_are(self, database: Database) -> None:
        with database.transaction(NOBODY) as session:
            assert searches_without_index((row.record, row.plan) for row in session.execute(text(PLANS))) == []
            assert session.scalar(text("SHOW enable_seqscan")) == "on"

    @pytest.mark.parametrize("record", sorted(INDEXES))
    def test_is_missed_without_its_index(self, record: str, migrated: DatabaseUrls) -> None:
        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            admin.execute(f"DROP INDEX {INDEXES[record]}")
            assert searches_without_index(admin.execute(PLANS)) == [record]
            admin.rollback()


def function_says(database: Database, scope: Scope, asked: str) -> set[Any]:
    """Return the ids that the database's function answers."""
    with database.transaction(scope) as session:
        return set(session.scalars(text("SELECT find_households(:asked, true)"), {"asked": asked}))


@pytest.fixture(scope="module")
def admin(migrated: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """The database as no tenant sees it."""
    with psycopg.connect(libpq_url(migrated.admin), autocommit=True) as connection:
        yield connection
