"""Locks of agreements and of books, by name and not by a row: locking a row would need the right to change it.

All locks of fees are taken in one order, so that no two transactions wait for each other: the payee's account, an
agency's bank lines, agreements by name, their rows, and last the books. A hand-over takes the rows of all that moves,
and then the giver's book. Whoever waits for a book's posters holds no other.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from matching.sealed_words import own_agency
from tenants.error import Conflict

_AGREEMENT = text("SELECT pg_advisory_xact_lock(hashtextextended('concord.fee_agreement.' || CAST(:id AS text), 0))")
_BOOK = text("SELECT pg_advisory_xact_lock(fee_book_lock(:agency))")
_SHARE = text(
    "SELECT pg_advisory_xact_lock_shared(fee_book_lock(a.id)) FROM (SELECT g.id FROM agency g ORDER BY g.id) AS a"
)
_PATIENCE = text("SET LOCAL lock_timeout = '3s'")
_NO_MATTER = text("SET LOCAL lock_timeout = DEFAULT")


class BookBusy(Conflict):
    """Somebody is posting into the book."""


def lock_agreement(session: Session, agreement_id: UUID) -> None:
    """Wait until nobody else settles or invoices an agreement, and keep them waiting until this transaction ends."""
    session.execute(_AGREEMENT, {"id": agreement_id})


def lock_book(session: Session, agency_id: UUID) -> None:
    """Wait until nobody posts into an agency's book, and keep them waiting until this transaction ends."""
    session.execute(_BOOK, {"agency": agency_id})


def wait_for_posters(session: Session) -> None:
    """Lock the scope's agency's book, as :func:`lock_book` does, but wait no longer than some seconds.

    :raises BookBusy: when somebody goes on posting.
    """
    session.execute(_PATIENCE)
    try:
        lock_book(session, own_agency(session))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":
            raise BookBusy("Somebody is posting into your agency’s book. Ask again in a moment.") from None
        raise
    session.execute(_NO_MATTER)


def share_books(session: Session) -> None:
    """Wait until nobody hands a book over, and keep them waiting until this transaction ends.

    Posting waits for it too, but what is to be posted was read by then: whoever reads what is owed takes this first.
    """
    session.execute(_SHARE)
