"""Which form a bank's file is in, told by its bytes and never by its name, and its lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from matching.fee.remittance.bank_file import MOST_BYTES, BankFile, FileFormat, UnreadableRemittance, checked
from matching.fee.remittance.camt_file import looks_like_camt, read_camt
from matching.fee.remittance.column_map import ColumnMap
from matching.fee.remittance.csv_file import CsvTable, read_csv, read_csv_table
from matching.fee.remittance.mt940_file import looks_like_mt940, read_mt940
from matching.fee.remittance.ofx_file import looks_like_ofx, read_ofx
from matching.intake.delimited import decoded
from matching.intake.sheet import UnreadableSheet

_OTHER: Final = {
    b"PK": "This is a workbook or a packed archive. Save the sheet as CSV, or unpack it.",
    b"\xd0\xcf\x11\xe0": "This is an Excel workbook. Save the sheet as CSV.",
    b"%PDF": "This is a PDF. Export the statement as CSV, MT940, CAMT.053 or OFX.",
    b"\x1f\x8b": "This is a packed archive. Unpack it.",
}


def format_of(content: bytes) -> FileFormat:
    """Return the form of a file.

    :raises UnreadableRemittance: when it is empty, too large or plainly of another kind.
    """
    if not content.strip():
        raise UnreadableRemittance("The file is empty. Nothing was taken.")
    if len(content) > MOST_BYTES:
        raise UnreadableRemittance(f"The file is larger than {MOST_BYTES // 2**20} MB. Export shorter periods.")
    for beginning, message in _OTHER.items():
        if content.startswith(beginning):
            raise UnreadableRemittance(f"{message} Nothing was taken.")
    if looks_like_ofx(content):
        return FileFormat.OFX
    if looks_like_camt(content):
        return FileFormat.CAMT053
    return FileFormat.MT940 if looks_like_mt940(_text(content)) else FileFormat.CSV


def read_statement(content: bytes, kind: FileFormat) -> BankFile:
    """Return the lines of a file whose form says by itself what is what: any but CSV.

    :raises UnreadableRemittance: when nothing of it can be taken.
    """
    if kind is FileFormat.OFX:
        return checked(_without_nothing(read_ofx(content)))
    if kind is FileFormat.CAMT053:
        return checked(_without_nothing(read_camt(content)))
    return checked(_without_nothing(read_mt940(_text(content))))


def read_table(content: bytes) -> CsvTable:
    """Return the rows of a CSV file.

    :raises UnreadableRemittance: when it is none.
    """
    return read_csv_table(content)


def read_lines(table: CsvTable, columns: ColumnMap) -> BankFile:
    """Return the lines of a CSV file whose columns are known.

    :raises UnreadableRemittance: when a row cannot be read.
    """
    return checked(read_csv(table, columns))


def _without_nothing(file: BankFile) -> BankFile:
    """Leave out what moves nothing, and say so: nobody can take a line out of such a file by hand."""
    kept = tuple(line for line in file.lines if line.pence)
    left_out = len(file.lines) - len(kept)
    if not left_out:
        return file
    if not kept:
        raise UnreadableRemittance("Every line of the file is of £0.00. Nothing was taken.")
    said = "1 line of £0.00 was left out." if left_out == 1 else f"{left_out:,} lines of £0.00 were left out."
    return replace(file, lines=kept, notes=(*file.notes, said))


def _text(content: bytes) -> str:
    try:
        return decoded(content.rstrip(b"\x1a"))[0]
    except UnreadableSheet as refusal:
        raise UnreadableRemittance(str(refusal)) from refusal
