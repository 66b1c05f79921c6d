"""What becomes of each table's rows when an agency hands over to another or leaves: one register of them all.

A table that names an agency has one line here, which says whether its rows move, stay or end, which of its values are
sealed, and whether it goes out with the agency's records. A test compares the lines with the database's catalogue, so
that a new table cannot be forgotten.

From a line with ``MOVES`` each upgrade makes the rights, deferrable keys and statements by which the rows move. For
that the table has to have:

- a primary key in which an id stands, so that a row is the same row before and after;
- each column that names an agency in its line, and a foreign key that carries it to the row of the record, child, link
  or document that this one belongs to (or ``about``, where an id without a key says of which record it is): what is
  handed over in part is found along these. Columns of no such key go with their side;
- no CHECK that two agencies differ, unless it lets past what is over: two sides of one row may become one agency;
- no unique key that an agency's column alone keeps apart, or a rule in ``settle_hand_over`` (revision 0027) for rows of
  two agencies that collide; none may be dropped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.cipher import unseal
from tenants.database import scope_of
from tenants.error import Forbidden
from tenants.holding import Course, Form, Holding, Sealed
from tenants.own_key import unseal_apart

_AT_ONCE = 500
_FILES_AT_ONCE = 4

_KEYS = "keys never leave; what they seal goes out opened"
_SIGN_IN = "only the database itself reads who is signed in"
_WAY_IN = "what lets a program in never goes out"
_WORDS = "the words of the records, by which they are found; they go wherever the record goes"
_BOTH = ("group_agency_id", "household_agency_id")
_FEE_PARTIES = ("authority_agency_id", "payee_agency_id", "payer_agency_id")
_PAYING = ("payer_agency_id", "payee_agency_id")
_DIRECTORY = "the directory is the service's; agency and consortium are named in the manifest"

# fmt: off
REGISTER: tuple[Holding, ...] = (
    # Records: they follow the agency's work.
    Holding("household", Course.MOVES, root=True),
    Holding("household_tolerance", Course.MOVES),
    Holding("household_profile", Course.MOVES),
    Holding("household_identity", Course.MOVES, (Sealed("sealed", "household_id"),)),
    Holding("household_place", Course.MOVES),
    Holding("sibling_group", Course.MOVES, root=True),
    Holding("sibling_group_profile", Course.MOVES),
    Holding("sibling_group_identity", Course.MOVES),
    Holding("sibling_group_place", Course.MOVES),
    Holding("sibling_placement", Course.MOVES),
    Holding("exclusion_area", Course.MOVES),
    Holding("child", Course.MOVES),
    Holding("child_need", Course.MOVES),
    Holding("child_identity", Course.MOVES, (Sealed("sealed", "child_id"),)),
    Holding("pool_entry", Course.MOVES),
    Holding("place_question", Course.MOVES, about="record_id"),
    Holding("meeting_action", Course.MOVES, agencies=("agency_id", "office_id")),
    Holding("link", Course.MOVES, agencies=(*_BOTH, "started_by_id"), sides=2),
    Holding("link_step", Course.MOVES, agencies=(*_BOTH, "agency_id"), sides=2),
    Holding("link_day", Course.MOVES, agencies=(*_BOTH, "agency_id"), sides=2),
    Holding("match_decision", Course.MOVES, agencies=_BOTH, sides=2),
    Holding("link_note", Course.MOVES, (Sealed("sealed", "id"),), agencies=("agency_id", *_BOTH)),
    Holding("link_message", Course.MOVES, (Sealed("sealed", "id", Form.FILE, ending="json", own_key="sealed_key"),),
            agencies=(*_BOTH, "agency_id"), sides=2),
    Holding("link_file", Course.MOVES,
            (Sealed("sealed", "id", Form.FILE, named_by="kind", own_key="sealed_key"),),
            agencies=(*_BOTH, "agency_id"), sides=2),
    Holding("legal_hold", Course.MOVES),
    Holding("clock_mark", Course.MOVES),
    Holding("clock_reason", Course.MOVES),
    Holding("decline", Course.MOVES, agencies=("agency_id", *_BOTH)),
    Holding("decline_feedback", Course.MOVES, agencies=(*_BOTH, "agency_id"), sides=2),
    Holding("sibling_decision", Course.MOVES,
            through=("sibling_move", "sibling_decision_id", "sibling_group_id")),
    Holding("sibling_move", Course.MOVES),
    Holding("document", Course.MOVES),
    Holding("document_version", Course.MOVES,
            (Sealed("sealed", "id", Form.FILE, ending="pdf", own_key="sealed_key"),)),
    Holding("document_grant", Course.MOVES, agencies=_BOTH, sides=2),
    Holding("document_undertaking", Course.MOVES, agencies=_BOTH, sides=2),
    Holding("panel_reader", Course.MOVES, agencies=_BOTH, sides=2),
    Holding("panel_undertaking", Course.MOVES, agencies=_BOTH, sides=2),
    Holding("panel_paper", Course.MOVES, (Sealed("sealed", "id", Form.FILE, own_key="sealed_key"),),
            agencies=(*_BOTH, "agency_id"), sides=2),
    Holding("placement", Course.MOVES, agencies=_BOTH, sides=2),
    Holding("placement_child", Course.MOVES, agencies=_BOTH, sides=2),
    Holding("placement_note", Course.MOVES, (Sealed("sealed", "id"),), agencies=("agency_id", "household_agency_id")),
    Holding("placement_introduction", Course.MOVES, (Sealed("sealed", "id", Form.FILE, ending="txt",
            own_key="sealed_key"),), agencies=_BOTH, sides=2),
    Holding("placement_review", Course.MOVES, agencies=_BOTH, sides=2),
    Holding("adopters_copy", Course.MOVES, (Sealed("sealed", "id", Form.FILE, own_key="sealed_key"),),
            agencies=_BOTH, sides=2),
    Holding("sealing", Course.MOVES, agencies=_BOTH, sides=2),
    Holding("adoption_record", Course.MOVES, (Sealed("sealed", "id", Form.FILE, own_key="sealed_key"),), closed=True),
    Holding("sealing_certificate", Course.MOVES),
    Holding("sealed_placement", Course.MOVES, agencies=_BOTH, sides=2),
    Holding("fee_agreement", Course.MOVES, agencies=_FEE_PARTIES, sides=3),
    Holding("fee_addendum", Course.MOVES, agencies=_FEE_PARTIES, sides=3),
    Holding("record_bar", Course.MOVES),
    Holding("glass", Course.MOVES),
    Holding("glass_judgement", Course.MOVES),
    Holding("adoption_order", Course.MOVES),
    Holding("agreement_entry", Course.MOVES, (Sealed("sealed", "id"),)),
    Holding("rectification", Course.MOVES, (Sealed("sealed", "id"), Sealed("sealed_decision", "id")),
            about="record_id"),
    Holding("subject_request", Course.MOVES, (Sealed("sealed", "id"),), about="record_id"),
    Holding("subject_item", Course.MOVES, (Sealed("sealed", "id"), Sealed("sealed_decision", "id"))),
    Holding("subject_export", Course.MOVES, (Sealed("sealed", "id", Form.FILE, named_by="format"),)),
    Holding("retention_hold", Course.MOVES, (Sealed("sealed", "id"), Sealed("sealed_lifting", "id")),
            about="record_id"),
    # History: what was done, by whom, and what was made of the records.
    Holding("audit_entry", Course.STAYS, agencies=("owner_agency_id", "actor_agency_id")),
    Holding("import_run", Course.STAYS, (
        Sealed("sealed", "id", Form.FILE, named_by="filename"), Sealed("sealed_mapping", "id", apart="mapping"))),
    Holding("import_row", Course.STAYS, (Sealed("sealed_problems", "id"), Sealed("sealed_changes", "id"))),
    Holding("import_image", Course.STAYS, (Sealed("sealed_before", "id"),)),
    Holding("import_shape", Course.STAYS, (Sealed("sealed", "id"),)),
    Holding("job", Course.STAYS),
    Holding("meeting", Course.STAYS),
    Holding("swap_group", Course.STAYS, agencies=("office_id",)),
    Holding("swap_member", Course.STAYS, agencies=("agency_id", "office_id")),
    Holding("tariff", Course.STAYS, agencies=("office_id",)),
    Holding("tariff_rate", Course.STAYS, agencies=("office_id",)),
    Holding("tariff_instalment", Course.STAYS, agencies=("office_id",)),
    Holding("fee_rule", Course.STAYS, agencies=("office_id",)),
    Holding("fee_payer", Course.STAYS, agencies=("agency_id", "payer_agency_id"), sides=2),
    Holding("signing_limit", Course.STAYS),
    Holding("payee_account", Course.STAYS),
    Holding("payee_account_change", Course.STAYS,
            (Sealed("sealed", "id", Form.FILE, ending="json", own_key="sealed_key"),)),
    Holding("supplier", Course.STAYS, agencies=("agency_id", "payee_agency_id"), sides=2),
    Holding("purchase_order", Course.STAYS, agencies=_PAYING, sides=2),
    # An invoice is history, by the names that its agencies had; what is owed of it moves in the ledger.
    Holding("invoice", Course.STAYS, (Sealed("sealed", "id", Form.FILE, ending="json", own_key="sealed_key"),),
            agencies=_PAYING, sides=2),
    # Whom it is owed by and to since is what was signed then.
    Holding("debt_holder", Course.STAYS, agencies=(*_PAYING, "giver_agency_id"), sides=3),
    Holding("invoice_line", Course.STAYS, agencies=_PAYING, sides=2),
    Holding("pay_approval", Course.STAYS, agencies=_PAYING, sides=2),
    Holding("dispute", Course.STAYS, agencies=_PAYING, sides=2),
    Holding("dispute_message", Course.STAYS,
            (Sealed("sealed", "id", Form.FILE, ending="json", own_key="sealed_key"),),
            agencies=(*_PAYING, "agency_id"), sides=2),
    Holding("reminder_stage", Course.STAYS),
    Holding("invoice_reminder", Course.STAYS, agencies=_PAYING, sides=2),
    Holding("fee_event", Course.STAYS, agencies=_PAYING, sides=2),
    Holding("fee_exception", Course.STAYS,
            agencies=(*_PAYING, "agency_id", "deciding_agency_id"), sides=2),
    Holding("ledger_transaction", Course.STAYS, agencies=_PAYING, sides=2),
    Holding("posting", Course.STAYS, agencies=("agency_id", "other_agency_id")),
    Holding("fee_period", Course.STAYS),
    Holding("remittance", Course.STAYS, (
        Sealed("sealed", "id", Form.FILE, named_by="filename"), Sealed("sealed_reason", "id", apart="reason"))),
    Holding("remittance_line", Course.STAYS, (
        Sealed("sealed", "id"), Sealed("sealed_reason", "id", apart="reason"))),
    Holding("remittance_mapping", Course.STAYS),
    Holding("payment", Course.STAYS, agencies=_PAYING, sides=2),
    Holding("payment_allocation", Course.STAYS, agencies=_PAYING, sides=2),
    Holding("fee_statement", Course.STAYS, agencies=("agency_id", "other_agency_id"), sides=2),
    Holding("fee_statement_line", Course.STAYS, agencies=("agency_id", "other_agency_id"), sides=2),
    Holding("netting", Course.STAYS, agencies=("agency_id", "declined_agency_id")),
    Holding("netting_member", Course.STAYS),
    Holding("netting_claim", Course.STAYS, agencies=_PAYING, sides=2),
    Holding("netting_leg", Course.STAYS, agencies=_PAYING, sides=2),
    Holding("journal_mapping", Course.STAYS),
    Holding("fee_budget", Course.STAYS),
    Holding("pack", Course.STAYS),
    Holding("pack_file", Course.STAYS, (Sealed("sealed", "id", Form.FILE, named_by="format"),)),
    Holding("ranking_run", Course.STAYS),
    Holding("ranking_line", Course.STAYS),
    Holding("ranking_snapshot", Course.STAYS, (Sealed("sealed", "row_id", Form.FILE),),
            kept_in="arrays that only a ranking reads; what it found is in ranking_line"),
    Holding("audit_chain", Course.STAYS),
    Holding("audit_anchor", Course.STAYS),
    Holding("audit_check", Course.STAYS),
    Holding("retention_rule", Course.STAYS),
    Holding("retention_run", Course.STAYS, (Sealed("sealed", "id"), Sealed("sealed_decision", "id"))),
    Holding("retention_item", Course.STAYS),
    Holding("breach", Course.STAYS),
    Holding("breach_entry", Course.STAYS, (Sealed("sealed", "id"),)),
    Holding("paper_answer", Course.STAYS),
    Holding("paper", Course.STAYS),
    Holding("paper_signature", Course.STAYS),
    Holding("agency_timing", Course.STAYS),
    Holding("sharing_move", Course.STAYS),
    Holding("departure", Course.STAYS),
    Holding("hand_over", Course.STAYS, agencies=("agency_id", "receiver_id"), sides=2),
    Holding("agency_archive", Course.STAYS),
    # The directory.
    Holding("agency", Course.STAYS, agencies=("id", "successor_id"), kept_in=_DIRECTORY),
    Holding("agency_key", Course.STAYS, (), kept_in=_KEYS),
    Holding("agency_delegation", Course.ENDS, agencies=("agency_id", "acts_for_id")),
    Holding("appointment", Course.ENDS),
    Holding("invitation", Course.ENDS),
    Holding("consortium_member", Course.ENDS),
    Holding("sign_in_session", Course.ENDS, kept_in=_SIGN_IN),
    Holding("identity_provider", Course.MOVES, kept_in=_SIGN_IN),
    Holding("identity_provider_role", Course.MOVES, kept_in=_SIGN_IN),
    Holding("identity_provider_secret", Course.MOVES, (Sealed("sealed", "provider_id", own_key="sealed_key"),),
            kept_in=_WAY_IN),
    Holding("email_domain", Course.ENDS, kept_in=_SIGN_IN),
    Holding("api_client", Course.ENDS),
    Holding("api_client_secret", Course.ENDS, kept_in=_WAY_IN),
    Holding("api_token", Course.ENDS, kept_in=_WAY_IN),
    Holding("api_answer", Course.ENDS, (Sealed("sealed", "id"),),
            kept_in="kept for a day, so that a program may ask twice"),
    Holding("notice", Course.ENDS, kept_in="who was told that something is new; what it was is in other tables"),
    Holding("notice_choice", Course.ENDS, kept_in="how a person wants to be told"),
    Holding("calendar_feed", Course.ENDS, kept_in=_WAY_IN),
    Holding("household_words", Course.ENDS, kept_in=_WORDS),
    Holding("sibling_group_words", Course.ENDS, kept_in=_WORDS),
    # Nobody's: they name no agency.
    Holding("search_word", Course.ENDS, agencies=(), kept_in=_WORDS),
    Holding("consortium", Course.STAYS, agencies=(), kept_in=_DIRECTORY),
    Holding("person", Course.STAYS, agencies=(), kept_in="a person is not an agency's; who held which role goes out"),
    Holding("logout_token", Course.ENDS, agencies=(), kept_in=_SIGN_IN),
    Holding("person_identity", Course.STAYS, agencies=(), kept_in="as above"),
)
# fmt: on


class NotEverything(Forbidden):
    """The person is shut out of a record, so that what they took or signed for would not be all."""


@dataclass(frozen=True, slots=True)
class OpenedRow:
    """A row as it goes out: its columns by name, sealed values opened, and its files by the names in their columns."""

    values: dict[str, Any]
    files: dict[str, bytes]


def going_out() -> list[Holding]:
    """Return the tables that go out with an agency's records, in the register's order."""
    return [holding for holding in REGISTER if holding.kept_in is None]


def moving() -> list[Holding]:
    """Return the tables whose rows move, in the register's order."""
    return [holding for holding in REGISTER if holding.course is Course.MOVES]


