"""Anchors are signed when due, read back from a copy as they were written, and checked by the public key alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.audit_anchor import (
    Anchor,
    AnchorUnreadable,
    AuditKey,
    PublicKey,
    anchor_chain,
    list_anchors,
    read_anchors,
    statement,
    write_anchor,
)
from tenants.database import Database
from tests.factories import NOW, Factories, Tenant
from tests.tenants.chain import KEY, anchor, chain, look, of


class TestPublicKey:
    def test_is_the_one_of_the_standard(self) -> None:
        # RFC 8032, 7.1, test 1.
        seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")

        public = AuditKey(seed).public

        assert public.raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        assert PublicKey.read(f" {public}\n") == public
        assert len(public.key_id) == 16

    @pytest.mark.parametrize("text", ["", "x", "é", "AAAA", "A" * 44])
    def test_is_read_or_refused(self, text: str) -> None:
        with pytest.raises(AnchorUnreadable, match="no public key"):
            PublicKey.read(text)

    @given(said=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), other=st.text(max_size=5))
    def test_knows_what_its_key_has_signed_and_nothing_else(self, said: dict[str, Any], other: str) -> None:
        signature = KEY.sign(said)

        assert KEY.public.has_signed(said, signature)
        assert not KEY.public.has_signed({**said, "another name": other}, signature)
        assert not AuditKey(b"x" * 32).public.has_signed(said, signature)


class TestAnchorChain:
    def test_signs_nothing_where_nothing_is_chained(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()

        with database.transaction(of(devon)) as session:
            assert anchor_chain(session, key=KEY, now=NOW) is None

    @pytest.mark.parametrize(
        ("wait", "grown", "signed"),
        [
            (timedelta(minutes=59), True, False),
            (timedelta(hours=1), True, True),
            (timedelta(hours=23, minutes=59), False, False),
            (timedelta(days=1), False, True),
            # The clock was set back.
            (timedelta(days=-3650), True, True),
        ],
    )
    def test_signs_when_it_is_due(
        self, database: Database, factories: Factories, wait: timedelta, grown: bool, signed: bool
    ) -> None:
        devon, _ = factories.two_tenants()
        chain(database, of(devon))
        anchor(database, of(devon))
        if grown:
            look(database, devon)
            chain(database, of(devon))

        with database.transaction(of(devon)) as session:
            assert (anchor_chain(session, key=KEY, now=NOW + wait) is not None) == signed


class TestListAnchors:
    def test_shows_ones_own_alone(self, database: Database, anchored: tuple[Tenant, Tenant]) -> None:
        for tenant in anchored:
            with database.transaction(tenant.scope) as session:
                assert [each.agency_id for each in list_anchors(session)] == [tenant.id]


class TestReadAnchors:
    def test_gives_what_was_written(self, database: Database, anchored: tuple[Tenant, Tenant]) -> None:
        with database.transaction(anchored[0].scope) as session:
            (kept,) = list_anchors(session)
        written = write_anchor(kept)

        (read,) = read_anchors([written])

        assert statement(read) == statement(kept)
        assert KEY.public.has_signed(statement(read), read.signature)
        assert isinstance(read, Anchor)

    @pytest.mark.parametrize("copies", [5, None, [5], [{}], ["anchor"], [{"form": "concord audit anchor 1", "id": 5}]])
    def test_refuses_what_is_none(self, copies: object) -> None:
        with pytest.raises(AnchorUnreadable):
            read_anchors(copies)


@pytest.fixture
def anchored(database: Database, factories: Factories) -> tuple[Tenant, Tenant]:
    """Two agencies with an anchor each."""
    tenants = factories.two_tenants()
    for tenant in tenants:
        chain(database, of(tenant))
        anchor(database, of(tenant))
    return tenants
