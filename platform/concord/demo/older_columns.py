"""The columns of an older database's export: no reference of a household's own, ages in months, names apart."""

from __future__ import annotations

from typing import Final

from concord.demo import wording
from concord.demo.own_column import OwnColumn, Say, in_words, listed, plainly, together, tolerance_in_short
from concord.demo.row import need_heading
from matching.need import need_catalogue


def _own(heading: str, means: str, say: Say | None = None) -> OwnColumn:
    return OwnColumn(heading, means, say or plainly(means))


def _answer(heading: str, means: str) -> OwnColumn:
    return _own(heading, means, in_words(means, wording.ANSWERS))


def _yes_no(heading: str, means: str) -> OwnColumn:
    return _own(heading, means, in_words(means, wording.YES_NO))


OLDER_KEYS: Final = ("Adopter 1 name", "Postcode")
"""What knows a household that the agency gives no reference."""

OLDER_HOUSEHOLDS: Final = (
    _own("Applicant 1", "Adopter 1 name"),
    _own("Applicant 2", "Adopter 2 name"),
    _own("No of applicants", "Number of adopters"),
    _own("Full address", "Address"),
    _own("Home postcode", "Postcode"),
    _own("Contact number", "Telephone"),
    _own("Email address", "Email"),
    _own("ADM date", "Approved on", wording.with_dots("Approved on")),
    _own("Availability status", "Status", in_words("Status", wording.STATUS)),
    _own("Approved age range", "Age range", together("Youngest age", "Oldest age", wording.ages_in_months)),
    _own(
        "Single or sibling group",
        "Number of children",
        together("Fewest children", "Most children", wording.children_approved),
    ),
    _own("Gender approved", "Sex approved", in_words("Sex approved", wording.SEX_APPROVED)),
    _yes_no("Dually approved", "Early permanence approved"),
    _answer("Without placement order", "Order not granted"),
    _answer("Contested proceedings", "Order contested"),
    _answer("Appeal lodged", "Appeal"),
    _answer("Indirect contact", "Letterbox contact"),
    _answer("Direct contact with birth family", "Direct contact"),
    _answer("Contact with sibs", "Contact with siblings"),
    _own("Birth children", "Children at home"),
    _own("DOB of youngest child", "Youngest at home born", wording.by_month_name("Youngest at home born")),
    _own("Animals", "Pets", in_words("Pets", wording.PETS)),
    _own("Smoking status", "Smokers", in_words("Smokers", wording.SMOKERS)),
    _yes_no("Parenting experience", "Experience with children"),
    _yes_no("Therapeutic training", "Training done"),
    _yes_no("Stay at home parent", "Parent at home"),
    _yes_no("Family nearby", "Support nearby"),
    _own("Ready from", "Available from", wording.with_dots("Available from")),
    _own("Current links", "Considered for"),
    _own("Last availability check", "Availability confirmed on", wording.with_dots("Availability confirmed on")),
    _own("Ethnic origin", "Heritage", listed("Heritage", wording.HERITAGE, joined="; ")),
    _own("Religious background", "Religion"),
    _own("Home language", "Languages", listed("Languages", {}, joined=", ")),
    _own("Cultural identity", "Culture"),
    _own("Family profile", "Profile"),
    _own("Sharing level", "Sharing", in_words("Sharing", wording.SHARING)),
    _own("Reason not shared", "Sharing reason"),
    *(
        _own(need.title, need_heading(need.code), tolerance_in_short(need_heading(need.code)))
        for need in need_catalogue().needs
    ),
)

OLDER_CHILDREN: Final = (
    _own("Family ID", "Group reference"),
    _own("Client ID", "Child reference"),
    _own("Last name", "Surname"),
    _own("First name", "Forename"),
    _own("Date of birth", "Born", wording.with_dots("Born")),
    _own("Expected date of delivery", "Due", wording.with_dots("Due")),
    _own("Gender", "Sex", in_words("Sex", wording.SEX)),
    _own("Ethnicity code", "Heritage"),
    _own("Placement order status", "Legal position", in_words("Legal position", wording.LEGAL)),
    _own("Best interests decision date", "SHOBPA decision on", wording.with_dots("SHOBPA decision on")),
    _own("Date of placement order", "Placement order on", wording.with_dots("Placement order on")),
    _own("Start of family finding", "Waiting since", wording.with_dots("Waiting since")),
    _yes_no("Fostering for adoption", "Early permanence"),
    _yes_no("Indirect contact", "Letterbox contact"),
    _yes_no("Direct contact with birth family", "Direct contact"),
    _yes_no("Contact with sibs", "Contact with siblings"),
    _yes_no("Needs to be youngest", "Must be youngest"),
    _yes_no("Needs to be only child", "Must be only child"),
    _yes_no("No animals", "No pets"),
    _yes_no("No smokers", "Smoke-free"),
    _own("Number of adopters hoped for", "Adopters hoped for"),
    _yes_no("Experience required", "Experience needed"),
    _yes_no("Therapeutic parenting training needed", "Training needed"),
    _yes_no("Stay at home parent needed", "Parent at home needed"),
    _yes_no("Support nearby needed", "Support needed"),
    _own("Current links", "Families considered"),
    _own("Home postcode area", "Home outward code"),
    _own("Geographical exclusions", "Exclusion areas"),
    _own("Religious background", "Religion"),
    _own("Home language", "Languages", listed("Languages", {}, joined=", ")),
    _own("Cultural identity", "Culture"),
    _own("Child profile", "Profile"),
    _own("Sharing level", "Sharing", in_words("Sharing", wording.SHARING)),
    _own("Reason not shared", "Sharing reason"),
    *(
        _own(need.title, need_heading(need.code), in_words(need_heading(need.code), wording.NEED_LEVELS))
        for need in need_catalogue().needs
    ),
)
