"""What holds of the repository as a whole: its layout, its borders and its papers."""

from __future__ import annotations

import ast
import importlib
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STOREYS = {"tenants": "tenants", "matching": "matching", "workers": "workers", "concord": "platform/concord"}
LONGEST_MODULE = 400

# Modules that may be longer than LONGEST_MODULE, each with its reason.
LONG_MODULES: dict[str, str] = {}

# Where an engine or a session may be made, each with its reason. Any other place could forget the scope.
ENGINE_MAKERS = {
    "tenants/database.py": "the one door: it opens each session for a scope",
    "platform/concord/migrations/__init__.py": "migrations run as the owner, before there is a scope to be in",
}


class TestPlatformFolder:
    def test_is_no_package(self) -> None:
        assert not (ROOT / "platform/__init__.py").exists()

    def test_leaves_the_standard_library_its_platform(self) -> None:
        assert Path(str(platform.__file__)).is_relative_to(sysconfig.get_path("stdlib"))

    @pytest.mark.parametrize("storey", STOREYS)
    def test_is_beside_packages_of_this_repository(self, storey: str) -> None:
        assert Path(str(importlib.import_module(storey).__file__)).parent == ROOT / STOREYS[storey]


class TestImports:
    def test_keep_the_contracts(self) -> None:
        linter = Path(sys.executable).with_name("lint-imports")

        run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

        assert run.returncode == 0, run.stdout + run.stderr


class TestModules:
    def test_are_short_enough_to_hold_one_noun(self) -> None:
        lengths = {_name(path): len(path.read_text("utf-8").splitlines()) for path in _modules()}

        long = {name for name, length in lengths.items() if length > LONGEST_MODULE}

        assert long == set(LONG_MODULES)

    def test_leave_engines_and_sessions_to_the_database_module(self) -> None:
        makers = {_name(path) for path in _modules() if "make_sessions" in _habits(path)}

        assert makers <= set(ENGINE_MAKERS), sorted(makers - set(ENGINE_MAKERS))

    def test_leave_the_commit_to_the_transaction(self) -> None:
        committers = [_name(path) for path in _modules() if "commit" in _habits(path)]

        assert committers == []

    def test_begin_with_a_docstring(self) -> None:
        dumb = [_name(path) for path in _modules() if not ast.get_docstring(_tree(path))]

        assert dumb == []


class TestHabits:
    """The rule above is only as good as its reader, so the reader is tried on code that breaks it."""

    @pytest.mark.parametrize(
        ("source", "habits"),
        [
            ("from sqlalchemy import create_engine", {"make_sessions"}),
            ("import sqlalchemy as sa\nsa.create_engine('x')", {"make_sessions"}),
            ("from sqlalchemy.orm import sessionmaker as maker", {"make_sessions"}),
            ("from sqlalchemy.orm import Session\nsession = Session(engine)", {"make_sessions"}),
            ("from sqlalchemy import orm\nwith orm.Session(engine) as session: pass", {"make_sessions"}),
            ("session.commit()", {"commit"}),
            ("self.session.commit()", {"commit"}),
            ("from sqlalchemy.orm import Session\ndef f(session: Session) -> None: session.flush()", set()),
        ],
    )
    def test_are_seen(self, tmp_path: Path, source: str, habits: set[str]) -> None:
        module = tmp_path / "module.py"
        module.write_text(source)

        assert set(_habits(module)) == habits


class TestTests:
    def test_are_packages_all_the_way_down(self) -> None:
        folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}

        bare = [_name(folder) for folder in folders if not (folder / "__init__.py").exists()]

        assert bare == []

    def test_are_never_skipped(self) -> None:
        marks = re.compile(r"mark\.(skip|xfail)|pytest\.(skip|xfail|importorskip)\(|unittest\.skip")
        tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]

        assert [_name(path) for path in tests if marks.search(path.read_text("utf-8"))] == []


