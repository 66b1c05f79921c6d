"""E-mail: a person is told that there is something new in Concord, and nothing of what it is.

An e-mail goes through hosts that nobody here chose: it names no record, no agency and no person but whom it is sent to.
It is sent before the job that sends it ends, so a worker that dies in between sends it again: at least once, each time
with the same Message-ID, by which mail programs know it for the same.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from matching.notice import take_unmailed
from tenants.error import Conflict, Invalid
from tenants.person import get_person
from workers.work import Work

SUBJECT = "You have something new in Concord"
_BODY = """You have something new in Concord. To see what it is, sign in:

{site_url}/notices

This message says nothing more on purpose. How you are told, or that you are not, you choose on the same page.
"""
_SECONDS = 30.0
_PORTS = {"smtp": 587, "smtps": 465}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class MailOff(Conflict):
    """This deployment sends no e-mail."""


class MailRefused(Invalid):
    """The mail server will never take this e-mail."""


class MailerInvalid(Invalid):
    """The setting names no mail server."""


@dataclass(frozen=True, slots=True)
class Mailer:
    """A mail server that takes e-mail, and whom it comes from."""

    host: str
    port: int
    sender: str
    site_url: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls_first: bool = False
    """TLS from the first byte (RFC 8314), and not by STARTTLS (RFC 3207)."""
    secure: bool = True
    """Nothing is sent without TLS; only to a server on this very host."""

    def send(self, address: str, *, message_id: str, now: datetime) -> None:
        """Tell one address that there is something new.

        :raises MailRefused: when the server refuses it for good.
        :raises OSError: when the server is away; smtplib's own errors are kinds of it.
        """
        message = self._message(address, message_id=message_id, now=now)
        try:
            with self._connect() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refusal:
            if all(code >= 500 for code, _ in refusal.recipients.values()):
                raise MailRefused("The mail server does not take e-mail for this address.") from None
            raise

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.tls_first:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_SECONDS, context=context)
        server = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        if self.secure:
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _message(self, address: str, *, message_id: str, now: datetime) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = SUBJECT
        message["From"] = formataddr(("Concord", self.sender))
        message["To"] = address
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{message_id}@{urlsplit(self.site_url).hostname}>"
        # RFC 3834: no absence message is to come back.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_BODY.format(site_url=self.site_url))
        return message


def read_mailer(url: str, *, sender: str, site_url: str) -> Mailer | None:
    """Return the mail server of a setting: ``smtp://user:password@host:587``, ``smtps://…``, or nothing for none.

    :raises MailerInvalid: when it is neither, or nobody is named as the sender.
    """
    if not url.strip():
        return None
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        host, port = None, 0
    if not host or not port:
        raise MailerInvalid("CONCORD_SMTP_URL names no mail server: write smtp://user:password@mail.example:587.")
    if sender.count("@") != 1 or any(each.isspace() for each in sender):
        raise MailerInvalid("CONCORD_MAIL_FROM is no e-mail address: write concord@agency.example.")
    return Mailer(
        host=host,
        port=port,
        sender=sender,
        site_url=site_url,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls_first=parts.scheme == "smtps",
        secure=host not in _LOOPBACK,
    )


def send_mail(session: Session, work: Work) -> dict[str, Any]:
    """Tell the job's person of all that they have not been told of yet, by one e-mail."""
    mailer: Mailer | None = session.info.get("mailer")
    if mailer is None:
        raise MailOff("This deployment sends no e-mail: CONCORD_SMTP_URL is not set.")
    told_of = take_unmailed(session, now=work.now)
    if told_of:
        person = get_person(session, work.scope.person_id or UUID(int=0))
        mailer.send(person.email, message_id=str(work.job_id), now=work.now)
    return {"notices": told_of}
