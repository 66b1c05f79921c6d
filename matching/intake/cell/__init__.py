"""What one cell may say: a parser per kind of cell, each saying what it expected.

A blank cell, and one that says in words that nothing is known, is unknown: never yes, never no. What people write in
many ways is understood where it can mean one thing; where it could mean two, where Excel has changed it, or where
nobody could tell, it is a problem, and the row that holds it is not taken.
"""

from matching.intake.cell.age import age_range_cell, oldest_age_cell, youngest_age_cell
from matching.intake.cell.choice import (
    answer_cell,
    any_cell,
    choice_cell,
    legal_position_cell,
    pets_cell,
    sex_approved_cell,
    sex_cell,
    sharing_cell,
    smokers_cell,
    status_cell,
    yes_no_cell,
)
from matching.intake.cell.day import could_be_month_first, date_cell, dated, month_cell, reads_month_first
from matching.intake.cell.ethnicity import ETHNIC_CODES, ethnic_code_cell, ethnic_codes_cell
from matching.intake.cell.need import need_level_cell, tolerance_cell
from matching.intake.cell.number import (
    fewest_children_cell,
    most_children_cell,
    number_of_adopters_cell,
    number_of_children_cell,
    whole_number_cell,
)
from matching.intake.cell.person import adopters_cell, child_name_cell, name_cell
from matching.intake.cell.place import exclusion_areas_cell, household_code_cell, outward_code_cell, postcode_cell
from matching.intake.cell.problem import CellProblem
from matching.intake.cell.text import email_cell, reference_cell, telephone_cell, text_cell, words_cell

__all__ = [
    "ETHNIC_CODES",
    "CellProblem",
    "adopters_cell",
    "age_range_cell",
    "answer_cell",
    "any_cell",
    "child_name_cell",
    "choice_cell",
    "could_be_month_first",
    "date_cell",
    "dated",
    "email_cell",
    "ethnic_code_cell",
    "ethnic_codes_cell",
    "exclusion_areas_cell",
    "fewest_children_cell",
    "household_code_cell",
    "legal_position_cell",
    "month_cell",
    "most_children_cell",
    "name_cell",
    "need_level_cell",
    "number_of_adopters_cell",
    "number_of_children_cell",
    "oldest_age_cell",
    "outward_code_cell",
    "pets_cell",
    "postcode_cell",
    "reads_month_first",
    "reference_cell",
    "sex_approved_cell",
    "sex_cell",
    "sharing_cell",
    "smokers_cell",
    "status_cell",
    "telephone_cell",
    "text_cell",
    "tolerance_cell",
    "whole_number_cell",
    "words_cell",
    "yes_no_cell",
    "youngest_age_cell",
]
