"""The tables of a return from its XML, ``EXPSSDA903``: one CHILD element for each child."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from matching.intake.sheet import LONGEST_CELL, UnreadableSheet, tidy_text
from matching.intake.ssda903.table import COLUMNS, Record, Table, column_named

ROOT: Final = "EXPSSDA903"
_DEEPEST: Final = 12
_EXPORT: Final = "Export it again as XML, or as CSV files."

#: The elements that repeat within a CHILD.
_EPISODE: Final = "EPISODE"
_PLACED: Final = "AD_PLACED"


def read_xml_file(content: bytes, *, sheet: str) -> list[Record]:
    """Return the records of an XML return; ``row`` is the place of the child in it, from 1.

    :raises UnreadableSheet: when it is no such return, is not well formed, or declares entities.
    """
    records: list[Record] = []
    try:
        for number, child in enumerate(_children(content, sheet), start=1):
            records += _records(child, sheet, number)
            child.clear()
    except DefusedXmlException as error:
        raise UnreadableSheet(f"{sheet} holds declarations that no return has. {_EXPORT}") from error
    except (ParseError, LookupError, ValueError) as error:
        where = f" at line {error.position[0]}" if isinstance(error, ParseError) else ""
        raise UnreadableSheet(f"{sheet} is not well-formed XML{where}: it may be cut off. {_EXPORT}") from error
    return records


def _children(content: bytes, sheet: str) -> Iterator[Element]:
    depth = 0
    root: Element | None = None
    for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            depth += 1
            if depth == 1:
                root = element
                if _name(element) != ROOT:
                    raise UnreadableSheet(f"{sheet} is XML, but no SSDA903 return: that begins with {ROOT}.")
            if depth > _DEEPEST:
                raise UnreadableSheet(f"{sheet} nests more deeply than a return does. {_EXPORT}")
        else:
            depth -= 1
            if depth == 1 and root is not None:
                if _name(element) == "CHILD":
                    yield element
                root.clear()


def _records(child: Element, sheet: str, row: int) -> list[Record]:
    """Return a child's records, one of Header at least; the others wherever the child says anything of them."""
    headers = [element for element in child if _name(element) == "HEADER"] or [Element("HEADER")]
    number = next((value for header in headers for value in _texts(header).get("CHILD", [])), None)
    matched = [element for element in child.iter() if _texts(element).keys() & {"DATE_INT", "DATE_MATCH"}]
    placed = [element for element in child.iter() if _name(element) == _PLACED]
    episodes = [element for element in child.iter() if _name(element) == _EPISODE]
    return [
        *(_record(Table.HEADER, element, sheet, row, number) for element in headers),
        *(_record(Table.EPISODES, element, sheet, row, number, count) for count, element in enumerate(episodes, 1)),
        *(_record(Table.AD1, element, sheet, row, number) for element in matched),
        *(
            _record(Table.PLACED, element, sheet, row, number, count if len(placed) > 1 else 0)
            for count, element in enumerate(placed, 1)
        ),
    ]


def _record(table: Table, element: Element, sheet: str, row: int, child: str | None, count: int = 0) -> Record:
    texts = _texts(element)
    cells = {name: texts[name][0] for name in COLUMNS[table] if texts.get(name) and name != "CHILD"}
    noun = {Table.EPISODES: "episode", Table.PLACED: "decision"}.get(table)
    columns = {name: f"{name} of {noun} {count}" for name in COLUMNS[table]} if count and noun else {}
    record = Record(table, sheet, row, child, cells, (), columns)
    twice = [name for name in COLUMNS[table] if len(set(texts.get(name, []))) > 1]
    problems = tuple(record.problem(name, "the child’s record gives it twice, differently") for name in twice)
    return Record(table, sheet, row, child, cells, problems, columns)


def _texts(element: Element) -> dict[str, list[str]]:
    """Return what the element's own elements say, by column; blank ones say nothing."""
    texts: dict[str, list[str]] = {}
    for each in element:
        text = tidy_text(each.text or "")
        if text is not None and len(each) == 0:
            if len(text) > LONGEST_CELL:
                raise UnreadableSheet(f"An element holds {len(text)} characters; at most {LONGEST_CELL} can be read.")
            texts.setdefault(column_named(_name(each)), []).append(text)
    return texts


def _name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2].upper()
