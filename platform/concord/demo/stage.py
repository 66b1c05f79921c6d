"""Set the stage for a demonstration: tenants and people, then every sheet through the real importer, a meeting.

Each step looks first at what is there, so a demonstration that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from concord.demo.cast import Cast, acting
from concord.demo.consortium import OFFICE_SLUG, DemoAgency, DemoPerson
from concord.demo.sheet_shape import DemoSheet
from concord.demo.sheets import DemoPlan
from matching.household import count_households
from matching.intake.import_run import ImportRun, choose_mapping, get_import, request_import
from matching.meeting import Meeting, arrange_meeting, list_meetings
from matching.pack import request_first_packs
from matching.ranking_run import open_pool, record_run
from matching.sibling_group import count_groups, list_waiting_groups
from tenants.agency import Agency, AgencyKind, Nation, add_agency
from tenants.base import utc_now
from tenants.consortium import Consortium, create_consortium, join, list_consortia
from tenants.database import Database
from tenants.error import Conflict
from tenants.person import Appointment, appoint, find_person_by_identity, invite_person
from tenants.role import Role
from tenants.scope import OPERATOR, Scope

TOP = 20
_FOUNDED = date(2000, 1, 1)
_MEETING_IN = timedelta(days=14)
_ROLES = frozenset(Role) - {Role.OPERATOR}


class NotADemonstrations(Conflict):
    """The database holds a consortium that somebody has made themselves."""


class RowsRefused(Conflict):
    """The importer did not take a demonstration's own sheet as it was to be taken."""


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One of the demonstration's sheets in the hands of the importer."""

    sheet: DemoSheet
    scope: Scope
    import_run_id: UUID
    job_id: UUID


@dataclass(frozen=True, slots=True)
class Stage:
    """The scopes of the demonstration's agencies, by short name."""

    scopes: dict[str, Scope]

    @property
    def office(self) -> Scope:
        """Return the consortium office's."""
        return self.scopes[OFFICE_SLUG]

    @property
    def members(self) -> dict[str, Scope]:
        """Return all agencies' but the office's."""
        return {slug: scope for slug, scope in self.scopes.items() if slug != OFFICE_SLUG}


def set_stage(database: Database, plan: DemoPlan, *, issuer: str) -> Stage:
    """Make the consortium, its agencies and their people where they are not there yet.

    :raises NotADemonstrations: when the database holds another consortium; invented people stay apart.
    """
    with database.transaction(OPERATOR) as session:
        _keep_apart(session, plan)
        consortium = session.scalar(select(Consortium).where(Consortium.slug == plan.consortium.slug))
        if consortium is None:
            consortium = create_consortium(session, slug=plan.consortium.slug, name=plan.consortium.name)
        agencies = {each.slug: _agency(session, consortium, each) for each in plan.agencies}
        for person in plan.people:
            _appoint(session, person, agencies[person.agency_slug], issuer=issuer)
        return Stage(
            {
                slug: Scope(agency_id=agency.id, consortium_id=consortium.id, roles=_ROLES)
                for slug, agency in agencies.items()
            }
        )


def cast(database: Database, plan: DemoPlan, stage: Stage, *, issuer: str) -> Cast:
    """Return how to act as the demonstration's people: by an agency's short name and a role in it."""
    subjects = {(person.agency_slug, role): person.subject for person in plan.people for role in person.roles}

    @cache
    def act_as(slug: str, role: Role) -> Scope:
        with database.transaction(OPERATOR) as session:
            person = find_person_by_identity(session, issuer=issuer, subject=subjects[slug, role])
            return replace(stage.scopes[slug], person_id=person.id if person else None, roles=frozenset({role}))

    return act_as


def write_people(plan: DemoPlan, path: Path) -> None:
    """Write the list of people that the development provider offers."""
    names = {agency.slug: agency.name for agency in plan.agencies}
    people = [
        {
            "subject": person.subject,
            "name": person.name,
            "email": person.email,
            "agency": names[person.agency_slug],
            "roles": [role.value for role in person.roles],
        }
        for person in plan.people
    ]
    path.write_text(json.dumps(people, indent=1, ensure_ascii=False), encoding="utf-8")


def import_sheets(
    database: Database, plan: DemoPlan, stage: Stage, *, wait: Callable[[Iterable[HandedIn]], None]
) -> None:
    """Hand in every sheet, say what columns hold where that is asked, and make sure that all was taken.

    :param wait: returns once the jobs of what was handed in are done.
    :raises RowsRefused: when a row was refused that holds no mistake on purpose.
    """
    handed = ask_imports(database, plan, stage)
    wait(handed)
    again = answer_questions(database, handed)
    wait(again)
    answered = {each.sheet.path: each for each in again}
    check_imports(database, [answered.get(each.sheet.path, each) for each in handed])


def ask_imports(database: Database, plan: DemoPlan, stage: Stage) -> list[HandedIn]:
    """Hand in every sheet as its agency; a sheet that was handed in before is not handed in again."""
    handed = []
    for sheet in (*plan.sheets, *plan.left):
        scope, content = stage.scopes[sheet.agency_slug], sheet.path.read_bytes()
        with acting(database, scope) as session:
            run = _find_run(session, sheet, content) or request_import(
                session, kind=sheet.kind, filename=sheet.path.name, content=content, dry_run=sheet.check, now=utc_now()
            )
            handed.append(_handed(sheet, scope, run))
    return handed


