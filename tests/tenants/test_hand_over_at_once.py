"""Two people of one side at once: the second is told that somebody was there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.base import utc_now
from tenants.database import Database
from tenants.hand_over import HandOverOver, agree_to_hand_over, get_hand_over, withdraw_hand_over
from tenants.scope import Scope
from tests.factories import Factories
from tests.hand_over import proposed

NOW = utc_now()


class TestAtOnce:
    @pytest.mark.parametrize("act", [withdraw_hand_over, agree_to_hand_over])
    def test_tells_the_second_that_somebody_was_there(
        self, act: Callable[..., None], database: Database, factories: Factories
    ) -> None:
        giver, receiver = factories.two_tenants()
        plan_id = proposed(database, giver, receiver)

        def do_it(session: Session) -> None:
            act(session, get_hand_over(session, plan_id), now=NOW)

        with ThreadPoolExecutor(1) as pool:
            with database.transaction(receiver.scope) as first:
                do_it(first)
                second = pool.submit(lambda: in_transaction(database, receiver.scope, do_it))
                while not (
                    second.done() or first.scalar(text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
                ):
                    pass
            with pytest.raises(HandOverOver, match="at the same moment"):
                second.result()


def in_transaction(database: Database, scope: Scope, act: Callable[[Session], None]) -> None:
    """Do something in a transaction of its own."""
    with database.transaction(scope) as session:
        act(session)
