from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pikepdf
import pytest

from matching.document_check import DocumentRefused
from matching.document_opening import Reader
from tests.matching.report_factory import make_pdf
from tests.workers.document.pdf_reading import text_in
from workers.document.watermark import check_markable, watermark

READER = Reader("Łucja O’Sample-Example", "Bath and North East Somerset", datetime(2026, 7, 1, 9, 5, tzinfo=UTC))
SIZES = ((595, 842, 0), (595, 842, 90), (842, 595, 180), (595, 842, 270), (60, 60, 0), (120, 3000, 0), (2384, 3370, 90))


class TestWatermark:
    def test_names_the_reader_on_every_page_whatever_its_size_and_turn(self) -> None:
        marked = watermark(make_pdf("They have a dog.", sizes=SIZES), READER)

        with pikepdf.open(BytesIO(marked)) as pdf:
            assert len(pdf.pages) == len(SIZES)
            for page, (width, height, rotation) in zip(pdf.pages, SIZES, strict=True):
                mark = _mark_of(page)
                box = [float(edge) for edge in mark.BBox]
                seen = (height, width) if rotation in {90, 270} else (width, height)
                assert (box[2], box[3]) == pytest.approx(seen, abs=0.2)
        for told in marks_of(marked):
            for words in ("Łucja O’Sample-Example", "Bath and North East Somerset", "1 July 2026 at 10:05"):
                assert told.count("".join(words.split())) == 2

    def test_leaves_the_reports_own_words_selectable(self) -> None:
        with pikepdf.open(BytesIO(watermark(make_pdf("They have a dog."), READER))) as pdf:
            shown = [each for each in pikepdf.parse_content_stream(pdf.pages[0]) if str(each.operator) == "Tj"]

        assert [str(each.operands[0]) for each in shown] == ["They have a dog."]

    def test_stands_upright_on_a_turned_page(self) -> None:
        """The foot of the mark is at the foot as the page is seen, however the page is turned."""
        for rotation in (0, 90, 180, 270):
            with pikepdf.open(BytesIO(watermark(make_pdf(sizes=((595, 842, rotation),)), READER))) as pdf:
                matrix = _placement(pdf.pages[0])
            turned = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[rotation]
            assert (matrix[0], matrix[1]) == pytest.approx(turned, abs=0.01)

    @pytest.mark.parametrize(
        "left",
        [b"q 0.001 0 0 0.001 0 0 cm 1 1 1 rg", b"0 0 1 1 re W n q q", b"Q Q 0 0 1 1 re W n", b"Q q q Q Q Q Q q 9 w"],
    )
    def test_is_not_touched_by_what_a_page_leaves_set(self, left: bytes) -> None:
        with pikepdf.open(BytesIO(make_pdf())) as pdf:
            pdf.pages[0].Contents = pdf.make_stream(left)
            made = BytesIO()
            pdf.save(made)

        with pikepdf.open(BytesIO(watermark(made.getvalue(), READER))) as pdf:
            operators = [str(each.operator) for each in pikepdf.parse_content_stream(pdf.pages[0])]

        # The state is that of the page's very beginning when the mark is drawn, and was never set back further.
        depths = [operators[:at].count("q") - operators[:at].count("Q") for at in range(operators.index("BDC") + 1)]
        assert min(depths) == depths[-1] == 0
        assert all(depth > 0 for depth in depths[1:-1])

    def test_follows_the_crop_box(self) -> None:
        with pikepdf.open(BytesIO(make_pdf())) as pdf:
            pdf.pages[0].CropBox = pikepdf.Array([100, 100, 300, 250])
            made = BytesIO()
            pdf.save(made)

        with pikepdf.open(BytesIO(watermark(made.getvalue(), READER))) as pdf:
            assert [float(edge) for edge in _mark_of(pdf.pages[0]).BBox] == pytest.approx([0, 0, 200, 150], abs=0.2)
            assert _placement(pdf.pages[0])[4:] == pytest.approx((100, 100), abs=0.2)

    @pytest.mark.parametrize("name", ["", " ", "张伟", "#let x = 1", '"\\', "a" * 300, "x\ny", "\u202egnp"])
    def test_bears_odd_names(self, name: str) -> None:
        marked = watermark(make_pdf(), Reader(name, name, READER.at))

        assert "Confidential.Openedby" in marks_of(marked)[0]


class TestCheckMarkable:
    @pytest.mark.parametrize("left", [b"", b"q 9 w", b"Q Q q", b"/P <</MCID 0>> BDC BT ET EMC EMC", b"BT BT ET"])
    def test_lets_pass_what_can_be_marked(self, left: bytes) -> None:
        check_markable(_drawing(left))

    @pytest.mark.parametrize(
        "left",
        [b"(abc", b"[ 1", b"BI /W 1 ID x", b"BT", b"/OC /Hidden BDC", b"/X BMC", b"EMC /X BMC"],
    )
    def test_refuses_what_would_hide_or_swallow_the_mark(self, left: bytes) -> None:
        with pytest.raises(DocumentRefused, match="cannot be marked"):
            check_markable(_drawing(left))

    def test_refuses_pages_on_which_no_mark_can_be_set(self) -> None:
        for key, value in (
            ("/CropBox", pikepdf.Array([pikepdf.Name.A, 0, 1, 2])),
            ("/Resources", pikepdf.Dictionary(XObject=pikepdf.Name.X)),
        ):
            with pikepdf.open(BytesIO(make_pdf())) as pdf, BytesIO() as made:
                pdf.pages[0].obj[key] = value
                pdf.save(made)
                with pytest.raises(DocumentRefused, match="cannot be marked"):
                    check_markable(made.getvalue())


def _drawing(content: bytes) -> bytes:
    with pikepdf.open(BytesIO(make_pdf())) as pdf, BytesIO() as made:
        pdf.pages[0].Contents = pdf.make_stream(content)
        pdf.save(made)
        return made.getvalue()


def marks_of(pdf: bytes) -> list[str]:
    """Return what the mark of each page says, without white space."""
    with pikepdf.open(BytesIO(pdf)) as document:
        return [text_in(_mark_of(page)) for page in document.pages]


def _mark_of(page: pikepdf.Page) -> pikepdf.Object:
    (mark,) = [each for each in page.Resources.XObject.values() if each.Subtype == "/Form"]
    return mark


def _placement(page: pikepdf.Page) -> tuple[float, ...]:
    """Return the matrix by which the mark is placed."""
    matrix: tuple[float, ...] = ()
    for each in pikepdf.parse_content_stream(page):
        if str(each.operator) == "cm":
            matrix = tuple(float(number) for number in each.operands)
    return matrix
