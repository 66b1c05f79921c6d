"""What the API itself refuses before the domain is asked, each as a problem with its own type and headers."""

from __future__ import annotations

from collections.abc import Iterable

from werkzeug.exceptions import HTTPException


class ApiRefusal(HTTPException):
    """A refusal that says what is wrong and what to send instead."""

    kind = "about:blank"
    detail: str | None = None

    def __init__(self, detail: str | None = None, **headers: str) -> None:
        super().__init__()
        self.detail = detail or self.detail
        self._headers = headers

    def get_headers(self, *_: object) -> list[tuple[str, str]]:
        """Return the headers that go with it."""
        return [(name.replace("_", "-"), value) for name, value in self._headers.items()]


class TokenMissing(ApiRefusal):
    """No token was sent (RFC 6750, section 3.1: then no error is named)."""

    code = 401

    def __init__(self) -> None:
        super().__init__(WWW_Authenticate='Bearer realm="concord"')


class TokenOver(ApiRefusal):
    """The token has ended, or is none."""

    code = 401
    kind = "urn:concord:token-over"
    detail = "The token is not, or no longer, good. Ask /api/v1/token for a new one."

    def __init__(self) -> None:
        super().__init__(WWW_Authenticate='Bearer realm="concord", error="invalid_token"')


class ScopeTooNarrow(ApiRefusal):
    """The token's scopes do not open this operation."""

    code = 403
    kind = "urn:concord:scope-too-narrow"

    def __init__(self, wanted: Iterable[str]) -> None:
        scopes = tuple(wanted)
        super().__init__(
            f"This needs a token with the scope {' or '.join(scopes)}.",
            WWW_Authenticate=f'Bearer realm="concord", error="insufficient_scope", scope="{" ".join(scopes)}"',
        )


class MediaWrong(ApiRefusal):
    """The body is of a media type that the operation does not take."""

    code = 415
    kind = "urn:concord:media-wrong"


class CursorInvalid(ApiRefusal):
    """The cursor was not given out for this list."""

    code = 422
    kind = "urn:concord:cursor-invalid"
    detail = "This cursor was not given out for this list with these filters. Begin again without one."


class VersionMissing(ApiRefusal):
    """The operation changes something and does not say what version of it was seen."""

    code = 428
    kind = "urn:concord:if-match-missing"
    detail = "Read it first, and send its ETag as If-Match, so that nobody’s change is lost."


class VersionOver(ApiRefusal):
    """What is to be changed has changed since it was read."""

    code = 412
    kind = "urn:concord:if-match-stale"
    detail = "It has changed since you read it. Read it again and decide anew. Nothing was changed."
