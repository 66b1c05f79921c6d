"""The wall as the database's catalogue shows it: nothing is left open because somebody forgot."""

from __future__ import annotations

import importlib
import pkgutil
import re
from enum import StrEnum
from types import ModuleType
from typing import Any

import psycopg
import pytest
from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Date, DateTime, Integer, LargeBinary, Text, Time, Uuid
from sqlalchemy.dialects.postgresql import JSONB

import matching
import tenants
from tenants.base import Base, Word
from tests.tenants import catalogue
from tests.tenants.world import World

# Functions that run with their owner's rights, each with its owner and why it must.
DEFINERS = {
    "barred_references": (
        "concord_place",
        "says which rows of a sheet name records that their importer is barred from",
    ),
    "present_members": ("concord_place", "says which agencies of other consortia may share nationally"),
    "scope_barred": ("concord_place", "says what the scope's person is barred from, which they may not read"),
    "scope_barred_codes": ("concord_place", "the same, by the codes that other records mention"),
    "scope_barred_since": ("concord_place", "says when the scope's person was last barred from something"),
    "scope_bars": ("concord_place", "what the three before ask; no login may call it"),
    "ask_to_gather": ("concord_seal", "asks the other agency's worker to gather its own adoption record"),
    "rotate_record": ("concord_seal", "gives a record of the scope's own agency new ids wherever it is named"),
    "sealing_hindrances": ("concord_seal", "says what keeps an adoption from being sealed, on either side"),
    "sever_link": ("concord_seal", "removes what ties two records, of both agencies, once two people said so"),
    "sharing_members": ("concord_work", "says in which scope the schedule is to move what is due"),
    "scope_claims": ("concord_scope", "verifies a scope's signature with the key"),
    "scope_administers": ("concord_sign_in", "reads appointments for the policies of appointments themselves"),
    "start_sign_in": ("concord_sign_in", "finds a person before there is a scope"),
    "find_sign_in": ("concord_sign_in", "finds a session before there is a scope"),
    "choose_acting": ("concord_sign_in", "writes to a session, which no login may"),
    "sign_in_ways": ("concord_sign_in", "lists the ways in before anyone is known"),
    "sign_in_provider": ("concord_sign_in", "opens a provider's settings, its secret among them, to nobody's scope"),
    "take_trial": ("concord_sign_in", "links the account that an administrator came in by, which no login may"),
    "end_sessions_there": ("concord_sign_in", "ends the sessions that a provider says are over"),
    "end_sign_in": ("concord_sign_in", "writes to a session, which no login may"),
    "find_api_client": ("concord_sign_in", "finds a client before there is a scope"),
    "start_api_token": ("concord_sign_in", "writes a token, which no login may"),
    "find_api_token": ("concord_sign_in", "finds who holds a token before there is a scope"),
    "end_api_token": ("concord_sign_in", "writes to a token, which no login may"),
    "end_acting_sessions": ("concord_lives", "ends what stood on a delegated appointment that has ended"),
    "end_delegation": ("concord_lives", "ends a delegation and what people hold by it, for either of its two agencies"),
    "follow_appointment": ("concord_lives", "lets what people hold by a delegation follow their own appointments"),
    "sign_delegation": ("concord_lives", "takes the word of the scope's own person for the scope's own side alone"),
    "follow_departure": (
        "concord_lives",
        "ends the scope's own agency's memberships on the day that two people agreed",
    ),
    "agree_to_hand_over": (
        "concord_custody",
        "takes the word of the scope's own person for the scope's own side alone",
    ),
    "begin_hand_over": ("concord_custody", "marks the one transaction in which what both sides agreed to is done"),
    "closed_in_hand_over": ("concord_custody", "says what stands for rows that few may read, and nothing of them"),
    "hand_overs_due": ("concord_custody", "says in which scope the schedule is to ask for a hand-over"),
    "move_hand_over": ("concord_custody", "gives rows to another agency, in the transaction that was marked"),
    "preview_hand_over": ("concord_custody", "moves rows and undoes it, to say how many would move"),
    "reconcile_hand_over": ("concord_custody", "keeps what came of it, in the transaction that was marked"),
    "reseal_hand_over": ("concord_custody", "writes sealed values anew, in the transaction that was marked"),
    "scope_predecessors": ("concord_custody", "says which agencies have become part of the scope's own"),
    "scope_taken_over": ("concord_custody", "says which records came to the scope's agency from another"),
    "side_in_hand_over": ("concord_custody", "says for which side the scope's person may sign"),
    "sign_hand_over": ("concord_custody", "takes the word of the scope's own person for the side that they are of"),
    "withdraw_hand_over": ("concord_custody", "takes a plan of the scope's own agency back"),
    "answers_past_their_end": ("concord_work", "says in which scope the schedule is to destroy an answer"),
    "job_scope": ("concord_work", "says in which scope a job is to be run, before there is one"),
    "meetings_without_packs": ("concord_work", "says in which scope the schedule is to ask for packs"),
    "packed_since": ("concord_work", "says whether a pack built since may show the scope's own records, and not whose"),
    "packs_past_their_end": ("concord_work", "says in which scope the schedule is to destroy a pack"),
    "revoke_with_link": ("concord_work", "revokes a link's grants when either side ends it, and puts that on record"),
    "pair_at_caps": (
        "concord_place",
        "says whether a pair is at its caps, counting links of other agencies, and not how many",
    ),
    "matched_elsewhere": (
        "concord_place",
        "says to either side of a link whether the other record is matched by a link of others, and not with whom",
    ),
    "link_readers": ("concord_place", "names the people of a link's two agencies who may read it, for either of them"),
    "calendar_of": ("concord_place", "says in whose scope a calendar is read, from its secret"),
    "link_followers": ("concord_work", "says who of those readers had a part in it; no login may call it"),
    "give_notices": ("concord_work", "tells them of something, which no login may"),
    "notice_step": ("concord_work", "tells the other side of a step that was taken"),
    "notice_message": ("concord_work", "tells both sides of a message"),
    "notice_grant": ("concord_work", "tells a person of what they may read"),
    "notice_clock": ("concord_work", "tells people of the scope's own agency of a time, and no others"),
    "mention_in": ("concord_work", "tells a reader that the scope's person named them in a message of a moment ago"),
    "people_to_mail": ("concord_work", "says in which scope the schedule is to ask for an e-mail"),
    "agencies_with_invoices": ("concord_work", "says in which scopes the schedule is to look at unpaid invoices"),
    "fee_tending_due": ("concord_work", "says in which scopes the schedule is to look at fee agreements"),
    "agencies_with_clocks": ("concord_work", "says in which scopes the schedule is to look at clocks"),
    "notice_record_clock": ("concord_work", "tells people of the scope's own agency of a time of its own record"),
    "settle_match": ("concord_work", "says of both records of a link's match that it stands, or no longer does"),
    "give_fee_notices": ("concord_work", "tells an agency's people of something about fees, which no login may"),
    "notice_fee": ("concord_work", "tells the agency whose turn it is of a row about fees that was written"),
    "notice_payers": ("concord_work", "tells whoever was invoiced of a change of bank details that they may read"),
    "notice_parties": ("concord_work", "tells the agencies of a netting of its end, of whom each reads its own part"),
    "notice_nettings_over": ("concord_work", "tells them of nettings of its own that ended as somebody is gone"),
    "netting_over_on": ("concord_work", "says from which day a netting is over, and not which of its agencies is gone"),
    "notice_fee_day": ("concord_work", "tells finance officers of the scope's own agency of what a day brings"),
    "forget_notices": ("concord_work", "destroys notices of two months ago, for the schedule"),
    "pair_places": ("concord_place", "compares places of two agencies, and says a band only"),
    "place_posting": ("concord_work", "says in which month a posting counts, by months that the other side has closed"),
    "hold_ledger_to_leg": ("concord_work", "looks up whose a leg is, as below"),
    "hold_ledger_to_invoice": ("concord_work", "looks up whose an invoice is, of which a scope reads its own alone"),
    "scope_person_name": ("concord_sign_in", "names the scope's own person, for functions whose roles read no people"),
    "ledger_must_balance": ("concord_work", "adds up both books of a transaction, of which each side reads its own"),
    "fee_runs_due": ("concord_work", "says in which scopes the schedule is to settle fees"),
    "swap_placements": (
        "concord_place",
        "tells a swap group's members of placements between them, and its office of all: agencies, days and ages",
    ),
    "swap_declined": (
        "concord_place",
        "says which pairs were declined: of its own to a member, of all to the office",
    ),
    "consortium_figures": ("concord_place", "tells counts and days of a consortium's links: rounded, and not of few"),
    "find_groups": ("concord_search", "finds by words, as the policies would let it, with the index that they cost"),
    "find_households": ("concord_search", "as above"),
    "words_query": ("concord_search", "asks the words of all agencies which are spelt alike; no login may call it"),
    "keep_words_of_groups": ("concord_search", "writes the words of records, which no login may"),
    "keep_words_of_households": ("concord_search", "as above"),
    "keep_words_of_changed_groups": ("concord_search", "as above, when a table changes from which they come"),
    "keep_words_of_changed_households": ("concord_search", "as above"),
    "keep_words_of_all": ("concord_search", "as above, when an upgrade changes what needs are called"),
    "doubt_words": ("concord_search", "notes which words a record lost"),
    "forget_words": ("concord_search", "forgets the words that are in no record any more, for the schedule"),
    "draw_netting": ("concord_work", "puts together what several agencies owe one another, and tells nobody of it"),
    "confirm_netting": ("concord_work", "takes the word of the scope's own agency, and with the last posts all books"),
    "office_savings": ("concord_work", "adds up what each agency's agreements spared and earned, for the office alone"),
    "search_plans": ("concord_search", "says how a search is planned, which depends on the rights it is made with"),
}
ROLES_WITHOUT_LOGIN = (
    *("concord_owner", "concord_scope", "concord_sign_in", "concord_place", "concord_work", "concord_lives"),
    *("concord_keys", "concord_search", "concord_custody"),
)