def row_key(session: Session, holding: Holding) -> tuple[str, ...]:
    """Return the columns that name a row whosever it is: its primary key without the agency, an id first."""
    columns = list(session.scalars(KEY, {"table": holding.table}))
    return tuple(column for column in columns if column not in holding.agencies)


def open_rows(session: Session, holding: Holding, *, among: Collection[str] | None = None) -> Iterator[OpenedRow]:
    """Yield the scope's own agency's rows of a table, sealed values opened; only those ``among`` these ids where given.

    Values are as PostgreSQL writes them in JSON: times in ISO 8601, bytes in hexadecimal digits after ``\\x``. The
    column of a sealed file holds the file's name instead.
    """
    own: dict[str, Any] = {"own": scope_of(session).agency_id}
    rows = _own(session, holding)
    if among is not None:
        rows += f" AND {row_key(session, holding)[0]} = ANY (CAST(:among AS uuid[]))"
        own["among"] = list(among)
    at_once = _FILES_AT_ONCE if any(each.form is Form.FILE for each in holding.sealed) else _AT_ONCE
    for (values,) in session.execute(text(_ROWS.format(own=rows)), own, execution_options={"yield_per": at_once}):
        yield _opened(session, holding, dict(values))


def open_rows_where(session: Session, holding: Holding, where: str, values: dict[str, Any]) -> Iterator[OpenedRow]:
    """Yield those of the scope's own agency's rows of a table that a condition names, sealed values opened."""
    query = text(_ROWS.format(own=f"{_own(session, holding)} AND ({where})"))
    for (row,) in session.execute(query, {"own": scope_of(session).agency_id, **values}):
        yield _opened(session, holding, dict(row))


