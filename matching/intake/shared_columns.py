"""The columns that sheets of households and of children have alike."""

from __future__ import annotations

from typing import Final

from matching.intake import cell
from matching.intake.sheet_column import Column
from matching.intake.value_text import say_sharing

SHARED_COLUMNS: Final = (
    Column("Religion", "religions", cell.words_cell, "Words separated by semicolons.", "Christian", of_group=True),
    Column(
        "Languages", "languages", cell.words_cell, "Words separated by semicolons.", "English; Polish", of_group=True
    ),
    Column("Culture", "cultures", cell.words_cell, "Words separated by semicolons.", "Traveller; Welsh", of_group=True),
    Column(
        "Profile",
        "profile",
        cell.text_cell(10_000, lines=True),
        "The anonymous profile: no names, places, schools or exact birth dates.",
        "Warm, patient and active.",
        of_group=True,
    ),
    Column(
        "Sharing",
        "sharing",
        cell.sharing_cell,
        "in-house, consortium or hold; left blank, the consortium's own timing applies.",
        "consortium",
        of_group=True,
        say=say_sharing,
    ),
    Column(
        "Sharing reason",
        "sharing_reason",
        cell.text_cell(500),
        "Why it is shared early or held back. Asked for when Sharing is hold.",
        "Awaiting the adopters' agreement",
        of_group=True,
    ),
)
