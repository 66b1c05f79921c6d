from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

WEB = Path(str(files("concord.web")))
VENDOR = WEB / "static/vendor"


class TestVendoredAssets:
    def test_are_those_of_the_manifest(self) -> None:
        manifest = json.loads((VENDOR / "manifest.json").read_text("utf-8"))

        found = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in VENDOR.iterdir()
            if path.name != "manifest.json"
        }

        assert found == manifest["files"]

    def test_come_from_the_release_that_the_macros_fit(self) -> None:
        manifest = json.loads((VENDOR / "manifest.json").read_text("utf-8"))
        package = json.loads((WEB / "assets/package.json").read_text("utf-8"))

        assert package["devDependencies"]["govuk-frontend"] == "6.3.0"
        assert "govuk-frontend 6.3.0 " in manifest["source"]

    def test_set_no_type_reserved_to_gov_uk(self) -> None:
        styles = (VENDOR / "govuk-frontend.css").read_text("utf-8")

        assert "GDS Transport" not in styles
        assert "@font-face" not in styles
        assert "Arial" in styles

    def test_ask_nothing_of_another_site(self) -> None:
        for path in (*VENDOR.glob("*.css"), WEB / "static/site.css"):
            assert re.findall(r"(?:url\(|@import)[\"' ]*(?:https?:)?//", path.read_text("utf-8")) == []


class TestPackageLock:
    def test_names_no_place_to_fetch_from(self) -> None:
        lock = json.loads((WEB / "assets/package-lock.json").read_text("utf-8"))

        packages = {name: package for name, package in lock["packages"].items() if name}

        assert packages
        assert [name for name, package in packages.items() if "resolved" in package] == []
        assert [name for name, package in packages.items() if "integrity" not in package] == []
