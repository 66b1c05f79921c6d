"""Files as banks write them, of accounts that nobody has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MT940 = b"""{1:F01NWBKGB2LAXXX0000000000}{4:
:20:STMT1
:25:60161331926819
:28C:12/1
:60F:C260401GBP1000,00
:61:2604020402C27000,00NTRFFA-7Q3K2M//BK123
DEVON COUNTY COUNCIL
:86:/NAME/DEVON CC/REMI/INV-000123
:61:2604030403RC100,50NRTINONREF//BK124
:86:RETURNED
:61:2604030403D10,00NCHGNONREF
:62F:C260403GBP27889,50
-}
"""

OFX = b"""OFXHEADER:100
DATA:OFXSGML
VERSION:102
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

<OFX>
<SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20260401<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>
<BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS>
<STMTRS><CURDEF>GBP<BANKACCTFROM><BANKID>601613<ACCTID>31926819<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20260401<DTEND>20260430
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260402120000[0:GMT]<TRNAMT>27000.00<FITID>A1<NAME>DEVON &amp; CC
<MEMO>INV-000123</STMTTRN>
<STMTTRN>
<TRNTYPE>DEBIT
<DTPOSTED>20260402
<TRNAMT>-10.00
<FITID>A2
<NAME>
<MEMO>CHARGES
</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>1.00<DTASOF>20260430</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""

OFX_XML = b"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>
<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>GBP</CURDEF><BANKTRANLIST>
<STMTTRN><TRNTYPE>CREDIT</TRNTYPE><DTPOSTED>20260402</DTPOSTED><TRNAMT>5.50</TRNAMT><FITID>X</FITID><NAME>TORBAY</NAME>
</STMTTRN></BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""

ENTRY = (
    "<Ntry><Amt Ccy='GBP'>{amount}</Amt><CdtDbtInd>{mark}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
    "<BookgDt><Dt>2026-04-02</Dt></BookgDt><AcctSvcrRef>X1</AcctSvcrRef><NtryDtls>{parts}</NtryDtls></Ntry>"
)
PART = (
    "<TxDtls><Refs><EndToEndId>E1</EndToEndId></Refs>{amount}<RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr>"
    "</RltdPties><RmtInf><Ustrd>{words}</Ustrd></RmtInf></TxDtls>"
)


def camt(entries: Iterable[str], *, opening: str = "100.00", closing: str = "350.00", version: str = "08") -> bytes:
    """Return a statement in CAMT.053 with these entries."""
    return (
        f"<?xml version='1.0'?><Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}'>"
        "<BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt><Id>1</Id>"
        "<Acct><Id><IBAN>GB29NWBK60161331926819</IBAN></Id></Acct>"
        f"{_balance('OPBD', opening)}{_balance('CLBD', closing)}{''.join(entries)}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def csv_of(rows: Sequence[Sequence[str]], *, headings: str = "Date,Name,Reference,Amount") -> bytes:
    """Return a CSV file with these rows."""
    return "\r\n".join([headings, *(",".join(f'"{cell}"' for cell in row) for row in rows)]).encode()


def _balance(code: str, amount: str) -> str:
    mark = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='GBP'>{amount.lstrip('-')}</Amt>"
        f"<CdtDbtInd>{mark}</CdtDbtInd></Bal>"
    )
