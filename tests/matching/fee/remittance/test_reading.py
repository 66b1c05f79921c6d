"""Banks' files of every form: each line is read, or the whole file is refused with what to do."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.fee.remittance import bank_file
from matching.fee.remittance.bank_file import FileFormat, UnreadableRemittance
from matching.fee.remittance.column_map import ColumnsWrong, Holds, chosen_map, guess
from matching.fee.remittance.reading import format_of, read_lines, read_statement, read_table
from tests.matching.fee.remittance.samples import ENTRY, MT940, OFX, OFX_XML, PART, camt, csv_of

BATCH = ENTRY.format(
    amount="250.00",
    mark="CRDT",
    parts=PART.format(amount="<Amt Ccy='GBP'>100.00</Amt>", name="Devon CC", words="INV 1")
    + PART.format(amount="<AmtDtls><TxAmt><Amt Ccy='GBP'>150.00</Amt></TxAmt></AmtDtls>", name="Torbay", words="INV 2"),
)

SAMPLES = (b"", MT940, OFX, camt([BATCH]), csv_of([("02/04/2026", "A", "B", "1.00")]))


def lines_of(content: bytes) -> list[tuple[int, str, str]]:
    """Return amount, payer and reference of each line of a file that says what is what."""
    return [(line.pence, line.payer, line.reference) for line in read_statement(content, format_of(content)).lines]


class TestReadStatement:
    @pytest.mark.parametrize(
        ("content", "count"),
        [
            (MT940.replace(b"D10,00", b"D0,00").replace(b"27889,50", b"27899,50"), 2),
            (camt([BATCH, *[ENTRY.format(amount="0.00", mark="CRDT", parts="")] * 2]), 2),
            (OFX.replace(b"<TRNAMT>-10.00", b"<TRNAMT>0.00"), 1),
        ],
    )
    def test_leaves_out_what_moves_nothing_and_says_how_many(self, content: bytes, count: int) -> None:
        file = read_statement(content, format_of(content))

        assert (len(file.lines), all(line.pence for line in file.lines)) == (count, True)
        lines = "2 lines of £0.00 were" if file.format is FileFormat.CAMT053 else "1 line of £0.00 was"
        assert file.notes == (f"{lines} left out.",)

    def test_refuses_a_file_of_nothing_else(self) -> None:
        with pytest.raises(UnreadableRemittance, match=r"Every line of the file is of £0\.00"):
            lines_of(camt([ENTRY.format(amount="0.00", mark="CRDT", parts="")], closing="100.00"))

    def test_advises_a_form_that_bank_files_may_have(self) -> None:
        with pytest.raises(UnreadableRemittance, match="“CSV UTF-8”") as refused:
            format_of(b"Date,Amount\r\n\x81\x8d,1.00")

        assert "xlsx" not in str(refused.value)


class TestMt940:
    def test_gives_each_line_with_its_sign_and_words(self) -> None:
        file = read_statement(MT940, format_of(MT940))

        assert [(line.pence, line.payer, line.undoes, line.bank_id) for line in file.lines] == [
            (2_700_000, "DEVON CC", False, "BK123"),
            (-10_050, "", True, "BK124"),
            (-1_000, "", False, ""),
        ]
        assert "INV-000123" in file.lines[0].reference
        assert "FA-7Q3K2M" in file.lines[0].reference
        assert file.lines[0].dated_on == date(2026, 4, 2)

    def test_keeps_every_reference_of_a_structured_field_86(self) -> None:
        parts = b"166?00GUTSCHRIFT?20EREF+INV-000123?21SVWZ+Fees?32DEVON CC?60SEE INV-000124"

        (line, *_) = read_statement(MT940.replace(b"/NAME/DEVON CC/REMI/INV-000123", parts), FileFormat.MT940).lines

        assert line.payer == "DEVON CC"
        assert [words in line.reference for words in ("FA-7Q3K2M", "Fees", "INV-000123", "INV-000124")] == [True] * 4

    @pytest.mark.parametrize(
        ("was", "becomes", "says"),
        [
            (b"27889,50", b"27889,51", "A line may be missing"),
            (b"C27000,00NTRF", b"X27000,00NTRF", "cannot be read"),
            (b":61:2604030403D10", b":61:2613990403D10", "cannot be read"),
            (b":20:STMT1", b":21:STMT1\n:20:", "."),
            (b"GBP1000", b"EUR1000", "not in pounds"),
            (b":62F:C260403GBP27889,50", b"", "cut off"),
        ],
    )
    def test_refuses_a_file_that_does_not_come_out(self, was: bytes, becomes: bytes, says: str) -> None:
        if says == ".":
            assert len(lines_of(MT940.replace(was, becomes))) == 3
            return
        with pytest.raises(UnreadableRemittance, match=says):
            lines_of(MT940.replace(was, becomes))

    def test_refuses_a_line_outside_a_statement(self) -> None:
        with pytest.raises(UnreadableRemittance, match="outside a statement"):
            lines_of(b":25:1\n:61:2604020402C1,00NTRFX\n" + MT940)


class TestCamt:
    def test_reads_the_parts_of_a_batch_that_make_it(self) -> None:
        content = camt([BATCH])

        assert format_of(content) is FileFormat.CAMT053
        assert lines_of(content) == [(10_000, "Devon CC", "E1 INV 1"), (15_000, "Torbay", "E1 INV 2")]

    def test_reads_a_batch_whole_whose_parts_do_not_make_it(self) -> None:
        content = camt([BATCH.replace("150.00", "149.00")], version="02")

        assert [pence for pence, _, _ in lines_of(content)] == [25_000]

    def test_leaves_pending_entries_for_later_and_says_so(self) -> None:
        pending = BATCH.replace("<Cd>BOOK</Cd>", "<Cd>PDNG</Cd>")

        file = read_statement(camt([BATCH, pending]), FileFormat.CAMT053)

        assert len(file.lines) == 2
        assert "Pending" in file.notes[0]

    def test_keeps_a_debit_below_nothing(self) -> None:
        content = camt([ENTRY.format(amount="9.99", mark="DBIT", parts="")], closing="90.01")

        assert [pence for pence, _, _ in lines_of(content)] == [-999]

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (camt([BATCH], closing="350.01"), "A line may be missing"),
            (camt([BATCH.replace("GBP", "EUR")]), "not in pounds"),
            (camt([BATCH])[:-40], "cut off"),
            (b"<?xml version='1.0'?><html><body/></html>", "no CAMT.053"),
            (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + camt([BATCH]).split(b"?>", 1)[1], "declarations"),
            (camt([BATCH.replace("250.00", "250.005")]), "cannot be read"),
            (camt([]), "no line"),
        ],
    )
    def test_refuses_the_whole_of_what_it_cannot_read(self, content: bytes, says: str) -> None:
        with pytest.raises(UnreadableRemittance, match=says):
            lines_of(content)


class TestOfx:
    def test_reads_both_kinds(self) -> None:
        assert lines_of(OFX) == [(2_700_000, "DEVON & CC", "INV-000123"), (-1_000, "", "CHARGES")]
        assert lines_of(OFX_XML) == [(550, "TORBAY", "")]

    @pytest.mark.parametrize(
        ("was", "becomes"),
        [
            (b"<TRNAMT>-10.00", b"<TRNAMT>ten"),
            (b"<DTPOSTED>20260402\n", b"<DTPOSTED>20261302\n"),
            (b"<CURDEF>GBP", b"<CURDEF>USD"),
            (b"<OFX>", b"<!DOCTYPE x><OFX>"),
            (b"</OFX>", b""),
        ],
    )
    def test_refuses_what_it_cannot_read(self, was: bytes, becomes: bytes) -> None:
        with pytest.raises(UnreadableRemittance):
            lines_of(OFX.replace(was, becomes))


class TestCsv:
    def test_reads_signed_amounts_and_two_columns_alike(self) -> None:
        signed = csv_of([("02/04/2026", "DEVON CC", "INV-1", "1,200.00"), ("03/04/2026", "", "CHARGE", "-5.00")])
        two = (
            "\ufeffAccount;123\r\nDate;Details;Paid in;Paid out;Balance\r\n01/04/2026;OPENING;;;10.00\r\n"
            "02/04/2026;DEVON CC INV-1;1,200.00;;1,210.00\r\n03/04/2026;CHARGE;;5.00;1,205.00\r\n\r\n"
        ).encode()

        read = [_read(content) for content in (signed, two)]

        assert [[line.pence for line in file.lines] for file in read] == [[120_000, -500]] * 2
        assert read[0].lines[0].payer == "DEVON CC"
        assert any("balance" in note for note in read[1].notes)

    def test_reads_windows_text_and_words_for_the_direction(self) -> None:
        content = "Date,Name,Cr/Dr,Amount\n02/04/2026,Plant\u00e9,CR,5.00\n02/04/2026,Rent,DR,6.00".encode("cp1252")

        assert [(line.pence, line.payer) for line in _read(content).lines] == [(500, "Planté"), (-600, "Rent")]

    def test_takes_a_credit_below_nothing_for_no_receipt(self) -> None:
        told = b"Date,Name,Cr/Dr,Amount\n02/04/2026,Devon,CR,-5.00\n02/04/2026,Rent,DR,-6.00"
        two = b"Date,Name,Paid in,Paid out\n02/04/2026,Devon,-5.00,\n02/04/2026,Rent,,-6.00"

        assert [[line.pence for line in _read(content).lines] for content in (told, two)] == [[-500, -600]] * 2

    def test_says_when_balances_do_not_follow(self) -> None:
        file = _read(b"Date,Details,Amount,Balance\n02/04/2026,A,5.00,10.00\n03/04/2026,B,5.00,99.00")

        assert any("do not follow" in note for note in file.notes)

    @pytest.mark.parametrize("newest_first", [False, True])
    def test_is_content_with_balances_that_follow(self, newest_first: bool) -> None:
        rows = ["02/04/2026,A,5.00,10.00", "03/04/2026,B,7.00,17.00"]

        file = _read("\n".join(["Date,Details,Amount,Balance", *(rows[::-1] if newest_first else rows)]).encode())

        assert not file.notes

    @pytest.mark.parametrize(
        ("row", "says"),
        [
            (("13/14/2026", "A", "B", "1.00"), "Row 2: column A holds no day"),
            (("02/04/2026", "A", "B", "1.005"), "Row 2: column D holds no amount"),
            (("02/04/2026", "A", "B", "0.00"), "the amount is nothing"),
            (("02/04/2026", "A", "B", "10000000001.00"), "absurd"),
            (("02/04/1926", "A", "B", "1.00"), "no day of a payment"),
            (("Total", "", "", "1.00"), "if it is a total"),
        ],
    )
    def test_refuses_the_whole_for_one_row_that_it_cannot_read(self, row: tuple[str, ...], says: str) -> None:
        with pytest.raises(UnreadableRemittance, match=says):
            _read(csv_of([row, ("02/04/2026", "A", "B", "1.00")]))

    def test_refuses_a_row_that_is_wider_than_the_headings(self) -> None:
        with pytest.raises(UnreadableRemittance, match="Row 3 has more cells"):
            _read(b"Date,Name,Amount\n02/04/2026,Smith,1.00\n02/04/2026,Smith,1.00,000.00")

    def test_takes_a_file_without_headings_by_its_columns(self) -> None:
        table = read_table(b"02/04/2026,DEVON CC,1.00\n03/04/2026,TORBAY,2.00")

        file = read_lines(table, chosen_map({0: Holds.DATE, 1: Holds.PAYER, 2: Holds.AMOUNT}, outgoing=True))

        assert table.headings == ("Column A", "Column B", "Column C")
        assert [line.pence for line in file.lines] == [-100, -200]

    def test_finds_headings_that_it_does_not_know(self) -> None:
        table = read_table(b"Dyddiad,Enw,Swm\n02/04/2026,DEVON CC,1.00")

        assert table.headings == ("Dyddiad", "Enw", "Swm")
        assert len(table.rows) == 1

    @given(st.lists(st.tuples(st.integers(-(10**9), 10**9).filter(bool), st.dates(date(2000, 1, 1), date(2090, 1, 1))),
                    min_size=1, max_size=30))  # fmt: skip
    @settings(max_examples=25)
    def test_loses_no_line_and_no_penny(self, said: list[tuple[int, date]]) -> None:
        rows = [(f"{day:%d/%m/%Y}", "A", "B", f"{'-' if pence < 0 else ''}{abs(pence) // 100:,}.{abs(pence) % 100:02d}")
                for pence, day in said]  # fmt: skip

        file = _read(csv_of(rows))

        assert [line.pence for line in file.lines] == [pence for pence, _ in said]
        assert file.credits - file.debits == sum(pence for pence, _ in said)


class TestFormatOf:
    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "empty"),
            (b" \n", "empty"),
            (b"PK\x03\x04", "workbook"),
            (b"%PDF-1.7", "PDF"),
            (b"\xd0\xcf\x11\xe0", "Excel"),
        ],
    )
    def test_says_what_a_file_is_instead(self, content: bytes, says: str) -> None:
        with pytest.raises(UnreadableRemittance, match=says):
            format_of(content)

    def test_refuses_too_large_a_file_and_too_many_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(UnreadableRemittance, match="more than 20,000 lines, which is the most"):
            read_table(b"Date,Amount\n" + b"02/04/2026,1.00\n" * 60_000)
        rows = [("02/04/2026", "A", "B", "1.00")] * 3
        monkeypatch.setattr(bank_file, "MOST_LINES", 2)

        with pytest.raises(UnreadableRemittance, match="3 lines; at most 2"):
            _read(csv_of(rows))
        with pytest.raises(UnreadableRemittance, match="larger than 20 MB"):
            format_of(b"a" * (bank_file.MOST_BYTES + 1))


class TestAnyBytes:
    @given(st.binary(max_size=300), st.sampled_from(SAMPLES), st.integers(0, 600))
    @settings(max_examples=120, deadline=None)
    def test_give_lines_or_a_clear_refusal(self, noise: bytes, sample: bytes, place: int) -> None:
        content = sample[:place] + noise + sample[place:]

        try:
            kind = format_of(content)
            file = _read(content) if kind is FileFormat.CSV else read_statement(content, kind)
        except (UnreadableRemittance, ColumnsWrong):
            return

        assert file.lines
        assert file.credits - file.debits == sum(line.pence for line in file.lines)


class TestChosenMap:
    @pytest.mark.parametrize(
        ("chosen", "says"),
        [
            ({0: Holds.AMOUNT, 1: Holds.PAYER}, "date"),
            ({0: Holds.DATE, 1: Holds.PAYER}, "either the amount"),
            ({0: Holds.DATE, 1: Holds.PAYER, 2: Holds.AMOUNT, 3: Holds.CREDIT}, "either the amount"),
            ({0: Holds.DATE, 1: Holds.AMOUNT}, "who paid"),
            ({0: Holds.DATE, 1: Holds.DATE, 2: Holds.AMOUNT, 3: Holds.PAYER}, "one column"),
            ({0: Holds.DATE, 1: Holds.CREDIT, 2: Holds.DIRECTION, 3: Holds.PAYER}, "goes with one amount"),
        ],
    )
    def test_refuses_columns_by_which_nothing_can_be_read(self, chosen: dict[int, Holds], says: str) -> None:
        with pytest.raises(ColumnsWrong, match=says):
            chosen_map(chosen)


def _read(content: bytes) -> bank_file.BankFile:
    table = read_table(content)
    return read_lines(table, chosen_map(guess(table.headings)))
