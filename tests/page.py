"""What holds of every page: it parses, it has one heading that its title begins with, it stays at home.

``Page`` reads a page once for the test client and the browser alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import html5lib

ADDRESSES = {"href", "src", "action", "formaction", "poster", "data"}
ERROR = "Error: "


class Page:
    """A page as a reader of its source sees it."""

    def __init__(self, html: str) -> None:
        """Parse the page; any error of HTML5 syntax is one of the test."""
        self.html = html
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        self.root: Element = parser.parse(html)

    @property
    def title(self) -> str:
        """Return the words of the title element."""
        return text_of(self.one("title"))

    @property
    def heading(self) -> str:
        """Return the words of the one h1."""
        return text_of(self.one("h1"))

    @property
    def text(self) -> str:
        """Return every word within the body."""
        return text_of(self.one("body"))

    def all(self, tag: str) -> list[Element]:
        """Return every element of a kind."""
        return list(self.root.iter(tag))

    def one(self, tag: str) -> Element:
        """Return the one element of a kind."""
        found = self.all(tag)
        assert len(found) == 1, f"{len(found)} <{tag}> instead of one"
        return found[0]

    def links(self) -> dict[str, str]:
        """Return where each link leads, by its words."""
        return {text_of(link): link.get("href", "") for link in self.all("a")}

    def csrf_token(self) -> str:
        """Return the token that a form of this page must send."""
        tokens = [field.get("value", "") for field in self.all("input") if field.get("name") == "csrf_token"]
        assert tokens, "no form with a token"
        return tokens[0]

    def check(self, *, nonce: str | None = None) -> None:
        """Assert all that holds of every page; ``nonce`` is the one that its policy lets scripts carry."""
        title = self.title.removeprefix(ERROR)
        assert title.startswith(self.heading), f"title {title!r}, heading {self.heading!r}"
        assert title != self.heading, "the title does not name the service"
        assert self.one("html").get("lang") == "en"
        assert list(self._doubled_ids()) == []
        assert list(self._strangers()) == []
        assert list(self._inline_code()) == []
        # The order of focus is that of the page.
        assert {element.get("tabindex") for element in self.root.iter()} <= {None, "0", "-1"}
        if nonce is not None:
            assert {script.get("nonce") for script in self.all("script")} <= {nonce}

    def _doubled_ids(self) -> Iterator[str]:
        counts = Counter(element.get("id") for element in self.root.iter() if element.get("id"))
        yield from (str(name) for name, count in counts.items() if count > 1)

    def _strangers(self) -> Iterator[str]:
        for element in self.root.iter():
            for name, value in element.attrib.items():
                if name in ADDRESSES and urlsplit(value).netloc:
                    yield value

    def _inline_code(self) -> Iterator[str]:
        for element in self.root.iter():
            yield from (name for name in element.attrib if name == "style" or name.startswith("on"))
        yield from ("style" for _ in self.all("style"))


def text_of(element: Element) -> str:
    """Return an element's words with single spaces."""
    return " ".join("".join(element.itertext()).split())
