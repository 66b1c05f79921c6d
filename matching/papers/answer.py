"""What an agency says of itself for its papers, and the consortium’s office of the consortium."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, Session

from matching.papers.question import Form, Question, QuestionUnknown, Whose, questions
from matching.papers.turn import take_turn
from matching.sealed_words import own_agency, own_person
from tenants import audit
from tenants.agency import AgencyKind, get_agency
from tenants.base import Base, Id
from tenants.database import scope_of
from tenants.error import Invalid
from tenants.permission import Verb, require

MOST_LETTERS = 4_000
MOST_IN_A_LINE = 200


class PaperAnswer(Base):
    """One answer; ``consortium_id`` where the office answers for its consortium."""

    __tablename__ = "paper_answer"

    id: Mapped[Id]
    agency_id: Mapped[UUID]
    consortium_id: Mapped[UUID | None]
    question: Mapped[str]
    answer: Mapped[str]
    shared: Mapped[bool]
    set_by: Mapped[UUID]
    set_at: Mapped[datetime]


class AnswerInvalid(Invalid):
    """What was said does not answer the question."""


def questions_of(session: Session) -> list[Question]:
    """Return what the scope’s own agency is asked: of itself, or, where it is the office, of its consortium."""
    office = get_agency(session, own_agency(session)).kind is AgencyKind.CONSORTIUM_OFFICE
    whose = Whose.CONSORTIUM if office else Whose.AGENCY
    return [question for question in questions().values() if question.whose is whose]


def get_question(session: Session, code: str) -> Question:
    """Return a question that the scope’s own agency is asked.

    :raises QuestionUnknown: when it is asked no such thing.
    """
    for question in questions_of(session):
        if question.code == code:
            return question
    raise QuestionUnknown("Your agency’s papers ask no such thing.")


def answer(session: Session, question: Question, said: str, *, now: datetime) -> None:
    """Keep an answer in the place of the one before; an empty one leaves the question to be completed.

    :raises NotAllowed: when the scope’s roles do not keep the papers.
    :raises QuestionUnknown: when the scope’s agency is not asked that.
    :raises AnswerInvalid: when it is no day, none of the choices, or too long.
    """
    scope = scope_of(session)
    require(scope, Verb.KEEP_PAPERS)
    get_question(session, question.code)
    words = _checked(question, said)
    take_turn(session)
    consortium_id = scope.consortium_id if question.whose is Whose.CONSORTIUM else None
    facts = {"set_by": own_person(session), "set_at": now}
    own = (
        PaperAnswer.agency_id == own_agency(session),
        PaperAnswer.question == question.code,
        PaperAnswer.consortium_id.is_not_distinct_from(consortium_id),
    )
    if not words:
        session.execute(delete(PaperAnswer).where(*own))
    elif session.scalar(select(PaperAnswer.id).where(*own)):
        session.execute(update(PaperAnswer).where(*own).values(answer=words, **facts))
    else:
        session.add(
            PaperAnswer(
                id=uuid4(),
                agency_id=own_agency(session),
                consortium_id=consortium_id,
                question=question.code,
                answer=words,
                shared=question.shared,
                **facts,
            )
        )
    session.flush()
    session.expire_all()
    audit.record(session, audit.Act.CHANGE, record_kind="paper_answer", reason=question.code, now=now)


def own_answers(session: Session) -> dict[str, str]:
    """Return what the scope’s own agency says, by question."""
    query = select(PaperAnswer).where(
        PaperAnswer.agency_id == own_agency(session),
        PaperAnswer.consortium_id.is_(None) | (PaperAnswer.consortium_id == scope_of(session).consortium_id),
    )
    return {row.question: row.answer for row in session.scalars(query)}


def shared_answers(session: Session) -> Mapping[tuple[UUID, bool], dict[str, str]]:
    """Return what agencies of the scope’s consortium say that the others’ papers name.

    By agency, and whether it says so for the consortium; the scope’s own agency is among them.
    """
    here = scope_of(session).consortium_id
    found: dict[tuple[UUID, bool], dict[str, str]] = {}
    query = select(PaperAnswer).where(
        PaperAnswer.shared, PaperAnswer.consortium_id.is_(None) | (PaperAnswer.consortium_id == here)
    )
    for row in session.scalars(query):
        found.setdefault((row.agency_id, row.consortium_id is not None), {})[row.question] = row.answer
    return found


def _checked(question: Question, said: str) -> str:
    words = said.replace("\0", "").strip()
    if not words:
        return ""
    most = MOST_IN_A_LINE if question.form is Form.LINE else MOST_LETTERS
    if len(words) > most:
        raise AnswerInvalid(f"Write at most {most:,} characters.")
    if question.form is Form.CHOICE and words not in question.options:
        raise AnswerInvalid("Choose one of the answers.")
    if question.form is Form.DAY:
        return _day(words)
    return " ".join(words.split()) if question.form is Form.LINE else words


def _day(words: str) -> str:
    try:
        on = date.fromisoformat(words)
    except ValueError:
        raise AnswerInvalid("Enter a real date, for example 27 3 2027.") from None
    return f"{on.day} {on:%B} {on.year}"
