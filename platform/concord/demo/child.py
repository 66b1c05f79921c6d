"""Synthetic children in sibling groups, as rows of the plain sheet, calibrated to England's figures.

Of waiting children 28 % are five or older, 20 % Black, Asian or of another minority and 4 % disabled; of groups
75 % are one child, 21 % two and 4 % three; one child in seven has waited eighteen months or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from concord.demo.chance import Chance, deck
from concord.demo.consortium import DemoAgency
from concord.demo.heritage import draw_heritage, draw_languages, draw_religion
from concord.demo.need import draw_needs
from concord.demo.profile import group_profile
from concord.demo.row import Cell, need_heading

FORENAMES = (
    "Acorn", "Amber", "Apple", "Barley", "Beech", "Berry", "Blossom", "Bracken", "Catkin", "Cherry", "Clementine",
    "Cowslip", "Damson", "Daisy", "Fennel", "Hop", "Iris", "Jonquil", "Kestrel", "Lavender", "Lilac", "Linnet",
    "Marigold", "Minnow", "Moss", "Nettle", "Otter", "Pansy", "Pebble", "Pear", "Plum", "Primrose", "Quince",
    "Rose", "Saffron", "Teasel", "Thistle", "Tulip", "Vetch", "Violet",
)  # fmt: skip
SURNAME = "Sample"

GROUP_SIZES = {1: 75.0, 2: 21.0, 3: 4.0}
DISABLED_SHARE = 0.04
MINORITY_SHARE = 0.2
_UNBORN = -1
_YOUNGEST_AGES = {
    _UNBORN: 2.0, 0: 16.0, 1: 19.0, 2: 17.0, 3: 13.0, 4: 9.0, 5: 9.0, 6: 7.0, 7: 4.0, 8: 3.0, 9: 1.0,
}  # fmt: skip
_LEGAL = {
    "order granted": 66.0, "order applied": 12.0, "contested": 8.0, "consent": 4.0, "appeal": 3.0, None: 7.0,
}  # fmt: skip
_HOLD_REASONS = ("A court direction is awaited", "A relative has come forward and is being assessed")
_IN_HOUSE_REASONS = ("Families of this agency are being looked at first",)
_MILES = (5, 10, 10, 15, 20, 30)


@dataclass(frozen=True, slots=True)
class GroupSketch:
    """What a group shares in the calibration of the whole: dealt out for all groups at once, not left to luck."""

    size: int
    youngest_age: int
    minority: bool
    disabled: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class _Sibling:
    sex: str | None
    born: date | None
    due: date | None
    years: int | None
    disabled: bool


def list_sketches(chance: Chance, groups: int) -> list[GroupSketch]:
    """Return a sketch for each group, in England's proportions."""
    sizes = deck(chance, groups, GROUP_SIZES)
    ages = deck(chance, groups, _YOUNGEST_AGES)
    minorities = deck(chance, groups, {True: MINORITY_SHARE, False: 1 - MINORITY_SHARE})
    disabled = deck(chance, sum(sizes), {True: DISABLED_SHARE, False: 1 - DISABLED_SHARE})
    sketches = []
    for size, age, minority in zip(sizes, ages, minorities, strict=True):
        # An unborn child's brothers and sisters are placed already: it waits alone.
        youngest = 0 if age == _UNBORN and size > 1 else age
        sketches.append(GroupSketch(size, youngest, minority, tuple(disabled.pop() for _ in range(size))))
    return sketches


def group_rows(
    chance: Chance, agency: DemoAgency, sketch: GroupSketch, *, number: int, serial: int, as_of: date, repeat: bool
) -> list[dict[str, Cell]]:
    """Return the rows of one sibling group; with ``repeat`` each row carries the group's columns, else the first only.

    ``serial`` is unique in the whole demonstration.
    """
    siblings = _siblings(chance, sketch, as_of)
    heritage = draw_heritage(chance, minority=float(sketch.minority))
    before, harm = chance.share(), chance.share()
    shared = _group_columns(chance, agency, siblings, heritage=heritage, as_of=as_of)
    names = chance.some(FORENAMES, len(siblings))
    rows: list[dict[str, Cell]] = []
    for place, sibling in enumerate(siblings, start=1):
        needs = draw_needs(
            chance,
            before=_near(chance, before),
            harm=0.0 if sibling.born is None else _near(chance, harm),
            years=sibling.years or 0,
            disabled=sibling.disabled,
        )
        rows.append(
            {
                "Group reference": f"{agency.slug.upper()}-G{number:04d}",
                "Child reference": f"{agency.slug.upper()}-G{number:04d}-{place}",
                "Forename": None if sibling.born is None else names[place - 1],
                "Surname": None if sibling.born is None else f"{SURNAME}-{serial:04d}",
                "Born": sibling.born,
                "Due": sibling.due,
                "Sex": sibling.sex,
                "Heritage": heritage if chance.happens(0.95) else None,
                **(shared if repeat or place == 1 else {}),
                **{need_heading(code): cell for code, cell in needs.items()},
            }
        )
    asked = _family_asked(chance, siblings)
    for row in rows if repeat else rows[:1]:
        row.update(asked)
    return rows


def _near(chance: Chance, shared: float) -> float:
    """Return a sibling's own amount of what the group went through."""
    return 0.7 * shared + 0.3 * chance.share()


def _siblings(chance: Chance, sketch: GroupSketch, as_of: date) -> list[_Sibling]:
    """Return the group's children, oldest first."""
    if sketch.youngest_age == _UNBORN:
        due = as_of + timedelta(days=chance.whole(14, 120))
        return [_Sibling(sex=None, born=None, due=due, years=None, disabled=False)]
    days = sketch.youngest_age * 365 + chance.whole(20, 360)
    siblings = []
    for disabled in sketch.disabled:
        sex = "male" if chance.happens(0.52) else "female"
        born = as_of - timedelta(days=days)
        siblings.append(_Sibling(sex, born, None, whole_years(born, as_of), disabled))
        days += chance.whole(330, 1_000)
    return siblings[::-1]