class TestTrackedFiles:
    def test_name_no_package_index(self) -> None:
        # In pieces, or this file would be the one that names them.
        hosts = [b"pypi" + b".org", b"python" + b"hosted.org", b"npm" + b"js.org", b"yarn" + b"pkg.com"]

        assert _holding(re.compile(b"|".join(map(re.escape, hosts)))) == []

    def test_name_no_one_machine(self) -> None:
        homes = [rb"/root", b"/home" + rb"/\w+", b"/Users" + rb"/\w+"]
        # The place of this very checkout too, unless it is so short that it could be anything.
        here = [re.escape(bytes(ROOT))] if len(ROOT.parts) > 2 else []

        places = re.compile(rb"(?<![\w.\-*])(" + b"|".join(homes + here) + b")/")

        assert _holding(places) == []

    def test_hold_no_unfinished_business(self) -> None:
        marks = re.compile(rb"\b(TO" + rb"DO|FIX" + rb"ME|XX" + rb"X)\b")

        assert _holding(marks, among=(".py", ".html", ".md", ".sql", ".typ", ".toml", ".yaml")) == []

    def test_hold_no_secret_settings(self) -> None:
        assert [name for name in _tracked() if name.endswith((".env", ".pem"))] == []


class TestPapers:
    def test_point_only_at_what_is_there(self) -> None:
        links = [(paper, link) for paper in _papers() for link in _links(paper)]

        dead = [(_name(paper), link) for paper, link in links if not (paper.parent / link).exists()]

        assert dead == []

    def test_give_commands_that_make_knows(self) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

        unknown = {
            (_name(paper), target)
            for paper in _papers()
            for target in re.findall(r"`make ([a-z-]+)", paper.read_text("utf-8"))
            if target not in targets
        }

        assert unknown == set()

    def test_start_with_two_commands(self) -> None:
        readme = (ROOT / "README.md").read_text("utf-8")

        assert "make demo" in readme
        assert "make test" in readme

    def test_index_every_decision(self) -> None:
        folder = ROOT / "docs/decisions"
        pages = sorted(path.name for path in folder.glob("[0-9]*.md"))

        assert (
            sorted(set(re.findall(r"\(([0-9]{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text("utf-8"))))
            == pages
        )
        assert len({name[:4] for name in pages}) == len(pages)

    def test_list_words_once_and_in_order(self) -> None:
        rows = re.findall(r"^\| (.+?) \|", (ROOT / "docs/glossary.md").read_text("utf-8"), re.MULTILINE)
        words = [row.casefold() for row in rows if row != "word"]

        assert words == sorted(set(words), key=lambda word: (re.sub(r"[^a-z0-9 ]", "", word), word))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def _modules() -> list[Path]:
    folders = [ROOT / folder for folder in STOREYS.values()]
    return sorted(path for folder in folders for path in folder.rglob("*.py") if "node_modules" not in path.parts)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def _habits(path: Path) -> Iterator[str]:
    """Yield ``make_sessions`` and ``commit`` for each place where the module does so."""
    makers = {"create_engine", "create_async_engine", "sessionmaker", "scoped_session"}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            yield from ("make_sessions" for alias in node.names if alias.name in makers)
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in makers | {"Session"}:
                yield "make_sessions"
            if called == "commit" and isinstance(node.func, ast.Attribute):
                yield "commit"


def _tracked() -> list[str]:
    run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in run.stdout.split("\0") if name and (ROOT / name).is_file()]


def _holding(pattern: re.Pattern[bytes], *, among: tuple[str, ...] = ("",)) -> list[str]:
    return [name for name in _tracked() if name.endswith(among) and pattern.search((ROOT / name).read_bytes())]


def _papers() -> list[Path]:
    return [ROOT / name for name in _tracked() if name.endswith(".md")]


def _links(paper: Path) -> list[str]:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", paper.read_text("utf-8"))
    return [target for target in targets if "://" not in target and not target.startswith("mailto:")]
