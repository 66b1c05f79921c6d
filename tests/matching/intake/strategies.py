"""Made-up rows for property tests: any household or group that the format can say."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta

from hypothesis import strategies as st

from matching.intake.cell import ETHNIC_CODES
from matching.intake.cell.word import NOTHING_SAID, is_ditto, plain
from matching.intake.child_row import ChildRow, GroupRow
from matching.intake.column import SheetKind, columns_of
from matching.intake.formula import unguarded
from matching.intake.household_row import HouseholdRow
from matching.intake.sheet import ERROR_TEXTS
from matching.need import Answer, NeedLevel, Tolerance, YesNo, need_catalogue
from matching.place import EXCLUSION_MILES
from matching.ranking.facts import LegalPosition, Sex, SexApproved

TODAY = date(2026, 3, 2)

HOUSEHOLD_FIELDS = frozenset(name for column in columns_of(SheetKind.HOUSEHOLDS) for name in column.fields)
GROUP_FIELDS = frozenset(column.field for column in columns_of(SheetKind.CHILDREN) if column.of_group)
CHILD_FIELDS = frozenset(
    name for column in columns_of(SheetKind.CHILDREN) if not column.of_group for name in column.fields
) - {"group_reference"}

_LETTERS = st.characters(categories=("L", "N", "P"), exclude_characters="\u00ad")
_WORDS = st.text(_LETTERS, min_size=1, max_size=12).filter(lambda text: text.strip() == text)


def _tidied(text: str) -> bool:
    # What the reader would rewrite (composed forms, odd spaces, the guard of a formula), take for nothing, for an error
    # or for what another row says, cannot come back as it went.
    kept = unguarded(unicodedata.normalize("NFC", text)) == text and text not in ERROR_TEXTS
    return kept and plain(text) not in NOTHING_SAID and not is_ditto(text)


line_text = st.lists(_WORDS, min_size=1, max_size=6).map(" ".join).filter(_tidied)
references = st.text("ABCdef0123456789-/", min_size=1, max_size=10).filter(_tidied)
_past = st.dates(date(1990, 1, 1), TODAY)
_yes_no = st.sampled_from(YesNo)
_answers = st.sampled_from(Answer)
_names = st.sampled_from(
    ("Christian", "Church of England", "Muslim", "None", "Jewish", "Welsh", "British Sign Language")
)
_names_sets = st.frozensets(_names, max_size=3)
_outward = st.sampled_from(("EX4", "PL4", "TR1", "BS1", "GL1", "SN1", "TQ1"))
tolerances = st.builds(
    Tolerance, low=st.sampled_from(Answer), medium=st.sampled_from(Answer), high=st.sampled_from(Answer)
)


@st.composite
def sharings(draw: st.DrawFn) -> tuple[str | None, str | None]:
    sharing = draw(st.sampled_from((None, "in_house", "consortium", "hold")))
    reason = draw(line_text) if sharing == "hold" else draw(st.none() | line_text) if sharing else None
    return sharing, reason


@st.composite
def household_rows(draw: st.DrawFn, *, number: int = 2) -> HouseholdRow:
    ages = sorted(draw(st.lists(st.integers(0, 18 * 12 - 1), min_size=2, max_size=2)))
    counts = sorted(draw(st.lists(st.integers(1, 10), min_size=2, max_size=2)))
    at_home = draw(st.none() | st.integers(0, 5))
    sharing, reason = draw(sharings())
    needs = draw(st.dictionaries(st.sampled_from(need_catalogue().codes()), tolerances, max_size=4))
    first = draw(st.none() | line_text)
    second = draw(st.none() | line_text) if first else None
    return HouseholdRow(
        number=number,
        reference=draw(references),
        given=HOUSEHOLD_FIELDS,
        adopter_1_name=first,
        adopter_2_name=second,
        address=draw(st.none() | line_text),
        postcode=draw(st.sampled_from((None, "EX4 4QJ", "PL4 8AA", "TR1"))),
        telephone=draw(st.sampled_from((None, "01632 960001", "+44 1632 960002"))),
        email=draw(st.sampled_from((None, "a.person@example.org"))),
        approved_on=draw(st.none() | _past),
        status=draw(st.sampled_from(("waiting", "on_hold", "withdrawn"))),
        profile=draw(st.none() | st.lists(line_text, min_size=1, max_size=3).map("\n".join).filter(_tidied)),
        age_from_months=draw(st.sampled_from((None, ages[0]))),
        age_to_months=draw(st.sampled_from((None, ages[1]))),
        fewest_children=draw(st.sampled_from((None, counts[0]))),
        most_children=draw(st.sampled_from((None, counts[1]))),
        sex_approved=draw(st.sampled_from(SexApproved)),
        early_permanence_approved=draw(_yes_no),
        order_not_granted=draw(_answers),
        order_contested=draw(_answers),
        appeal=draw(_answers),
        letterbox_contact=draw(_answers),
        direct_contact=draw(_answers),
        sibling_contact=draw(_answers),
        children_at_home=at_home,
        youngest_at_home=draw(st.none() | _past.map(lambda day: day.replace(day=1))) if at_home else None,
        pets=draw(_yes_no),
        smokers=draw(_yes_no),
        adopters=draw(st.sampled_from((None, 2) if second else (None, 1, 2))),
        experience=draw(_yes_no),
        training=draw(_yes_no),
        parent_at_home=draw(_yes_no),
        support_nearby=draw(_yes_no),
        available_from=draw(st.none() | _past | st.dates(TODAY, TODAY + timedelta(days=700))),
        considered_for=draw(st.none() | st.integers(0, 99)),
        availability_confirmed_on=draw(st.none() | _past),
        cultures=draw(_names_sets),
        heritage=draw(st.frozensets(st.sampled_from(sorted(ETHNIC_CODES)), max_size=3)),
        religions=draw(_names_sets),
        languages=draw(_names_sets),
        sharing=sharing,
        sharing_reason=reason,
        needs={code: tolerance for code, tolerance in needs.items() if tolerance != Tolerance()},
    )


@st.composite
def child_rows(draw: st.DrawFn, *, number: int, reference: str) -> ChildRow:
    born = draw(st.none() | st.dates(date(2009, 1, 1), TODAY))
    levels = st.sampled_from([level for level in NeedLevel if level is not NeedLevel.UNKNOWN])
    return ChildRow(
        number=number,
        reference=reference,
        given=CHILD_FIELDS,
        forename=draw(st.none() | line_text),
        surname=draw(st.none() | line_text),
        born_on=born,
        due_on=None if born else draw(st.none() | st.dates(TODAY, TODAY + timedelta(days=280))),
        entered_care_on=draw(st.none() | st.dates(born, TODAY)) if born else None,
        sex=draw(st.sampled_from(Sex)),
        heritage=draw(st.none() | st.sampled_from(sorted(ETHNIC_CODES))),
        needs=draw(st.dictionaries(st.sampled_from(need_catalogue().codes()), levels, max_size=4)),
    )


_GROUP_YES_NO = (
    "early_permanence",
    "letterbox_contact",
    "direct_contact",
    "sibling_contact",
    "must_be_youngest",
    "must_be_only",
    "no_pets",
    "smoke_free",
    "experience_needed",
    "training_needed",
    "parent_at_home_needed",
    "support_needed",
)


@st.composite
def group_rows(draw: st.DrawFn, *, number: int = 2, reference: str = "G1") -> GroupRow:
    sharing, reason = draw(sharings())
    size = draw(st.integers(1, 3))
    areas = draw(st.dictionaries(_outward, st.sampled_from(EXCLUSION_MILES), max_size=3))
    yes_no = {name: draw(_yes_no) for name in _GROUP_YES_NO}
    return GroupRow(
        reference=reference,
        children=tuple(
            draw(child_rows(number=number + index, reference=f"{reference}-{index}")) for index in range(size)
        ),
        given=GROUP_FIELDS,
        legal_position=draw(st.sampled_from(LegalPosition)),
        shobpa_on=draw(st.none() | _past),
        placement_order_on=draw(st.none() | _past),
        waiting_since=draw(st.none() | _past),
        home_outward_code=draw(st.none() | _outward),
        exclusion_areas=tuple(sorted(areas.items())),
        religions=draw(_names_sets),
        languages=draw(_names_sets),
        cultures=draw(_names_sets),
        adopters_hoped_for=draw(st.sampled_from((None, 1, 2))),
        sibling_household=draw(st.sampled_from((None, "H-7K2M4P", "H-000000"))),
        families_considered=draw(st.none() | st.integers(0, 99)),
        profile=draw(st.none() | line_text),
        sharing=sharing,
        sharing_reason=reason,
        **yes_no,
    )