def whole_years(born: date, as_of: date) -> int:
    """Return an age in completed years."""
    return as_of.year - born.year - ((as_of.month, as_of.day) < (born.month, born.day))


def _group_columns(
    chance: Chance, agency: DemoAgency, siblings: list[_Sibling], *, heritage: str, as_of: date
) -> dict[str, Cell]:
    described = [(each.sex or "", each.years) for each in siblings]
    legal = _legal(chance, siblings, as_of)
    return {
        **legal,
        **_plan(chance, siblings),
        **_places(chance, agency),
        "Religion": draw_religion(chance, heritage),
        "Languages": draw_languages(chance, heritage),
        "Profile": group_profile(chance, children=described, unsure=chance.happens(0.4)),
        **_sharing(chance),
    }


def _legal(chance: Chance, siblings: list[_Sibling], as_of: date) -> dict[str, Cell]:
    youngest = siblings[-1]
    if youngest.born is None:
        return {"Legal position": None, "Early permanence": "yes"}
    waited = _days_waiting(chance, siblings, as_of)
    order = as_of - timedelta(days=waited)
    decided = max(youngest.born + timedelta(days=7), order - timedelta(days=chance.whole(30, 150)))
    position = chance.weighted(_LEGAL)
    early = "yes" if youngest.years == 0 and chance.happens(0.3) else "no" if chance.happens(0.8) else None
    return {
        "Legal position": position,
        "SHOBPA decision on": min(decided, order),
        "Placement order on": order if position in {"order granted", "appeal"} else None,
        "Waiting since": order,
        "Early permanence": early,
    }


def _days_waiting(chance: Chance, siblings: list[_Sibling], as_of: date) -> int:
    """Return days waited so far: longer for older children, disabled children and brothers and sisters.

    Never longer than the youngest has lived, less the weeks a court takes.
    """
    youngest, oldest = siblings[-1], siblings[0]
    slower = 1.0 + 0.6 * ((oldest.years or 0) >= 5) + 0.5 * any(each.disabled for each in siblings)
    slower += 0.3 * (len(siblings) > 1)
    drawn = int(380 * slower * (chance.share() + chance.share() ** 3))
    lived = (as_of - (youngest.born or as_of)).days
    return max(1, min(drawn, lived - 15 if lived < 120 else lived - 90))


def _plan(chance: Chance, siblings: list[_Sibling]) -> dict[str, Cell]:
    little = (siblings[-1].years or 0) < 5
    return {
        "Letterbox contact": chance.weighted({"yes": 90.0, "no": 4.0, None: 6.0}),
        "Direct contact": chance.weighted({"yes": 16.0, "no": 70.0, None: 14.0}),
        "Contact with siblings": chance.weighted({"yes": 27.0, "no": 58.0, None: 15.0}),
        "Must be youngest": chance.weighted({"yes": 22.0, "no": 66.0, None: 12.0}),
        "Must be only child": chance.weighted({"yes": 5.0, "no": 82.0, None: 13.0}) if len(siblings) == 1 else "no",
        "No pets": chance.weighted({"yes": 4.0, "no": 86.0, None: 10.0}),
        "Smoke-free": chance.weighted({"yes": 75.0 if little else 35.0, "no": 15.0, None: 10.0}),
    }


def _family_asked(chance: Chance, siblings: list[_Sibling]) -> dict[str, Cell]:
    """Return what the plan asks that a family brings: more for older and disabled children, and for several."""
    harder = (siblings[0].years or 0) >= 5 or len(siblings) > 1 or any(each.disabled for each in siblings)
    return {
        "Adopters hoped for": chance.weighted({None: 91.0, 2: 6.0, 1: 3.0}),
        "Experience needed": chance.weighted({"yes": 28.0 if harder else 8.0, "no": 72.0, None: 12.0}),
        "Training needed": chance.weighted({"yes": 52.0 if harder else 24.0, "no": 50.0, None: 12.0}),
        "Parent at home needed": chance.weighted({"yes": 46.0, "no": 40.0, None: 14.0}),
        "Support needed": chance.weighted({"yes": 30.0 if harder else 16.0, "no": 60.0, None: 14.0}),
        "Culture": chance.weighted({None: 95.0, "Welsh": 2.5, "Irish": 1.5, "Traveller": 1.0}),
        "Families considered": chance.weighted({0: 62.0, 1: 18.0, 2: 8.0, 3: 4.0, None: 8.0}),
    }


def _places(chance: Chance, agency: DemoAgency) -> dict[str, Cell]:
    home = chance.pick(agency.outward_codes)
    count = chance.weighted({0: 28.0, 1: 52.0, 2: 17.0, 3: 3.0})
    others = [code for code in agency.outward_codes if code != home]
    areas = ([home] if chance.happens(0.8) else []) + others
    chosen = areas[:1] + chance.some(areas[1:], count - 1) if count else []
    return {
        "Home outward code": home if chance.happens(0.96) else None,
        "Exclusion areas": "; ".join(f"{code} {chance.pick(_MILES)}" for code in chosen) or None,
    }


def _sharing(chance: Chance) -> dict[str, Cell]:
    stage = chance.weighted({"consortium": 90.0, "in-house": 7.0, "hold": 3.0})
    reason = None
    if stage != "consortium":
        reason = chance.pick(_HOLD_REASONS if stage == "hold" else _IN_HOUSE_REASONS)
    return {"Sharing": stage, "Sharing reason": reason}