# Foreign keys between walled tables that do not carry the agency, each with its reason.
LOOSE_KEYS = {
    "appointment_person_id_fkey": "only whom an agency has already does its administrator appoint, by the policy",
    "consortium_member_consortium_id_fkey": "only the operator, who sees all consortia, lets an agency join",
    "invitation_invited_by_fkey": "the policy lets an invitation name the scope's own person only",
    "invitation_person_id_fkey": "only signing in writes it",
    "job_person_id_fkey": "the policy lets a job name the scope's own person only",
    "clock_reason_link_id_fkey": "the policy lets a reason name a link that the scope sees only",
    "document_grant_person_id_fkey": "the policy lets people ask for themselves, and be offered who took part",
    "document_undertaking_person_id_fkey": "the policy lets people promise for themselves only",
    "notice_link_id_fkey": "only functions write notices, of links that their caller has a part in",
    "link_step_person_id_fkey": "the policy lets a step name the scope's own person only",
    "paper_signature_paper_id_kind_digest_fkey": "the policy lets people sign only what their scope reads",
    "meeting_action_meeting_id_consortium_id_office_id_fkey": "it carries the meeting's office, which sees the row too",
    "pack_meeting_id_consortium_id_fkey": "a meeting is the consortium's, and so carries it instead",
    "swap_group_consortium_id_office_id_fkey": "it carries the office, whose the group is",
    "swap_group_carries_id_consortium_id_office_id_fkey": "it carries the office, which sees the row too",
    "swap_member_swap_group_id_consortium_id_office_id_fkey": "as above",
    "tariff_consortium_id_office_id_fkey": "it carries the office, whose the tariff is",
    "tariff_rate_tariff_id_consortium_id_office_id_fkey": "as above",
    "tariff_instalment_tariff_id_consortium_id_office_id_fkey": "as above",
    "fee_rule_consortium_id_office_id_fkey": "as above",
    "fee_rule_swap_group_id_consortium_id_office_id_fkey": "as above",
    "fee_agreement_tariff_id_fkey": "a tariff is the consortium's, which all of its members read",
    "fee_agreement_swap_group_id_fkey": "as above",
    **dict.fromkeys(
        ("fee_event_agreement_id_fkey", "fee_exception_agreement_id_fkey"),
        "the policy lets it name an agreement that the scope sees, with its two agencies",
    ),
    "ledger_transaction_agreement_id_fkey": "by the policy an agreement of its two agencies, whose it need not stay",
    "ledger_transaction_event_id_agreement_id_fkey": "it carries the agreement, as above",
    "ledger_transaction_reverses_id_fkey": "a trigger refuses to reverse what was between other agencies",
    "posting_agreement_id_fkey": "a trigger refuses an agreement that neither is nor was of its two agencies",
    "posting_transaction_id_fkey": "a trigger refuses a posting that is not of the transaction's two agencies",
    "fee_statement_line_transaction_id_fkey": "the policy lets a line name a transaction that the scope sees only",
    "invoice_transaction_id_fkey": "the policy lets it name a transaction of its two agencies only",
    "invoice_line_agreement_id_fkey": "the policy lets it name an agreement of its two agencies only",
    "purchase_order_agreement_id_fkey": "as above",
    **dict.fromkeys(
        (
            *("invoice_credits_id_fkey", "pay_approval_invoice_id_fkey", "dispute_invoice_id_fkey"),
            *("dispute_message_dispute_id_fkey", "invoice_reminder_invoice_id_fkey"),
            *("payment_allocation_invoice_id_fkey", "payment_allocation_leg_id_fkey", "invoice_reminder_leg_id_fkey"),
        ),
        "the policy lets it name what is, or was until a hand-over, between its two agencies only",
    ),
    **dict.fromkeys(
        (
            *("netting_member_netting_id_fkey", "netting_claim_netting_id_fkey", "netting_leg_netting_id_fkey"),
            "netting_swap_group_id_fkey",
        ),
        "only a function draws one up, for those whom it concerns",
    ),
    "payment_transaction_id_fkey": "the policy lets a payment name a transaction of its two agencies only",
    "payment_allocation_transaction_id_fkey": "as above",
    "adopters_copy_given_by_fkey": "the policy lets people give a copy in their own name only",
    "adoption_record_link_id_fkey": "the policy lets a record name a link whose sealing the scope sees only",
    "sealing_asked_by_fkey": "the policy lets people ask in their own name only",
    "placement_note_person_id_fkey": "the policy lets a note name the scope's own person only",
    "placement_review_person_id_fkey": "the policy lets a review name the scope's own person only",
    "person_identity_person_id_fkey": "only the operator, who sees all people, invites",
    "sign_in_session_person_id_fkey": "no login writes sessions",
}

