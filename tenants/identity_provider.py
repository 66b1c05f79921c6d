"""An agency’s own sign-in services: OpenID providers that its administrator adds, tries, switches on and off.

What a connection is (issuer, client, secret, second step) is never changed: another takes its place once it has been
tried, so that nobody is locked out by a slip of the pen, and each session names the very settings that vouched for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ARRAY, Text, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from tenants.agency import Agency
from tenants.base import Base, Id, Word
from tenants.colleague import roles_of
from tenants.database import scope_of
from tenants.error import Conflict, Forbidden, Invalid, NotFound
from tenants.own_key import seal_apart
from tenants.person import Appointment, PersonIdentity
from tenants.role import Role

SCOPES = ("openid", "email")
"""What is asked of every provider: who it is, and their confirmed address, for invitations."""


class ProviderState(StrEnum):
    """Where a sign-in service stands."""

    DRAFT = "draft"
    ON = "on"
    OFF = "off"

    @property
    def label(self) -> str:
        """Return the words that pages use."""
        return {"draft": "Not yet on", "on": "On", "off": "Off"}[self.value]


class IdentityProvider(Base):
    """One connection of an agency to an OpenID provider."""

    __tablename__ = "identity_provider"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    name: Mapped[str]
    issuer: Mapped[str]
    mark: Mapped[str]
    """Names agency and issuer in the addresses that are registered with the provider."""
    client_id: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    roles_claim: Mapped[str | None]
    """The claim that roles follow from; its parts are set apart by full stops."""
    second_step: Mapped[bool]
    acr_values: Mapped[list[str]] = mapped_column(ARRAY(Text))
    max_age_minutes: Mapped[int | None]
    state: Mapped[ProviderState] = mapped_column(Word(ProviderState))
    closes_default: Mapped[bool] = mapped_column(server_default="false")
    added_at: Mapped[datetime]
    tried_at: Mapped[datetime | None]
    tried_by: Mapped[UUID | None]


class IdentityProviderRole(Base):
    """Whoever’s claim holds this value holds this role in the agency."""

    __tablename__ = "identity_provider_role"

    provider_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_value: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[Role] = mapped_column(Word(Role), primary_key=True)
    set_by: Mapped[UUID | None]
    """Who made the rule, which gives them no role themselves; ``None`` when it was a command on the host."""


class ProviderUnknown(NotFound):
    """No such sign-in service is this agency’s."""


class ProviderInvalid(Invalid):
    """A sign-in service was described in a way that cannot work."""


class NotTried(Conflict):
    """Nobody has come in by this service yet."""


class WouldLockOut(Forbidden):
    """The step would leave whoever takes it without a way in."""


def add_provider(
    session: Session,
    *,
    name: str,
    issuer: str,
    client_id: str,
    secret: str,
    now: datetime,
    scopes: Iterable[str] = (),
    roles_claim: str | None = None,
    second_step: bool = False,
    acr_values: Iterable[str] = (),
    max_age_minutes: int | None = None,
) -> IdentityProvider:
    """Add a sign-in service to the scope’s agency, to be tried before it is switched on.

    :param secret: what the provider gave for this client; it is sealed, and shown to nobody again.
    :raises ProviderInvalid: when a name, the client or the secret is blank, or the issuer is no plain https address.
    """
    agency_id = _agency_of(session)
    _refuse_blanks(name=name, client_id=client_id, secret=secret)
    issuer = check_issuer(issuer)
    provider = IdentityProvider(
        agency_id=agency_id,
        name=name.strip(),
        issuer=issuer,
        mark=mark_of(agency_id, issuer),
        client_id=client_id.strip(),
        scopes=list(dict.fromkeys((*SCOPES, *scopes))),
        roles_claim=(roles_claim or "").strip() or None,
        second_step=second_step,
        acr_values=list(dict.fromkeys(acr_values)),
        max_age_minutes=max_age_minutes,
        state=ProviderState.DRAFT,
        added_at=now,
    )
    session.add(provider)
    session.flush()
    _keep_secret(session, provider, secret.strip())
    return provider


def get_provider(session: Session, provider_id: UUID) -> IdentityProvider:
    """Return a sign-in service of the scope’s agency.

    :raises ProviderUnknown: when it has none of that id.
    """
    provider = session.scalar(
        select(IdentityProvider).where(
            IdentityProvider.id == provider_id, IdentityProvider.agency_id == scope_of(session).agency_id
        )
    )
    if provider is None:
        raise ProviderUnknown("Your agency has no such sign-in service.")
    return provider


def list_providers(session: Session) -> list[IdentityProvider]:
    """Return the agency’s sign-in services: those that are on, those to be tried, those that are off; newest first."""
    found = session.scalars(
        select(IdentityProvider)
        .where(IdentityProvider.agency_id == scope_of(session).agency_id)
        .order_by(IdentityProvider.added_at.desc(), IdentityProvider.id)
    )
    order = [ProviderState.ON, ProviderState.DRAFT, ProviderState.OFF]
    return sorted(found, key=lambda provider: order.index(provider.state))


def list_role_rules(session: Session, provider: IdentityProvider) -> list[IdentityProviderRole]:
    """Return which values of the claim stand for which roles, by value."""
    return list(
        session.scalars(
            select(IdentityProviderRole)
            .where(IdentityProviderRole.provider_id == provider.id)
            .order_by(IdentityProviderRole.claim_value, IdentityProviderRole.role)
        )
    )


def set_role_rules(
    session: Session, provider: IdentityProvider, *, claim: str | None, rules: Iterable[tuple[str, Role]]
) -> None:
    """Say which claim roles follow from, and which of its values stand for which role; it counts from the next sign-in.

    A rule that stays as it was keeps who made it, unless it is read from another claim from now on.

    :raises ProviderInvalid: when rules have no claim to read, a value is blank, or the agency has no such role to give.
    """
    wanted = {(value.strip(), role) for value, role in rules}
    claim = (claim or "").strip() or None
    if wanted and claim is None:
        raise ProviderInvalid("Say in which claim the values stand, for example “groups”.")
    if any(not value for value, _ in wanted):
        raise ProviderInvalid("Give each role a value of the claim.")
    _refuse_strange(session, provider, {role for _, role in wanted})
    present = {(rule.claim_value, rule.role): rule for rule in list_role_rules(session, provider)}
    stay = wanted & set(present) if claim == provider.roles_claim else set()
    provider.roles_claim = claim
    for rule in (present[each] for each in set(present) - stay):
        session.delete(rule)
    session.flush()
    set_by = scope_of(session).person_id
    facts = {"provider_id": provider.id, "agency_id": provider.agency_id, "set_by": set_by}
    session.add_all(
        IdentityProviderRole(**facts, claim_value=value, role=role) for value, role in sorted(wanted - stay)
    )
    session.flush()


def switch_on(session: Session, provider: IdentityProvider) -> None:
    """Let people come in by a service that has been tried; an older connection to the same issuer goes off with it.

    :raises NotTried: when nobody has come in by it yet.
    """
    if provider.tried_at is None:
        raise NotTried("Try this sign-in first: switched on untried, a wrong setting would let nobody in.")
    for other in list_providers(session):
        if other.id != provider.id and other.issuer == provider.issuer and other.state is ProviderState.ON:
            provider.closes_default = provider.closes_default or other.closes_default
            other.state = ProviderState.OFF
    session.flush()
    provider.state = ProviderState.ON
    session.flush()


def switch_off(session: Session, provider: IdentityProvider, *, default_issuer: str | None) -> None:
    """Let nobody come in by a service any more; who came by it is out at once.

    :param default_issuer: the deployment’s own service, where it has one.
    :raises WouldLockOut: when whoever switches it off would have no other way in themselves.
    """
    if provider.state is ProviderState.ON:
        _require_way_in(session, without=provider, default_issuer=default_issuer)
    provider.state = ProviderState.OFF
    provider.closes_default = False
    session.flush()


def close_default(session: Session, provider: IdentityProvider, *, closed: bool = True) -> None:
    """Say whether the agency’s people may come in by its own services alone, and no longer by the deployment’s.

    :raises NotTried: when the service is not on.
    :raises WouldLockOut: when whoever closes it has no account with this service themselves.
    """
    if provider.state is not ProviderState.ON:
        raise NotTried("Switch the sign-in service on first.")
    person_id = scope_of(session).person_id
    if closed and person_id and provider.issuer not in _issuers_of(session, person_id):
        raise WouldLockOut("Sign in by this service once yourself first, or you would have no way in.")
    provider.closes_default = closed
    session.flush()


def count_without_account(session: Session, provider: IdentityProvider, *, now: datetime) -> int:
    """Return how many of the agency’s people are not known by this service, and need an invitation to come by it."""
    today = now.date()
    people = (
        select(Appointment.person_id)
        .where(
            Appointment.agency_id == provider.agency_id,
            Appointment.starts_on <= today,
            Appointment.ends_on.is_(None) | (Appointment.ends_on > today),
        )
        .distinct()
    )
    known = select(PersonIdentity.person_id).where(PersonIdentity.issuer == provider.issuer)
    return len(set(session.scalars(people)) - set(session.scalars(known)))


def mark_of(agency_id: UUID, issuer: str) -> str:
    """Return 16 hexadecimal digits that name one agency’s dealings with one issuer (RFC 9700, section 4.4)."""
    return hashlib.sha256(f"{agency_id} {issuer}".encode()).hexdigest()[:16]


def check_issuer(issuer: str) -> str:
    """Return an issuer as it is compared: an address without query, fragment, user or final slash.

    :raises ProviderInvalid: when it is none. Whether it must be https, and public, is for whoever calls it to say.
    """
    issuer = issuer.strip().rstrip("/")
    try:
        parts = urlsplit(issuer)
        fit = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fit = False
    if not fit or not issuer.isascii() or not issuer.isprintable() or " " in issuer:
        raise ProviderInvalid(f"“{issuer}” is no address. Copy the issuer from your provider: https://…")
    if parts.scheme not in {"http", "https"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise ProviderInvalid("An issuer is an https address with nothing after its path. Copy it from your provider.")
    return issuer


def _agency_of(session: Session) -> UUID:
    agency_id = scope_of(session).agency_id
    if agency_id is None:
        raise ProviderInvalid("A sign-in service belongs to an agency. Act for one first.")
    return agency_id


def _refuse_blanks(**facts: str) -> None:
    words = {"name": "a name", "client_id": "the client id", "secret": "the client secret"}
    for name, value in facts.items():
        if not value.strip() or not value.strip().isprintable():
            raise ProviderInvalid(f"Enter {words[name]} of the sign-in service.")


def _refuse_strange(session: Session, provider: IdentityProvider, roles: set[Role]) -> None:
    agency = session.get_one(Agency, provider.agency_id)
    for role in sorted(roles - set(roles_of(agency.kind))):
        raise ProviderInvalid(f"{agency.name} has no such role to give: {role.label.lower()}.")


def _keep_secret(session: Session, provider: IdentityProvider, secret: str) -> None:
    # Under a key of its own: an agency's key may not be read where signing in begins.
    sealed_key, sealed = seal_apart(session, secret.encode(), row_id=provider.id)
    session.execute(
        text("INSERT INTO identity_provider_secret VALUES (:provider, :agency, :key, :sealed)"),
        {"provider": provider.id, "agency": provider.agency_id, "key": sealed_key, "sealed": sealed},
    )


def _require_way_in(session: Session, *, without: IdentityProvider, default_issuer: str | None) -> None:
    """Let pass who has another way in; a command on the host, which has no person, always has."""
    person_id = scope_of(session).person_id
    if person_id is None:
        return
    others = [each for each in list_providers(session) if each.state is ProviderState.ON and each.id != without.id]
    open_issuers = {each.issuer for each in others}
    if default_issuer and not any(each.closes_default for each in others):
        open_issuers.add(default_issuer)
    if not open_issuers & _issuers_of(session, person_id):
        raise WouldLockOut(
            "You would have no way in: your account is with this sign-in service alone. Add and try another first, "
            "or ask the operator of the service."
        )


def _issuers_of(session: Session, person_id: UUID) -> set[str]:
    return set(session.scalars(select(PersonIdentity.issuer).where(PersonIdentity.person_id == person_id)))