def count_rows(session: Session, holding: Holding) -> int:
    """Return how many rows of a table are the scope's own agency's."""
    query = text(_COUNT.format(own=_own(session, holding)))
    return int(session.execute(query, {"own": scope_of(session).agency_id}).scalar_one())


def fingerprint(session: Session) -> bytes:
    """Return 32 bytes that stand for the records of the scope's own agency as they lie in the database now.

    :raises NotEverything: when the scope's person does not see all of them.
    """
    if session.execute(_KEPT_AWAY).scalar_one():
        raise NotEverything(
            "Concord cannot give you everything: a record is kept from you. Ask another manager to do this."
        )
    digest = hashlib.sha256()
    for holding in (each for each in moving() if each.kept_in is None):
        query = text(_FINGERPRINT.format(own=_own(session, holding)))
        digest.update(session.execute(query, {"own": scope_of(session).agency_id}).scalar_one())
    return digest.digest()


_KEPT_AWAY = text("SELECT cardinality(scope_barred()) > 0")
_ROWS = "SELECT to_jsonb(t) FROM ({own}) t ORDER BY to_jsonb(t)::text"
_COUNT = "SELECT count(*) FROM ({own}) t"
_FINGERPRINT = """
    SELECT sha256(convert_to(coalesce(string_agg(to_jsonb(t)::text, E'\\n' ORDER BY to_jsonb(t)::text), ''), 'UTF8'))
    FROM ({own}) t
"""
_COLUMNS = text("""
    SELECT quote_ident(attname) FROM pg_attribute
    WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped
      AND has_column_privilege(attrelid, attnum, 'SELECT')
    ORDER BY attnum
""")
KEY = text("""
    SELECT quote_ident(a.attname) FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = to_regclass(:table) AND i.indisprimary
    ORDER BY array_position(i.indkey, a.attnum)
""")


