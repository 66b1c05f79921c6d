"""``concord audit``: check that nobody changed the record of who saw what, and hand out its signed anchors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from concord.cli.workplace import audit_keys, workplace
from concord.settings import SettingMissing, Settings
from tenants.agency import get_agency_by_slug, list_agencies
from tenants.audit_anchor import Anchor, AnchorUnreadable, PublicKey, list_anchors, read_anchors, write_anchor
from tenants.audit_check import ChainCheck, Fault, FaultKind, check_chain
from tenants.base import utc_now
from tenants.database import Database
from tenants.error import Invalid
from tenants.scope import OPERATOR, Scope
from workers.audit_keeping import keep_chain

FAULTY = 3
NO_AGENCY = "(no agency)"
_AGENCY = click.option("--agency", "slug", help="Only this agency's, by its short name.  [default: every chain]")
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


class NothingToCheckBy(Invalid):
    """No public key was given, so no signature can be checked."""


@click.group("audit")
def command() -> None:
    """Check the record of who saw what, and hand out its signed anchors."""


@command.command("verify")
@_AGENCY
@click.option(
    "--anchors", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A copy of the anchors, as JSON."
)
@click.option(
    "--public-key", "texts", multiple=True, help="The key's public part; several where it was changed.  [default: ours]"
)
@_JSON
@click.pass_context
def verify(
    context: click.Context, slug: str | None, anchors: Path | None, texts: tuple[str, ...], as_json: bool
) -> None:
    """Check each chain: an entry edited, removed, put in or moved, a tail cut off, a false signature.

    Exit code 0 when all is as it was written, 3 when it is not.
    """
    settings: Settings = context.obj
    copies = read_anchors(_json_of(anchors)) if anchors else []
    with workplace(settings) as place:
        keys = tuple(map(PublicKey.read, texts)) or audit_keys(place.deployment).public
        if not keys:
            raise NothingToCheckBy("Give --public-key, or set CONCORD_AUDIT_KEY: the anchors are checked by it.")
        chains = _chains(place.database, slug)
        found = [(name, _check(place.database, scope, keys, copies)) for name, scope in chains]
        if slug is None:
            found += _gone(chains, copies)
    if as_json:
        click.echo(
            json.dumps({"sound": all(each.sound for _, each in found), "chains": list(map(_written, found))}, indent=2)
        )
    else:
        for name, each in found:
            _show(name, each)
    context.exit(0 if all(each.sound for _, each in found) else FAULTY)


@command.command("anchors")
@_AGENCY
@_JSON
@click.pass_obj
def anchors_command(settings: Settings, slug: str | None, as_json: bool) -> None:
    """List the anchors, oldest first; keep a copy of the JSON where the database's keepers cannot reach it."""
    with workplace(settings) as place:
        found = [(name, _anchors(place.database, scope)) for name, scope in _chains(place.database, slug)]
    if as_json:
        click.echo(json.dumps([write_anchor(anchor) for _, each in found for anchor in each], indent=2))
        return
    for name, each in found:
        for anchor in each:
            click.echo(f"{anchor.at:%Y-%m-%d %H:%M}  {name:<32} {anchor.position:>9}  {anchor.hash.hex()}")


@command.command("public-key")
@click.pass_obj
def public_key(settings: Settings) -> None:
    """Write the public part of the key that signs anchors: whoever has it can check them, and make none."""
    with workplace(settings) as place:
        present = audit_keys(place.deployment).present
    if present is None:
        raise SettingMissing("Set CONCORD_AUDIT_KEY: without it there is no key, and nothing is signed.")
    click.echo(str(present.public))


@command.command("seal")
@_AGENCY
@click.pass_obj
def seal(settings: Settings, slug: str | None) -> None:
    """Chain and sign now what the schedule would within the minute."""
    with workplace(settings) as place:
        keys, chains = audit_keys(place.deployment), _chains(place.database, slug)
        count = sum(keep_chain(place.database, scope, keys, now=utc_now()) for _, scope in chains)
    click.echo(f"{count} entries chained.")


def _chains(database: Database, slug: str | None) -> list[tuple[str, Scope]]:
    with database.transaction(OPERATOR) as session:
        if slug is not None:
            return [(slug, Scope(agency_id=get_agency_by_slug(session, slug).id))]
        agencies = [(each.slug, Scope(agency_id=each.id)) for each in list_agencies(session)]
    return [(NO_AGENCY, OPERATOR), *agencies]


def _check(database: Database, scope: Scope, keys: Sequence[PublicKey], copies: Sequence[Anchor]) -> ChainCheck:
    with database.transaction(scope) as session:
        return check_chain(session, public_keys=keys, copies=copies)


def _gone(chains: Sequence[tuple[str, Scope]], copies: Sequence[Anchor]) -> list[tuple[str, ChainCheck]]:
    """Tell the anchors of a copy whose agency the database does not know any more."""
    known, found = {scope.agency_id for _, scope in chains}, dict[str, ChainCheck]()
    for lost in copies:
        if lost.agency_id not in known:
            fault = Fault(FaultKind.LOST_ANCHOR, lost.position, anchor_id=lost.id)
            found.setdefault(str(lost.agency_id), ChainCheck()).add(fault)
    return sorted(found.items())


def _anchors(database: Database, scope: Scope) -> list[Anchor]:
    with database.transaction(scope) as session:
        return list_anchors(session)


def _json_of(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise AnchorUnreadable(f"{path} cannot be read as JSON.") from None


def _written(found: tuple[str, ChainCheck]) -> dict[str, Any]:
    name, check = found
    return {
        "agency": None if name == NO_AGENCY else name,
        "sound": check.sound,
        "checked": check.checked,
        "pending": check.pending,
        "anchored_at": check.anchored_at.isoformat() if check.anchored_at else None,
        "fault_count": check.count,
        "faults": [fault.as_json() for fault in check.faults],
    }


def _show(name: str, check: ChainCheck) -> None:
    signed = f"signed until {check.anchored_at:%Y-%m-%d %H:%M}" if check.anchored_at else "never signed"
    state = "good " if check.sound else "WRONG"
    click.echo(f"{state}  {name}: {check.checked} entries chained, {check.pending} to chain, {signed}")
    for fault in check.faults:
        about = fault.as_json()
        where = ", ".join(f"{word} {about[word]}" for word in ("position", "entry", "anchor") if about.get(word))
        click.echo(f"       {where}: {fault.kind.words}")
    if check.count > len(check.faults):
        click.echo(f"       and {check.count - len(check.faults)} more")
