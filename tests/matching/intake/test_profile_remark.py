"""An import tells of profiles that may give somebody away, row by row, and takes them all the same."""

from __future__ import annotations

from matching.intake.column import SheetKind
from matching.intake.import_run import ImportRun
from matching.intake.outcome import Outcome
from tenants.database import Database
from tests.factories import Factories, Tenant
from tests.matching.intake.importing import report_of, take
from tests.matching.intake.writing import csv_file

_HOUSEHOLDS = ["Reference", "Status", "Adopter 1 name", "Postcode", "Profile"]
_CHILDREN = ["Group reference", "Child reference", "Forename", "Born", "Profile"]


class TestHouseholdRemarks:
    def test_tells_of_a_telling_row_and_takes_it(self, database: Database, factories: Factories) -> None:
        devon, dorset = factories.two_tenants()
        rows = [
            ["ADP-1", "waiting", "Alder Example", "EX4 4QJ", "Alder lives at ex44qj."],
            ["ADP-2", "waiting", "Birch Sample", "", "Alder trees grow here."],
            ["ADP-3", "waiting", "Cedar Sample", "", "They are twins."],
        ]

        for dry_run in (True, False):
            run = take(database, devon, csv_file([_HOUSEHOLDS, *rows]), dry_run=dry_run)
            assert run.refusal is None
            told = [
                (each.outcome, [remark.reason for remark in each.remarks]) for each in report_of(database, devon, run)
            ]
            assert told == [
                (
                    Outcome.ADDED,
                    [
                        "it may give away who this is: “Alder” is a name of somebody this record is about; "
                        "“ex44qj” is a postcode of this record"
                    ],
                ),
                (Outcome.ADDED, []),
                (
                    Outcome.ADDED,
                    ["look whether it tells too much: “twins” is a word for siblings born together, who are few"],
                ),
            ]
            assert any("the profiles of 2 rows may give away who is meant" in note for note in run.notes)
        assert not _take_quietly(database, dorset, "A calm home.").notes

    def test_tells_again_where_a_name_comes_later(self, database: Database, factories: Factories) -> None:
        devon, _ = factories.two_tenants()
        take(
            database, devon, csv_file([_HOUSEHOLDS, ["ADP-1", "waiting", "Birch Sample", "", "Alder trees grow here."]])
        )

        same = take(
            database, devon, csv_file([_HOUSEHOLDS, ["ADP-1", "waiting", "Birch Sample", "", "Alder trees grow here."]])
        )
        changed = take(database, devon, csv_file([_HOUSEHOLDS[:3], ["ADP-1", "waiting", "Alder Sample"]]))

        assert [each.remarks for each in report_of(database, devon, same)] == [()]
        (row,) = report_of(database, devon, changed)
        assert row.outcome is Outcome.CHANGED
        assert [remark.column for remark in row.remarks] == ["Profile"]


class TestGroupRemarks:
    def test_tells_of_each_childs_name_on_the_first_row_that_writes(
        self, database: Database, factories: Factories
    ) -> None:
        devon, _ = factories.two_tenants()
        first = ["G-1", "C-1", "Rowan", "17/05/2023", "She loves Hazel and Rowan, born on 17 May."]
        second = ["G-1", "C-2", "Hazel", "01/02/2020", ""]

        added = take(database, devon, csv_file([_CHILDREN, first, second]), kind=SheetKind.CHILDREN)
        grown = take(
            database,
            devon,
            csv_file([_CHILDREN[:4], first[:4], second[:4], ["G-1", "C-3", "Linden", "02/02/2021"]]),
            kind=SheetKind.CHILDREN,
        )

        assert added.refusal is None
        told = [[remark.reason for remark in each.remarks] for each in report_of(database, devon, added)]
        assert told[1] == []
        assert all(f"“{words}”" in told[0][0] for words in ("Hazel", "Rowan", "17 May"))
        told_later = [(each.outcome, len(each.remarks)) for each in report_of(database, devon, grown)]
        assert told_later == [(Outcome.UNCHANGED, 0), (Outcome.UNCHANGED, 0), (Outcome.ADDED, 1)]


def _take_quietly(database: Database, tenant: Tenant, profile: str) -> ImportRun:
    return take(database, tenant, csv_file([_HOUSEHOLDS, ["ADP-9", "waiting", "Fir Example", "", profile]]))
