"""Log lines: one object each, and nobody's data."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from concord.log import LogLevelInvalid, configure_logging
from tenants.error import Invalid


class TestConfigureLogging:
    def test_a_line_is_one_object_with_what_was_bound(self, lines: io.StringIO) -> None:
        with structlog.contextvars.bound_contextvars(request_id="r1"):
            structlog.get_logger("concord.test").info("pack built", pack_id="p1")

        line = json.loads(lines.getvalue())
        assert (line["event"], line["pack_id"], line["request_id"]) == ("pack built", "p1", "r1")
        assert (line["level"], line["logger"]) == ("info", "concord.test")

    def test_the_standard_librarys_lines_look_the_same(self, lines: io.StringIO) -> None:
        with structlog.contextvars.bound_contextvars(job_id="j1"):
            logging.getLogger("rq.worker").warning("job %s", "failed")

        assert json.loads(lines.getvalue())["event"] == "job failed"
        assert json.loads(lines.getvalue())["job_id"] == "j1"

    @pytest.mark.parametrize(("level", "shown"), [("DEBUG", 3), ("warning", 1), ("", 2), ("CRITICAL", 0)])
    @pytest.mark.usefixtures("lines")
    def test_the_least_level_can_be_chosen(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, level: str, shown: int
    ) -> None:
        monkeypatch.setenv("CONCORD_LOG_LEVEL", level)
        configure_logging()

        for number in (logging.DEBUG, logging.INFO, logging.WARNING):
            logging.getLogger("concord.test").log(number, "a line")

        assert len(capsys.readouterr().err.splitlines()) == shown

    def test_a_level_that_is_none_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONCORD_LOG_LEVEL", "LOUD")

        with pytest.raises(LogLevelInvalid, match="CONCORD_LOG_LEVEL must be one of DEBUG, INFO"):
            configure_logging()

    def test_an_errors_text_is_left_out(self, lines: io.StringIO) -> None:
        try:
            raise ValueError("Key (email)=(ann.example@example.org) already exists")
        except ValueError:
            structlog.get_logger("concord.test").exception("not saved")
            logging.getLogger("alembic").exception("not saved")

        for line in map(json.loads, lines.getvalue().splitlines()):
            assert line["error"] == "ValueError"
            assert "test_an_errors_text_is_left_out" in line["at"][0]
        assert "example.org" not in lines.getvalue()

    def test_the_domains_own_errors_may_be_read(self, lines: io.StringIO) -> None:
        structlog.get_logger("concord.test").warning("refused", exc_info=Invalid("Row 3 has no date."))

        assert json.loads(lines.getvalue())["message"] == "Row 3 has no date."


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    written = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging()
    yield written
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
