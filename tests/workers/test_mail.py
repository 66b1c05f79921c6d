"""E-mails go to a real mail server, say nothing of anybody, and go once for the same."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select, update

from matching.link import get_link
from matching.link_message import send_message
from matching.notice import MAIL_JOB, Notice, NoticeWay, choose_way, list_notices
from tenants.base import utc_now
from tenants.database import Database
from tenants.job import Job, JobState
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.factories import Factories, Tenant, transaction
from tests.matching.report_factory import Pairing, make_link
from tests.own_database import make_database
from tests.servers import TestServers
from workers.handler import HANDLERS
from workers.mail import SUBJECT, Mailer, MailerInvalid, MailRefused, read_mailer
from workers.notice_keeping import keep_notices
from workers.runner import JobRunner

NOW = utc_now()
# Days ago: what is asked for ahead of the database's clock is not due.
NOON = (NOW - timedelta(days=3)).replace(hour=12, minute=0)
NIGHT = NOON.replace(hour=4)


class Box:
    """Keeps what the mail server is sent; refuses addresses with the codes that it is told."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, Message]] = []
        self.refuse = ""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take an address, or refuse it."""
        envelope.rcpt_tos.append(address)
        return self.refuse or "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep an e-mail."""
        self.mails.append((envelope.rcpt_tos[0], message_from_bytes(envelope.content or b"")))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def box() -> Box:
    """What has come."""
    return Box()


