"""Heritage, faith and languages, drawn together so that a record hangs together."""

from __future__ import annotations

from concord.demo.chance import Chance

#: SSDA903 ETHNIC codes of those who are not white British, by how often each is drawn.
_MINORITY = {
    "MWBC": 20.0, "MWBA": 10.0, "MWAS": 14.0, "MOTH": 12.0, "AIND": 5.0, "APKN": 6.0, "ABAN": 5.0,
    "AOTH": 4.0, "BCRB": 8.0, "BAFR": 9.0, "BOTH": 4.0, "CHNE": 2.0, "OOTH": 4.0,
}  # fmt: skip
_OTHER_WHITE = {"WOTH": 6.0, "WIRI": 2.0, "WROM": 1.0, "WIRT": 0.5}
_FAITHS = {
    "AIND": "Hindu", "APKN": "Muslim", "ABAN": "Muslim", "BAFR": "Christian", "BCRB": "Christian",
    "WIRI": "Roman Catholic",
}  # fmt: skip
_LANGUAGES = {
    "AIND": "Gujarati",
    "APKN": "Urdu",
    "ABAN": "Bengali",
    "CHNE": "Cantonese",
    "WOTH": "Polish",
    "BAFR": "Yoruba",
}


def draw_heritage(chance: Chance, *, minority: float) -> str:
    """Return one ETHNIC code; ``minority`` is the share that is Black, Asian, mixed or of another minority."""
    if chance.happens(minority):
        return chance.weighted(_MINORITY)
    return chance.weighted(_OTHER_WHITE) if chance.happens(0.05) else "WBRI"


def draw_religion(chance: Chance, heritage: str) -> str | None:
    """Return a faith that often goes with the heritage, or nothing said."""
    usual = _FAITHS.get(heritage)
    if usual is not None and chance.happens(0.7):
        return usual
    return "Christian" if chance.happens(0.12) else None


def draw_languages(chance: Chance, heritage: str) -> str | None:
    """Return languages spoken, semicolon-separated, or nothing said."""
    other = _LANGUAGES.get(heritage)
    if other is not None and chance.happens(0.6):
        return f"English; {other}"
    return "English" if chance.happens(0.7) else None
