from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenants.cipher import CannotOpen
from tenants.database import Database
from tenants.own_key import seal_apart, unseal_apart
from tenants.scope import Scope
from tests.conftest import SCOPE_KEY


class TestUnsealApart:
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(plain=st.binary(max_size=2_000))
    def test_gives_back_what_was_sealed_whoever_opens_it(self, database: Database, plain: bytes) -> None:
        row_id = uuid4()
        with database.transaction(Scope(agency_id=uuid4())) as session:
            sealed_key, sealed = seal_apart(session, plain, row_id=row_id)

        with database.transaction(Scope(agency_id=uuid4())) as session:
            assert unseal_apart(session, sealed_key, sealed, row_id=row_id) == plain
        assert plain not in sealed or len(plain) < 3

    def test_opens_nothing_under_another_row_key_or_after_a_change(self, database: Database) -> None:
        row_id = uuid4()
        with database.transaction(Scope()) as session:
            sealed_key, sealed = seal_apart(session, b"a report", row_id=row_id)
            other_key, _ = seal_apart(session, b"a report", row_id=row_id)

            for key, value, row in (
                (sealed_key, sealed, uuid4()),
                (other_key, sealed, row_id),
                (sealed_key, sealed[:-1] + bytes([sealed[-1] ^ 1]), row_id),
                (sealed_key, b"", row_id),
                (b"", sealed, row_id),
            ):
                with pytest.raises(CannotOpen):
                    unseal_apart(session, key, value, row_id=row)

    def test_opens_nothing_under_another_master_key(self, database: Database) -> None:
        row_id = uuid4()
        with database.transaction(Scope()) as session:
            sealed_key, sealed = seal_apart(session, b"a report", row_id=row_id)
        url = database.engine.url.render_as_string(hide_password=False)
        other = Database(url, scope_key=SCOPE_KEY, master_key=b"another-master-key-of-32-bytes!!")

        with other.transaction(Scope()) as session, pytest.raises(CannotOpen, match="CONCORD_MASTER_KEY"):
            unseal_apart(session, sealed_key, sealed, row_id=row_id)
        other.dispose()

    def test_seals_the_same_twice_in_two_ways(self, database: Database) -> None:
        row_id = uuid4()
        with database.transaction(Scope()) as session:
            one, two = (seal_apart(session, b"a report", row_id=row_id) for _ in range(2))

        assert one[0] != two[0]
        assert one[1] != two[1]
