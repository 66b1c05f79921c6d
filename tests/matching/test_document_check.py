from __future__ import annotations

import zlib
from collections.abc import Callable
from io import BytesIO

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name

from matching.document_check import MOST_PAGES, DocumentRefused, check_document
from tests.matching.report_factory import make_pdf

Change = Callable[[pikepdf.Pdf], object]


def changed(change: Change, **saving: object) -> bytes:
    with pikepdf.open(BytesIO(make_pdf())) as pdf:
        change(pdf)
        made = BytesIO()
        pdf.save(made, **saving)  # type: ignore[arg-type]
        return made.getvalue()


def _script() -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS="app.alert(1)")


def _file() -> Dictionary:
    return Dictionary(Type=Name.Filespec, F="x.exe", EF=Dictionary())


def _annotation(make: Callable[[], dict[str, object]]) -> Change:
    def add(pdf: pikepdf.Pdf) -> None:
        annotation = Dictionary(Type=Name.Annot, Rect=Array([0, 0, 9, 9]), **make())  # type: ignore[arg-type]
        pdf.pages[0].Annots = Array([annotation])

    return add


ACTING: dict[str, Change] = {
    "a script on opening": lambda pdf: setattr(pdf.Root, "OpenAction", _script()),
    "a script on opening, apart": lambda pdf: setattr(pdf.Root, "OpenAction", pdf.make_indirect(_script())),
    "a script by name": lambda pdf: setattr(pdf.Root, "Names", Dictionary(JavaScript=Dictionary(Names=Array()))),
    "a site on opening": lambda pdf: setattr(pdf.Root, "OpenAction", Dictionary(S=Name.URI, URI="https://example.org")),
    "a site on turning a page": lambda pdf: setattr(pdf.pages[0], "AA", Dictionary(O=Dictionary(S=Name.URI, URI="x"))),
    "another file": _annotation(lambda: {"Subtype": Name.Link, "A": Dictionary(S=Name.GoToR, F="//example.org/x.pdf")}),
    "a script on a page": lambda pdf: setattr(pdf.pages[0], "AA", Dictionary(O=_script())),
    "a script after another action": lambda pdf: setattr(
        pdf.Root, "OpenAction", Dictionary(S=Name.URI, URI="x", Next=Array([_script()]))
    ),
    "a program": _annotation(lambda: {"Subtype": Name.Link, "A": Dictionary(S=Name.Launch, F="x.exe")}),
    "a form that sends": _annotation(lambda: {"Subtype": Name.Link, "A": Dictionary(S=Name.SubmitForm, F="x")}),
    "an attached file": lambda pdf: setattr(pdf.Root, "Names", Dictionary(EmbeddedFiles=Dictionary(Names=Array()))),
    "a file on a page": _annotation(lambda: {"Subtype": Name.FileAttachment, "FS": _file()}),
    "a file beside": lambda pdf: setattr(pdf.Root, "AF", Array([_file()])),
    "a film": _annotation(lambda: {"Subtype": Name.RichMedia}),
    "a form of another kind": lambda pdf: setattr(pdf.Root, "AcroForm", Dictionary(Fields=Array(), XFA="x")),
}


def _packed(drawn: bytes) -> Change:
    def draw(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].Contents = pdf.make_stream(b"")
        pdf.pages[0].Contents.write(zlib.compress(drawn), filter=Name.FlateDecode)

    return draw


AS_PACKED: dict[str, object] = {
    "compress_streams": False,
    "stream_decode_level": pikepdf.StreamDecodeLevel.none,
}


class TestCheckDocument:
    def test_takes_a_sound_pdf_with_its_pages(self) -> None:
        content = make_pdf(sizes=((595, 842, 0), (842, 595, 90)))

        assert (check_document(content).pages, check_document(content).content) == (2, content)

    def test_takes_links_and_bookmarks(self) -> None:
        link = _annotation(lambda: {"Subtype": Name.Link, "A": Dictionary(S=Name.URI, URI="https://www.example.org")})

        assert check_document(changed(link)).pages == 1

    @pytest.mark.parametrize("what", ACTING)
    @pytest.mark.parametrize("packed", [False, True])
    def test_refuses_what_acts(self, what: str, packed: bool) -> None:
        mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable

        with pytest.raises(DocumentRefused, match="Print it to a new PDF"):
            check_document(changed(ACTING[what], object_stream_mode=mode))

    @pytest.mark.parametrize("user", ["", "secret"])
    def test_refuses_what_is_locked(self, user: str) -> None:
        locked = changed(lambda pdf: pdf.pages, encryption=pikepdf.Encryption(owner="owner", user=user))

        with pytest.raises(DocumentRefused, match="Save it without"):
            check_document(locked)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "The file is empty"),
            (b"PK\x03\x04word/document.xml", "Word, LibreOffice"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "older Word"),
            (b"{\\rtf1", "rich text"),
            (b"\xff\xd8\xff\xe0", "a picture"),
            (b"A report.", "no PDF"),
            (b" " * 2_000 + make_pdf(), "no PDF"),
            (b"%PDF-1.7", "damaged"),
            (make_pdf()[:200], "damaged"),
        ],
    )
    def test_says_what_a_file_is_and_how_to_make_a_pdf(self, content: bytes, words: str) -> None:
        with pytest.raises(DocumentRefused, match=words):
            check_document(content)

    def test_refuses_too_many_pages(self) -> None:
        with pytest.raises(DocumentRefused, match="pages"):
            check_document(make_pdf(sizes=((100, 100, 0),) * (MOST_PAGES + 1)))

    @pytest.mark.parametrize("word", [b" ", b"q Q "])
    def test_refuses_what_unpacks_to_far_more_than_it_is(self, word: bytes) -> None:
        content = changed(_packed(word * (2**23 // len(word))), **AS_PACKED)

        with pytest.raises(DocumentRefused, match="far more than a report needs"):
            check_document(content)

    def test_refuses_many_pages_that_draw_one_thing(self) -> None:
        def draw(pdf: pikepdf.Pdf) -> None:
            _packed(b" " * 2**22)(pdf)
            for _ in range(8):
                pdf.pages.append(pdf.pages[0])

        with pytest.raises(DocumentRefused, match="far more than a report needs"):
            check_document(changed(draw, **AS_PACKED))

    def test_unpacks_no_stream_beyond_a_bound(self) -> None:
        content = changed(_packed(b" " * (2**26 + 1)), **AS_PACKED)

        with pytest.raises(DocumentRefused):
            check_document(content)

    def test_refuses_a_way_of_packing_that_has_no_bound(self) -> None:
        def pack(pdf: pikepdf.Pdf) -> None:
            pdf.pages[0].Contents = pdf.make_stream(b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", Filter=Name.LZWDecode)

        with pytest.raises(DocumentRefused, match="far more than a report needs"):
            check_document(changed(pack, **AS_PACKED))

    @settings(max_examples=150, deadline=None)
    @given(st.integers(0, 2_000), st.binary(min_size=1, max_size=40))
    def test_takes_or_refuses_damaged_files_and_never_fails(self, at: int, junk: bytes) -> None:
        content = make_pdf()
        damaged = content[: at % len(content)] + junk + content[at % len(content) + len(junk) :]
        try:
            assert check_document(damaged).pages >= 1
        except DocumentRefused:
            return