# Unique constraints that look past the wall, each with its reason.
LOOSE_CONSTRAINTS = {
    "household_code_key": "codes are random, are never chosen, and name one record in the whole pool",
    "sibling_group_code_key": "as above",
    "fee_statement_open_key": "it is of the two agencies, whichever of them drew the statement up",
    "netting_member_person_key": "it is of a netting, whose members all read it",
    "sign_in_session_pkey": "no login writes sessions",
    "email_domain_confirmed_idx": "a domain is public, and only the office and the operator confirm whose it is",
}

# Tables and columns that no model maps, each with its reason.
UNMAPPED = {
    **dict.fromkeys(("household_words", "sibling_group_words", "search_word"), "searched and kept by functions only"),
    "sign_in_session": "begun through functions only, and read by column: nobody reads its key, the digest",
    "api_token": "reached through functions only",
    "identity_provider_secret": "written only; signing in opens it through a function",
    "logout_token": "reached through functions only",
    "calendar_feed.digest": "written only; a function finds the calendar by it",
    "audit_entry.written_in": "the database's own note of the transaction, for sealing the audit",
    "audit_chain.written_in": "as above",
    "ledger_transaction.written_in": "the database's own note of the transaction, in which alone postings are made",
    "hand_over.done_in": "the database's own note of the transaction in which it was done",
}


