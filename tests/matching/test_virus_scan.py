from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from matching.document_check import CheckedPdf, check_document
from matching.virus_scan import Infected, Scanner, ScannerAddressInvalid, ScannerAway, read_scanner
from tests.matching.clamd import EICAR, SMALL, scanning
from tests.matching.report_factory import make_pdf


class TestScanner:
    @pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_000])
    def test_lets_clean_files_pass_whatever_their_size(self, honest: Scanner, size: int) -> None:
        honest(b"a" * size)

    @pytest.mark.parametrize("at", [0, 65_500, 500_000])
    def test_finds_what_is_hidden_in_one(self, honest: Scanner, at: int) -> None:
        with pytest.raises(Infected, match="Nothing of it was kept"):
            honest(b"a" * at + EICAR + b"b" * 10)

    def test_is_reached_by_a_socket_too(self) -> None:
        # A socket's path may have a hundred characters, and pytest's own folders are deep.
        with tempfile.TemporaryDirectory() as folder, scanning(str(Path(folder) / "clamd.ctl")) as address:
            scanner = read_scanner(address)
            assert scanner is not None
            scanner(b"clean")
            with pytest.raises(Infected):
                scanner(EICAR)

    @pytest.mark.parametrize("way", ["mute", "odd"])
    def test_is_away_when_it_answers_otherwise(self, way: str) -> None:
        with scanning(way=way) as address, pytest.raises(ScannerAway, match="nothing of it was kept"):
            _ask(address, b"a report")

    def test_is_away_when_it_refuses_the_size(self) -> None:
        with scanning(way="small") as address, pytest.raises(ScannerAway):
            _ask(address, b"a" * (50 * SMALL))

    @pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "unix:/nowhere/clamd.ctl"])
    def test_is_away_when_nobody_listens(self, address: str) -> None:
        with pytest.raises(ScannerAway):
            _ask(address, b"a report")

    def test_gives_up_on_one_that_hangs(self, honest: Scanner) -> None:
        # Nothing is sent, so that the other side waits for the rest for ever.
        hurried = Scanner(host=honest.host, port=honest.port, seconds=0.2)
        before = time.monotonic()
        with hurried._connect() as connection, pytest.raises(TimeoutError):
            connection.recv(1)

        assert time.monotonic() - before < 5


class TestCheckDocument:
    def test_asks_the_scanner_about_a_sound_pdf(self, honest: Scanner) -> None:
        content = make_pdf()

        assert check_document(content, scan=honest) == CheckedPdf(content, 1)
        with pytest.raises(Infected):
            check_document(make_pdf() + EICAR, scan=honest)


class TestReadScanner:
    @pytest.mark.parametrize(
        ("address", "scanner"),
        [
            ("", None),
            ("  ", None),
            ("unix:/run/clamav/clamd.ctl", Scanner(path="/run/clamav/clamd.ctl")),
            ("unix:///run/clamd.ctl", Scanner(path="/run/clamd.ctl")),
            ("tcp://scanner.example:3310", Scanner(host="scanner.example", port=3310)),
            ("tcp://[::1]:3310", Scanner(host="::1", port=3310)),
        ],
    )
    def test_reads_paths_and_ports(self, address: str, scanner: Scanner | None) -> None:
        assert read_scanner(address) == scanner

    @pytest.mark.parametrize(
        "address", ["clamd", "tcp://", "tcp://host", "tcp://:3310", "tcp://host:0", "tcp://host:99999", "unix:run", "٣"]
    )
    def test_refuses_what_names_none(self, address: str) -> None:
        with pytest.raises(ScannerAddressInvalid, match="tcp://"):
            read_scanner(address)


def _ask(address: str, content: bytes) -> None:
    scanner = read_scanner(address)
    assert scanner is not None
    scanner(content)


@pytest.fixture(scope="module")
def honest() -> Iterator[Scanner]:
    """A scanner that does its work."""
    with scanning() as address:
        scanner = read_scanner(address)
        assert scanner is not None
        yield scanner