@pytest.fixture
def mailer(box: Box) -> Iterator[Mailer]:
    """A mail server on this host."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield Mailer("127.0.0.1", port, "concord@sample.example", "https://concord.example", secure=False)
    controller.stop()


@pytest.fixture(scope="module")
def mail_url(servers: TestServers) -> str:
    """A database of its own: the schedule looks at every agency."""
    return make_database(servers, "concord_mail").app


@pytest.fixture
def database(mail_url: str, mailer: Mailer) -> Iterator[Database]:
    """That database, as a worker opens it."""
    database = Database(mail_url, scope_key=SCOPE_KEY, master_key=MASTER_KEY, facts={"mailer": mailer})
    yield database
    database.dispose()


@pytest.fixture
def pairing(database: Database) -> Pairing:
    """Two agencies with a link, of which everybody has been told."""
    pairing = make_link(Factories(database), database)
    for tenant in (pairing.children, pairing.family):
        with transaction(database, tenant) as session:
            session.execute(update(Notice).values(mailed_at=NOW - timedelta(days=30)))
    return pairing


def say(database: Database, pairing: Pairing, words: str = "Rowan has a cold.") -> None:
    with transaction(database, pairing.children) as session:
        send_message(session, get_link(session, pairing.link_id), words=words, now=utc_now())


def choose(database: Database, tenant: Tenant, way: NoticeWay) -> None:
    with transaction(database, tenant) as session:
        choose_way(session, way, now=utc_now())


def jobs(database: Database, tenant: Tenant) -> list[Job]:
    with transaction(database, tenant) as session:
        return list(session.scalars(select(Job).where(Job.kind == MAIL_JOB).order_by(Job.requested_at, Job.id)))


def run_all(database: Database, tenant: Tenant, *, now: datetime = NOON) -> list[bool]:
    runner = JobRunner(database, HANDLERS, clock=lambda: now)
    return [runner.run(job.id) for job in jobs(database, tenant)]


class TestSendMail:
    def test_says_that_there_is_something_and_nothing_of_what_it_is(
        self, database: Database, pairing: Pairing, box: Box
    ) -> None:
        say(database, pairing)

        keep_notices(database, now=NOON, mails=True)
        assert run_all(database, pairing.family) == [True]

        ((address, mail),) = box.mails
        assert address == f"{pairing.family.subject}@example.org"
        assert (mail["Subject"], mail["Auto-Submitted"]) == (SUBJECT, "auto-generated")
        said = mail.as_string().replace(address, "")
        assert "https://concord.example/notices" in said
        for secret in (
            pairing.children.name,
            pairing.family.name,
            "Sample ",
            "Rowan",
            "G-",
            "H-",
            str(pairing.link_id),
        ):
            assert secret not in said
        assert run_all(database, pairing.children) == []

    def test_tells_of_all_by_one_and_of_nothing_twice(self, database: Database, pairing: Pairing, box: Box) -> None:
        say(database, pairing)
        say(database, pairing, "And a cough.")

        for _ in range(2):
            keep_notices(database, now=NOON, mails=True)
            run_all(database, pairing.family)
        say(database, pairing, "Better now.")
        keep_notices(database, now=NOON + timedelta(hours=3), mails=True)
        assert len(box.mails) == len(jobs(database, pairing.family)) == 1
        keep_notices(database, now=NOON + timedelta(days=1), mails=True)
        run_all(database, pairing.family, now=NOON + timedelta(days=1))
        assert len(box.mails) == 2

    def test_follows_each_person_s_choice(self, database: Database, pairing: Pairing, box: Box) -> None:
        say(database, pairing)
        keep_notices(database, now=NIGHT, mails=True)
        assert jobs(database, pairing.family) == []

        choose(database, pairing.family, NoticeWay.OFF)
        keep_notices(database, now=NOON, mails=True)
        assert jobs(database, pairing.family) == []
        choose(database, pairing.family, NoticeWay.AT_ONCE)
        for _ in range(2):
            keep_notices(database, now=NIGHT, mails=True)
        say(database, pairing, "One more.")
        run_all(database, pairing.family)
        choose(database, pairing.family, NoticeWay.OFF)
        assert len(box.mails) == 1
        say(database, pairing, "And one more.")
        keep_notices(database, now=NOON, mails=False)
        assert len(jobs(database, pairing.family)) == 1

    def test_is_tried_again_when_the_server_is_away(
        self, database: Database, pairing: Pairing, box: Box, mailer: Mailer
    ) -> None:
        box.refuse = "451 Try later"
        say(database, pairing)
        keep_notices(database, now=NOON, mails=True)

        assert run_all(database, pairing.family) == [False]
        assert [(each.state, each.attempt) for each in jobs(database, pairing.family)] == [(JobState.WAITING, 1)]
        with transaction(database, pairing.family) as session:
            assert None in set(session.scalars(select(Notice.mailed_at)))
        box.refuse = "550 No such box"
        with pytest.raises(MailRefused):
            mailer.send("nobody@example.org", message_id="1", now=NOON)
        assert box.mails == []

    def test_is_refused_where_no_server_is_set(self, database: Database, pairing: Pairing, mail_url: str) -> None:
        say(database, pairing)
        keep_notices(database, now=NOON, mails=True)
        without = Database(mail_url, scope_key=SCOPE_KEY, master_key=MASTER_KEY)

        run_all(without, pairing.family)

        without.dispose()
        assert [each.state for each in jobs(database, pairing.family)] == [JobState.FAILED]


class TestKeepNotices:
    def test_looks_at_each_agency_s_clocks_once_a_day(self, database: Database, pairing: Pairing) -> None:
        with transaction(database, pairing.children) as session:
            keys = select(Job.key).where(Job.kind == "clock_notices")
            for now in (NOON, NOON, NOON + timedelta(days=1)):
                keep_notices(database, now=now, mails=False)
            assert sorted(session.scalars(keys)) == [str(NOON.date()), str(NOON.date() + timedelta(days=1))]


class TestMailer:
    def test_sends_nothing_without_tls_to_another_host(self, mailer: Mailer, box: Box) -> None:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            replace(mailer, secure=True).send("sam@example.org", message_id="1", now=NOON)
        assert box.mails == []

    def test_is_read_from_its_setting(self) -> None:
        read = read_mailer(
            "smtp://sam%40x:p%2Fw@mail.example", sender="concord@mail.example", site_url="https://concord.example"
        )

        assert read == Mailer(
            "mail.example", 587, "concord@mail.example", "https://concord.example", user="sam@x", password="p/w"
        )
        assert "p/w" not in repr(read)
        smtps = read_mailer("smtps://127.0.0.1", sender="a@b", site_url="")
        assert smtps is not None
        assert (smtps.port, smtps.tls_first, smtps.secure) == (465, True, False)
        assert read_mailer(" ", sender="", site_url="") is None

    @pytest.mark.parametrize(
        ("url", "sender"),
        [
            ("http://mail.example", "a@b.example"),
            ("smtp://", "a@b.example"),
            ("smtp://mail.example:x", "a@b.example"),
            ("smtp://mail.example", ""),
            ("smtp://mail.example", "a@b\nBcc: c@d"),
        ],
    )
    def test_refuses_what_names_no_server_or_sender(self, url: str, sender: str) -> None:
        with pytest.raises(MailerInvalid):
            read_mailer(url, sender=sender, site_url="")


class TestGiveClockNotices:
    def test_is_listed_in_words(self, database: Database, pairing: Pairing) -> None:
        with transaction(database, pairing.family) as session:
            page = list_notices(session, number=99)
        assert {each.link_id for each in page.cards} == {pairing.link_id}
        assert isinstance(page.cards[0].link_id, UUID)
