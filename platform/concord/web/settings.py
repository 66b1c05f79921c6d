"""What the site needs to know beside its deployment: its own address, and the provider that vouches for people."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from environs import Env, EnvError

from concord.limits import Limits, read_limits
from concord.mail import mailer_of
from concord.settings import Deployment, SettingInvalid, read_deployment, secret_text
from matching.virus_scan import Scanner, ScannerAddressInvalid, read_scanner

UPLOAD_BYTES = 20 * 1024 * 1024
CLIENT_ID = "concord"
_MOST_PROXIES = 9
_EMAIL = re.compile(r"[^\s@<>?&]+@[^\s@<>?&]+\.[^\s@<>?&]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """The site's address, its keys, its database and queue store, and the provider that vouches for people."""

    site_url: str
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)
    scope_key: bytes = field(repr=False)
    master_key: bytes = field(repr=False)
    valkey_url: str = field(repr=False)
    former_master_key: bytes | None = field(default=None, repr=False)
    issuer: str | None
    """The OpenID provider's own name, an address; ``None`` when none has been set up, and nobody can sign in."""
    client_id: str = CLIENT_ID
    client_secret: str = field(default="", repr=False)
    second_step: bool = False
    """Whether the deployment's provider must vouch for a second step."""
    acr_values: tuple[str, ...] = ()
    """The classes of sign-in there that count as one; without any, the method “mfa” does."""
    demo: bool = False
    contact: str | None = None
    """Where people may write about the service, an e-mail address; ``None`` leaves it to their administrator."""
    upload_bytes: int = UPLOAD_BYTES
    scanner: Scanner | None = None
    """The virus scanner that looks at reports before they are kept; without one they are kept unscanned."""
    mails: bool = False
    """Whether notices go out by e-mail too."""
    limits: Limits = field(default_factory=Limits)
    proxies: int = 0
    """How many proxies stand before the site and add to ``X-Forwarded-For``; none of that header is read unless set."""

    @property
    def https(self) -> bool:
        """Say whether people reach the site over TLS; cookies are then marked Secure."""
        return urlsplit(self.site_url).scheme == "https"

    @property
    def host(self) -> str:
        """Return the host (and port) by which people name the site."""
        return urlsplit(self.site_url).netloc


def read_web_settings() -> WebSettings:
    """Return the site's settings as the environment gives them.

    :raises SettingMissing: naming every variable that is absent.
    :raises SettingInvalid: when an address is none, or a provider is named outside TLS.
    """
    return web_settings(read_deployment(), Env())


def web_settings(deployment: Deployment, env: Env) -> WebSettings:
    """Return the site's settings in a deployment; the demo's provider is the development provider beside it.

    :raises SettingInvalid: when an address is none, or a provider is named outside TLS.
    """
    issuer = env.str("CONCORD_OIDC_ISSUER", "").strip() or None
    if deployment.demo and issuer is None:
        issuer, secret = provider_url(deployment.provider_port), provider_secret(deployment.secret_key)
    else:
        secret = secret_text(env, "CONCORD_OIDC_CLIENT_SECRET") or ""
    return WebSettings(
        site_url=_address("CONCORD_SITE_URL", env.str("CONCORD_SITE_URL", f"http://127.0.0.1:{deployment.port}")),
        secret_key=deployment.secret_key,
        database_url=deployment.database_url,
        scope_key=deployment.scope_key,
        master_key=deployment.master_key,
        former_master_key=deployment.former_master_key,
        valkey_url=deployment.valkey_url,
        issuer=_issuer(issuer, demo=deployment.demo),
        client_id=env.str("CONCORD_OIDC_CLIENT_ID", CLIENT_ID),
        client_secret=secret,
        second_step=_second_step(env, demo=deployment.demo),
        acr_values=tuple(env.str("CONCORD_OIDC_ACR_VALUES", "").split()),
        demo=deployment.demo,
        mails=mailer_of(deployment, env) is not None,
        limits=read_limits(env),
        proxies=_proxies(env),
        contact=_contact(env.str("CONCORD_CONTACT", "")),
        scanner=_scanner(env.str("CONCORD_CLAMD", "")),
    )


def provider_url(port: int) -> str:
    """Return the development provider's address, which is also its issuer."""
    return f"http://127.0.0.1:{port}"


def provider_secret(secret_key: str) -> str:
    """Return the secret that the site and the development provider share, made from the deployment's own."""
    return hmac.new(secret_key.encode(), b"development provider", hashlib.sha256).hexdigest()


def _contact(text: str) -> str | None:
    if text.strip() and not _EMAIL.fullmatch(text.strip()):
        raise SettingInvalid("CONCORD_CONTACT is no e-mail address: write help@concord.example.")
    return text.strip() or None


def _second_step(env: Env, *, demo: bool) -> bool:
    # Made-up people have none; for real ones it is asked for unless somebody says otherwise.
    try:
        return env.bool("CONCORD_OIDC_SECOND_STEP", not demo)
    except EnvError:
        raise SettingInvalid("CONCORD_OIDC_SECOND_STEP must be 1 or 0.") from None


def _proxies(env: Env) -> int:
    try:
        number = env.int("CONCORD_PROXIES", 0)
    except EnvError:
        number = -1
    if not 0 <= number <= _MOST_PROXIES:
        raise SettingInvalid(f"CONCORD_PROXIES must be a whole number from 0 to {_MOST_PROXIES}.")
    return number


def _scanner(address: str) -> Scanner | None:
    try:
        return read_scanner(address)
    except ScannerAddressInvalid as error:
        raise SettingInvalid(f"CONCORD_CLAMD names no virus scanner: {error}.") from None


def _issuer(issuer: str | None, *, demo: bool) -> str | None:
    if issuer is None:
        return None
    # A provider over plain HTTP, which only the demo has, could be impersonated by anyone on the way.
    if not demo and urlsplit(issuer).scheme != "https":
        raise SettingInvalid("CONCORD_OIDC_ISSUER must be an https address outside demo mode.")
    return _address("CONCORD_OIDC_ISSUER", issuer)


def _address(name: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingInvalid(f"{name} is not an address: write https://concord.example.")
    return url.rstrip("/")
