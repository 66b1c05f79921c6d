"""The demonstration consortium: SWAC's fifteen councils and four voluntary agencies, staffed by invented people.

The agencies' names are those of the LGA/NFER good-practice review of 2012; everything else about them is made up,
and their URNs say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tenants.role import Role


class DemoKind(StrEnum):
    """What kind of tenant an agency of the demonstration is."""

    LOCAL_AUTHORITY = "local_authority"
    VOLUNTARY_AGENCY = "voluntary_agency"
    CONSORTIUM_OFFICE = "consortium_office"


@dataclass(frozen=True, slots=True)
class DemoConsortium:
    """The consortium that all agencies of the demonstration are members of."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class DemoAgency:
    """A member agency; the weights say how much of the pool is its own, the codes where its people live."""

    slug: str
    name: str
    kind: DemoKind
    nation: str
    region: str
    urn: str | None
    colour: str
    email_domain: str
    child_weight: float
    household_weight: float
    outward_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One person's work in one agency; who works in two has a row in each, with the same subject."""

    subject: str
    name: str
    email: str
    agency_slug: str
    roles: tuple[Role, ...]


CONSORTIUM = DemoConsortium(slug="swac", name="South West Adoption Consortium (demonstration)")
OFFICE_SLUG = "consortium-office"

_NAMED_ROLES = (
    Role.FAMILY_FINDER,
    Role.ADOPTERS_WORKER,
    Role.FINANCE_OFFICER,
    Role.MANAGER,
    Role.INFORMATION_GOVERNANCE,
    Role.CHILDS_SOCIAL_WORKER,
    Role.DECISION_MAKER,
    Role.PANEL_ADVISER,
    Role.MEDICAL_ADVISER,
    Role.LEGAL_ADVISER,
    Role.ADMINISTRATOR,
)
ROLES_BY_KIND = {
    DemoKind.LOCAL_AUTHORITY: _NAMED_ROLES,
    # A voluntary agency supplies families only: it has no children to find families for.
    DemoKind.VOLUNTARY_AGENCY: tuple(
        role for role in _NAMED_ROLES if role not in {Role.FAMILY_FINDER, Role.CHILDS_SOCIAL_WORKER}
    ),
    DemoKind.CONSORTIUM_OFFICE: (Role.COORDINATOR, Role.MANAGER, Role.ADMINISTRATOR, Role.OPERATOR),
}

_FORENAMES = (
    "Ash", "Rowan", "Hazel", "Alder", "Linden", "Laurel", "Juniper", "Sorrel", "Bramble", "Clover", "Heather",
    "Fern", "Willow", "Aspen", "Briar", "Basil", "Sage", "Olive", "Holly", "Ivy", "Jasmine", "Myrtle", "Poppy",
    "Reed", "Robin", "Wren", "Finch", "Jay", "Lark", "Martin", "Merle", "Swift",
)  # fmt: skip
_SURNAMES = ("Example", "Sample", "Specimen", "Demo", "Placeholder", "Mockup", "Instance")

