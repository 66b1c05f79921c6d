"""Synthetic adopter households, as rows of the plain sheet."""

from __future__ import annotations

from datetime import date, timedelta

from concord.demo.chance import Chance
from concord.demo.consortium import DemoAgency, DemoKind
from concord.demo.heritage import draw_heritage, draw_languages, draw_religion
from concord.demo.need import draw_tolerances
from concord.demo.profile import household_profile
from concord.demo.row import Cell, need_heading

FORENAMES = (
    "Alder", "Aspen", "Basil", "Birch", "Briar", "Cedar", "Clover", "Coral", "Cress", "Dill", "Elder", "Elm",
    "Fern", "Flax", "Ginger", "Hawthorn", "Hazel", "Heath", "Holly", "Ivy", "Juniper", "Larch", "Laurel", "Linden",
    "Maple", "Myrtle", "Oak", "Olive", "Pine", "Rowan", "Rush", "Sage", "Spruce", "Tansy", "Thyme", "Willow",
    "Yarrow", "Yew",
)  # fmt: skip
SURNAME = "Example"

# Royal Mail never uses these letters in the second half of a postcode, so none of these addresses can be real.
NEVER_USED = "CIKMOV"

_AGE_RANGES = {
    (0, 2): 18.0, (0, 3): 18.0, (0, 4): 18.0, (0, 5): 12.0, (0, 6): 7.0, (1, 4): 5.0, (1, 6): 6.0, (2, 6): 5.0,
    (2, 8): 4.0, (3, 8): 3.0, (4, 9): 2.0, (5, 12): 1.0, (None, None): 1.0,
}  # fmt: skip
_GROUP_SIZES = {(1, 1): 60.0, (1, 2): 28.0, (2, 2): 6.0, (1, 3): 3.0, (2, 3): 2.0, (None, None): 1.0}
_HOLD_REASONS = ("A family illness; to be asked again next month", "Moving house", "A birth child is changing school")
_IN_HOUSE_REASONS = ("Being considered for a child of this agency", "Within the agency’s first ninety days")


def household_row(chance: Chance, agency: DemoAgency, *, number: int, serial: int, as_of: date) -> dict[str, Cell]:
    """Return one household of an agency; ``serial`` is unique in the whole demonstration."""
    adopters = 1 if chance.happens(0.14) else 2
    at_home = chance.weighted({0: 68.0, 1: 22.0, 2: 8.0, 3: 2.0})
    status = chance.weighted({"waiting": 90.0, "on hold": 7.0, "withdrawn": 3.0})
    return {
        "Reference": f"{agency.slug.upper()}-H{number:04d}",
        **_identity(chance, agency, adopters=adopters, serial=serial),
        "Approved on": _approved_on(chance, as_of),
        "Status": status,
        "Profile": household_profile(chance, adopters=adopters, at_home=at_home),
        **_approval(chance),
        **_legal(chance),
        **_contact(chance),
        **_home(chance, at_home=at_home, as_of=as_of),
        **_heritage(chance, adopters=adopters),
        **_sharing(chance, agency, status=status),
        **{need_heading(code): cell for code, cell in draw_tolerances(chance).items()},
        **_brings(chance, adopters=adopters, at_home=at_home),
        **_availability(chance, status=status, as_of=as_of),
    }


def _identity(chance: Chance, agency: DemoAgency, *, adopters: int, serial: int) -> dict[str, Cell]:
    surname = f"{SURNAME}-{serial:04d}"
    names = chance.some(FORENAMES, adopters)
    outward = chance.pick(agency.outward_codes)
    return {
        "Adopter 1 name": f"{names[0]} {surname}",
        "Adopter 2 name": f"{names[1]} {surname}" if adopters == 2 else None,
        "Address": f"{chance.whole(1, 99)} {chance.pick(('Example Close', 'Sample Road', 'Specimen Way'))}, Sampleton",
        "Postcode": f"{outward} {chance.whole(1, 9)}{chance.pick(NEVER_USED)}{chance.pick(NEVER_USED)}",
        # Ofcom keeps 01632 960000 to 960999 for drama.
        "Telephone": f"01632 960{chance.whole(0, 999):03d}",
        "Email": f"household-{serial:04d}@families.example.net",
    }


def _approved_on(chance: Chance, as_of: date) -> date:
    return chance.day_before(as_of, least=14, most=300 if chance.happens(0.75) else 900)


