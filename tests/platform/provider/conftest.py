"""A file of invented people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PEOPLE = [
    {"subject": "ash", "name": "Ash Sample", "email": "ash@example.org", "agency": "Devon", "roles": ["family_finder"]},
    {"subject": "bryn", "name": "Bryn Sample", "email": "bryn@example.org", "agency": "Torbay", "roles": ["manager"]},
    {
        "subject": "cleo",
        "name": "Cleo Sample",
        "email": "cleo@example.org",
        "agency": "Devon",
        "roles": ["adopters_worker", "finance_officer"],
    },
]


@pytest.fixture
def people_path(tmp_path: Path) -> Path:
    path = tmp_path / "people.json"
    path.write_text(json.dumps(PEOPLE), encoding="utf-8")
    return path
