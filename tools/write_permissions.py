# ruff: noqa: INP001, T201
"""Write ``docs/permissions.md`` from the table in ``tenants/permission.py``, in words.

Run it whenever the table changes; a test holds the two equal::

    .venv/bin/python tools/write_permissions.py
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from tenants.permission import TABLE, RecordKind, Relation, Right, Verb
from tenants.role import Role

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "permissions.md"
KINDS = {RecordKind.GROUP: "groups", RecordKind.HOUSEHOLD: "households"}
WHOSE = {
    Relation.OWN: "own",
    Relation.LINK: "linked",
    Relation.POOL: "pooled",
    Relation.OFFICE: "as the office",
}
HEAD = """# Who may do what

Written by `tools/write_permissions.py` from the one table in `tenants/permission.py`; a test holds the two equal, so
edit the table. A page, an operation of the API and a command ask that table; the database's policies are the wall
behind it ([what protects what](security.md)), and [decision 13](decisions/0013-one-table-of-permissions.md) says why
it is one table.

A line gives a role a ceiling. What an owner shares, holds back, bars a person from or grants by name narrows it: a
report of the other side of a link, for instance, also wants a grant to that person by name. Somebody with several
roles in an agency may do what any of them may; roles in another agency count only while they act for that one. A token
of the API may do what its scopes name, and nothing else.

Whose: **own** is the agency's own, **linked** the other side's of a link in force, **pooled** what others share with
the consortium, **as the office** what members share, seen from the consortium's office. How much, from least to most:
count, summary, profile, identity, report.
"""


def document() -> str:
    """Return the whole of the document."""
    return "\n".join([HEAD, *_by_verb(), *_by_role()])


def _by_verb() -> list[str]:
    return [
        "## By what is done",
        "",
        "| to | who may | whose | sees at most |",
        "|---|---|---|---|",
        *(_row(right) for right in TABLE),
        "",
    ]


def _by_role() -> list[str]:
    lines = ["## By role", "", "| role | may |", "|---|---|"]
    for role in Role:
        theirs = [verb.words for verb in Verb if any(right.verb is verb and role in right.roles for right in TABLE)]
        lines.append(f"| {role.label} | {'; '.join(theirs) or 'nothing yet: no page is for this role alone'} |")
    return [*lines, ""]


def _row(right: Right) -> str:
    seen = f"{right.level.value} of {_words(right.kinds, KINDS)}" if right.level else ""
    return f"| {right.verb.words} | {_roles(right.roles)} | {_words(right.whose, WHOSE)} | {seen} |"


def _roles(roles: Set[Role]) -> str:
    return ", ".join(role.label.lower() for role in Role if role in roles)


def _words(chosen: Set[Any], words: Mapping[Any, str]) -> str:
    return ", ".join(text for word, text in words.items() if word in chosen)


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    print(f"{DOCUMENT.name} is written.")
