"""The shapes of links: a list of them, one with its way, the steps that programs take, and what is said on it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from concord.schema.page import PageQuery
from matching.clock.reading import ClockState
from matching.link import MOST_CHARACTERS, DayKind, LinkOutcome, LinkPath, LinkState, StepName
from matching.placement.placement import Court, EndedBy
from matching.sealed_words import MOST_LETTERS

_TEXT = r"^[^\x00\ud800-\udfff]*\Z"
PEOPLES = frozenset({StepName.START, StepName.HOLD, StepName.RELEASE})
"""Names of lines of a history that no program asks for as a step."""
TAKEN = [step for step in StepName if step not in PEOPLES]
_NO_STEP = (
    f"Name one of these steps: {', '.join(TAKEN)}. The decision maker’s decision on a match, legal holds and the "
    "sealing of an adoption are people’s own, on the site."
)


def _said(most: int, **more: object) -> fields.String:
    return fields.String(validate=[validate.Length(1, most), validate.Regexp(_TEXT)], **more)  # type: ignore[arg-type]


class LinkQuery(PageQuery):
    """Which links."""

    state = fields.List(fields.Enum(LinkState, by_value=True), metadata={"description": "At one of these states."})
    side = fields.String(
        load_default="all",
        validate=validate.OneOf(["all", "children", "families"]),
        metadata={"description": "Of one's own agency's children, of its families, or of both."},
    )
    updated_since = fields.AwareDateTime(
        format="iso", metadata={"description": "With a step at this moment or after, as 2026-11-23T09:00:00Z."}
    )
    consortium_id = fields.UUID(metadata={"description": "Of this consortium, where the agency is in several."})


class LinkSideSchema(Schema):
    """One of the two; its code is null where it is no longer shared."""

    id = fields.UUID(required=True)
    code = fields.String(required=True, allow_none=True)
    agency = fields.String(required=True)


class LinkCardSchema(Schema):
    """A link in a list. ``sides`` are those that are one's own agency's: children, families, or both."""

    id = fields.UUID(required=True)
    consortium_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    state = fields.Enum(LinkState, by_value=True, required=True)
    open = fields.Boolean(required=True)
    group = fields.Nested(LinkSideSchema, required=True)
    household = fields.Nested(LinkSideSchema, required=True)
    sides = fields.List(fields.String(), required=True)
    path = fields.Enum(LinkPath, by_value=True, required=True)
    started_at = fields.DateTime(format="iso", required=True)
    changed_at = fields.DateTime(format="iso", required=True)
    outcome = fields.Enum(LinkOutcome, by_value=True, required=True, allow_none=True)
    feedback = fields.String(required=True, allow_none=True)


class LinkStepSchema(Schema):
    """One line of the history: what was done, by whom and why. A program has the role “program”."""

    version = fields.Integer(required=True)
    step = fields.Enum(StepName, by_value=True, required=True, allow_none=True)
    from_state = fields.Enum(LinkState, by_value=True, required=True, allow_none=True)
    to_state = fields.Enum(LinkState, by_value=True, required=True)
    at = fields.DateTime(format="iso", required=True)
    agency = fields.String(required=True)
    by = fields.String(attribute="person_name", required=True)
    roles = fields.List(fields.String(), attribute="person_roles", required=True)
    reason = fields.String(required=True)
    override = fields.String(required=True, allow_none=True)


class LinkDaySchema(Schema):
    """A day of the link as it holds."""

    kind = fields.Enum(DayKind, by_value=True, required=True)
    day = fields.Date(required=True)


class NextStepSchema(Schema):
    """A step that leads on: whether it is one's own agency's to take, and what is still missing, in words."""

    step = fields.Enum(StepName, by_value=True, required=True)
    own = fields.Boolean(attribute="mine", required=True)
    missing = fields.List(fields.String(), required=True)
    passable = fields.String(attribute="capped", required=True, allow_none=True)


class LinkClockSchema(Schema):
    """A time to keep; ``own`` says whether the reason for a missed one is one's own agency's to give."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    due_on = fields.Date(required=True)
    stopped_on = fields.Date(required=True, allow_none=True)
    state = fields.Enum(ClockState, by_value=True, required=True)
    own = fields.Boolean(required=True)


class LinkDecisionSchema(Schema):
    """The agency decision maker's decision that holds."""

    approved = fields.Boolean(required=True)
    decided_on = fields.Date(required=True)
    by = fields.String(attribute="person_name", required=True)
    reason = fields.String(required=True)


class LinkSchema(LinkCardSchema):
    """A link with its way so far and what comes next."""

    held = fields.Boolean(required=True, metadata={"description": "Whether a legal hold stands."})
    steps = fields.List(fields.Nested(LinkStepSchema), required=True)
    days = fields.List(fields.Nested(LinkDaySchema), required=True)
    next_steps = fields.List(fields.Nested(NextStepSchema), required=True)
    clocks = fields.List(fields.Nested(LinkClockSchema), required=True)
    decision = fields.Nested(LinkDecisionSchema, required=True, allow_none=True)


class StartLinkSchema(Schema):
    """Who is to be looked at together, and why."""

    group_id = fields.UUID(required=True)
    household_id = fields.UUID(required=True)
    reason = _said(MOST_CHARACTERS, required=True)
    override = _said(MOST_CHARACTERS, metadata={"description": "Refused: a cap is passed by a person."})


class TakeStepSchema(Schema):
    """A step, why, and what else it asks for: a day, an outcome with feedback, the court, or who ended it."""

    step = fields.String(required=True, validate=validate.OneOf(TAKEN, error=_NO_STEP))
    reason = _said(MOST_CHARACTERS, required=True)
    day = fields.Date()
    outcome = fields.Enum(LinkOutcome, by_value=True)
    feedback = _said(MOST_CHARACTERS)
    court = fields.Enum(Court, by_value=True)
    ended_by = fields.Enum(EndedBy, by_value=True)
    override = _said(MOST_CHARACTERS, metadata={"description": "Refused: a cap is passed by a person."})


class MessageSchema(Schema):
    """A message that both agencies read; ``file`` is the name of the file that goes with it, to be had on the site."""

    id = fields.UUID(required=True)
    at = fields.DateTime(format="iso", required=True)
    agency = fields.String(required=True)
    by = fields.String(required=True)
    words = fields.String(required=True)
    named = fields.List(fields.String(), required=True)
    file = fields.String(required=True, allow_none=True)


class MessagesSchema(Schema):
    """What was said on a link, in order."""

    items = fields.List(fields.Nested(MessageSchema), required=True)


class SendMessageSchema(Schema):
    """What is said to both sides."""

    words = _said(MOST_LETTERS, required=True)
