"""Whoever changes the past of the audit, with all the rights there are, is found, and what they changed is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from concord.servers.login import DatabaseUrls
from concord.settings import DRIVER, libpq_url
from tenants import audit
from tenants.audit_anchor import Anchor, AuditKey, anchor_chain, list_anchors, read_anchors, write_anchor
from tenants.audit_chain import FORMS, PRESENT_FORM, chain_end, first_hash, next_hash, read_in_utc, said_in
from tenants.audit_check import MOST_NAMED, ChainCheck, Fault, FaultKind, check_chain, find_last_check, keep_check
from tenants.database import Database
from tenants.scope import OPERATOR, Scope
from tests.factories import NOW, Factories, Tenant
from tests.tenants.chain import KEY, anchor, chain, look, of, superuser

LINKS = 24
property_test = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# A change of one bit, or the least that a column's type and its check can bear.
FLIPPED = {
    "uuid": "set_byte(uuid_send({0}), {1} / 8 % 16, get_byte(uuid_send({0}), {1} / 8 % 16) # (1 << {1} % 8))",
    "timestamp with time zone": "{0} + interval '1 microsecond'",
    "xid8": "(({0}::text::bigint # (1::bigint << {1} % 40)))::text::xid8",
    "text": "overlay({0} placing chr(ascii(substr({0}, 1 + {1} % length({0}), 1)) # 1) "
    "from 1 + {1} % length({0}) for 1)",
}


@dataclass(frozen=True)
class Chained:
    """An agency whose chain is long enough, signed at its end, for tests that undo all they do."""

    scope: Scope
    entries: tuple[UUID, ...]


class TestCheckChain:
    @property_test
    @given(position=st.integers(1, LINKS), column=st.sampled_from(FORMS[PRESENT_FORM]), bit=st.integers(0, 10**6))
    def test_names_an_entry_of_which_one_bit_was_changed(
        self, engine: Engine, chained: Chained, position: int, column: str, bit: int
    ) -> None:
        entry_id = chained.entries[position - 1]
        with superuser(engine, chained.scope) as session:
            session.execute(
                text(
                    "ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_act_check, "
                    "DROP CONSTRAINT audit_entry_level_check, DROP CONSTRAINT audit_entry_origin_check"
                )
            )
            _flip(session, entry_id, column, bit)
            found = _check(session)

        gone = column == "id"
        assert Fault(FaultKind.REMOVED if gone else FaultKind.EDITED, position, entry_id) in found.faults

    @property_test
    @given(position=st.integers(1, LINKS), bit=st.integers(0, 255))
    def test_names_a_link_of_which_one_bit_was_changed(
        self, engine: Engine, chained: Chained, position: int, bit: int
    ) -> None:
        with superuser(engine, chained.scope) as session:
            session.execute(
                text(
                    "UPDATE audit_chain SET hash = set_bit(hash, :bit, 1 - get_bit(hash, :bit)) "
                    "WHERE agency_id = :agency AND position = :position"
                ),
                {"bit": bit, "agency": chained.scope.agency_id, "position": position},
            )
            found = _check(session)

        assert Fault(FaultKind.EDITED, position, chained.entries[position - 1]) in found.faults

    @property_test
    @given(gone=st.sets(st.integers(1, LINKS), min_size=1), links_too=st.booleans())
    def test_names_each_entry_that_was_removed(
        self, engine: Engine, chained: Chained, gone: set[int], links_too: bool
    ) -> None:
        entries = [chained.entries[position - 1] for position in gone]
        with superuser(engine, chained.scope) as session:
            session.execute(text("DELETE FROM audit_entry WHERE id = ANY(:ids)"), {"ids": entries})
            if links_too:
                session.execute(text("DELETE FROM audit_chain WHERE entry_id = ANY(:ids)"), {"ids": entries})
            found = _check(session)

        if links_too:
            last = max(set(range(1, LINKS + 1)) - gone, default=0)
            assert {fault.position for fault in found.faults if fault.kind is FaultKind.UNLINKED} == {
                position for position in gone if position < last
            }
            # Where the tail was cut off with its links, the signature is all that knows of it.
            assert (FaultKind.CUT_OFF in _kinds(found)) == (last < LINKS)
        else:
            assert {fault.entry_id for fault in found.faults if fault.kind is FaultKind.REMOVED} == set(entries)

    @property_test
    @given(order=st.permutations(range(1, LINKS + 1)))
    def test_names_entries_that_were_put_in_another_order(
        self, engine: Engine, chained: Chained, order: list[int]
    ) -> None:
        moved = {old: new for old, new in zip(range(1, LINKS + 1), order, strict=True) if old != new}
        with superuser(engine, chained.scope) as session:
            _move(session, chained, moved)
            found = _check(session)

        assert found.sound == (not moved)
        named = {fault.position for fault in found.faults if fault.kind is FaultKind.EDITED}
        assert set(moved.values()) <= named

    @property_test
    @given(before=st.integers(1, LINKS))
    def test_names_an_entry_that_was_put_in(self, engine: Engine, chained: Chained, before: int) -> None:
        with superuser(engine, chained.scope) as session:
            forged = session.scalar(_FORGE, {"id": uuid4(), "like": chained.entries[before - 1]})
            found = _check(session)

        # Written where the last chained one was, it may as well come after it: then it is only not chained yet.
        if before < LINKS:
            assert found.faults == [Fault(FaultKind.INSERTED, None, forged)]
        else:
            assert found.pending + found.count == 1

    def test_names_an_entry_that_no_transaction_wrote(self, engine: Engine, chained: Chained) -> None:
        with superuser(engine, chained.scope) as session:
            forged = session.scalar(_FORGE, {"id": uuid4(), "like": chained.entries[0]})
            session.execute(text("UPDATE audit_entry SET written_in = '9000000000000' WHERE id = :id"), {"id": forged})
            found = _check(session)

        assert found.faults == [Fault(FaultKind.INSERTED, None, forged)]

    @property_test
    @given(position=st.integers(1, LINKS))
    def test_finds_by_its_signature_a_chain_that_was_reckoned_anew(
        self, engine: Engine, chained: Chained, position: int
    ) -> None:
        with superuser(engine, chained.scope) as session:
            _flip(session, chained.entries[position - 1], "reason", position)
            _reckon_anew(session, chained)
            found = _check(session)

        assert _kinds(found) == {FaultKind.REWRITTEN}

    @property_test
    @given(left=st.integers(0, LINKS - 1))
    def test_finds_a_tail_that_was_cut_off_by_a_copy_of_the_anchors(
        self, engine: Engine, chained: Chained, left: int
    ) -> None:
        with superuser(engine, chained.scope) as session:
            copies = read_anchors([write_anchor(each) for each in list_anchors(session)])
            cut = {"ids": list(chained.entries[left:]), "agency": chained.scope.agency_id}
            session.execute(text("DELETE FROM audit_entry WHERE id = ANY(:ids)"), cut)
            session.execute(text("DELETE FROM audit_chain WHERE entry_id = ANY(:ids) AND agency_id = :agency"), cut)
            session.execute(text("DELETE FROM audit_anchor WHERE agency_id = :agency"), cut)
            session.expunge_all()
            without, by_copy = _check(session), _check(session, copies=copies)

        assert without.sound
        assert _kinds(by_copy) == {FaultKind.CUT_OFF, FaultKind.LOST_ANCHOR}

    def test_checks_by_the_columns_there_were_when_a_later_release_has_added_one(
        self, engine: Engine, chained: Chained
    ) -> None:
        with superuser(engine, chained.scope) as session:
            session.execute(text("ALTER TABLE audit_entry ADD COLUMN later text NOT NULL DEFAULT 'filled for all'"))
            found = _check(session)

        assert found.sound
        assert found.checked == LINKS

    @pytest.mark.parametrize("form", [2, 32000])
    def test_names_a_link_of_no_form_that_there_is(self, engine: Engine, chained: Chained, form: int) -> None:
        with superuser(engine, chained.scope) as session:
            session.execute(
                text("UPDATE audit_chain SET form = :form WHERE agency_id = :agency AND position = 5"),
                {"form": form, "agency": chained.scope.agency_id},
            )
            found = _check(session)

        assert found.faults == [Fault(FaultKind.EDITED, 5, chained.entries[4])]

    @pytest.mark.parametrize("position", [-5, 0, 1, 7, LINKS])
    @pytest.mark.parametrize("first", [True, False])
    def test_names_an_entry_that_was_put_in_with_a_link_beside_another_or_before_all(
        self, engine: Engine, chained: Chained, position: int, first: bool
    ) -> None:
        with superuser(engine, chained.scope) as session:
            session.execute(
                text(
                    "ALTER TABLE audit_chain DROP CONSTRAINT audit_chain_position_key, "
                    "DROP CONSTRAINT audit_chain_position_check"
                )
            )
            forged = session.scalar(_FORGE, {"id": uuid4(), "like": chained.entries[3]})
            # As somebody who knows how it is done: its hash is right, and it is read before the true one, or after.
            session.execute(
                text("UPDATE audit_entry SET written_in = :written WHERE id = :id"),
                {"written": "1" if first else "8999999999999", "id": forged},
            )
            read_in_utc(session)
            said = session.scalar(
                text(f"SELECT {said_in(PRESENT_FORM)} FROM audit_entry e WHERE id = :id"), {"id": forged}
            )
            before = session.scalar(
                text("SELECT hash FROM audit_chain WHERE agency_id = :agency AND position = :position - 1"),
                {"agency": chained.scope.agency_id, "position": position},
            )
            session.execute(
                text(
                    "INSERT INTO audit_chain (agency_id, position, entry_id, written_in, hash, form) SELECT :agency, "
                    ":position, e.id, e.written_in, :hash, :form FROM audit_entry e WHERE e.id = :id"
                ),
                {
                    "agency": chained.scope.agency_id,
                    "position": position,
                    "hash": next_hash(before or first_hash(chained.scope.agency_id), said or {}),
                    "form": PRESENT_FORM,
                    "id": forged,
                },
            )
            found = _check(session)

        assert FaultKind.EDITED in _kinds(found)

    def test_names_a_link_that_gives_its_entry_another_time(self, engine: Engine, chained: Chained) -> None:
        with superuser(engine, chained.scope) as session:
            session.execute(
                text("UPDATE audit_chain SET written_in = '8000000000000' WHERE agency_id = :id AND position = :last"),
                {"id": chained.scope.agency_id, "last": LINKS},
            )
            found = _check(session)

        assert found.faults == [Fault(FaultKind.EDITED, LINKS, chained.entries[-1])]

    @pytest.mark.parametrize("change", ["position", "hash", "at", "key_id", "signature", "key"])
    def test_takes_no_anchor_that_our_key_did_not_sign(self, engine: Engine, chained: Chained, change: str) -> None:
        other = AuditKey(b"another-key-of-32-bytes-for-this")
        with superuser(engine, chained.scope) as session:
            (kept,) = list_anchors(session)
            session.expunge(kept)
            changes: dict[str, dict[str, Any]] = {
                "position": {"position": kept.position - 1},
                "hash": {"hash": b"0" * 32},
                "at": {"at": kept.at + timedelta(days=1)},
                "key_id": {"key_id": other.public.key_id},
                "signature": {"signature": bytes([kept.signature[0] ^ 1]) + kept.signature[1:]},
                "key": {},
            }
            copy = _copy(kept, **changes[change])
            keys = [other.public] if change == "key" else [KEY.public, other.public]
            found = check_chain(session, public_keys=keys, copies=[copy])

        assert _kinds(found) == {FaultKind.FALSE_ANCHOR}

    def test_takes_an_anchor_of_a_former_key(self, database: Database, devon: Tenant) -> None:
        look(database, devon)
        chain(database, of(devon))
        former, present = AuditKey(b"a-former-key-of-32-bytes-for-it!"), KEY
        for number, key in enumerate((former, present)):
            with database.transaction(of(devon)) as session:
                anchor_chain(session, key=key, now=NOW + timedelta(days=2 * number))

        with database.transaction(of(devon)) as session:
            both = check_chain(session, public_keys=[former.public, present.public])
            one = check_chain(session, public_keys=[present.public])

        assert both.sound
        assert _kinds(one) == {FaultKind.FALSE_ANCHOR}
        assert both.anchored_at == NOW + timedelta(days=2)

    def test_is_sound_where_nothing_was_changed_and_takes_only_ones_own_anchors(
        self, database: Database, factories: Factories
    ) -> None:
        devon, dorset = factories.two_tenants()
        for tenant in (devon, dorset):
            look(database, tenant, 2)
            chain(database, of(tenant))
            anchor(database, of(tenant))
        with database.transaction(of(dorset)) as session:
            copies = list_anchors(session)

        with database.transaction(of(devon)) as session:
            found = check_chain(session, public_keys=[KEY.public], copies=copies)

        assert (found.sound, found.pending, found.anchored_at) == (True, 0, NOW)
        assert found.checked >= 2

    def test_counts_all_faults_and_names_the_first(
        self, engine: Engine, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        with database.transaction(devon.scope) as session:
            records = [(uuid4(), None) for _ in range(MOST_NAMED + 5)]
            audit.record_each(session, audit.Act.READ, record_kind="household", records=records, now=NOW)
        chain(database, of(devon))

        with superuser(engine, of(devon)) as session:
            session.execute(text("DELETE FROM audit_entry WHERE owner_agency_id = :id"), {"id": devon.id})
            found = _check(session)

        assert len(found.faults) == MOST_NAMED
        assert found.count == found.checked > MOST_NAMED


class TestKeepCheck:
    def test_keeps_what_was_found_for_its_own_agency(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        entry_id = uuid4()
        found = ChainCheck(checked=7, pending=2, anchored_at=NOW, count=0)
        found.add(Fault(FaultKind.REMOVED, 3, entry_id))

        for later in (0, 1):
            with database.transaction(of(devon)) as session:
                keep_check(session, found, now=NOW + timedelta(days=later))

        with database.transaction(devon.scope) as session:
            kept = find_last_check(session, now=NOW + timedelta(days=1))
            before = find_last_check(session, now=NOW + timedelta(hours=23))
        assert kept is not None
        assert before is not None
        assert before.at == NOW
        assert (kept.at, kept.checked, kept.pending, kept.faults) == (NOW + timedelta(days=1), 7, 2, 1)
        assert kept.found["faults"][0]["entry"] == str(entry_id)
        for scope in (dorset.scope, OPERATOR):
            with database.transaction(scope) as session:
                last = find_last_check(session, now=NOW + timedelta(days=1))
                assert last is None or last.agency_id != devon.id

    def test_is_not_for_a_persons_session(self, database: Database, devon: Tenant) -> None:
        with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(devon.scope) as session:
            keep_check(session, ChainCheck(), now=NOW)


def _check(session: Session, **copies: Any) -> ChainCheck:
    return check_chain(session, public_keys=[KEY.public], **copies)


def _kinds(found: ChainCheck) -> set[FaultKind]:
    return {fault.kind for fault in found.faults}


def _copy(kept: Anchor, **changes: Any) -> Anchor:
    names = ("id", "agency_id", "position", "hash", "at", "key_id", "signature")
    return Anchor(**{**{name: getattr(kept, name) for name in names}, **changes})


def _flip(session: Session, entry_id: UUID, column: str, bit: int) -> None:
    kind = session.scalar(
        text(
            "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'audit_entry'::regclass "
            "AND attname = :column"
        ),
        {"column": column},
    )
    flipped = FLIPPED[str(kind)].format(column, bit)
    if kind == "uuid":
        flipped = f"encode({flipped}, 'hex')::uuid"
    changed = session.execute(
        text(f"UPDATE audit_entry SET {column} = coalesce({flipped}, {_FILLED[str(kind)]}) WHERE id = :id"),
        {"id": entry_id},
    )
    assert changed.rowcount == 1  # type: ignore[attr-defined]


def _move(session: Session, chained: Chained, moved: dict[int, int]) -> None:
    """Give each entry that is moved the place of another, as one who leaves the hashes where they are."""
    session.execute(text("ALTER TABLE audit_chain DROP CONSTRAINT audit_chain_entry_key"))
    for old, new in moved.items():
        session.execute(
            text("UPDATE audit_chain SET entry_id = :id WHERE agency_id = :agency AND position = :new"),
            {"id": chained.entries[old - 1], "new": new, "agency": chained.scope.agency_id},
        )


def _reckon_anew(session: Session, chained: Chained) -> None:
    """Write every hash anew, as somebody may who knows how it is done but has not the key."""
    digest = first_hash(chained.scope.agency_id)
    read_in_utc(session)
    for position, entry_id in enumerate(chained.entries, start=1):
        said = session.scalar(
            text(f"SELECT {said_in(PRESENT_FORM)} FROM audit_entry e WHERE id = :id"), {"id": entry_id}
        )
        digest = next_hash(digest, said or {})
        session.execute(
            text("UPDATE audit_chain SET hash = :hash WHERE agency_id = :agency AND position = :position"),
            {"hash": digest, "agency": chained.scope.agency_id, "position": position},
        )


_FILLED = {
    "uuid": "gen_random_uuid()",
    "text": "'forged'",
    "timestamp with time zone": "now()",
    "xid8": "'1'::xid8",
}
_FORGE = text("""
    INSERT INTO audit_entry SELECT (jsonb_populate_record(e, jsonb_build_object('id', cast(:id AS text)))).*
    FROM audit_entry e WHERE e.id = :like RETURNING id
""")


@pytest.fixture(scope="module")
def engine(migrated: DatabaseUrls) -> Iterator[Engine]:
    """The database as a superuser opens it."""
    engine = create_engine(libpq_url(migrated.admin).replace("postgresql://", f"{DRIVER}://", 1))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def devon(factories: Factories) -> Tenant:
    """One agency for tests that need no second."""
    return factories.two_tenants()[0]


@pytest.fixture(scope="module")
def chained(factories: Factories, database: Database, engine: Engine) -> Chained:
    """An agency with a chain of ``LINKS`` links and an anchor at its end."""
    tenant = factories.two_tenants()[0]
    chain(database, of(tenant))
    with database.transaction(of(tenant)) as session:
        made = chain_end(session).position
    look(database, tenant, LINKS - made)
    assert chain(database, of(tenant)) == LINKS - made
    anchor(database, of(tenant))
    with engine.connect() as connection:
        entries = connection.execute(
            text("SELECT entry_id FROM audit_chain WHERE agency_id = :id ORDER BY position"), {"id": tenant.id}
        )
        return Chained(of(tenant), tuple(entries.scalars()))
