"""The pages of a person’s own work on links: by what is due next, as a list or a board, and chasing several at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from govuk_frontend_wtf.wtforms_widgets import GovSubmitInput
from werkzeug.datastructures import MultiDict
from wtforms import SubmitField

from concord.web.access import may
from concord.web.links import SIDES
from concord.web.listing import pagination
from concord.web.request import transaction
from concord.web.short_form import short_form, words_field
from matching.link import LinkInvalid, get_link
from matching.link_list import read_link
from matching.link_message import MOST_ASKED, ask_each
from matching.my_links import board, list_work
from tenants.base import utc_now
from tenants.permission import Verb
from tenants.permission import may as scope_may

blueprint = Blueprint("my_links", __name__)

WHOSE = {"mine": "Links that I work on", "agency": "All of our agency’s"}
VIEWS = {"list": "As a list", "board": "As a board"}


class ChaseForm(FlaskForm):  # type: ignore[misc]
    """What the other side is asked on each of several links, and why."""

    words = words_field("What do you ask the other agency?", missing="Write what you ask")
    reason = words_field("Why now?", missing="Write why")
    submit = SubmitField("Send it on each link", widget=GovSubmitInput())


@blueprint.get("/links/mine")
@may(Verb.READ_LINKS)
def index() -> ResponseReturnValue:
    """Show the person’s own open links, or the agency’s, by what is due next."""
    whose, side, view = (_chosen(*each) for each in (("whose", WHOSE), ("side", SIDES), ("view", VIEWS)))
    late, number = request.args.get("late") == "1", request.args.get("page", 1, type=int)
    with transaction() as session:
        page = list_work(session, mine=whose == "mine", side=side, on=utc_now().date(), late=late, number=number)
    return render_template(
        "my-links.html",
        page=page,
        work=page.cards,
        pagination=pagination(page, _page),
        columns=board(page.cards) if view == "board" else {},
        late=late,
        chosen={"whose": whose, "side": side, "view": view},
        choices=(("Whose links", "whose", WHOSE), ("Whose side", "side", SIDES), ("How they are shown", "view", VIEWS)),
        most_asked=MOST_ASKED,
        may_keep=scope_may(g.scope, Verb.KEEP_LINKS),
    )


@blueprint.route("/links/chase", methods=["GET", "POST"])
@may(Verb.KEEP_LINKS)
def chase() -> ResponseReturnValue:
    """Take what the other side is asked on each of the chosen links."""
    wanted = _wanted(request.args)
    if not wanted:
        return redirect(url_for("my_links.index"), 303)
    with transaction() as session:
        titles = [f"{each.title}, {each.link.state.label}" for each in (read_link(session, one) for one in wanted)]
    form = ChaseForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                links = [get_link(session, each) for each in wanted]
                ask_each(session, links, words=form.words.data, reason=form.reason.data, now=utc_now())
            return redirect(url_for("my_links.index"), 303)
        except LinkInvalid as refusal:
            form.words.errors = [str(refusal)]
    return short_form(
        form,
        title="Ask the other agency on several links",
        back=(url_for("my_links.index"), "Links that you work on"),
        lead="The same message is written on each of these links, where both agencies read it.",
        text="\n".join(titles),
        hints={"reason": "Only your agency reads it, as a note on each link"},
    )


def _page(number: int) -> str:
    said: dict[str, Any] = {**request.args.to_dict(), "page": number}
    return url_for("my_links.index", **said)


def _chosen(name: str, choices: dict[str, str]) -> str:
    said = request.args.get(name, "")
    return said if said in choices else next(iter(choices))


def _wanted(args: MultiDict[str, str]) -> list[UUID]:
    """Return the links that the address names, each once; what is no id is passed over."""
    found: dict[UUID, None] = {}
    for said in args.getlist("link")[: MOST_ASKED + 1]:
        try:
            found[UUID(said)] = None
        except ValueError:
            continue
    return list(found)
