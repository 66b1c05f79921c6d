"""A program that follows a book is given each posting once, whoever posts meanwhile and however late they are done."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from matching.fee.ledger import BookBusy, Posting, TransactionKind, lock, mirrored, post
from matching.fee.stretch import WantedPostings, list_postings_after
from matching.stretch import PlaceInvalid
from tenants.database import Database
from tests.factories import NOW, TODAY, Factories, Tenant

Place = Sequence[object] | None


def _post(session: Session, payer: Tenant, payee: Tenant) -> None:
    kind = TransactionKind.PAID
    post(
        session,
        consortium_id=payer.scope.consortium_id or uuid4(),
        payer_agency_id=payer.id,
        payee_agency_id=payee.id,
        kind=kind,
        key=uuid4().hex,
        dated_on=TODAY,
        entries=mirrored(kind, 1, payer.id, payee.id),
        narrative="A sample",
        now=NOW,
    )


def _follow(database: Database, tenant: Tenant, place: Place, *, limit: int = 3) -> tuple[list[UUID], Place]:
    """Return what is new to a program since a place, a stretch at a time, and the place to go on from."""
    seen: list[UUID] = []
    while True:
        with database.transaction(tenant.scope) as session:
            found = list_postings_after(session, WantedPostings(), after=place, limit=limit)
        seen += [line.posting.id for line in found.shown]
        place = (str(seen[-1]),) if found.shown else place
        if found.end is None:
            return seen, place


class TestListPostingsAfter:
    def test_gives_each_once_however_late_who_posted_it_is_done(
        self, database: Database, factories: Factories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payer, payee = factories.two_tenants()
        third = factories.tenant(payer.scope.consortium_id or uuid4())
        with ThreadPoolExecutor() as pool, database.transaction(payer.scope) as slow:
            _post(slow, payer, payee)
            with database.transaction(third.scope) as session:
                _post(session, third, payee)
            assert len(_follow(database, third, None)[0]) == 2
            with monkeypatch.context() as patched:
                patched.setattr(lock, "_PATIENCE", text("SET LOCAL lock_timeout = '50ms'"))
                with pytest.raises(BookBusy):
                    _follow(database, payee, None)
            late = pool.submit(_follow, database, payee, None)
            time.sleep(0.1)
            assert not late.done()
            slow.commit()
            seen, place = late.result()
        assert len(seen) == 4

        done = threading.Event()

        def keep_posting(number: int) -> None:
            for step in range(8):
                with database.transaction(payee.scope) as session:
                    _post(session, (payer, third)[(number + step) % 2], payee)
                    time.sleep((number * 7 + step * 3) % 5 / 200)

        def keep_following() -> list[UUID]:
            found, at = list(seen), place
            while True:
                last = done.is_set()
                new, at = _follow(database, payee, at)
                found += new
                if last:
                    return found

        with ThreadPoolExecutor() as pool:
            following = pool.submit(keep_following)
            list(pool.map(keep_posting, range(4)))
            done.set()
        with database.transaction(payee.scope) as session:
            own = session.scalars(select(Posting.id).where(Posting.agency_id == payee.id).order_by(Posting.turn)).all()
        assert following.result() == list(own)
        assert len(own) == 4 + 2 * 8 * 4

    def test_goes_on_from_a_posting_of_the_own_book_alone(self, database: Database, factories: Factories) -> None:
        payer, payee = factories.two_tenants()
        with database.transaction(payee.scope) as session:
            _post(session, payer, payee)
        theirs, _ = _follow(database, payer, None)
        for place in ([str(theirs[0])], [str(uuid4())], ["x"], [], [NOW.isoformat(), str(theirs[0])]):
            with database.transaction(payee.scope) as session, pytest.raises(PlaceInvalid):
                list_postings_after(session, WantedPostings(), after=place, limit=1)
