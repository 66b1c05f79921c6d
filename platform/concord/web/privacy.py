"""The page from which an agency's privacy work is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from concord.web.access import may
from tenants import permission
from tenants.permission import Verb

blueprint = Blueprint("privacy", __name__)


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of privacy work: its title, what one does there, where it is, and the verb that opens it."""

    title: str
    hint: str
    endpoint: str
    verb: Verb


WORK: Final = (
    Work(
        title="Retention",
        hint="How long each class of record is kept, what is due, and what is held back from destruction.",
        endpoint="retention.index",
        verb=Verb.READ_RETENTION,
    ),
    Work(
        title="Subject access",
        hint="People who ask what you hold about them: what is gathered, released and withheld, and when it is due.",
        endpoint="subject_access.index",
        verb=Verb.ANSWER_SUBJECTS,
    ),
    Work(
        title="Rectification",
        hint="Corrections that people ask for, what was decided, and which agencies are to be told.",
        endpoint="rectifications.index",
        verb=Verb.ANSWER_SUBJECTS,
    ),
    Work(
        title="Breaches",
        hint="What happened, whom it concerns, who was told and when, with the clock of 72 hours.",
        endpoint="breaches.index",
        verb=Verb.KEEP_BREACHES,
    ),
)


@blueprint.get("/privacy")
@may(Verb.READ_RETENTION)
def index() -> ResponseReturnValue:
    """Show the kinds of privacy work that the person's roles open."""
    return render_template("privacy.html", work=[each for each in WORK if permission.may(g.scope, each.verb)])
