"""``concord keys``: change the keys that records are sealed under, while everything goes on."""

from __future__ import annotations

from uuid import UUID

import click

from concord.cli.workplace import Workplace, workplace
from concord.settings import SettingMissing, Settings, libpq_url
from tenants import audit
from tenants.agency import get_agency_by_slug, list_agencies
from tenants.audit import Act
from tenants.base import utc_now
from tenants.cipher import Cipher
from tenants.scope import OPERATOR, Scope
from workers.key_rotation import KeyChanger


@click.group("keys")
def command() -> None:
    """Change the keys that records are sealed under."""


@command.command("rotate")
@click.option("--agency", "slug", help="This agency's key, by its short name.")
@click.option("--all", "every", is_flag=True, help="Every agency's key.")
@click.option("--master", is_flag=True, help="The master key: CONCORD_MASTER_KEY in place of CONCORD_MASTER_KEY_OLD.")
@click.pass_obj
def rotate(settings: Settings, slug: str | None, every: bool, master: bool) -> None:
    """Make a new key, seal everything under it, and delete the old one once nothing is sealed under that.

    It may be stopped at any time and run again: it goes on where it was.
    """
    if [slug is not None, every, master].count(True) != 1:
        raise click.UsageError("Say one of --agency, --all and --master.")
    if master and settings.former_master_key is None:
        raise SettingMissing(
            "Set CONCORD_MASTER_KEY_OLD to the present master key and CONCORD_MASTER_KEY to the new one, everywhere."
        )
    with workplace(settings) as place:
        deployment = place.deployment
        cipher = Cipher(deployment.master_key, deployment.former_master_key)
        changer = KeyChanger(libpq_url(deployment.migrate_url), cipher)
        if master:
            _rewrap(place, changer)
            return
        for name, agency_id in _agencies(place, slug):
            _rotate(place, changer, name, agency_id)


def _rotate(place: Workplace, changer: KeyChanger, name: str, agency_id: UUID) -> None:
    rotation = changer.rotate(agency_id, now=utc_now())
    if rotation is None:
        click.echo(f"{name}: it has sealed nothing yet, and so has no key.")
        return
    _note(place, Scope(agency_id=agency_id), "agency_key", rotation.key_id)
    begun = "" if rotation.begun else " (a change that was begun before)"
    click.echo(f"{name}: {rotation.resealed} values sealed anew, {rotation.deleted} old key deleted{begun}.")


def _rewrap(place: Workplace, changer: KeyChanger) -> None:
    count = changer.rewrap()
    _note(place, OPERATOR, "master_key", None)
    click.echo(f"{count} keys sealed anew. Take CONCORD_MASTER_KEY_OLD away everywhere: nothing needs it now.")


def _agencies(place: Workplace, slug: str | None) -> list[tuple[str, UUID]]:
    with place.database.transaction(OPERATOR) as session:
        found = [get_agency_by_slug(session, slug)] if slug else list_agencies(session)
        return [(each.slug, each.id) for each in found]


def _note(place: Workplace, scope: Scope, kind: str, key_id: UUID | None) -> None:
    with place.database.transaction(scope) as session:
        session.info["request_id"] = "cli:keys"
        audit.record(session, Act.ROTATE, record_kind=kind, record_id=key_id, now=utc_now())
