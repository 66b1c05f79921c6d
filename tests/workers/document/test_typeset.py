from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO

import pikepdf
import pytest
import typst

from tests.workers.document.pack_factory import pack
from workers.document.typeset import typeset
from workers.document.view import pack_view


class TestTypeset:
    def test_the_date_is_that_given(self, view: str) -> None:
        assert b"D:20261123" in typeset(view, made_at=1795392000)

    def test_every_font_is_in_the_file(self, view: str) -> None:
        with pikepdf.open(BytesIO(typeset(view, made_at=0))) as document:
            fonts = [thing for thing in document.objects if isinstance(thing, pikepdf.Dictionary)]
            described = [font for font in fonts if font.get("/Type") == "/FontDescriptor"]

        assert described
        assert all("/FontFile2" in font or "/FontFile3" in font for font in described)

    def test_what_is_no_pack_is_refused(self) -> None:
        with pytest.raises(typst.TypstError):
            typeset("{}", made_at=0)


class TestMain:
    def test_it_reads_a_view_and_writes_a_pdf(self, view: str) -> None:
        done = run(view)

        assert done.returncode == 0
        assert done.stdout.startswith(b"%PDF")

    def test_a_refusal_ends_with_one_and_says_nothing_of_the_text(self) -> None:
        done = run('{"title": "Secret"}')

        assert done.returncode == 1
        assert done.stdout == b""
        assert b"Secret" not in done.stderr


def run(view: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", "-m", "workers.document.typeset", "0", "pack"]
    return subprocess.run(command, input=view.encode(), capture_output=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def view() -> str:
    return json.dumps(pack_view(pack()))
