"""Links: the list with its filters, one with its way, starting one, taking its steps, and what both sides say on it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from concord.api.cursor import write_cursor
from concord.api.listing import place_of
from concord.api.operation import Call, Shape, operation
from concord.api.parts import ROOT
from concord.api.refusal import VersionOver
from concord.schema.link import (
    LinkCardSchema,
    LinkQuery,
    LinkSchema,
    MessagesSchema,
    SendMessageSchema,
    StartLinkSchema,
    TakeStepSchema,
)
from concord.schema.link_answer import link_answer, link_card
from concord.schema.page import page_of
from matching.household import get_household
from matching.link import Link, StepName, get_link, list_steps
from matching.link_message import read_messages, send_message
from matching.link_stretch import Wanted, list_links_after
from matching.placement.effect import COURT, ENDED_BY
from matching.register import agency_names
from matching.sibling_group import get_group
from matching.transition import StepFacts, start_link, take
from tenants.permission import Verb

blueprint = Blueprint("api_links", __name__, url_prefix=ROOT, description="Links of children and families")

_ONE = "/links/<uuid:link_id>"
_START = {
    "group_id": "5b8f0c1e-7a52-4f0b-9b1a-1f7f6f0c2d11",
    "household_id": "0f9f3b1f-3f6e-4a46-9d0b-6f1c0e2a7a11",
    "reason": "They asked for a child who loves animals.",
}


@operation(blueprint, "/links", Shape("GET", (Verb.READ_LINKS,), page_of(LinkCardSchema), query=LinkQuery))
def list_links(call: Call) -> dict[str, Any]:
    """List the agency's links that are asked for, the one whose last step is oldest first."""
    after, limit = place_of(call)
    found = list_links_after(call.session, wanted_of(call), after=after, limit=limit)
    return {"items": [link_card(line) for line in found.shown], "next": write_cursor(found.end)}


@operation(
    blueprint,
    "/links",
    Shape(
        "POST",
        (Verb.KEEP_LINKS,),
        LinkSchema,
        status=201,
        body=StartLinkSchema,
        errors=(404,),
        examples={"body": _START},
    ),
)
def begin_link(call: Call) -> dict[str, Any]:
    """Show interest in a group and a household, one of them one's own agency's."""
    group = get_group(call.session, call.body["group_id"])
    household = get_household(call.session, call.body["household_id"])
    facts = {"reason": call.body["reason"], "override": call.body.get("override")}
    link = start_link(call.session, group=group, household=household, **facts, now=call.now)
    call.location = f"{ROOT}/links/{link.id}"
    return link_answer(call.session, link, now=call.now)


@operation(blueprint, _ONE, Shape("GET", (Verb.READ_LINKS,), LinkSchema, errors=(404,)))
def read_link(call: Call, link_id: UUID) -> dict[str, Any]:
    """Open a link: how far it is, its history, its days and times, and what comes next with what is missing."""
    return link_answer(call.session, get_link(call.session, link_id), now=call.now)


@operation(
    blueprint,
    f"{_ONE}/steps",
    Shape(
        "POST",
        (Verb.KEEP_LINKS,),
        LinkSchema,
        body=TakeStepSchema,
        versioned=True,
        errors=(404,),
        examples={"body": {"step": "visit", "reason": "Both workers think it is time.", "day": "2027-01-12"}},
    ),
)
def take_step(call: Call, link_id: UUID) -> dict[str, Any]:
    """Take a step of a link, as far as it is one's own agency's and no person's own; all of it is done or nothing."""
    link, said = get_link(call.session, link_id), call.body
    _match(call, link)
    facts = StepFacts(
        said["reason"],
        day=said.get("day"),
        override=said.get("override"),
        outcome=said.get("outcome"),
        feedback=said.get("feedback"),
        more={name: said[key] for name, key in ((COURT, "court"), (ENDED_BY, "ended_by")) if key in said},
    )
    take(call.session, link, StepName(said["step"]), version=link.version, facts=facts, now=call.now)
    return link_answer(call.session, link, now=call.now)


@operation(blueprint, f"{_ONE}/messages", Shape("GET", (Verb.READ_LINKS,), MessagesSchema, errors=(404,)))
def list_messages(call: Call, link_id: UUID) -> dict[str, Any]:
    """Read what both sides have said on a link, in order; the look is on record."""
    return _messages(call, get_link(call.session, link_id))


@operation(
    blueprint,
    f"{_ONE}/messages",
    Shape(
        "POST",
        (Verb.KEEP_LINKS,),
        None,
        status=201,
        body=SendMessageSchema,
        errors=(404,),
        examples={"body": {"words": "The visit is moved by a week. Does that suit the family?"}},
    ),
)
def write_message(call: Call, link_id: UUID) -> None:
    """Say something on a link to both sides, under the program's name; whoever follows the link is told."""
    send_message(call.session, get_link(call.session, link_id), words=call.body["words"], now=call.now)
    call.location = f"{ROOT}/links/{link_id}/messages"


def wanted_of(call: Call) -> Wanted:
    """Return which links a program asks for."""
    asked = call.query
    return Wanted(
        frozenset(asked.get("state", ())), asked["side"], asked.get("updated_since"), asked.get("consortium_id")
    )


def _match(call: Call, link: Link) -> None:
    """Let a step pass when the link is still as the program has read it, else say what was done last, and by whom."""
    try:
        call.match(link_answer(call.session, link, now=call.now), LinkSchema)
    except VersionOver:
        last = list_steps(call.session, link)[0]
        agency = agency_names(call.session).get(last.agency_id, "the other agency")
        raise VersionOver(
            f"The link has changed since you read it. It is at “{link.state.label}”; its last step is by "
            f"{last.person_name} of {agency}. Read it again and decide anew. Nothing was changed."
        ) from None


def _messages(call: Call, link: Link) -> dict[str, Any]:
    names = agency_names(call.session)
    return {
        "items": [
            {
                "id": each.id,
                "at": each.at,
                "agency": names.get(each.agency_id, ""),
                "by": each.person_name,
                "words": each.words,
                "named": list(each.named),
                "file": each.file,
            }
            for each in read_messages(call.session, link, now=call.now)
        ]
    }
