from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from matching.agreement import AgreedHow, AgreedTo, record_agreement
from matching.clock.reason import ClockReason
from matching.clock.rule import ClockName
from matching.household import get_household
from matching.household import read_profile as read_household_profile
from matching.link import StepName, get_link
from matching.need import Answer, Tolerance
from matching.panel.paper import Finding, write_minutes
from matching.ranking.facts import Sex
from matching.rectification import ask_rectification
from matching.retention.destruction import destroy_item
from matching.retention.run import get_run, list_items
from matching.sealed_words import WordsMissing
from matching.subject_access.export import (
    FileFormat,
    NoAnswer,
    NotReviewed,
    answer_of,
    as_json,
    destroy_exports,
    download_export,
    keep_export,
    list_exports,
    request_export,
)
from matching.subject_access.gathering import GatheredAlready, RecordGone, gather
from matching.subject_access.item import (
    REMOVED,
    Decision,
    ItemUnknown,
    RedactionInvalid,
    decide_item,
    get_item,
    opened_items,
    read_items,
    redacted,
)
from matching.subject_access.request import RequestClosed, close_request, get_request
from tenants import audit
from tenants.database import Database
from tests.factories import NOW, Factories, transaction
from tests.matching.placement.stage import step
from tests.matching.report_factory import make_link
from tests.matching.retention.people import agreed, old_household
from tests.matching.subject_access.asking import asked, gathered, looked_through