_OF_FEES = "fee_|ledger_|posting|invoice|payee_|payment|pay_|remittance|netting|purchase_|supplier|dispute"


class TestTables:
    def test_are_walled_also_against_their_owner(self, admin: psycopg.Connection[Any]) -> None:
        walled = admin.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relrowsecurity AND relforcerowsecurity "
            "AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)"
        ).fetchall()

        assert {name for (name,) in walled} == set(catalogue.walled_tables(admin))

    def test_without_wall_cannot_be_written_by_a_login(self, admin: psycopg.Connection[Any]) -> None:
        for table in catalogue.WITHOUT_WALL:
            for login in catalogue.LOGINS:
                for verb in ("INSERT", "UPDATE"):
                    assert catalogue.columns_open_to(admin, login, table, verb) == []
                assert not catalogue.may_delete(admin, login, table)

    def test_of_an_agency_have_an_index_by_it(self, admin: psycopg.Connection[Any]) -> None:
        indexed = {table for table, _, columns in catalogue.indexes(admin) if "agency_id" in columns}
        of_agencies = {table for table in catalogue.tables(admin) if "agency_id" in catalogue.columns(admin, table)}

        assert of_agencies - indexed == {"sign_in_session"}  # found by its digest, never by its agency

    def test_are_no_views_rules_or_sequences_that_a_login_asks(self, admin: psycopg.Connection[Any]) -> None:
        others = admin.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND (relkind IN ('v', 'm', 'S', 'f') OR relhasrules)"
        ).fetchall()
        asked = admin.execute(
            "SELECT has_sequence_privilege('concord_app', 'posting_turn_seq', 'USAGE, SELECT, UPDATE')"
        ).fetchone()

        # Turns of postings, which no answer tells.
        assert (others, asked) == ([("posting_turn_seq",)], (False,))


