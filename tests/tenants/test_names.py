"""Every name that is kept beside a person's id is that person's, whoever sends what."""

from __future__ import annotations

from typing import Any

import psycopg

LEFT = {
    **dict.fromkeys(
        ("link_step.person", "link_day.person", "link_message.person", "link_note.person", "match_decision.person"),
        "the policy asks for the scope's own person's, or program's",
    ),
    **dict.fromkeys(
        ("document_grant.person", "panel_paper.person", "adopters_copy.given"),
        "the policy asks for the scope's own person's",
    ),
    "remittance.taken_back": "the policy asks for the scope's own person's, or nobody's",
    "panel_reader.person": "the policy asks for the name of the person who is let in",
    **dict.fromkeys(("hand_over.giver_signed", "hand_over.receiver_signed"), "a function takes the scope's own"),
    **dict.fromkeys(("ledger_transaction.made", "ledger_transaction.approved"), "a trigger takes those of the event"),
}
"""What is held to it in another way than by the trigger, and how."""


def test_names_are_taken_from_the_scopes_own_person(admin: psycopg.Connection[Any]) -> None:
    kept = admin.execute(r"""
        SELECT n.table_name || '.' || left(n.column_name, -5) FROM information_schema.columns n
        JOIN information_schema.columns b ON b.table_schema = n.table_schema AND b.table_name = n.table_name
            AND b.column_name IN (left(n.column_name, -5) || '_by', left(n.column_name, -5) || '_id')
        WHERE n.table_schema = 'public' AND n.column_name LIKE '%\_name'
          AND b.column_name <> 'agency_id'
          AND EXISTS (SELECT FROM pg_class c WHERE c.relname = n.table_name AND c.relkind = 'r')
    """).fetchall()
    taken = admin.execute(r"""
        SELECT c.relname || '.' || regexp_replace(t.tgname, '^' || c.relname || '_(.*)_name$', '\1')
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE p.proname = 'take_person_name'
    """).fetchall()

    assert {each for (each,) in kept} == {each for (each,) in taken} | set(LEFT)
    assert not {each for (each,) in taken} & set(LEFT)
