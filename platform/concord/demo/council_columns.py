"""The columns of a council's own spreadsheet: short headings below merged ones, and everything in its own words."""

from __future__ import annotations

from typing import Final

from concord.demo import wording
from concord.demo.own_column import OwnColumn, Say, in_words, listed, plainly, together, tolerance_in_short
from concord.demo.row import need_heading
from matching.need import need_catalogue

#: What councils call needs, where it is not what the catalogue calls them.
NEED_NAMES: Final = {
    "alcohol_in_pregnancy": "FASD/alcohol",
    "drugs_in_pregnancy": "Drugs in utero",
    "blood_borne_virus": "BBV",
    "prematurity": "Prem",
    "family_mental_illness": "Birth parent mental health",
    "family_learning_disability": "Birth parent LD",
    "domestic_abuse": "DV",
    "conception_rape_incest": "Rape/incest",
    "attachment": "Attachment difficulties",
    "behaviour": "Behavioural difficulties",
}


def _own(heading: str, means: str, say: Say, group: str = "") -> OwnColumn:
    return OwnColumn(heading, means, say, group)


def _answer(heading: str, means: str, group: str) -> OwnColumn:
    return _own(heading, means, in_words(means, wording.ANSWERS), group)


def _yes_no(heading: str, means: str, group: str = "") -> OwnColumn:
    return _own(heading, means, in_words(means, wording.YES_NO), group)


def _needs(say: dict[str, Say], group: str) -> tuple[OwnColumn, ...]:
    return tuple(
        _own(NEED_NAMES.get(need.code, need.title), need_heading(need.code), say[need.code], group)
        for need in need_catalogue().needs
    )


_TOLERANCES: Final = {code: tolerance_in_short(need_heading(code)) for code in need_catalogue().codes()}
_LEVELS: Final = {code: in_words(need_heading(code), wording.NEED_LEVELS) for code in need_catalogue().codes()}

COUNCIL_HOUSEHOLDS: Final = (
    _own("Our ref", "Reference", plainly("Reference")),
    _own("Adopter(s)", "Adopters", together("Adopter 1 name", "Adopter 2 name", wording.both_names)),
    _own("Single/couple", "Number of adopters", in_words("Number of adopters", wording.ADOPTERS)),
    _own("Home address", "Address", plainly("Address")),
    _own("Post code", "Postcode", plainly("Postcode")),
    OwnColumn("Tel no", "Telephone", plainly("Telephone"), hidden=True),
    _own("E-mail", "Email", plainly("Email")),
    _own("Date approved", "Approved on", wording.written_out("Approved on")),
    _own("Current status", "Status", in_words("Status", wording.STATUS)),
    _own("(ages)", "Age range", together("Youngest age", "Oldest age", wording.ages_in_years), "Approved for"),
    _own(
        "(no of children)",
        "Number of children",
        together("Fewest children", "Most children", wording.children_approved),
        "Approved for",
    ),
    _own("(gender)", "Sex approved", in_words("Sex approved", wording.SEX_APPROVED), "Approved for"),
    _yes_no("EP", "Early permanence approved", "Approved for"),
    _answer("PO not granted", "Order not granted", "Legal risk"),
    _answer("PO contested", "Order contested", "Legal risk"),
    _answer("Leave to appeal", "Appeal", "Legal risk"),
    _answer("Letterbox", "Letterbox contact", "Contact"),
    _answer("Face to face contact", "Direct contact", "Contact"),
    _answer("Sibling contact", "Contact with siblings", "Contact"),
    _own("Existing children", "Children at home", wording.or_none("Children at home"), "Home"),
    _own("Youngest child born", "Youngest at home born", wording.by_month_name("Youngest at home born"), "Home"),
    _own("Any pets", "Pets", in_words("Pets", wording.PETS), "Home"),
    _own("Smoker(s)", "Smokers", in_words("Smokers", wording.SMOKERS), "Home"),
    _yes_no("Childcare experience", "Experience with children"),
    _yes_no("Therapeutic parenting course", "Training done"),
    _yes_no("Parent at home first year", "Parent at home"),
    _yes_no("Local support", "Support nearby"),
    _own("Date available", "Available from", plainly("Available from")),
    _own("Active links", "Considered for", plainly("Considered for")),
    _own("Availability checked", "Availability confirmed on", plainly("Availability confirmed on")),
    _own("Ethnicity", "Heritage", listed("Heritage", wording.HERITAGE, joined=" / ")),
    _own("Faith", "Religion", plainly("Religion")),
    _own("Languages spoken", "Languages", listed("Languages", {}, joined=" and ")),
    _own("Cultural background", "Culture", plainly("Culture")),
    _own("Pen picture", "Profile", plainly("Profile")),
    _own("Share with", "Sharing", in_words("Sharing", wording.SHARING)),
    _own("Reason held", "Sharing reason", plainly("Sharing reason")),
    *_needs(_TOLERANCES, "Would consider"),
)

COUNCIL_CHILDREN: Final = (
    _own("Sibling group ref", "Group reference", plainly("Group reference")),
    _own("Child ID", "Child reference", plainly("Child reference")),
    _own("Child’s name", "Child name", together("Forename", "Surname", wording.childs_name)),
    _own("DOB", "Born", wording.written_out("Born")),
    _own("EDD", "Due", wording.written_out("Due")),
    _own("M/F", "Sex", in_words("Sex", wording.SEX)),
    _own("Ethnicity", "Heritage", in_words("Heritage", wording.HERITAGE_WORDS)),
    _own("Legal status", "Legal position", in_words("Legal position", wording.LEGAL), "Legal"),
    _own("SHOBPA date", "SHOBPA decision on", plainly("SHOBPA decision on"), "Legal"),
    _own("PO date", "Placement order on", plainly("Placement order on"), "Legal"),
    _own("Family finding since", "Waiting since", wording.written_out("Waiting since")),
    _yes_no("FfA", "Early permanence"),
    _yes_no("Letterbox", "Letterbox contact", "Contact plan"),
    _yes_no("Face to face contact", "Direct contact", "Contact plan"),
    _yes_no("Sibling contact", "Contact with siblings", "Contact plan"),
    _yes_no("To be youngest", "Must be youngest"),
    _yes_no("Only child", "Must be only child"),
    _yes_no("Pet free", "No pets"),
    _yes_no("Non-smoking home", "Smoke-free"),
    _own("One or two adopters", "Adopters hoped for", plainly("Adopters hoped for")),
    _yes_no("Experienced adopters needed", "Experience needed"),
    _yes_no("Therapeutic training needed", "Training needed"),
    _yes_no("Needs parent at home", "Parent at home needed"),
    _yes_no("Local support needed", "Support needed"),
    _own("Active links", "Families considered", plainly("Families considered")),
    _own("Birth family postcode", "Home outward code", plainly("Home outward code")),
    _own("Areas to avoid", "Exclusion areas", wording.areas_in_words),
    _own("Faith", "Religion", plainly("Religion")),
    _own("Languages spoken", "Languages", listed("Languages", {}, joined=" and ")),
    _own("Cultural background", "Culture", plainly("Culture")),
    _own("Pen picture", "Profile", plainly("Profile")),
    _own("Share with", "Sharing", in_words("Sharing", wording.SHARING)),
    _own("Reason held", "Sharing reason", plainly("Sharing reason")),
    *_needs(_LEVELS, "Needs"),
)
