"""Reads back what a PDF says and how it is tagged, from the file alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

import pikepdf


def text_of(pdf: bytes) -> str:
    """Return what the pages print, in drawing order, with no white space: where lines end is the layout's affair."""
    with pikepdf.open(BytesIO(pdf)) as document:
        return re.sub(r"[\s\u200b]", "", "".join(piece for page in document.pages for piece in _printed(page)))


def text_in(form: pikepdf.Object) -> str:
    """Return what a drawing that pages place (a form XObject) prints, with no white space."""
    return re.sub(r"[\s\u200b]", "", "".join(_printed(form)))


def elements_of(document: pikepdf.Pdf, kind: str) -> list[pikepdf.Object]:
    """Return the structure elements of a kind (``/TH``, ``/H1``, …), in reading order."""
    return [element for element in _elements(document.Root.StructTreeRoot) if element.get("/S") == kind]


def _elements(parent: pikepdf.Object) -> Iterator[pikepdf.Object]:
    kids = parent.get("/K", pikepdf.Array())
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from _elements(kid)


def _printed(page: pikepdf.Page | pikepdf.Object) -> Iterator[str]:
    maps = {name: _characters(font) for name, font in page.Resources.get("/Font", pikepdf.Dictionary()).items()}
    spoken: dict[int, str] = {}
    for instruction in pikepdf.parse_content_stream(page):
        operands, operator = instruction.operands, instruction.operator
        if str(operator) == "Tf":
            spoken = maps[str(operands[0])]
        elif str(operator) in ("Tj", "TJ"):
            parts = operands[0] if isinstance(operands[0], pikepdf.Array) else [operands[0]]
            yield from (_spelt(bytes(part), spoken) for part in parts if isinstance(part, pikepdf.String))


def _spelt(codes: bytes, characters: dict[int, str]) -> str:
    return "".join(characters.get(int.from_bytes(codes[at : at + 2]), "") for at in range(0, len(codes), 2))


def _characters(font: pikepdf.Object) -> dict[int, str]:
    """Read a font's ToUnicode table: which characters each two-byte code stands for."""
    table = font.ToUnicode.read_bytes().decode("ascii")
    found = {}
    for section in re.findall(r"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for code, characters in re.findall(r"<(\w+)>\s*<(\w+)>", section):
            found[int(code, 16)] = bytes.fromhex(characters).decode("utf-16-be")
    for section in re.findall(r"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, characters in re.findall(r"<(\w+)>\s*<(\w+)>\s*<(\w+)>", section):
            start = int(characters, 16)
            for step in range(int(last, 16) - int(first, 16) + 1):
                found[int(first, 16) + step] = chr(start + step)
    return found
