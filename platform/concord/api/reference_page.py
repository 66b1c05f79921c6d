"""The description of the API as a page of plain words: what its file says, for whoever reads without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Fact:
    """A parameter or a field: its name, of what kind it is, and what is said of it."""

    name: str
    kind: str
    words: str = ""
    schema: str | None = None
    """The schema that says more of it, by name."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as its part of the page tells it."""

    name: str
    area: str
    """What it is about, as a part of an address."""
    summary: str
    method: str
    path: str
    scopes: tuple[str, ...]
    parameters: tuple[Fact, ...]
    body: Fact | None
    answers: tuple[Fact, ...]


def list_operations(description: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of a description, in its order."""
    return [
        _operation(path, method, item[method], item.get("parameters", ()))
        for path, item in description["paths"].items()
        for method in _METHODS
        if method in item
    ]


def list_schemas(description: Mapping[str, Any], operations: Iterable[Operation]) -> dict[str, tuple[Fact, ...]]:
    """Return the fields of each schema that operations lead to, and of those that these lead to, by their names."""
    schemas = description["components"]["schemas"]
    found: dict[str, tuple[Fact, ...]] = {}
    wanted = [fact.schema for each in operations for fact in (each.body, *each.answers) if fact]
    while wanted:
        name = wanted.pop()
        if name is not None and name not in found:
            found[name] = tuple(_fields(schemas[name]))
            wanted += [field.schema for field in found[name]]
    return dict(sorted(found.items()))


def _operation(path: str, method: str, said: Mapping[str, Any], shared: Any) -> Operation:  # noqa: ANN401 - as JSON has it
    content = said.get("requestBody", {}).get("content", {})
    return Operation(
        name=said["operationId"],
        area=said["tags"][0].removeprefix("api_").replace("_", "-"),
        summary=said["summary"],
        method=method.upper(),
        path=path,
        scopes=tuple(scope for each in said["security"] for scopes in each.values() for scope in scopes),
        parameters=tuple(_parameter(each) for each in (*shared, *said.get("parameters", ()))),
        body=next((_content(media, each) for media, each in content.items()), None),
        answers=tuple(_answer(status, each) for status, each in sorted(said["responses"].items())),
    )


def _parameter(said: Mapping[str, Any]) -> Fact:
    needed = "required" if said.get("required") else "optional"
    return Fact(said["name"], f"{said['in']}, {needed}: {_kind(said['schema'])}", said.get("description", ""))


def _answer(status: str, said: Mapping[str, Any]) -> Fact:
    if "$ref" in said:
        return Fact(status, "", "A problem", "HttpProblem")
    found = next((_content(media, each) for media, each in said.get("content", {}).items()), None)
    return Fact(status, found.kind if found else "", said["description"], found.schema if found else None)


def _content(media: str, said: Mapping[str, Any]) -> Fact:
    return Fact(media, media, "", _named(said["schema"]))


def _fields(schema: Mapping[str, Any]) -> Iterator[Fact]:
    needed = schema.get("required", ())
    for name, said in schema.get("properties", {}).items():
        kind = f"{_kind(said)}, required" if name in needed else _kind(said)
        yield Fact(name, kind, said.get("description", ""), _named(said))


def _named(said: Mapping[str, Any]) -> str | None:
    if "$ref" in said:
        name: str = said["$ref"].rpartition("/")[2]
        return name
    inner = next((said[key] for key in ("items", "additionalProperties") if isinstance(said.get(key), dict)), None)
    choices = said.get("anyOf") or said.get("allOf") or ()
    return next((found for each in (*([inner] if inner else []), *choices) if (found := _named(each))), None)


def _kind(said: Mapping[str, Any]) -> str:
    """Return in words what a schema takes: its type, format, choices and bounds."""
    if "enum" in said:
        return "one of " + ", ".join("null" if each is None else str(each) for each in said["enum"])
    if said.get("type") == "array":
        return f"list of {_kind(said['items'])}"
    types = said.get("type", "object")
    words = " or ".join(types) if isinstance(types, list) else str(types)
    bounds = [
        f"{label} {said[key]}"
        for key, label in (
            ("format", "as"),
            ("minimum", "from"),
            ("maximum", "to"),
            ("maxLength", "of at most"),
            ("default", "unless said"),
        )
        if key in said
    ]
    return ", ".join((words, *bounds))