def answer_questions(database: Database, handed: Iterable[HandedIn]) -> list[HandedIn]:
    """Say what the columns hold, as the agency's person would, of each sheet that waits for that; return those asked
    for again. What is only checked is left waiting.
    """
    again = []
    for each in handed:
        with acting(database, each.scope) as session:
            run = get_import(session, each.import_run_id)
            if run.needs_mapping and not each.sheet.check:
                asked = choose_mapping(session, run, each.sheet.choices, now=utc_now(), dry_run=False)
                again.append(_handed(each.sheet, each.scope, asked))
    return again


def check_imports(database: Database, handed: Iterable[HandedIn]) -> None:
    """Make sure that the importer took every row of the demonstration's sheets, but those with a mistake on purpose.

    :raises RowsRefused: when it did not.
    """
    for each in handed:
        with database.transaction(each.scope) as session:
            run = get_import(session, each.import_run_id)
        if each.sheet.check:
            continue
        if run.refusal or run.refused != each.sheet.refused:
            raise RowsRefused(f"{run.filename}: {run.refusal or f'{run.refused} rows refused'}")


def rank_all(database: Database, stage: Stage, *, as_of: date) -> int:
    """Rank the pool for every agency's own waiting groups, keep each run, and return how many groups were ranked."""
    ranked = 0
    for scope in stage.members.values():
        with acting(database, scope) as session:
            own = list_waiting_groups(session, own_agency=scope.agency_id)
            if own:
                pool = open_pool(session, as_of=as_of, of_groups=own)
                record_run(session, pool, pool.rank(TOP), now=utc_now())
                ranked += len(own)
    return ranked


def arrange(database: Database, stage: Stage) -> tuple[Meeting, UUID]:
    """Arrange a matching meeting in a fortnight where there is none, and ask for its first packs; return the job."""
    with acting(database, stage.office) as session:
        now = utc_now()
        meetings = list_meetings(session)
        meeting = (
            meetings[-1]
            if meetings
            else arrange_meeting(
                session,
                title="Matching meeting",
                held_on=now.date() + _MEETING_IN,
                place="Community hall, Taunton, and by video",
                now=now,
            )
        )
        return meeting, request_first_packs(session, meeting, now=now)


def count_register(database: Database, stage: Stage) -> tuple[int, int]:
    """Return how many households and groups the agencies have brought in, each counted by its own agency."""
    households = groups = 0
    for scope in stage.members.values():
        with database.transaction(scope) as session:
            households += count_households(session, own_agency=scope.agency_id)
            groups += count_groups(session, own_agency=scope.agency_id)
    return households, groups


def _keep_apart(session: Session, plan: DemoPlan) -> None:
    consortia = [each.slug for each in list_consortia(session)]
    made_before = session.scalar(select(Agency.id).where(Agency.slug == OFFICE_SLUG)) is not None
    if consortia and not (made_before and consortia == [plan.consortium.slug]):
        raise NotADemonstrations(
            f"The database holds a consortium of your own ({', '.join(consortia)}). Give the demonstration a data "
            "folder of its own: “concord --data-dir FOLDER demo”."
        )


def _agency(session: Session, consortium: Consortium, plan: DemoAgency) -> Agency:
    found = session.scalar(select(Agency).where(Agency.slug == plan.slug))
    if found is not None:
        return found
    agency = add_agency(
        session,
        slug=plan.slug,
        name=plan.name,
        kind=AgencyKind(plan.kind.value),
        nation=Nation(plan.nation),
        region=plan.region,
        ofsted_urn=plan.urn,
        colour=plan.colour,
        opened_on=_FOUNDED,
    )
    join(session, consortium, agency=agency, joined_on=_FOUNDED)
    return agency


def _appoint(session: Session, plan: DemoPerson, agency: Agency, *, issuer: str) -> None:
    person = find_person_by_identity(session, issuer=issuer, subject=plan.subject)
    if person is None:
        person = invite_person(session, name=plan.name, email=plan.email, issuer=issuer, subject=plan.subject)
    held = set(
        session.scalars(
            select(Appointment.role).where(Appointment.person_id == person.id, Appointment.agency_id == agency.id)
        )
    )
    for role in plan.roles:
        if role not in held:
            appoint(session, person, agency=agency, role=role, starts_on=_FOUNDED)


def _handed(sheet: DemoSheet, scope: Scope, run: ImportRun) -> HandedIn:
    return HandedIn(sheet=sheet, scope=scope, import_run_id=run.id, job_id=run.job_id)


def _find_run(session: Session, sheet: DemoSheet, content: bytes) -> ImportRun | None:
    # By what it holds: somebody who tries the demonstration may hand in other sheets under any name. The last one: of
    # a sheet whose columns a person had to tell, the one before took nothing.
    digest = hashlib.sha256(content).digest()
    query = select(ImportRun).where(ImportRun.digest == digest, ImportRun.dry_run.is_(sheet.check))
    return session.scalars(query.order_by(ImportRun.requested_at.desc(), ImportRun.id).limit(1)).first()
