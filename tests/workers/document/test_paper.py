from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import uuid4

import pikepdf

from matching.papers.signature import PaperSignature, Place
from tests.factories import NOW
from workers.document.paper import render_paper

CONTENT: dict[str, Any] = {
    "title": "Data-protection impact assessment",
    "of": "Sample Council",
    "missing": ["Legal name"],
    "sections": [
        {
            "title": "What #people# wrote",
            "paragraphs": ["*not bold* $x$ \u202e\U0001f431\ue000", "two\nlines"],
            "points": ["[a]"],
            "pairs": [["Name", "<Said> https://example.org/" + "x" * 200]],
        },
        {"title": "Empty", "paragraphs": [], "points": [], "pairs": []},
    ],
}


def text_of(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(BytesIO(pdf))


class TestRenderPaper:
    def test_gives_a_tagged_file_whatever_people_wrote_and_the_same_each_time(self) -> None:
        signature = PaperSignature(id=uuid4(), name="Sam #Sample", signed_at=NOW)
        places = (Place("Sample Council", "Agency manager", signature), Place("Other", "Agency manager", None))

        made = [render_paper(CONTENT, state="Version 1", places=places, made_at=NOW) for _ in range(2)]

        assert made[0] == made[1]
        with text_of(made[0]) as document:
            assert document.Root.MarkInfo.Marked
            assert str(document.Root.Lang) == "en-GB"
            metadata = document.open_metadata()
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == CONTENT["title"]
