from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select

from concord.servers.login import DatabaseUrls
from concord.settings import libpq_url
from matching.bar import bar_person
from matching.household import get_household
from matching.link import LinkInvalid, LinkUnknown, get_link
from matching.link_file import CheckedFile, FileKind
from matching.link_message import (
    MOST_NAMED,
    FileUnknown,
    LinkMessage,
    ask_each,
    list_readers,
    open_file,
    read_messages,
    send_message,
)
from matching.link_note import add_note, read_notes
from matching.notice import Notice, NoticeKind, list_notices
from matching.sealed_words import WordsMissing
from matching.transition import consider
from tenants.audit import Act, list_entries_of
from tenants.base import utc_now
from tenants.database import Database
from tenants.permission import NotAllowed
from tenants.role import Role
from tests.factories import Factories, Tenant, transaction
from tests.matching.report_factory import Pairing, make_link

FINDER = frozenset({Role.FAMILY_FINDER})


@pytest.fixture
def pairing(factories: Factories, database: Database) -> Pairing:
    """Two agencies that consider a link."""
    return make_link(factories, database)


def say(database: Database, tenant: Tenant, pairing: Pairing, words: str = "When shall we meet?", **more: Any) -> Any:
    with transaction(database, tenant) as session:
        return send_message(session, get_link(session, pairing.link_id), words=words, now=utc_now(), **more)


def told(database: Database, tenant: Tenant) -> list[str]:
    with transaction(database, tenant) as session:
        return [each.words for each in list_notices(session, number=1).cards]


class TestSendMessage:
    def test_is_read_by_both_sides_and_by_nobody_else(
        self, database: Database, pairing: Pairing, factories: Factories
    ) -> None:
        say(database, pairing.children, pairing)
        say(database, pairing.family, pairing, "On <b>Monday</b> \N{FIRE}\nat nine")

        for tenant in (pairing.children, pairing.family):
            with transaction(database, tenant) as session:
                found = read_messages(session, get_link(session, pairing.link_id), now=utc_now())
                assert [each.words for each in found] == ["When shall we meet?", "On <b>Monday</b> \N{FIRE}\nat nine"]
                assert [each.agency_id for each in found] == [pairing.children.id, pairing.family.id]
        stranger = factories.tenant(pairing.children.scope.consortium_id or pairing.link_id)
        with transaction(database, stranger) as session:
            assert session.scalar(select(func.count(LinkMessage.id))) == 0

    def test_keeps_no_word_of_it_in_the_open(
        self, database: Database, pairing: Pairing, migrated: DatabaseUrls
    ) -> None:
        file = CheckedFile(b"%PDF-Rowanberry", FileKind.PDF)
        message_id = say(database, pairing.children, pairing, "Rowanberry", file=file, file_name="Rowanberry.pdf")

        with psycopg.connect(libpq_url(migrated.admin)) as admin:
            for table in ("link_message", "link_file", "notice", "audit_entry"):
                key = "id" if table.startswith("link") else ("mark" if table == "notice" else "record_id")
                value = (
                    f"message {message_id}" if key == "mark" else str(message_id if key == "id" else pairing.link_id)
                )
                rows = admin.execute(f"SELECT t::text FROM {table} t WHERE {key}::text = %s", (value,)).fetchall()
                assert rows
                assert not any("Rowanberry" in row[0] or b"Rowanberry".hex() in row[0] for row in rows)

    def test_puts_reading_and_writing_on_record(self, database: Database, pairing: Pairing) -> None:
        say(database, pairing.children, pairing)
        with transaction(database, pairing.family) as session:
            read_messages(session, get_link(session, pairing.link_id), now=utc_now())

        with transaction(database, pairing.children) as session:
            said = {(each.act, each.reason) for each in list_entries_of(session, pairing.link_id)}
        assert {(Act.ADD, "message"), (Act.READ, "messages")} <= said

    @pytest.mark.parametrize("words", ["", " \n\t", "\0", "x" * 10_001])
    def test_refuses_what_says_nothing_or_too_much(self, database: Database, pairing: Pairing, words: str) -> None:
        with pytest.raises(WordsMissing):
            say(database, pairing.children, pairing, words)

    def test_is_for_people_who_keep_links(self, database: Database, pairing: Pairing, factories: Factories) -> None:
        worker = factories.colleague(pairing.children, roles=frozenset({Role.CHILDS_SOCIAL_WORKER}))

        with pytest.raises(NotAllowed):
            say(database, worker, pairing)

    def test_tells_who_follows_the_link_and_names_people(
        self, database: Database, pairing: Pairing, factories: Factories
    ) -> None:
        colleague = factories.colleague(pairing.family, roles=FINDER)

        say(database, pairing.children, pairing)
        assert told(database, pairing.family)[0] == "There is a new message"
        assert told(database, pairing.children) == ["The other agency took a step: consider this link"]
        assert told(database, colleague) == []
        person_id = colleague.scope.person_id
        say(database, pairing.children, pairing, "And you?", named=[person_id])

        assert told(database, colleague) == ["Somebody named you in a message"]
        with transaction(database, colleague) as session:
            found = read_messages(session, get_link(session, pairing.link_id), now=utc_now())
            assert len(found[-1].named) == 1

    def test_names_nobody_who_may_not_read_it(self, database: Database, pairing: Pairing, factories: Factories) -> None:
        stranger, admin = (
            factories.tenant(factories.consortium()),
            factories.colleague(pairing.family, roles=frozenset({Role.ADMINISTRATOR})),
        )
        for named in ([stranger.scope.person_id], [admin.scope.person_id], [pairing.link_id] * (MOST_NAMED + 1)):
            with pytest.raises(LinkInvalid):
                say(database, pairing.children, pairing, named=named)


