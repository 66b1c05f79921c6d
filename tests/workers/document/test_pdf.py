from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import pdfua
import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.pack_content import Assigned, Check, PackContent, Telling
from tests.workers.document.pack_factory import action, empty_pack, family, group, household, pack, whole_pool
from tests.workers.document.pdf_reading import elements_of, text_of
from workers.document import pdf as pdf_module
from workers.document.pdf import TypesettingFailed, render_pdf

HOSTILE = '*bold* #read("/etc/hostname") $x$ @ref <label> `raw` = Heading \\ // end'


class TestRenderPdf:
    def test_it_passes_every_check_that_the_checker_knows(self, rendered: bytes, tmp_path: Path) -> None:
        path = tmp_path / "pack.pdf"
        path.write_bytes(rendered)

        report = pdfua.validate(str(path))

        assert [f"{finding.rule_id} {finding.message}" for finding in report.findings] == []

    def test_it_says_that_it_is_pdf_ua(self, document: pikepdf.Pdf) -> None:
        with document.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"

    def test_it_has_a_title_that_readers_show_and_a_language(self, document: pikepdf.Pdf) -> None:
        assert str(document.docinfo["/Title"]) == "Matching meeting"
        assert document.Root.ViewerPreferences.DisplayDocTitle
        assert str(document.Root.Lang) == "en-GB"
        assert document.Root.MarkInfo.Marked

    def test_each_header_cell_says_that_it_heads_a_column(self, document: pikepdf.Pdf) -> None:
        scopes = [
            str(cell.A[0].Scope if isinstance(cell.A, pikepdf.Array) else cell.A.Scope) for cell in headers(document)
        ]

        assert len(scopes) > 25
        assert set(scopes) == {"/Column"}

    def test_each_chart_is_told_in_words_with_every_number(self, document: pikepdf.Pdf) -> None:
        told = [str(figure.Alt) for figure in elements_of(document, "/Figure")]

        assert len(told) == 4
        assert told[0] == (
            "Bar chart. Groups by how long they have waited. Under 3 months: 0 groups, 0 of them yours; "
            "12 to 18 months: 1 group, 1 of them yours."
        )
        assert "5 and 6: 1 group, 0 households" in told[1]
        assert "H-333333, Plymouth: 2 groups" in told[3]

    def test_each_page_says_how_many_there_are_and_the_contents_lead_to_each_part(self, document: pikepdf.Pdf) -> None:
        pages = len(document.pages)

        text = text_of(render_pdf(pack()))
        assert all(f"Page{number}of{pages}" in text for number in range(1, pages + 1))
        for part in ("Actionsfromlasttime", "Whathaschanged", "Newgroups", "Longestwaiting", "Thepoolasawhole"):
            assert text.count(part) >= 2

    def test_it_says_when_every_copy_is_to_be_destroyed(self, rendered: bytes) -> None:
        assert "Destroyafter31December2026:everycopy" in text_of(rendered)

    def test_it_tells_what_became_of_each_action(self) -> None:
        closed = action(what="Ring the nursery", late=False, done_on=date(2026, 11, 20), outcome="They will write")

        text = text_of(render_pdf(pack(actions=(action(), closed))))

        assert "Asktheschoolhowmorningsgo" in text
        assert "AboutG-222222" in text
        assert "Overdue" in text
        assert "Closedon20November2026:Theywillwrite" in text

    def test_it_tells_what_has_changed_and_since_when(self, rendered: bytes) -> None:
        text = text_of(rendered)

        assert "Sinceversion4ofthepackforthemeetingon3November2026" in text
        assert "New(1):G-222222" in text
        assert "Nolongerwaiting.Onhold" in text

    def test_where_there_is_nothing_to_compare_it_says_so(self) -> None:
        assert "ThereisnoearlierpackofDevon" in text_of(render_pdf(pack(changes=None)))

    def test_it_lists_the_households_to_be_confirmed(self) -> None:
        text = text_of(
            render_pdf(pack(households=(household(own=True),), checks=(Check("H-333333", 4, "Free", None),)))
        )

        assert "Beforeeffortisspentonthem" in text
        assert "H-3333334FreeNever" in text

    def test_it_tells_the_whole_pool_and_no_small_count(self) -> None:
        alone = Assigned("G-999999", None, None, None)

        text = text_of(render_pdf(pack(pool=whole_pool(assigned=(*whole_pool().assigned, alone)))))

        assert "Themost11strongfit" in text
        assert "G-222222H-333333,strongfitNobody" in text
        assert "H-333333G-222222,strongfitThesame" in text
        assert "Withnobodyeitherway:G-999999" in text
        assert "AgeUnder270" in text
        assert "Age5andover6Toofewtotell" in text
        assert "42ofeveryhundred" in text

    def test_what_is_asked_of_every_family_is_told_once(self) -> None:
        families = tuple(family(position=n, code=f"H-{n}", ask=("Who is at home?", f"Question {n}?")) for n in (1, 2))

        text = text_of(render_pdf(pack(groups=(group(families=families),))))

        assert text.count("Whoisathome?") == 1
        assert "Toaskwhicheverfamilyitis:Whoisathome?" in text
        assert "Ask:Question2?" in text

    def test_its_file_is_sound(self, document: pikepdf.Pdf) -> None:
        assert document.check_pdf_syntax() == []

    def test_the_same_content_gives_the_same_bytes(self, rendered: bytes) -> None:
        assert render_pdf(pack()) == rendered

    def test_it_says_what_the_pack_holds(self, rendered: bytes) -> None:
        text = text_of(rendered)

        for said in (
            "OFFICIAL-SENSITIVE:PERSONAL",
            "PreparedforDevon",
            "Room2",
            "Page1of",
            "Theylikewater.",
            "Neglect",
        ):
            assert said in text
        for said in ("G-222222", "H-333333", "Strongfit", "81points", "Howoldisthedog?", "Farfromhome", "365"):
            assert said in text
        assert "apersondecides" in text

    def test_an_empty_pack_says_so_in_words(self) -> None:
        text = text_of(render_pdf(empty_pack()))

        assert "Nogroupsarenewsincethelastmeeting." in text
        assert "Nogroupsarewaiting." in text
        assert "Noactionofanearliermeetingconcerns" in text
        assert "Nohouseholdsarewaiting." in text
        assert "Noagendahasbeensetforthismeeting." in text

    def test_a_bare_group_says_what_is_missing(self) -> None:
        bare = group(profile="", summary="", needs=(), families=(), waiting_days=None, legal="")

        text = text_of(render_pdf(pack(groups=(bare,))))

        assert "Noanonymousprofilehasbeenwrittenyet." in text
        assert "Noneedshavebeenrecorded" in text
        assert "Nofamilyinthepoolfitsasthingsstand" in text
        assert "Notknown" in text

    def test_text_that_looks_like_markup_is_printed_as_it_stands(self) -> None:
        content = pack(
            title=HOSTILE,
            agenda=(HOSTILE,),
            groups=(group(code=HOSTILE, profile=HOSTILE, families=(family(code=HOSTILE, why=(HOSTILE,)),)),),
        )

        text = text_of(render_pdf(content))

        assert text.count("".join(HOSTILE.split())) >= 5

    def test_a_code_that_the_pack_does_not_hold_leads_nowhere(self) -> None:
        content = pack(new_groups=("G-999999",), households=(household(fits=("G-888888",)),))

        text = text_of(render_pdf(content))

        assert "G-999999Notinthispack." in text
        assert "G-888888" in text

    def test_two_groups_of_one_code_are_both_printed(self) -> None:
        content = pack(groups=(group(profile="The first."), group(profile="The second.")))

        text = text_of(render_pdf(content))

        assert "Thefirst." in text
        assert "Thesecond." in text

    def test_very_long_words_and_profiles_stay_on_the_page(self) -> None:
        long = group(code="G-" + "W" * 58, profile="x" * 30_000 + " tree" * 6_000)

        made = render_pdf(pack(groups=(long,), new_groups=(long.code,), households=(household(fits=(long.code,) * 9),)))

        text = text_of(made)
        assert long.code in text
        assert text.count("x") >= 30_000
        assert text.count("tree") == 6_000

    def test_other_agencies_groups_give_reasons_for_the_readers_families_and_name_the_others(self) -> None:
        told = {"why": ("Of yours.",), "explained": True}
        families = (family(code="H-1", **told), family(position=2, code="H-2", why=(), explained=False))

        text = text_of(render_pdf(pack(groups=(group(own=False, families=families),))))

        assert "Ofyours." in text
        assert "2.H-2(Plymouth),strongfit,beingconsidered" in text

    def test_a_group_told_in_one_line_has_its_first_family_and_no_card(self) -> None:
        line = group(code="G-1", own=False, telling=Telling.LINE, profile="", plan=(), needs=())

        text = text_of(render_pdf(pack(groups=(line,), new_groups=("G-1",))))

        assert "Everygroupinoneline" in text
        assert "H-333333,strong" in text
        assert "Noanonymousprofile" not in text

    def test_it_says_how_many_families_nothing_rules_out(self) -> None:
        families = tuple(family(position=n) for n in range(1, 4))
        groups = (group(families=families, families_in_all=32), group(families=families), group())

        text = text_of(render_pdf(pack(groups=groups, households=(household(fits_in_all=23),))))

        assert "The3whofitbestof32familiesthatnothingrecordedrulesout." in text
        assert "All3familiesthatnothingrecordedrulesout." in text
        assert "Theonlyfamilythatnothingrecordedrulesout." in text
        assert "G-222222,of23" in text

    def test_it_tells_what_is_recorded_of_the_plan(self) -> None:
        text = text_of(render_pdf(pack()))

        assert "SHOBPAdecision:1June2025.Contact:Letterboxcontact." in text

    def test_the_first_pack_calls_nothing_new(self) -> None:
        first = pack(first=True, new_groups=(), households=(household(new=False),))

        text = text_of(render_pdf(first))

        assert "ThisisthefirstmeetingthatConcordhaspacksfor:everygroupisnew." in text
        assert "sincethelastmeeting" not in text

    def test_own_groups_give_the_reasons_for_each_family(self) -> None:
        families = tuple(family(position=n, why=(f"Reason number {n}.",)) for n in range(1, 13))

        text = text_of(render_pdf(pack(groups=(group(families=families),))))

        assert all(f"Reasonnumber{n}." in text for n in range(1, 13))

    def test_words_of_other_scripts_survive_and_what_no_font_draws_is_replaced(self) -> None:
        profile = "Zażółć Ελλάδα Привет שלום e\u0301 مرحبا \x00\x07\u202e\ufeff\ud800 😀👩🏽‍🚒 漢字 नमस्ते"

        text = text_of(render_pdf(pack(groups=(group(profile=profile),))))

        assert "ZażółćΕλλάδαПривет" in text
        assert "é" in text
        assert "\ufffd" in text

    def test_unknown_bands_and_levels_are_printed_as_given(self) -> None:
        odd = group(needs=(("Neglect", "extreme"),), families=(family(band="splendid", points=-4),))

        text = text_of(render_pdf(pack(groups=(odd,))))

        assert "extreme" in text
        assert "splendid" in text

    def test_dates_as_old_and_as_far_as_dates_go(self) -> None:
        content = pack(meeting_on=date.max, households=(household(approved_on=date.min),))

        text = text_of(render_pdf(content))

        assert "31December9999" in text
        assert "Approved1January1" in text

    @settings(max_examples=25, deadline=None)
    @given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=40))
    def test_any_text_whatever_can_be_typeset(self, texts: list[str]) -> None:
        everywhere = group(code=texts[0], profile="\n".join(texts), needs=tuple((text, text) for text in texts))
        content = pack(title=texts[0], agency=texts[-1], agenda=tuple(texts), groups=(everywhere,))

        assert render_pdf(content).startswith(b"%PDF")

    def test_a_refusal_repeats_nothing_of_the_pack(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pdf_module, "pack_view", lambda _content: {"title": "Secret"})

        with pytest.raises(TypesettingFailed, match="typst refused it") as failure:
            render_pdf(pack())

        assert "Secret" not in str(failure.value)

    def test_it_gives_up_after_its_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pdf_module, "_SECONDS", 0.001)

        with pytest.raises(TypesettingFailed, match="longer than"):
            render_pdf(pack())

    def test_a_process_that_dies_is_told_apart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(subprocess, "run", lambda *_a, **_k: subprocess.CompletedProcess([], -9, b"", b""))

        with pytest.raises(TypesettingFailed, match="ended with -9"):
            render_pdf(pack())


def headers(document: pikepdf.Pdf) -> list[pikepdf.Object]:
    return elements_of(document, "/TH")


@pytest.fixture(scope="module")
def content() -> PackContent:
    return pack()


@pytest.fixture(scope="module")
def rendered(content: PackContent) -> bytes:
    return render_pdf(content)


@pytest.fixture
def document(rendered: bytes) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(BytesIO(rendered)) as opened:
        yield opened