def _approval(chance: Chance) -> dict[str, Cell]:
    youngest, oldest = chance.weighted(_AGE_RANGES)
    fewest, most = chance.weighted(_GROUP_SIZES)
    return {
        "Youngest age": youngest,
        "Oldest age": oldest,
        "Fewest children": fewest,
        "Most children": most,
        "Sex approved": chance.weighted({"any": 83.0, "female": 9.0, "male": 5.0, None: 3.0}),
    }


def _legal(chance: Chance) -> dict[str, Cell]:
    early = chance.weighted({"yes": 26.0, "no": 52.0, None: 22.0})
    open_to_risk = 0.45 if early == "yes" else 0.0
    return {
        "Early permanence approved": early,
        "Order not granted": _graded(chance, can=0.25 + open_to_risk, discuss=0.3, unsaid=0.15),
        "Order contested": _graded(chance, can=0.15 + open_to_risk, discuss=0.4, unsaid=0.2),
        "Appeal": _graded(chance, can=0.1 + open_to_risk, discuss=0.35, unsaid=0.25),
    }


def _contact(chance: Chance) -> dict[str, Cell]:
    return {
        "Letterbox contact": _graded(chance, can=0.88, discuss=0.08, unsaid=0.06),
        "Direct contact": _graded(chance, can=0.25, discuss=0.5, unsaid=0.18),
        "Contact with siblings": _graded(chance, can=0.55, discuss=0.4, unsaid=0.12),
    }


def _graded(chance: Chance, *, can: float, discuss: float, unsaid: float) -> str | None:
    if chance.happens(unsaid):
        return None
    at = chance.share()
    return "can meet" if at < can else "would discuss" if at < can + discuss else "cannot"


def _home(chance: Chance, *, at_home: int, as_of: date) -> dict[str, Cell]:
    youngest = chance.day_before(as_of, least=3 * 365, most=14 * 365)
    return {
        "Children at home": at_home,
        "Youngest at home born": f"{youngest:%m/%Y}" if at_home else None,
        "Pets": chance.weighted({"yes": 50.0, "no": 40.0, None: 10.0}),
        "Smokers": chance.weighted({"no": 83.0, "yes": 4.0, None: 13.0}),
    }


def _brings(chance: Chance, *, adopters: int, at_home: int) -> dict[str, Cell]:
    return {
        "Number of adopters": adopters if chance.happens(0.96) else None,
        "Experience with children": "yes" if at_home else chance.weighted({"yes": 38.0, "no": 50.0, None: 12.0}),
        "Training done": chance.weighted({"yes": 64.0, "no": 18.0, None: 18.0}),
        "Parent at home": chance.weighted({"yes": 76.0, "no": 10.0, None: 14.0}),
        "Support nearby": chance.weighted({"yes": 70.0, "no": 14.0, None: 16.0}),
        "Culture": chance.weighted({None: 94.0, "Welsh": 3.0, "Irish": 2.0, "Traveller": 1.0}),
    }


def _availability(chance: Chance, *, status: str, as_of: date) -> dict[str, Cell]:
    """Return how busy the household is and from when: of those who wait, rather more than half are free."""
    considered = chance.weighted({0: 56.0, 1: 20.0, 2: 9.0, 3: 5.0, None: 10.0}) if status == "waiting" else None
    later = as_of + timedelta(days=chance.whole(20, 240))
    return {
        "Available from": chance.weighted({as_of - timedelta(days=14): 76.0, later: 14.0, None: 10.0}),
        "Considered for": considered,
        "Availability confirmed on": None
        if considered is None
        else chance.day_before(as_of, least=1, most=28 if chance.happens(0.7) else 120),
    }


def _heritage(chance: Chance, *, adopters: int) -> dict[str, Cell]:
    first = draw_heritage(chance, minority=0.11)
    second = draw_heritage(chance, minority=0.11) if adopters == 2 else first
    return {
        "Heritage": "; ".join(dict.fromkeys((first, second))),
        "Religion": draw_religion(chance, first),
        "Languages": draw_languages(chance, first),
    }


def _sharing(chance: Chance, agency: DemoAgency, *, status: str) -> dict[str, Cell]:
    if status == "on hold":
        return {"Sharing": "hold", "Sharing reason": chance.pick(_HOLD_REASONS)}
    if agency.kind is DemoKind.LOCAL_AUTHORITY and chance.happens(0.06):
        return {"Sharing": "in-house", "Sharing reason": chance.pick(_IN_HOUSE_REASONS)}
    return {"Sharing": "consortium", "Sharing reason": None}