class TestListReaders:
    def test_leaves_out_who_is_shut_out_who_then_sees_nothing(
        self, database: Database, pairing: Pairing, factories: Factories
    ) -> None:
        colleague = factories.colleague(pairing.family, roles=FINDER)
        person_id = colleague.scope.person_id
        assert person_id is not None
        file = CheckedFile(b"%PDF-", FileKind.PDF)
        message_id = say(database, pairing.children, pairing, named=[person_id], file=file, file_name="a.pdf")
        guard = factories.colleague(pairing.family, roles=frozenset({Role.MANAGER}))
        with transaction(database, guard) as session:
            household = get_household(session, pairing.household_id)
            bar_person(session, household, person_id=person_id, reason="Their cousin", now=utc_now())

        with transaction(database, pairing.children) as session:
            readers = list_readers(session, get_link(session, pairing.link_id))
        assert person_id not in {each.person_id for each in readers}
        assert {each.agency_id for each in readers} == {pairing.children.id, pairing.family.id}
        assert told(database, colleague) == []
        with transaction(database, colleague) as session:
            assert session.scalar(select(func.count(LinkMessage.id))) == 0
            with pytest.raises(LinkUnknown):
                open_file(session, pairing.link_id, message_id, now=utc_now())
        say(database, pairing.family, pairing)
        with transaction(database, colleague) as session:
            assert session.scalar(select(func.count(Notice.id))) == 0

    def test_names_nobody_of_a_link_of_others(self, database: Database, pairing: Pairing, factories: Factories) -> None:
        with transaction(database, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            session.expunge(link)
        with transaction(database, factories.tenant(factories.consortium())) as session:
            assert list_readers(session, link) == []


class TestOpenFile:
    def test_hands_out_what_was_sent_under_a_safe_name(self, database: Database, pairing: Pairing) -> None:
        file = CheckedFile(b"%PDF-sent", FileKind.PDF)
        file_id = say(database, pairing.children, pairing, file=file, file_name='C:\\x\\..\\Plan; "a"\r\n.exe')

        with transaction(database, pairing.family) as session:
            found = open_file(session, pairing.link_id, file_id, now=utc_now())
        assert found == ("Plan- -a.pdf", FileKind.PDF, b"%PDF-sent")

    def test_knows_no_file_of_another_link(self, database: Database, pairing: Pairing, factories: Factories) -> None:
        other = make_link(factories, database)
        file_id = say(database, other.children, other, file=CheckedFile(b"%PDF-", FileKind.PDF), file_name="")
        without = say(database, pairing.children, pairing)

        with transaction(database, pairing.children) as session:
            for wanted in (file_id, without, pairing.link_id):
                with pytest.raises(FileUnknown):
                    open_file(session, pairing.link_id, wanted, now=utc_now())
            with pytest.raises(LinkUnknown):
                open_file(session, other.link_id, file_id, now=utc_now())


class TestAskEach:
    def test_says_the_same_on_each_link_or_nothing_on_any(self, database: Database, pairing: Pairing) -> None:
        with transaction(database, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            assert ask_each(session, [link], words="How is it going?", reason="Still for weeks", now=utc_now()) == 1
            with pytest.raises(LinkInvalid):
                ask_each(session, [], words="How is it going?", reason="Still for weeks", now=utc_now())
            assert (Act.REQUEST, "chased with others") in {
                (each.act, each.reason) for each in list_entries_of(session, link.id)
            }
            assert [each.words for each in read_notes(session, link, now=utc_now())] == ["Chased: Still for weeks"]
        assert told(database, pairing.family)[0] == "There is a new message"
        with transaction(database, pairing.family) as session:
            assert Act.REQUEST not in {each.act for each in list_entries_of(session, pairing.link_id)}


class TestNotes:
    def test_are_one_side_s_own(self, database: Database, pairing: Pairing) -> None:
        with transaction(database, pairing.children) as session:
            add_note(session, get_link(session, pairing.link_id), words="They seem tired.", now=utc_now())
        with transaction(database, pairing.family) as session:
            link = get_link(session, pairing.link_id)
            add_note(session, link, words="They ask a lot.", now=utc_now())
            assert [each.words for each in read_notes(session, link, now=utc_now())] == ["They ask a lot."]

        with transaction(database, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            assert [each.words for each in read_notes(session, link, now=utc_now())] == ["They seem tired."]
            notes = [each for each in list_entries_of(session, link.id) if each.reason == "note"]
            assert [each.actor_agency_id for each in notes] == [pairing.children.id]


class TestNotices:
    def test_tell_of_an_interest_all_who_may_take_it_up(self, database: Database, factories: Factories) -> None:
        pairing = make_link(factories, database, considered=False)

        assert told(database, pairing.family) == ["The other agency took a step: start the link"]
        with transaction(database, pairing.family) as session:
            consider(session, get_link(session, pairing.link_id), version=1, reason="So do we.", now=utc_now())
        with transaction(database, pairing.children) as session:
            notice = session.scalars(select(Notice)).one()
            assert (notice.kind, notice.what, notice.person_id) == (
                NoticeKind.STEP,
                "consider",
                pairing.children.scope.person_id,
            )