class TestGather:
    def test_finds_everything_held_on_a_household(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        tolerance = Tolerance(low=Answer.CAN_MEET, medium=Answer.UNKNOWN, high=Answer.CANNOT)
        household_id = factories.household(ours, tolerances={"neglect": tolerance}, profile="Two dogs and a pond.")
        with transaction(database, theirs) as session:
            household = session.scalars(text("SELECT id FROM household").columns()).first()
            assert household
        request = gathered(database, ours, household_id)

        with transaction(database, ours) as session:
            items = read_items(session, get_request(session, request.id), now=NOW)

        found = {said.item.title: said for said in items}
        assert "Adopters: Alder Example" in found["Who they are"].text
        assert "Need: neglect" in found["What they said they could meet"].text
        assert "Two dogs and a pond." in found["The anonymous profile"].text
        assert "Outward code: EX4" in found["Where they live, as a district"].text
        assert "Stage: consortium" in found["How far it is shared now"].text
        assert "share" in found["Who saw or changed it, and with whom it was shared"].text
        assert [said.item.adoption_record for said in items] == [True] * (len(items) - 1) + [False]

    def test_says_which_agency_saw_it_and_names_nobody_of_theirs(
        self, factories: Factories, database: Database
    ) -> None:
        ours, theirs = factories.two_tenants()
        household_id = factories.household(ours)
        with transaction(database, theirs) as session:
            read_household_profile(session, get_household(session, household_id), now=NOW)
        request = gathered(database, ours, household_id)

        with transaction(database, ours) as session:
            text_of_audit = opened_items(session, get_request(session, request.id))[-1].text
        assert f"read, profile, by {theirs.name}" in text_of_audit
        assert f"Sam Sample {theirs.slug}" not in text_of_audit

    def test_finds_what_is_kept_of_it_elsewhere(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = factories.household(ours)
        with transaction(database, ours) as session:
            household = get_household(session, household_id)
            said: dict[str, Any] = {"said_on": NOW.date(), "how": AgreedHow.EMAIL, "now": NOW}
            record_agreement(session, household, agreed_to=AgreedTo.PROFILE, who="Alder Example", **said)
            words = {"field": "Pets", "before": "None", "after": "A cat", "statement": "We have one"}
            ask_rectification(session, household.code, **words, asked_on=NOW.date(), now=NOW)
        request = gathered(database, ours, household_id)

        with transaction(database, ours) as session:
            items = opened_items(session, get_request(session, request.id))
            found = {each.item.title: each.text for each in items}
        assert found["What they agreed to"] == "23/11/2026: Their anonymous profile: agreed by Alder Example, e-mail"
        assert found["Corrections asked for"] == "23/11/2026: Pets: “None” to be “A cat”. To decide"
        assert "Links" not in found

    def test_finds_panel_papers_and_why_times_were_missed(self, factories: Factories, database: Database) -> None:
        pairing = make_link(factories, database)
        step(database, pairing.children, pairing, StepName.SHORTLIST)
        with transaction(database, pairing.children) as session:
            link = get_link(session, pairing.link_id)
            write_minutes(session, link, finding=Finding.RECOMMENDED, words="They fit well.", now=NOW)
            missed = {"clock": ClockName.MATCH, "due_on": NOW.date(), "reason": "No family was found.", "at": NOW}
            who = {"person_id": pairing.children.scope.person_id, "person_name": "Sam Sample"}
            about = {"agency_id": pairing.children.id, "sibling_group_id": pairing.group_id}
            session.add(ClockReason(**who, **about, **missed))
        found = {}
        for tenant, record_id in ((pairing.children, pairing.group_id), (pairing.family, pairing.household_id)):
            request = gathered(database, tenant, record_id)
            with transaction(database, tenant) as session:
                items = opened_items(session, get_request(session, request.id))
                found[tenant] = {each.item.title: each.text for each in items}

        ours, theirs = found.values()
        assert ours["Panel papers"].endswith("Panel’s minutes, The panel recommends the match. They fit well.")
        assert "No family was found. (Sam Sample" in ours["Why times were missed"]
        # The family's agency has neither: minutes and reasons are the children's agency's own.
        assert not {"Panel papers", "Why times were missed"} & theirs.keys()

    def test_keeps_each_child_of_a_group_apart(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        children = ((date(2020, 1, 1), Sex.FEMALE), (date(2022, 1, 1), Sex.MALE))
        request = gathered(database, ours, factories.group(ours, children=children, exclusion_areas={"PL4": 10}))

        with transaction(database, ours) as session:
            titles = [said.item.title for said in opened_items(session, get_request(session, request.id))]
        assert {"Who child 1 is", "Who child 2 is", "Areas where the children must not live"} <= set(titles)

    def test_happens_once_and_wants_the_record(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        request = gathered(database, ours, factories.household(ours))
        with pytest.raises(GatheredAlready), transaction(database, ours) as session:
            gather(session, get_request(session, request.id), now=NOW)

        gone = factories.household(ours)
        request = asked(database, ours, gone)
        with transaction(database, ours) as session:
            session.execute(text("DELETE FROM household WHERE id = :id"), {"id": gone})
        with pytest.raises(RecordGone), transaction(database, ours) as session:
            gather(session, get_request(session, request.id), now=NOW)


class TestDecideItem:
    def test_keeps_who_released_what_and_why(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        request = gathered(database, ours, factories.household(ours))
        with transaction(database, ours) as session:
            found = get_request(session, request.id)
            first = opened_items(session, found)[0].item
            decide_item(
                session, found, first, decision=Decision.REDACT, remove="alder", reason="The other adopter", now=NOW
            )

        with transaction(database, ours) as session:
            said = opened_items(session, get_request(session, request.id))[0]
            acts = [entry.act for entry in audit.list_entries_of(session, request.id)]
        assert (said.item.decision, said.reason) == (Decision.REDACT, "The other adopter")
        assert said.leaves
        assert f"Adopters: {REMOVED} Example" in said.leaves
        assert said.item.decided_by == ours.scope.person_id
        assert audit.Act.RELEASE in acts

    def test_wants_a_reason_an_open_request_and_a_part_of_it(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        request, other = (gathered(database, ours, factories.household(ours)) for _ in range(2))
        with transaction(database, ours) as session:
            found = get_request(session, request.id)
            item = opened_items(session, found)[0].item
            with pytest.raises(ItemUnknown):
                get_item(session, get_request(session, other.id), item.id)
            with pytest.raises(WordsMissing):
                decide_item(session, found, item, decision=Decision.RELEASE, reason=" ", now=NOW)
            close_request(session, found, now=NOW)
            with pytest.raises(RequestClosed):
                decide_item(session, found, item, decision=Decision.RELEASE, reason="Late", now=NOW)


class TestRedacted:
    @pytest.mark.parametrize("remove", ["", " \n ", "x", "nobody"])
    def test_refuses_what_is_not_there(self, remove: str) -> None:
        with pytest.raises(RedactionInvalid):
            redacted("Robin and Kit Sample", remove)

    def test_refuses_what_it_would_not_find_to_remove(self) -> None:
        with pytest.raises(RedactionInvalid, match="not in this part"):
            redacted("Kit Straße", "Kit Strasse")

    @pytest.mark.parametrize("between", ["\n", "  ", "\u00a0"])
    def test_takes_a_name_also_where_it_is_broken(self, between: str) -> None:
        assert redacted(f"Kit Sample, Kit{between}Sample", "Kit Sample") == f"{REMOVED}, {REMOVED}"

    def test_takes_the_longest_first(self) -> None:
        assert redacted("Kit Sample, kit", "kit\nKit Sample") == f"{REMOVED}, {REMOVED}"

    @given(st.text(st.characters(codec="ascii", min_codepoint=97, max_codepoint=122), min_size=2, max_size=6))
    def test_leaves_the_word_nowhere(self, word: str) -> None:
        text_before = f"of {word.upper()} and {word}s: {word}"

        assert word not in redacted(text_before, word).replace(REMOVED, "").casefold()


class TestAnswerOf:
    def test_holds_what_was_released_and_nothing_else(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        request = gathered(database, ours, factories.household(ours, profile="Two dogs and a pond."))
        with pytest.raises(NotReviewed), transaction(database, ours) as session:
            request_export(session, get_request(session, request.id), now=NOW)
        looked_through(database, ours, request)
        with transaction(database, ours) as session:
            found = get_request(session, request.id)
            profile = next(s.item for s in opened_items(session, found) if s.item.title == "The anonymous profile")
            decide_item(session, found, profile, decision=Decision.RELEASE, reason="It is about them", now=NOW)

        with transaction(database, ours) as session:
            found = get_request(session, request.id)
            answer = answer_of(session, found, now=NOW)
            held = len(opened_items(session, found))

        assert [part["title"] for part in answer["parts"]] == ["The anonymous profile"]
        assert answer["withheld"] == held - 1
        assert "Alder" not in as_json(answer).decode()
        assert json.loads(as_json(answer)) == answer


class TestExports:
    def test_are_gone_once_it_is_decided_otherwise(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        requests = [gathered(database, ours, factories.household(ours)) for _ in range(2)]
        files = {FileFormat.PDF: b"%PDF- a sample", FileFormat.JSON: b"{}"}
        with transaction(database, ours) as session:
            changed, other = (get_request(session, request.id) for request in requests)
            for each in (changed, other):
                keep_export(session, each, files=files, now=NOW)
            item = opened_items(session, changed)[0].item
            decide_item(session, changed, item, decision=Decision.WITHHOLD, reason="Another’s name", now=NOW)

        with transaction(database, ours) as session:
            changed, other = (get_request(session, request.id) for request in requests)
            assert download_export(session, other, FileFormat.PDF, now=NOW) == b"%PDF- a sample"
            with pytest.raises(NoAnswer):
                download_export(session, changed, FileFormat.PDF, now=NOW)

    def test_are_sealed_and_end_after_their_days(self, factories: Factories, database: Database) -> None:
        ours, theirs = factories.two_tenants()
        request = gathered(database, ours, factories.household(ours))
        files = {FileFormat.PDF: b"%PDF- a sample", FileFormat.JSON: b"{}"}
        with transaction(database, ours) as session:
            keep_export(session, get_request(session, request.id), files=files, now=NOW)
            sealed = session.scalars(text("SELECT sealed FROM subject_export").columns()).all()
        assert all(b"sample" not in bytes(each) for each in sealed)

        with transaction(database, ours) as session:
            found = get_request(session, request.id)
            assert download_export(session, found, FileFormat.PDF, now=NOW) == b"%PDF- a sample"
            assert destroy_exports(session, found, now=NOW + timedelta(days=28)) == 0
            with pytest.raises(NoAnswer):
                download_export(session, found, FileFormat.PDF, now=NOW + timedelta(days=29))
            assert destroy_exports(session, found, now=NOW + timedelta(days=29)) == 2
            assert list_exports(session, found, on=NOW.date()) == []
        with transaction(database, theirs) as session:
            assert session.execute(text("SELECT count(*) FROM subject_item")).scalar_one() == 0


class TestRetention:
    def test_destroys_what_was_gathered_with_the_record(self, factories: Factories, database: Database) -> None:
        ours, _ = factories.two_tenants()
        household_id = old_household(factories, ours)
        request = gathered(database, ours, household_id)
        run = agreed(database, ours, household_id)
        with transaction(database, ours) as session:
            close_request(session, get_request(session, request.id), now=NOW)
            (item,) = list_items(session, get_run(session, run.id))
            destroy_item(session, item.id, now=NOW)

        with transaction(database, ours) as session:
            left = session.execute(
                text("SELECT count(*) FROM subject_item WHERE subject_request_id = :id"), {"id": request.id}
            ).scalar_one()
        assert left == 0
