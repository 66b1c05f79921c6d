"""The page of an SSDA903 return: what became of its children, and why."""

from __future__ import annotations

from typing import Final

from flask import render_template
from sqlalchemy.orm import Session

from matching.intake.import_run import ImportRun, read_report
from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.real_import import worth_importing
from tenants.base import utc_now
from tenants.job import Job

MOST_SHOWN: Final = 500
"""How many children of one outcome a page shows; the command line tells of all."""

_TAKEN: Final = frozenset({Outcome.ADDED, Outcome.CHANGED, Outcome.UNCHANGED})


def return_page(session: Session, run: ImportRun, job: Job, *, kind: str) -> str:
    """Show how far the reading of a return is, then its children: the refused, the doubtful, those not for adoption."""
    refused = _children(session, run, frozenset({Outcome.REFUSED}), run.refused)
    taken = _children(session, run, _TAKEN, run.added + run.changed + run.unchanged)
    others = _children(session, run, frozenset({Outcome.NOT_FOR_ADOPTION}), run.not_for_adoption)
    return render_template(
        "return.html",
        run=run,
        job=job,
        kind=kind,
        refused=refused,
        remarked=[child for child in taken if child.remarks],
        others=others,
        most_shown=MOST_SHOWN,
        worth_importing=worth_importing(run),
    )


def _children(session: Session, run: ImportRun, outcomes: frozenset[Outcome], count: int) -> list[RowOutcome]:
    if run.finished_at is None or not count:
        return []
    return read_report(session, run, now=utc_now(), outcomes=outcomes, limit=MOST_SHOWN)