class TestConstraints:
    def test_carry_the_agency_where_they_point_at_walled_rows(self, admin: psycopg.Connection[Any]) -> None:
        loose = {
            key.name
            for key in catalogue.foreign_keys(admin)
            if key.target not in {"agency", *catalogue.WITHOUT_WALL}
            # A link, and what belongs to one, names the agencies of both sides.
            and not any(column.endswith("agency_id") for column in key.columns)
        }

        assert loose == set(LOOSE_KEYS)

    def test_carry_the_agency_where_they_ask_for_uniqueness(self, admin: psycopg.Connection[Any]) -> None:
        of_agencies = {table for table in catalogue.tables(admin) if "agency_id" in catalogue.columns(admin, table)}

        loose = {
            name
            for table, name, columns in catalogue.indexes(admin, unique=True)
            # An id is random and unguessable, so that meeting one says nothing to whom it was not told.
            if table in of_agencies and not {"id", "agency_id"} & set(columns)
        }

        assert loose == set(LOOSE_CONSTRAINTS)

    def test_ask_by_its_key_for_what_a_row_of_fees_names(self, admin: psycopg.Connection[Any]) -> None:
        """A list of all that the scope sees is gone through for each row: 400 ms of 200,000 transactions."""
        listed = r"\mIN \( SELECT (?!a\.id\s+FROM agency a)"
        rows = admin.execute(
            "SELECT policyname FROM pg_policies WHERE with_check ~ %s AND tablename = ANY (%s)",
            (listed, [table for table in catalogue.walled_tables(admin) if re.match(_OF_FEES, table)]),
        ).fetchall()

        assert rows == []


