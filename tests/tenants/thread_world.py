"""What is said on a link of an agency's family with a neighbour's children, who is told, and a calendar."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import select

from matching.calendar_feed import make_feed
from matching.link import Link
from matching.link_file import CheckedFile, FileKind
from matching.link_message import send_message
from matching.link_note import add_note
from matching.notice import NoticeWay, choose_way
from tenants.base import utc_now
from tenants.database import Database
from tests.factories import Tenant


def make_thread(
    database: Database, admin: psycopg.Connection[Any], agency: Tenant, *, household_id: UUID, told: list[UUID]
) -> None:
    """Note, say and send something on the link, as ``agency``; tell ``told``, who are shut out of it, of it too."""
    now = utc_now()
    with database.transaction(agency.scope) as session:
        link = session.scalars(select(Link).where(Link.household_id == household_id)).first()
        assert link is not None
        add_note(session, link, words="They are patient.", now=now)
        file = CheckedFile(b"%PDF-a-made-up-file", FileKind.PDF)
        send_message(session, link, words="When shall we meet?", file=file, file_name="a.pdf", now=now)
        choose_way(session, NoticeWay.AT_ONCE, now=now)
        make_feed(session, now=now)
    for person_id in (agency.scope.person_id, *told):
        admin.execute(
            "INSERT INTO notice (id, link_id, agency_id, person_id, kind, mark, at) "
            "VALUES (%s, %s, %s, %s, 'message', 'message', now())",
            (uuid4(), link.id, agency.id, person_id),
        )