def _own(session: Session, holding: Holding) -> str:
    # Names of this register and of the catalogue, nothing from outside.
    columns = ", ".join(session.scalars(_COLUMNS, {"table": holding.table}))
    owners = ", ".join(holding.agencies[: holding.sides])
    return f"SELECT {columns} FROM {holding.table} WHERE :own IN ({owners})"  # noqa: S608


def _plain(session: Session, sealed: Sealed, row: dict[str, Any]) -> bytes | None:
    if sealed.own_key is None:
        return (
            None
            if row[sealed.column] is None
            else unseal(session, _bytes(row[sealed.column]), row_id=sealed.row_id(row))
        )
    # Without its key it is lost, as it was meant to be.
    if row[sealed.own_key] is None:
        return None
    key = _bytes(row[sealed.own_key])
    return unseal_apart(session, key, _bytes(row[sealed.column]), row_id=sealed.row_id(row))


def _bytes(digits: str) -> bytes:
    return bytes.fromhex(digits.removeprefix("\\x"))


def _opened(session: Session, holding: Holding, row: dict[str, Any]) -> OpenedRow:
    values, files = dict(row), {}
    for sealed in holding.sealed:
        plain = _plain(session, sealed, row)
        if plain is None:
            continue
        if sealed.form is Form.JSON:
            values[sealed.column] = json.loads(plain)
        else:
            values[sealed.column] = name = sealed.file_name(holding.table, row)
            files[name] = plain
        if sealed.own_key is not None:
            del values[sealed.own_key]
    return OpenedRow(values, files)
