from __future__ import annotations

from dataclasses import replace

from concord.provider.grant import CODE_SECONDS, TOKEN_SECONDS, Client, Code, Grants, Token
from concord.provider.people import DemoPerson

ASH = DemoPerson("ash", "Ash Sample", "ash@example.org", "Devon", ())
CLIENT = Client("concord", "secret", "http://127.0.0.1/answer", "http://127.0.0.1/left")


class TestTakeCode:
    def test_gives_it_once(self) -> None:
        grants = Grants(Clock())
        grants.keep_code(code_at(0))

        assert grants.take_code("a-code") is not None
        assert grants.take_code("a-code") is None

    def test_gives_none_that_is_a_minute_old(self) -> None:
        clock = Clock()
        grants = Grants(clock)
        grants.keep_code(code_at(0))

        clock.now = CODE_SECONDS

        assert grants.take_code("a-code") is None


class TestRevoke:
    def test_forgets_one_person_alone(self) -> None:
        grants = Grants(Clock())
        bryn = replace(ASH, subject="bryn")
        for person in (ASH, bryn):
            grants.keep_code(replace(code_at(0), code=person.subject, person=person))
            grants.keep_token(person.subject, Token(person, CLIENT, "openid", 0, grants.clock))

        grants.revoke("ash")

        assert (grants.take_code("ash"), grants.find_token("ash")) == (None, None)
        assert grants.take_code("bryn") is not None
        assert grants.find_token("bryn") is not None


class TestToken:
    def test_expires(self) -> None:
        clock = Clock()
        token = Token(ASH, CLIENT, "openid", 0, clock)

        clock.now = TOKEN_SECONDS - 1
        assert not token.is_expired()
        clock.now = TOKEN_SECONDS
        assert token.is_expired()

    def test_shows_no_secret_of_its_client(self) -> None:
        assert "secret" not in repr(Token(ASH, CLIENT, "openid", 0, Clock()))


class Clock:
    """A clock that is set by hand."""

    now: float = 0

    def __call__(self) -> float:
        return self.now


def code_at(made_at: float) -> Code:
    return Code("a-code", ASH, CLIENT.redirect_uri, "openid", "nonce", "challenge", "S256", made_at)