# slug, name, kind, share of children, share of households, colour, outward codes. Colours stand 3:1 or more from
# white and were spread as far apart as the eye allows (Oklab); a chart must still label them.
_Row = tuple[str, str, DemoKind, float, float, str, str]
_COUNCIL, _VOLUNTARY, _OFFICE = DemoKind.LOCAL_AUTHORITY, DemoKind.VOLUNTARY_AGENCY, DemoKind.CONSORTIUM_OFFICE
_ROWS: tuple[_Row, ...] = (
    ("cornwall", "Cornwall and the Isles of Scilly", _COUNCIL, 11, 9, "#1d70b8", "TR1 TR10 TR14 PL14 PL25 PL31 TR18"),
    ("devon", "Devon", _COUNCIL, 14, 12, "#00aa00", "EX1 EX2 EX4 EX8 EX16 EX31 TQ12 PL20 TQ9"),
    ("dorset", "Dorset", _COUNCIL, 7, 6, "#ee0000", "DT1 DT2 DT4 DT9 DT11 BH20 BH21"),
    ("gloucestershire", "Gloucestershire", _COUNCIL, 10, 8, "#660066", "GL1 GL2 GL4 GL5 GL14 GL50 GL51 GL20"),
    ("somerset", "Somerset", _COUNCIL, 10, 8, "#cc6600", "TA1 TA2 TA6 TA9 TA20 BA5 BA11 BA20"),
    ("wiltshire", "Wiltshire", _COUNCIL, 8, 7, "#008866", "SN10 SN12 SN15 BA14 SP1 SP2 SN8"),
    ("bath", "Bath and North East Somerset", _COUNCIL, 3, 3, "#ee00ee", "BA1 BA2 BA3 BS31"),
    ("bournemouth", "Bournemouth", _COUNCIL, 5, 3, "#0044ee", "BH1 BH2 BH5 BH7 BH8 BH9"),
    ("bristol", "Bristol", _COUNCIL, 12, 8, "#880000", "BS2 BS3 BS4 BS5 BS7 BS10 BS11 BS13"),
    ("north-somerset", "North Somerset", _COUNCIL, 4, 3, "#886600", "BS20 BS21 BS22 BS23 BS48"),
    ("plymouth", "Plymouth", _COUNCIL, 8, 5, "#aa66ee", "PL1 PL2 PL3 PL4 PL5 PL6 PL7"),
    ("poole", "Poole", _COUNCIL, 3, 2, "#444400", "BH12 BH14 BH15 BH17"),
    ("south-gloucestershire", "South Gloucestershire", _COUNCIL, 4, 4, "#004466", "BS15 BS16 BS32 BS34 BS35 BS37"),
    ("swindon", "Swindon", _COUNCIL, 6, 3, "#ee0088", "SN1 SN2 SN3 SN5 SN25"),
    ("torbay", "Torbay", _COUNCIL, 5, 2, "#aa8888", "TQ1 TQ2 TQ3 TQ4 TQ5"),
    ("action-for-children", "Action for Children", _VOLUNTARY, 0, 4, "#8800ee", "EX4 TA1 BS16 GL4 PL6"),
    (
        "families-for-children",
        "Families for Children",
        _VOLUNTARY,
        0,
        9,
        "#6644aa",
        "TQ11 TQ9 EX2 PL7 TR1 DT1 BH12 TA6",
    ),
    ("clifton", "Clifton Children’s Society", _VOLUNTARY, 0, 4, "#aa4488", "BS6 BS8 BS9 BA2 GL50 SN15"),
    ("ssafa", "SSAFA Forces Help", _VOLUNTARY, 0, 3, "#0000aa", "PL2 SP4 SN13 BA21 EX8"),
    (OFFICE_SLUG, "Consortium office", _OFFICE, 0, 0, "#0b0c0c", ""),
)


def _agency(number: int, row: _Row) -> DemoAgency:
    slug, name, kind, children, households, colour, codes = row
    return DemoAgency(
        slug=slug,
        name=name,
        kind=kind,
        nation="england",
        region="South West",
        urn=None if kind is DemoKind.CONSORTIUM_OFFICE else f"DEMO-{number:04d}",
        colour=colour,
        email_domain=f"{slug}.example.org",
        child_weight=children,
        household_weight=households,
        outward_codes=tuple(codes.split()),
    )


AGENCIES: tuple[DemoAgency, ...] = tuple(_agency(number, row) for number, row in enumerate(_ROWS, start=1))


def _person(number: int, agency: DemoAgency, role: Role) -> DemoPerson:
    word = role.value.replace("_", "-")
    return DemoPerson(
        subject=f"{agency.slug}-{word}",
        name=f"{_FORENAMES[number % len(_FORENAMES)]} {_SURNAMES[number // len(_FORENAMES)]}",
        email=f"{word}@{agency.email_domain}",
        agency_slug=agency.slug,
        roles=(role,),
    )


def list_people() -> tuple[DemoPerson, ...]:
    """Return everyone who works in the demonstration, by agency, one for each role of its kind.

    Poole's finance officer is Bournemouth's too, so that the choice between two agencies can be shown.
    """
    posts = [(agency, role) for agency in AGENCIES for role in ROLES_BY_KIND[agency.kind]]
    # Numbered last, so that nobody else has another name for it.
    posts += [(agency, Role.ADOPTION_RECORDS) for agency in AGENCIES if agency.kind is not DemoKind.CONSORTIUM_OFFICE]
    people = {(agency.slug, role): _person(number, agency, role) for number, (agency, role) in enumerate(posts)}
    shared = people["bournemouth", Role.FINANCE_OFFICER]
    people["poole", Role.FINANCE_OFFICER] = DemoPerson(
        subject=shared.subject, name=shared.name, email=shared.email, agency_slug="poole", roles=shared.roles
    )
    order = {agency.slug: place for place, agency in enumerate(AGENCIES)}
    return tuple(sorted(people.values(), key=lambda person: order[person.agency_slug]))
