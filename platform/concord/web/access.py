"""Who may open a page: each view says so with one of four decorators, and the site refuses to start without."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from concord.web.request import find_person, session_ended
from tenants.permission import Verb, require
from tenants.permission import may as allows
from tenants.scope import Scope

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]
F = TypeVar("F", bound=Callable[..., Any])

PUBLIC = "anyone"
SIGNED_IN = "signed in"
ACTING = "acting for an agency"


class AccessUndeclared(Exception):
    """A view does not say who may open it."""


def public(view: F) -> F:
    """Let anyone open the page."""
    return _mark(view, PUBLIC)


def signed_in(view: View[P]) -> View[P]:
    """Let people open the page who are signed in; ask others to sign in."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        person = find_person()
        if person is None:
            return _ask_to_sign_in()
        g.scope = person.scope
        return view(*args, **kwargs)

    return _mark(guarded, SIGNED_IN)


def acting(view: View[P]) -> View[P]:
    """Let people open the page who have chosen whose work they do; ask others to choose."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if _must_choose(g.scope):
            _remember_page()
            return redirect(url_for("acting.choose"), 303)
        return view(*args, **kwargs)

    return _mark(signed_in(guarded), ACTING)


def may(verb: Verb, *others: Verb) -> Callable[[View[P]], View[P]]:
    """Let people open the page whose role allows ``verb``, or any of the ``others``, in the agency that they act for.

    :raises NotAllowed: in the view, when it does not.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if not any(allows(g.scope, each) for each in others):
                require(g.scope, verb)
            return view(*args, **kwargs)

        return _mark(acting(guarded), f"may {' or '.join(each.value for each in (verb, *others))}")

    return decorate


def list_access(app: Flask) -> dict[str, str]:
    """Return who may use each route, keyed by method and path template.

    :raises AccessUndeclared: when a view does not say.
    """
    census = {}
    for rule in app.url_map.iter_rules():
        access = getattr(app.view_functions[rule.endpoint], "access", None)
        if access is None:
            raise AccessUndeclared(f"{rule.endpoint} needs one of @public, @signed_in, @acting or @may(Verb.…).")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            census[f"{method} {rule.rule}"] = access
    return census


def _must_choose(scope: Scope) -> bool:
    if scope.operator:
        return False
    # An agency may belong to no consortium, and then there is none to choose.
    return scope.agency_id is None or (scope.consortium_id is None and "chosen" not in session)


def _mark(view: F, access: str) -> F:
    view.access = access  # type: ignore[attr-defined]
    return view


def _ask_to_sign_in() -> ResponseReturnValue:
    _remember_page()
    if session_ended():
        session["sign_in_notice"] = "ended"
    return redirect(url_for("sign_in.start"), 303)


def _remember_page() -> None:
    # Only a page can be opened again later; a form's content is gone.
    if request.method == "GET":
        session["next"] = request.full_path.rstrip("?")
