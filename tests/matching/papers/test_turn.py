"""Two at once: the second waits, and is told what the first has done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from matching.papers.answer import PaperAnswer, answer
from matching.papers.paper import PaperKind, PaperUnchanged, draw_up, list_versions
from matching.papers.question import questions
from matching.papers.signature import AlreadySigned, list_signatures, sign
from tenants.database import Database
from tenants.role import Role
from tests.factories import NOW, Factories, Tenant, transaction
from tests.matching.papers.paper_factory import answer_all, make_members

_WAITS = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")


def in_turn(database: Database, first: Tenant, second: Tenant, act: Callable[[Session], object]) -> None:
    """Let the second begin while the first has not committed."""
    begun = Event()

    def later() -> None:
        with transaction(database, second) as session:
            begun.set()
            act(session)

    with ThreadPoolExecutor(1) as pool:
        with transaction(database, first) as session:
            act(session)
            waiting = pool.submit(later)
            assert begun.wait(10)
            while not (waiting.done() or session.scalar(_WAITS)):
                pass
        waiting.result()


class TestTakeTurn:
    def test_of_two_who_draw_up_a_paper_the_second_finds_it_drawn(
        self, factories: Factories, database: Database
    ) -> None:
        us = make_members(factories).ours

        with pytest.raises(PaperUnchanged):
            in_turn(database, us, us, lambda session: draw_up(session, PaperKind.STAFF, now=NOW))

        with transaction(database, us) as session:
            assert [paper.number for paper in list_versions(session, PaperKind.STAFF)] == [1]

    def test_of_two_who_sign_as_the_same_the_second_finds_the_place_taken(
        self, factories: Factories, database: Database
    ) -> None:
        members = make_members(factories)
        answer_all(database, members.office, members.ours, members.theirs)
        first, second = (factories.colleague(members.ours, roles=frozenset({Role.MANAGER})) for _ in range(2))
        with transaction(database, members.ours) as session:
            draw_up(session, PaperKind.ASSESSMENT, now=NOW)

        with pytest.raises(AlreadySigned):
            in_turn(
                database,
                first,
                second,
                lambda session: sign(session, list_versions(session, PaperKind.ASSESSMENT)[0], now=NOW),
            )

        with transaction(database, members.ours) as session:
            assert len(list_signatures(session, list_versions(session, PaperKind.ASSESSMENT)[0])) == 1

    def test_of_two_who_answer_the_last_stands(self, factories: Factories, database: Database) -> None:
        us = make_members(factories).ours
        said = iter(("First", "Second"))

        in_turn(database, us, us, lambda session: answer(session, questions()["legal_name"], next(said), now=NOW))

        with transaction(database, us) as session:
            assert session.scalars(select(PaperAnswer.answer)).one() == "Second"
