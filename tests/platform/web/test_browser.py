from __future__ import annotations

import pytest

from concord.web.browser import browser_words

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "


class TestBrowserWords:
    @pytest.mark.parametrize(
        ("header", "words"),
        [
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
            (f"{MAC}Chrome/140.0.0.0 Safari/537.36", "Chrome on Mac"),
            (f"{MAC}Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Mac"),
            (f"{MAC}Chrome/140.0.0.0 Safari/537.36 OPR/120.0", "Opera on Mac"),
            (f"{MAC}Version/18.0 Safari/605.1.15", "Safari on Mac"),
            (
                "Mozilla/5.0 (Linux; Android 15) SamsungBrowser/28.0 Chrome/130.0 Safari/537.36",
                "Samsung Internet on Android",
            ),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) CriOS/140.0 Mobile Safari/604.1", "Chrome on iPhone"),
            ("Mozilla/5.0 (X11; CrOS x86_64) Chrome/140.0 Safari/537.36", "Chrome on ChromeOS"),
            ("curl/8.0", "An unknown browser"),
            ("", "An unknown browser"),
            ("<script>alert(1)</script>" * 1000, "An unknown browser"),
        ],
    )
    def test_says_which_it_is(self, header: str, words: str) -> None:
        assert browser_words(header) == words
