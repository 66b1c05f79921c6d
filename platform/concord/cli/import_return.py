"""An SSDA903 return on the command line: its files packed as one, and what became of each child told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from matching.intake.outcome import Outcome, RowOutcome
from matching.intake.row import RowProblem
from matching.intake.sheet import UnreadableSheet
from matching.intake.ssda903.package import MOST_UNPACKED, pack_return

_WORDS = {Outcome.NOT_FOR_ADOPTION: "not for adoption"}


def pack_paths(paths: Sequence[Path]) -> tuple[str, bytes]:
    """Return a return's name and its content: one file as it is, a folder or several files packed.

    :raises UnreadableSheet: when there is too much to read, or nothing.
    """
    files = [file for path in paths for file in _files_at(path)]
    if sum(file.stat().st_size for file in files) > MOST_UNPACKED:
        raise UnreadableSheet(
            f"The files hold more than {MOST_UNPACKED // 2**20} MB. Leave out those that are no tables."
        )
    if len(paths) == 1 and paths[0].is_file():
        return paths[0].name, paths[0].read_bytes()
    named = [file.name for file in files]
    return (
        f"{paths[0].resolve().name if len(paths) == 1 else 'return'}.zip",
        pack_return(
            {
                file.name if named.count(file.name) == 1 else f"{place}/{file.name}": file.read_bytes()
                for place, file in enumerate(files, start=1)
            }
        ),
    )


def say_children(report: Iterable[RowOutcome]) -> Iterator[str]:
    """Return the lines that tell what became of each child: its number, where it stands, and why."""
    for child in report:
        name = f"{child.reference} " if child.reference else ""
        changed = f": {', '.join(change.heading for change in child.changed)}" if child.changed else ""
        yield f"{name}(row {child.row} of {child.sheet}) {_WORDS.get(child.outcome, child.outcome.value)}{changed}"
        for told in (*child.problems, *child.remarks):
            yield f"    {_told(told)}"


def _files_at(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))


def _told(told: RowProblem) -> str:
    column = f", {told.column}" if told.column else ""
    value = f", “{told.value}”" if told.value is not None else ""
    return f"row {told.row} of {told.sheet}{column}{value}: {told.reason}"
