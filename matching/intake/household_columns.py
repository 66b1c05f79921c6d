"""The columns of a sheet of households, in the documented order; those of needs follow them."""

from __future__ import annotations

from typing import Final

from matching.intake import cell
from matching.intake.shared_columns import SHARED_COLUMNS
from matching.intake.sheet_column import ANSWER, DATE, YES_NO, Column
from matching.intake.value_text import say_month, say_oldest_age, say_word, say_youngest_age

HOUSEHOLD_COLUMNS: Final = (
    Column(
        "Reference", "reference", cell.reference_cell, "The agency's own reference: the key.", "ADP-0147", needed=True
    ),
    Column("Adopter 1 name", "adopter_1_name", cell.name_cell, "Seen by the agency alone.", "Testine Sampleson"),
    Column("Adopter 2 name", "adopter_2_name", cell.name_cell, "Blank for one adopter.", "Mockford Sampleson"),
    Column(
        "Adopters",
        "adopter_names",
        cell.adopters_cell,
        "Both names in one cell, in the place of the two columns before.",
        "",
        spreads=True,
    ),
    Column("Address", "address", cell.text_cell(500, lines=True), "Seen by the agency alone.", "1 Example Street"),
    Column("Postcode", "postcode", cell.postcode_cell, "Whole, or its first half.", "EX4 4QJ"),
    Column("Telephone", "telephone", cell.telephone_cell, "One number.", "01632 960001"),
    Column("Email", "email", cell.email_cell, "One address.", "sampleson@example.org"),
    Column("Approved on", "approved_on", cell.date_cell, DATE, "07/03/2024", is_date=True),
    Column(
        "Status",
        "status",
        cell.status_cell,
        "waiting, on hold, matched or withdrawn.",
        "waiting",
        needed=True,
        say=say_word,
    ),
    Column(
        "Youngest age",
        "age_from_months",
        cell.youngest_age_cell,
        "The youngest child approved for, in whole years.",
        "0",
        say=say_youngest_age,
    ),
    Column(
        "Oldest age",
        "age_to_months",
        cell.oldest_age_cell,
        "The oldest, in whole years: 4 means until the fifth birthday.",
        "4",
        say=say_oldest_age,
    ),
    Column(
        "Age range",
        "age_range",
        cell.age_range_cell,
        "Both ages in one cell, in the place of the two columns before: 0-4, 6 months to 3 years, under 5, 2+.",
        "",
        spreads=True,
    ),
    Column("Fewest children", "fewest_children", cell.fewest_children_cell, "A whole number.", "1"),
    Column("Most children", "most_children", cell.most_children_cell, "A whole number.", "2"),
    Column(
        "Number of children",
        "number_of_children",
        cell.number_of_children_cell,
        "Both in one cell, in the place of the two columns before: 1 or 2, up to 3, sibling group of 2.",
        "",
        spreads=True,
    ),
    Column("Sex approved", "sex_approved", cell.sex_approved_cell, "any, female or male.", "any"),
    Column("Early permanence approved", "early_permanence_approved", cell.yes_no_cell, YES_NO, "no"),
    Column("Order not granted", "order_not_granted", cell.answer_cell, ANSWER, "would discuss"),
    Column("Order contested", "order_contested", cell.answer_cell, ANSWER, "would discuss"),
    Column("Appeal", "appeal", cell.answer_cell, ANSWER, "cannot"),
    Column("Letterbox contact", "letterbox_contact", cell.answer_cell, ANSWER, "can meet"),
    Column("Direct contact", "direct_contact", cell.answer_cell, ANSWER, "would discuss"),
    Column("Contact with siblings", "sibling_contact", cell.answer_cell, ANSWER, "can meet"),
    Column("Children at home", "children_at_home", cell.whole_number_cell(0, 20), "A whole number; 0 for none.", "1"),
    Column(
        "Youngest at home born",
        "youngest_at_home",
        cell.month_cell,
        "A month, mm/yyyy.",
        "03/2019",
        is_date=True,
        say=say_month,
    ),
    Column("Pets", "pets", cell.pets_cell, YES_NO, "yes"),
    Column("Smokers", "smokers", cell.smokers_cell, YES_NO, "no"),
    Column("Number of adopters", "adopters", cell.number_of_adopters_cell, "1 or 2.", "2"),
    Column(
        "Experience with children",
        "experience",
        cell.yes_no_cell,
        "Have they brought up or looked after children? yes or no.",
        "yes",
    ),
    Column("Training done", "training", cell.yes_no_cell, "In therapeutic parenting: yes or no.", "yes"),
    Column(
        "Parent at home",
        "parent_at_home",
        cell.yes_no_cell,
        "Will one be at home through the first year, on leave or otherwise? yes or no.",
        "yes",
    ),
    Column(
        "Support nearby",
        "support_nearby",
        cell.yes_no_cell,
        "Do family or friends who will help live nearby? yes or no.",
        "yes",
    ),
    Column(
        "Available from",
        "available_from",
        cell.date_cell,
        "When a child could move in: a date.",
        "01/02/2027",
        is_date=True,
    ),
    Column(
        "Considered for",
        "considered_for",
        cell.whole_number_cell(0, 99),
        "For how many sibling groups they are being considered now; 0 for none.",
        "1",
    ),
    Column(
        "Availability confirmed on",
        "availability_confirmed_on",
        cell.date_cell,
        "When their worker last said so: a date.",
        "16/11/2026",
        is_date=True,
    ),
    Column(
        "Heritage",
        "heritage",
        cell.ethnic_codes_cell,
        "SSDA903 codes or their names, separated by semicolons.",
        "WBRI; MWBC",
    ),
    *SHARED_COLUMNS,
)
