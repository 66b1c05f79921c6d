"""Matching meetings and their packs: read, arrange, ask for packs, download one's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint
from sqlalchemy import select

from concord.api.listing import as_page, place_of
from concord.api.operation import Call, File, Shape, operation
from concord.api.parts import ROOT
from concord.schema.meeting import ArrangeMeetingSchema, MeetingPacksSchema, MeetingSchema, PackSchema
from concord.schema.page import PageQuery, page_of
from matching.meeting import Meeting, arrange_meeting, get_meeting, require_office
from matching.pack import Pack, PackFormat, PackUnknown, download, get_pack
from matching.pack_progress import MeetingPacks, ask_for_packs, packs_of
from matching.stretch import read_stretch
from tenants.permission import Verb

blueprint = Blueprint("api_meetings", __name__, url_prefix=ROOT, description="Matching meetings and their packs")

MEDIA = {
    PackFormat.PDF: "application/pdf",
    PackFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@operation(blueprint, "/meetings", Shape("GET", (Verb.READ_MEETINGS,), page_of(MeetingSchema), query=PageQuery))
def list_meetings(call: Call) -> dict[str, Any]:
    """List the consortium's matching meetings, latest first."""
    after, limit = place_of(call)
    order = (Meeting.held_on.desc(), Meeting.id.asc())
    return as_page(read_stretch(call.session, select(Meeting), order, after=after, limit=limit))


@operation(
    blueprint,
    "/meetings",
    Shape(
        "POST",
        (Verb.ARRANGE_MEETINGS,),
        MeetingSchema,
        status=201,
        body=ArrangeMeetingSchema,
        examples={"body": {"title": "January", "held_on": "2027-01-12", "place": "Sample Hall"}},
    ),
)
def arrange(call: Call) -> Meeting:
    """Arrange a matching meeting, as the consortium's office."""
    require_office(call.session)
    meeting = arrange_meeting(call.session, **call.body, now=call.now)
    call.location = f"{ROOT}/meetings/{meeting.id}"
    return meeting


@operation(blueprint, "/meetings/<uuid:meeting_id>", Shape("GET", (Verb.READ_MEETINGS,), MeetingSchema, errors=(404,)))
def read_meeting(call: Call, meeting_id: UUID) -> Meeting:
    """Read a matching meeting."""
    return get_meeting(call.session, meeting_id)


@operation(
    blueprint,
    "/meetings/<uuid:meeting_id>/packs",
    Shape("GET", (Verb.READ_PACK, Verb.BUILD_PACK), MeetingPacksSchema, errors=(404,)),
)
def read_packs(call: Call, meeting_id: UUID) -> dict[str, Any]:
    """Read how far a meeting's packs are."""
    return _packs(packs_of(call.session, get_meeting(call.session, meeting_id)))


@operation(
    blueprint,
    "/meetings/<uuid:meeting_id>/packs",
    Shape("POST", (Verb.BUILD_PACK,), MeetingPacksSchema, status=202, errors=(404,)),
)
def build_packs(call: Call, meeting_id: UUID) -> dict[str, Any]:
    """Ask for packs: an agency for its own, the office for everyone's; while one is being made, for no more."""
    meeting = get_meeting(call.session, meeting_id)
    ask_for_packs(call.session, meeting, now=call.now)
    call.location = f"{ROOT}/meetings/{meeting.id}/packs"
    return _packs(packs_of(call.session, meeting))


@operation(blueprint, "/packs/<uuid:pack_id>", Shape("GET", (Verb.READ_PACK,), PackSchema, errors=(404,)))
def read_pack(call: Call, pack_id: UUID) -> Pack:
    """Read how far one of one's own agency's packs is."""
    return _own(call, pack_id)


@operation(
    blueprint,
    "/packs/<uuid:pack_id>/<any(pdf, xlsx):kind>",
    Shape("GET", (Verb.READ_PACK,), None, media=tuple(MEDIA.values()), errors=(404, 409, 410)),
)
def download_pack(call: Call, pack_id: UUID, kind: str) -> File:
    """Download a file of one of one's own agency's packs; it is on record."""
    pack, wanted = _own(call, pack_id), PackFormat(kind)
    content = download(call.session, pack, kind=wanted, now=call.now)
    held_on = get_meeting(call.session, pack.meeting_id).held_on
    return File(content, MEDIA[wanted], f"matching-meeting-{held_on:%Y-%m-%d}-pack-{pack.version}.{kind}")


def _own(call: Call, pack_id: UUID) -> Pack:
    pack = get_pack(call.session, pack_id)
    if pack.agency_id != call.caller.agency_id:
        # The office knows that it is there; by this address there is none.
        raise PackUnknown("There is no such pack for your agency.")
    return pack


def _packs(found: MeetingPacks) -> dict[str, Any]:
    return {"own": [each.pack for each in found.own], "others": found.others, "busy": found.busy}
