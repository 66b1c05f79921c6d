"""What has changed since an agency's last pack, from what that pack itself was made from."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from matching.household import Household, HouseholdStatus, get_household
from matching.meeting import arrange_meeting, get_meeting
from matching.need import NeedLevel, YesNo
from matching.pack import PackFormat, keep_files, request_pack
from matching.pack_assembly import assemble
from matching.pack_change import GONE
from matching.pack_content import Change, Changes, PackContent
from matching.pool import Stage, share
from matching.ranking.facts import LegalPosition
from matching.sibling_group import ChildNeed, GroupStatus, SiblingGroup, get_group, list_children
from tenants.agency import AgencyKind
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant, transaction


class TestFindLastPack:
    def test_finds_none_where_none_was_made(self, database: Database, factories: Factories) -> None:
        _, us, _, (first, _) = _consortium(database, factories)

        assert _build(database, us, first).changes is None

    def test_compares_with_the_newest_version_of_the_meeting_before(
        self, database: Database, factories: Factories
    ) -> None:
        _, us, _, (first, second) = _consortium(database, factories)
        for _ in range(2):
            _build(database, us, first)
        _build(database, us, second)

        changes = _changes(_build(database, us, second))

        assert (changes.compared.version, changes.compared.meeting_on) == (2, TODAY - timedelta(days=7))

    def test_compares_with_the_version_before_where_no_meeting_had_a_pack(
        self, database: Database, factories: Factories
    ) -> None:
        _, us, _, (_, second) = _consortium(database, factories)
        _build(database, us, second)

        assert _changes(_build(database, us, second)).compared.version == 1

    def test_looks_at_no_other_agencys_pack(self, database: Database, factories: Factories) -> None:
        office, us, them, (first, second) = _consortium(database, factories)
        for tenant in (office, them):
            _build(database, tenant, first)

        assert _build(database, us, second).changes is None

    def test_looks_at_no_pack_that_was_never_built(self, database: Database, factories: Factories) -> None:
        _, us, _, (first, second) = _consortium(database, factories)
        with transaction(database, us) as session:
            request_pack(session, get_meeting(session, first), now=NOW)

        assert _build(database, us, second).changes is None


class TestCompare:
    def test_says_nothing_where_nothing_changed(self, database: Database, factories: Factories) -> None:
        _, us, them, (first, second) = _consortium(database, factories)
        factories.group(us)
        factories.household(them)
        _build(database, us, first)

        changes = _changes(_build(database, us, second))

        assert (changes.groups, changes.households) == ((), ())

    def test_tells_who_is_new_and_who_left_and_why_as_far_as_the_reader_may_know(
        self, database: Database, factories: Factories
    ) -> None:
        _, us, them, (first, second) = _consortium(database, factories)
        held, stopped = factories.group(them), factories.group(us)
        gone = factories.household(them)
        _build(database, us, first)
        with transaction(database, them) as session:
            share(session, stage=Stage.CONSORTIUM, on=TODAY, sibling_group_id=held, held=True, reason="Private")
            get_household(session, gone).status = HouseholdStatus.WITHDRAWN
        with transaction(database, us) as session:
            get_group(session, stopped).status = GroupStatus.ON_HOLD
        new = factories.group(them)

        content = _build(database, us, second)

        changes = _changes(content)
        assert {
            (_code(database, each), kind, words)
            for each, kind, words in (
                (new, "new", ()),
                (held, "left", (GONE,)),
                (stopped, "left", ("On hold",)),
            )
        } == {(each.code, each.kind, each.words) for each in changes.groups}
        assert [(each.kind, each.words) for each in changes.households] == [("left", ("Withdrawn",))]
        assert "Private" not in str(changes)
        assert content.new_groups == (_code(database, new),)

    def test_tells_what_changed_of_a_group_in_words(self, database: Database, factories: Factories) -> None:
        _, us, _, (first, second) = _consortium(database, factories)
        group_id = factories.group(us, needs={"neglect": NeedLevel.LOW})
        _build(database, us, first)
        with transaction(database, us) as session:
            group = get_group(session, group_id)
            group.legal_position, group.no_pets, group.religions = LegalPosition.CONTESTED, YesNo.YES, ["Quaker"]
            group.waiting_since = date(2026, 1, 1)
            (child,) = list_children(session, [group_id])[group_id]
            session.execute(update(ChildNeed).where(ChildNeed.child_id == child.id).values(level=NeedLevel.HIGH))

        (change,) = _changes(_build(database, us, second)).groups

        assert (change.kind, change.own) == ("changed", True)
        assert change.words == (
            "Placement order contested; it was: placement order granted",
            "Needs: Neglect",
            "Since when they wait",
            "What is asked of the home",
            "Background",
        )

    def test_tells_which_families_are_newly_among_the_first_to_their_own_sides(
        self, database: Database, factories: Factories
    ) -> None:
        _, us, them, (first, second) = _consortium(database, factories)
        group_id, leaves = factories.group(us), factories.household(them)
        for tenant in (us, them):
            _build(database, tenant, first)
        with transaction(database, them) as session:
            get_household(session, leaves).age_from_months = 120
            get_household(session, leaves).age_to_months = 180
        comes = factories.household(them)

        ours, theirs = (_changes(_build(database, tenant, second)) for tenant in (us, them))

        code, left, new = (_code(database, each) for each in (group_id, leaves, comes))
        assert _words(ours.groups, code) == (f"New among its first families: {new}", f"No longer among them: {left}")
        assert _words(theirs.groups, code) == ()
        assert f"No longer among the first families of: {code}" in _words(theirs.households, left)
        assert all("first families" not in word for word in _words(ours.households, left))
        assert _words(ours.households, left)[0].startswith(
            "Approved for one or two children aged 10 to 180 months; it was"
        )

    def test_is_the_readers_own_view(self, database: Database, factories: Factories) -> None:
        _, us, them, (first, second) = _consortium(database, factories)
        for tenant in (us, them):
            _build(database, tenant, first)
        kept = factories.group(them, stage=Stage.IN_HOUSE)

        seen = {tenant.slug: _changes(_build(database, tenant, second)) for tenant in (us, them)}

        assert seen[us.slug].groups == ()
        assert [each.code for each in seen[them.slug].groups] == [_code(database, kept, them)]


_SEEN: dict[str, Tenant] = {}


def _consortium(database: Database, factories: Factories) -> tuple[Tenant, Tenant, Tenant, tuple[UUID, UUID]]:
    consortium_id = factories.consortium()
    office = factories.tenant(consortium_id, kind=AgencyKind.CONSORTIUM_OFFICE)
    us, them = factories.tenant(consortium_id), factories.tenant(consortium_id)
    _SEEN["us"], _SEEN["them"] = us, them
    with transaction(database, office) as session:
        facts: dict[str, Any] = {"title": "Meeting", "place": "Sample Hall", "now": NOW - timedelta(days=30)}
        first, second = (
            arrange_meeting(session, held_on=TODAY + timedelta(days=days), **facts).id for days in (-7, 14)
        )
    return office, us, them, (first, second)


def _build(database: Database, tenant: Tenant, meeting_id: UUID) -> PackContent:
    with transaction(database, tenant) as session:
        meeting = get_meeting(session, meeting_id)
        pack = request_pack(session, meeting, now=NOW)
        content, run_id = assemble(session, meeting, pack, now=NOW)
        keep_files(session, pack, files=dict.fromkeys(PackFormat, b"sample"), ranking_run_id=run_id, now=NOW)
        return content


def _changes(content: PackContent) -> Changes:
    assert content.changes is not None
    return content.changes


def _words(changes: tuple[Change, ...], code: str) -> tuple[str, ...]:
    return next((each.words for each in changes if each.code == code), ())


def _code(database: Database, record_id: UUID, tenant: Tenant | None = None) -> str:
    for each in (tenant,) if tenant else (_SEEN["us"], _SEEN["them"]):
        with transaction(database, each) as session:
            record = session.get(SiblingGroup, record_id) or session.get(Household, record_id)
            if record is not None:
                return record.code
    raise AssertionError("Neither sees it")
