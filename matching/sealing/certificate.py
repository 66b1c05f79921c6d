"""The certificate of a sealing in words: what was removed, and what remains where. It names no child and no adopter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matching.sealing.record import SealingCertificate

_WORDS = {
    "link": "Links of the two records",
    "link_step": "Steps of them, with their reasons",
    "link_day": "Days of them",
    "match_decision": "Match decisions",
    "document_grant": "Leaves to read reports",
    "document_undertaking": "Undertakings of confidence",
    "placement": "Placements",
    "placement_child": "Children of them",
    "placement_introduction": "Meetings of introductions",
    "placement_note": "Notes",
    "placement_review": "Reviews",
    "adopters_copy": "Parts of the adopters’ record given to the children’s agency",
    "sibling_placement": "Statements of where a sibling lives",
    "pack_file": "Files of packs, of every member agency",
    "meeting_action": "Actions of meetings, made blank",
    "sealing": "The request to seal",
}
REMAINS: tuple[tuple[str, str], ...] = (
    (
        "The adoption record",
        "In each of the two agencies, sealed under keys of its own, for at least a hundred years. People appointed as "
        "adoption-records keepers open it, each time on record.",
    ),
    (
        "The children’s care record",
        "In their agency, under new identifiers and a new code, shared with nobody. It says nothing of the adopters.",
    ),
    ("The family’s record", "In its agency, under new identifiers and a new code. It says nothing of the children."),
    (
        "The placement as a count",
        "Both agencies, the days and the children’s ages in months, under an identifier that only the adoption record "
        "holds besides. Swaps and timeliness are reckoned from it.",
    ),
    (
        "The audit and recorded rankings",
        "As they were, for nobody can change them: they name the records by identifiers that nothing bears any more.",
    ),
    (
        "Outside Concord",
        "Backups, printed and downloaded copies, and what other systems keep. Their owners destroy or seal them.",
    ),
)


def certificate_content(certificate: SealingCertificate, *, agency: str) -> Mapping[str, Any]:
    """Return a certificate as a paper: its title, whose it is, and sections of sentences and pairs."""
    removed = [[words_of(table), f"{count:,}"] for table, count in removed_of(certificate)]
    done = certificate.rotated_on
    state = f"New identifiers since {done:%d/%m/%Y}." if done else "New identifiers are still to be given, by a worker."
    return {
        "title": f"Certificate of sealing {certificate.number}",
        "of": agency,
        "missing": [] if done else [state],
        "sections": [
            _section(
                "What was done",
                f"On {certificate.done_on:%d/%m/%Y} the record of an adoption was sealed. {certificate.asked_name} "
                f"asked for it, {certificate.confirmed_name} confirmed it. {state}",
            ),
            _section("What was removed, in rows", "", pairs=removed),
            _section("What remains, and where", "", pairs=[list(pair) for pair in REMAINS]),
        ],
    }


def removed_of(certificate: SealingCertificate) -> list[tuple[str, int]]:
    """Return how many rows of which table were removed, where there were any."""
    return [(table, int(count)) for table, count in sorted(certificate.removed.items()) if count]


def words_of(table: str) -> str:
    """Return what a table holds, in words."""
    return _WORDS.get(table, table.replace("_", " ").capitalize())


def _section(title: str, words: str, *, pairs: list[list[str]] | None = None) -> dict[str, Any]:
    return {"title": title, "paragraphs": [words] if words else [], "points": [], "pairs": pairs or []}
