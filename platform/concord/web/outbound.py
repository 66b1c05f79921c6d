"""Calls to addresses that somebody else chose: public ones only, over TLS, short, and without a detour.

An agency’s administrator names a provider, and the provider’s metadata names further addresses. So that none of them
leads into this service’s own network (server-side request forgery), each name is resolved here, every address that it
has must be public, and the connection is made to the very address that was checked: a name that means something else a
moment later (DNS rebinding) gets nowhere. The certificate is still checked against the name.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest, RequestException, Response, Timeout
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

TIMEOUT_SECONDS = 5
LONGEST_ANSWER = 512 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that is given out of IPv6 (RFC 4291, section 2.4); what wraps an older address, or is site-local, is outside it.
_GIVEN_OUT = ipaddress.ip_network("2000::/3")

_WATCHES: ContextVar[list[tuple[socket.socket, threading.Timer, threading.Event]]] = ContextVar("watches")
"""The connections of the call that is being made."""

Resolve = Callable[[str, int], list[str]]


class AddressRefused(RequestException):
    """The address is not one that may be called; the text is fit to show."""


def resolve(host: str, port: int) -> list[str]:
    """Return every address of a host, in the system's order."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"There is no host “{host}”.") from error
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def is_public(address: str) -> bool:
    """Say whether an address is on the public internet, also when it wraps another (RFC 4291, 3056, 4380, 6052)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        wrapped = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        if found in _NAT64:
            wrapped.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
        if not all(is_public(str(inner)) for inner in wrapped if inner is not None):
            return False
        if found.ipv4_mapped is not None or found in _NAT64:
            return True
        if found not in _GIVEN_OUT:
            return False
    return found.is_global and not found.is_multicast


def checked_address(url: str, *, resolve: Resolve = resolve) -> str:
    """Return the one address to connect to for ``url``.

    :raises AddressRefused: when it is no https address, or any of the host's addresses is not public.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise AddressRefused(f"{url} is no https address.")
    addresses = resolve(parts.hostname, parts.port or 443)
    if not addresses or not all(map(is_public, addresses)):
        raise AddressRefused(f"{parts.hostname} is not on the public internet, so Concord does not call it.")
    return addresses[0]


class _Watched:
    """A connection that is cut when a call's time is over: whoever drips byte after byte passes any limit on a read."""

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        # TLS takes the socket itself over, so another hold on it is kept.
        held = connected.dup()
        over = threading.Event()
        timer = threading.Timer(TIMEOUT_SECONDS, _cut, [held, over])
        timer.daemon = True
        timer.start()
        _WATCHES.get().append((held, timer, over))
        return connected


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = type("WatchedHttp", (_Watched, HTTPConnection), {})


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = type("WatchedHttps", (_Watched, HTTPSConnection), {})


class BriefAdapter(HTTPAdapter):
    """Makes connections that last for as long as a call may."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the library has it
        """Have connections watched."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class PinnedAdapter(BriefAdapter):
    """Connects to the address that was checked, and speaks to it under the name that was asked for."""

    def __init__(self, resolve: Resolve = resolve) -> None:
        self._resolve = resolve
        super().__init__()

    def build_connection_pool_key_attributes(
        self,
        request: PreparedRequest,
        verify: Any,  # noqa: ANN401 - as the library has it
        cert: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Name the checked address as the host to connect to, and the name as what its certificate must be for."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        name = urlsplit(str(request.url)).hostname
        host["host"] = checked_address(str(request.url), resolve=self._resolve)
        return host, {**pool, "server_hostname": name, "assert_hostname": name}

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """Send a request that names the host it is for, whatever address it goes to."""
        request.headers["Host"] = urlsplit(str(request.url)).netloc
        return super().send(request, *args, **kwargs)


class OutboundSession(OAuth2Session):  # type: ignore[misc]
    """An OpenID client's calls: each with a limit of time and of length, and none sent elsewhere by the answer."""

    def __init__(self, **facts: Any) -> None:  # noqa: ANN401 - as the library has it
        super().__init__(**facts)
        for scheme in ("https://", "http://"):
            self.mount(scheme, BriefAdapter())

    def request(self, method: str, url: str, **kwargs: Any) -> Response:  # noqa: ANN401
        """Return the whole of an answer.

        :raises AddressRefused: when the address may not be called, or the answer leads to another or is too long.
        :raises Timeout: when it has not ended in time.
        """
        # A proxy, or a password file of the system's, is for whoever runs commands here, not for addresses of others.
        self.trust_env = False
        kwargs = {**kwargs, "allow_redirects": False, "stream": True, "timeout": TIMEOUT_SECONDS}
        with _watching():
            response: Response = super().request(method, url, **kwargs)
            body = _read(response)
        # What “stream” left to be read.
        response._content = body
        return response


def public_session(**facts: Any) -> OutboundSession:  # noqa: ANN401
    """Return a session that calls public addresses alone."""
    session = OutboundSession(**facts)
    session.mount("https://", PinnedAdapter())
    session.mount("http://", PinnedAdapter())
    return session


def _read(response: Response) -> bytes:
    with response:
        if response.is_redirect:
            raise AddressRefused("The sign-in service answers from another address than it names.")
        # Read through the response's own method, so that a compressed answer is measured by what it unpacks to.
        body = b""
        for part in response.iter_content(16 * 1024):
            body += part
            if len(body) > LONGEST_ANSWER:
                raise AddressRefused("The sign-in service answers at too great a length.")
    return body


@contextmanager
def _watching() -> Iterator[None]:
    """Cut the connections of one call at their time, and let go of them when it has ended."""
    watches: list[tuple[socket.socket, threading.Timer, threading.Event]] = []
    before = _WATCHES.set(watches)
    try:
        yield
        # What was cut may look like an answer that has ended.
        if any(over.is_set() for _, _, over in watches):
            raise Timeout("the answer did not end in time")
    finally:
        _WATCHES.reset(before)
        for held, timer, _ in watches:
            timer.cancel()
            held.close()


def _cut(held: socket.socket, over: threading.Event) -> None:
    # Said before it is done: whoever reads the end of what was cut must not take it for the answer's.
    over.set()
    with suppress(OSError):
        held.shutdown(socket.SHUT_RDWR)