class TestRoles:
    @pytest.mark.parametrize("role", [*catalogue.LOGINS, *ROLES_WITHOUT_LOGIN])
    def test_have_no_power_beyond_their_grants(self, admin: psycopg.Connection[Any], role: str) -> None:
        powers = admin.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles "
            "WHERE rolname = %s",
            (role,),
        ).fetchone()

        assert powers == (False,) * 5

    @pytest.mark.parametrize("login", catalogue.LOGINS)
    def test_that_log_in_are_members_of_nothing(self, admin: psycopg.Connection[Any], login: str) -> None:
        memberships = admin.execute(
            "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", (login,)
        ).fetchall()

        assert memberships == []

    @pytest.mark.parametrize("login", catalogue.LOGINS)
    def test_that_log_in_own_nothing_and_can_make_nothing(self, admin: psycopg.Connection[Any], login: str) -> None:
        owned = admin.execute(
            "SELECT count(*) FROM pg_shdepend WHERE refobjid = %s::regrole AND deptype = 'o'", (login,)
        )
        makes = admin.execute(
            "SELECT has_schema_privilege(%(login)s, 'public', 'CREATE'), "
            "has_database_privilege(%(login)s, current_database(), 'CREATE'), "
            # A temporary table named like one of ours would stand before it for whoever gets the connection next.
            "has_database_privilege(%(login)s, current_database(), 'TEMP')",
            {"login": login},
        )

        assert owned.fetchone() == (0,)
        assert makes.fetchone() == (False, False, False)

    @pytest.mark.parametrize("role", ROLES_WITHOUT_LOGIN)
    def test_that_own_cannot_log_in(self, admin: psycopg.Connection[Any], role: str) -> None:
        assert admin.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (role,)).fetchone() == (False,)

    def test_that_own_functions_are_in_reach_of_the_owner_alone(self, admin: psycopg.Connection[Any]) -> None:
        members = admin.execute(
            "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members "
            "WHERE roleid::regrole::text = ANY (%s) AND (inherit_option OR set_option)",
            (list(ROLES_WITHOUT_LOGIN),),
        ).fetchall()

        assert set(members) == {("concord_owner", "concord_migrate")} | {
            (role, "concord_owner") for role in ROLES_WITHOUT_LOGIN[1:]
        }

    def test_that_log_in_have_no_privilege_on_the_key(self, admin: psycopg.Connection[Any]) -> None:
        for role in (*catalogue.LOGINS, *ROLES_WITHOUT_LOGIN):
            expected = ["inner_pad", "outer_pad"] if role == "concord_scope" else []
            assert catalogue.columns_open_to(admin, role, "scope_key", "SELECT") == expected

    @pytest.mark.parametrize("login", catalogue.LOGINS)
    @pytest.mark.parametrize("right", ["TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"])
    def test_that_log_in_read_and_write_rows_and_nothing_else(
        self, admin: psycopg.Connection[Any], login: str, right: str
    ) -> None:
        granted = [
            table
            for table in catalogue.tables(admin)
            if admin.execute("SELECT has_table_privilege(%s, %s, %s)", (login, table, right)).fetchone() == (True,)
        ]

        assert granted == []


