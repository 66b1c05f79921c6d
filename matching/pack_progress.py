"""How far a meeting's packs are, as one scope may know it, and asking for them without asking twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from matching.meeting import Meeting
from matching.pack import BUILD_ALL_JOB, BUILD_JOB, Pack, is_shut_out, list_packs, request_all_packs, request_pack
from matching.register import agency_names
from tenants.database import scope_of
from tenants.job import FINISHED, Job, JobState, JobUnknown, get_job, retry_job


@dataclass(frozen=True, slots=True)
class OwnPack:
    """A version of the scope's own agency's pack, with the job that makes it."""

    pack: Pack
    job: Job | None

    @property
    def ready(self) -> bool:
        """Say whether it can be downloaded."""
        return self.pack.built_at is not None

    @property
    def failed(self) -> bool:
        """Say whether nobody makes it any more."""
        return not self.ready and (self.job is None or self.job.state in FINISHED)


@dataclass(frozen=True, slots=True)
class MemberPack:
    """What the office may know of another agency's pack: which version, and whether it is ready."""

    agency: str
    pack: Pack


@dataclass(frozen=True, slots=True)
class MeetingPacks:
    """A meeting's packs: one's own versions, newest first; for the office, the newest version of each other agency."""

    own: tuple[OwnPack, ...]
    others: tuple[MemberPack, ...]
    alone: bool
    """The reader is shut out of a record, so that the packs listed as their own are theirs alone."""
    asking: Job | None
    """The office's last job that asks for every agency's pack."""

    @property
    def ready(self) -> int:
        """Return how many of the other agencies' packs are ready."""
        return sum(each.pack.built_at is not None for each in self.others)

    @property
    def asked(self) -> bool:
        """Say whether the office's last request is still being passed on."""
        return self.asking is not None and self.asking.state not in FINISHED

    @property
    def refused(self) -> bool:
        """Say whether the office's last request came to nothing."""
        return self.asking is not None and self.asking.state in {JobState.FAILED, JobState.CANCELLED}

    @property
    def making_own(self) -> bool:
        """Say whether a version of one's own pack is being made."""
        return any(not each.ready and not each.failed for each in self.own)

    @property
    def busy(self) -> bool:
        """Say whether something is still to come that a reader may wait for."""
        return self.asked or self.making_own or self.ready < len(self.others)


def packs_of(session: Session, meeting: Meeting) -> MeetingPacks:
    """Return a meeting's packs as far as this scope may know of them."""
    agency_id = scope_of(session).agency_id
    packs = list_packs(session, meeting.id)
    own = [pack for pack in packs if pack.agency_id == agency_id]
    jobs = _jobs(session, own)
    newest = {pack.agency_id: pack for pack in reversed(packs) if pack.agency_id != agency_id}
    names = agency_names(session) if newest else {}
    others = [MemberPack(agency=names.get(agency, ""), pack=pack) for agency, pack in newest.items()]
    return MeetingPacks(
        own=tuple(OwnPack(pack=pack, job=jobs.get(str(pack.job_id))) for pack in own),
        others=tuple(sorted(others, key=lambda each: (each.agency, str(each.pack.agency_id)))),
        alone=is_shut_out(session),
        asking=_asking(session, meeting),
    )


def ask_for_packs(session: Session, meeting: Meeting, *, now: datetime) -> None:
    """Ask for the next version of every member's pack as the office, of one's own as a member.

    While the last one asked for is still to come nothing more is asked. Whoever is shut out of a record asks for a
    version of their own besides.
    """
    packs = packs_of(session, meeting)
    office = scope_of(session).agency_id == meeting.agency_id
    if office and not packs.asked:
        request_all_packs(session, meeting, now=now)
    if (packs.alone or not office) and not packs.making_own:
        request_pack(session, meeting, now=now)


def make_again(session: Session, meeting: Meeting, job_id: UUID, *, now: datetime) -> None:
    """Set the making of a meeting's packs that failed to run again.

    :raises JobUnknown: when no such job of this scope makes packs of this meeting.
    :raises JobOver: when it has not failed.
    """
    job = get_job(session, job_id)
    if job.kind not in {BUILD_JOB, BUILD_ALL_JOB} or job.payload.get("meeting") != str(meeting.id):
        raise JobUnknown("There is no such job.")
    retry_job(session, job, now=now)


def _jobs(session: Session, packs: list[Pack]) -> dict[str, Job]:
    query = select(Job).where(Job.id.in_([pack.job_id for pack in packs])).execution_options(populate_existing=True)
    return {str(job.id): job for job in session.scalars(query)}


def _asking(session: Session, meeting: Meeting) -> Job | None:
    query = (
        select(Job)
        .where(
            Job.agency_id == scope_of(session).agency_id,
            Job.kind == BUILD_ALL_JOB,
            Job.payload["meeting"].astext == str(meeting.id),
        )
        .order_by(Job.requested_at.desc(), Job.id)
        .limit(1)
    )
    return session.scalar(query)
