from __future__ import annotations

import io
from zipfile import ZipFile

import pytest

from workers.document.archive import Archive


class TestArchive:
    def test_is_ended_while_its_file_is_open_when_what_goes_into_it_fails(self) -> None:
        with io.BytesIO() as out:
            with pytest.raises(ZeroDivisionError), Archive(out) as archive:
                archive.add("one.txt", (bytes(1 // each) for each in (1, 0)))

            with ZipFile(out) as found:
                assert found.read("one.txt") == b"\0"