class TestFunctions:
    def test_that_run_with_their_owners_rights_are_known(self, admin: psycopg.Connection[Any]) -> None:
        found = admin.execute(
            "SELECT proname, proowner::regrole::text FROM pg_proc "
            "WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        ).fetchall()

        assert dict(found) == {name: owner for name, (owner, _) in DEFINERS.items()}

    def test_have_a_fixed_search_path_that_ends_with_the_temporary(self, admin: psycopg.Connection[Any]) -> None:
        paths = admin.execute(
            "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchall()

        assert {name: path for name, path in paths if path != ["search_path=pg_catalog, public, pg_temp"]} == {}

    def test_that_run_with_their_owners_rights_are_not_everybodys(self, admin: psycopg.Connection[Any]) -> None:
        open_to_all = admin.execute(
            "SELECT proname FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner))) a "
            "WHERE pronamespace = 'public'::regnamespace AND prosecdef AND a.grantee = 0"
        ).fetchall()

        assert open_to_all == []

    def test_of_the_relay_are_those_that_every_policy_needs(self, admin: psycopg.Connection[Any]) -> None:
        callable_by_relay = admin.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef "
            "AND has_function_privilege('concord_relay', oid, 'EXECUTE')"
        ).fetchall()

        assert callable_by_relay == [("scope_claims",)]


class TestModels:
    def test_map_every_table_and_column(self, admin: psycopg.Connection[Any], world: World) -> None:
        assert world
        mapped = {table.name: {column.name for column in table.columns} for table in _models()}
        missing = set()
        for table in catalogue.walled_tables(admin):
            if table not in mapped:
                missing.add(table)
                continue
            there = set(catalogue.columns(admin, table))
            missing |= {f"{table}.{column}" for column in there ^ mapped[table]}

        assert missing == set(UNMAPPED)
        assert set(mapped) <= set(catalogue.walled_tables(admin))

    def test_agree_with_the_tables_on_types_and_on_what_may_be_missing(self, admin: psycopg.Connection[Any]) -> None:
        drift = []
        for table in _models():
            kept = {
                name: (kind, nullable)
                for name, kind, nullable in admin.execute(
                    "SELECT attname, format_type(atttypid, NULL), NOT attnotnull FROM pg_attribute "
                    "WHERE attrelid = %s::regclass AND attnum > 0",
                    (table.name,),
                )
            }
            for column in table.columns:
                said = (_kind(column), bool(column.nullable))
                if kept.get(column.name) != said:
                    drift.append(f"{table.name}.{column.name}: model {said}, table {kept.get(column.name)}")

        assert drift == []

    def test_agree_with_the_tables_on_the_words_that_may_be_kept(self, admin: psycopg.Connection[Any]) -> None:
        drift = []
        for table in _models():
            for column in table.columns:
                if isinstance(column.type, Word):
                    allowed, meant = _words_allowed(admin, table.name, column.name), set(_texts(column.type.words))
                    if allowed != meant:
                        drift.append(f"{table.name}.{column.name}: model {meant}, table {allowed}")

        assert drift == []


def _models() -> list[Any]:
    for storey in (tenants, matching):
        for name in _module_names(storey):
            importlib.import_module(name)
    return list(Base.metadata.sorted_tables)


def _module_names(package: ModuleType) -> list[str]:
    return [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]


def _texts(words: type[StrEnum]) -> list[str]:
    return [word.value for word in words]


def _kind(column: Column[Any]) -> str:
    kinds: list[tuple[type, str]] = [
        (JSONB, "jsonb"),
        (ARRAY, "text[]"),
        (Uuid, "uuid"),
        (Boolean, "boolean"),
        (BigInteger, "bigint"),
        (Integer, "integer"),
        (Date, "date"),
        (LargeBinary, "bytea"),
        (Time, "time without time zone"),
        (Word, "text"),
        (Text, "text"),
    ]
    if isinstance(column.type, ARRAY) and isinstance(column.type.item_type, Uuid):
        return "uuid[]"
    if isinstance(column.type, DateTime):
        return "timestamp with time zone" if column.type.timezone else "timestamp without time zone"
    return next(name for kind, name in kinds if isinstance(column.type, kind))


def _words_allowed(admin: psycopg.Connection[Any], table: str, column: str) -> set[str] | None:
    checks = admin.execute(
        "SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c "
        "JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum] "
        "WHERE c.contype = 'c' AND c.conrelid = %s::regclass AND a.attname = %s",
        (table, column),
    ).fetchall()
    lists = [set(re.findall(r"'([a-z0-9_]+)'::text", check)) for (check,) in checks if "ANY" in check]
    return lists[0] if len(lists) == 1 else None
