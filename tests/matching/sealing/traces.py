"""What a deployment leaves outside of its database: queue, files, logs, e-mail. Made by its own parts, read as text."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from flask import Flask
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from concord.log import configure_logging
from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from concord.web import create_app
from tenants.database import Database
from tests.conftest import MASTER_KEY, SCOPE_KEY
from tests.servers import TestServers
from tests.site import make_settings
from workers import process
from workers.handler import HANDLERS
from workers.mail import Mailer
from workers.queue import QUEUES, JobQueue
from workers.relay import Relay
from workers.runner import JobRunner

CLUSTER = ("postgres", "data")
"""PostgreSQL's own files, where what was deleted stays until it is written over."""


@dataclass(frozen=True, slots=True)
class Post(Mailer):
    """Keeps e-mails that it would send."""

    sent: list[str] = field(default_factory=list)

    def send(self, address: str, *, message_id: str, now: datetime) -> None:
        """Keep an e-mail as it would leave."""
        self.sent.append(str(self._message(address, message_id=message_id, now=now)))


class OwnWorker(SimpleWorker):
    """RQ's worker in this very process, which leaves the process's signals alone."""

    def _install_signal_handlers(self) -> None:
        pass


class Runner(JobRunner):
    """Does jobs where they were taken from the queue: nothing is forked, so no connection is left behind."""

    def after_fork(self) -> None:
        """Keep the connections."""


@dataclass(frozen=True, slots=True)
class Works:
    """The site, queue, relay and worker of one database, and where all of them write."""

    app: Flask
    queue: JobQueue
    relay_url: str
    post: Post
    directory: Path

    def work_off(self) -> int:
        """Do what is due by way of the queue, until nothing is; return how many jobs were sent."""
        relay, sent = Relay(self.relay_url, self.queue), 0
        # A worker is another process than the site, and knows nothing of its requests.
        structlog.contextvars.clear_contextvars()
        with psycopg.connect(self.relay_url, autocommit=True) as connection:
            while due := relay.send_due(connection):
                sent += due
                worker = OwnWorker(QUEUES, connection=self.queue.connection, serializer=JSONSerializer)
                worker.work(burst=True, logging_level="INFO")
        return sent

    def read_all(self) -> Iterator[tuple[str, str]]:
        """Return each key of the queue with its value, each line of logs and files, and each e-mail."""
        yield from _read_queue(self.queue.connection)
        for path in sorted(each for each in self.directory.rglob("*") if each.is_file()):
            parts = path.relative_to(self.directory).parts
            if CLUSTER not in pairwise(parts):
                # The queue's journal is one of commands; the others are of lines.
                cut = b"\n*" if "appendonly" in path.name else b"\n"
                for piece in path.read_bytes().split(cut):
                    yield f"file {path.name}", piece.decode("latin-1")
        for mail in self.post.sent:
            yield "e-mail", mail


@contextmanager
def works(servers: TestServers, urls: DatabaseUrls) -> Iterator[Works]:
    """Let a site and a worker work on a database, with the logs of both in a file, while the block runs."""
    post = Post("127.0.0.1", 25, "concord@sample.example", "https://concord.example", secure=False)
    queue = JobQueue(servers.valkey_url)
    queue.connection.flushall()
    database = Database(urls.app, scope_key=SCOPE_KEY, master_key=MASTER_KEY, facts={"mailer": post})
    settings = make_settings(database_url=urls.app, valkey_url=servers.valkey_url)
    with pytest.MonkeyPatch.context() as patch, _logged(servers.directory / "log.jsonl"):
        temporary = servers.directory / "temporary"
        temporary.mkdir(exist_ok=True)
        patch.setattr(tempfile, "tempdir", str(temporary))
        patch.setattr(process, "_runner", Runner(database, HANDLERS))
        patch.setattr(process, "_follow", lambda _parent: None)
        yield Works(create_app(settings, database), queue, libpq_url(urls.relay), post, servers.directory)
    queue.connection.flushall()
    queue.close()
    database.dispose()


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    with path.open("a", encoding="utf-8") as log:
        with contextlib.redirect_stderr(log):
            configure_logging(level=logging.INFO)
        # A logger that keeps this form would keep it for the tests that follow.
        structlog.configure(cache_logger_on_first_use=False)
        yield
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()


def _read_queue(connection: Any) -> Iterator[tuple[str, str]]:
    for name in connection.keys("*"):
        value = {
            b"string": lambda name=name: connection.get(name),
            b"hash": lambda name=name: connection.hgetall(name),
            b"list": lambda name=name: connection.lrange(name, 0, -1),
            b"set": lambda name=name: connection.smembers(name),
            b"zset": lambda name=name: connection.zrange(name, 0, -1),
            b"stream": lambda name=name: connection.xrange(name),
        }[connection.type(name)]()
        yield "queue", f"{name!r} {value!r}"
