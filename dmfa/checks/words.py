"""Plain words for codes, in English, French and Dutch."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final, Literal, get_args

import yaml

from dmfa.schema.catalogue import catalogues

Language = Literal["en", "fr", "nl"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

_FILE: Final = {"en": "The file", "fr": "Le fichier", "nl": "Het bestand"}
_WRONG: Final = {"en": "is not valid", "fr": "n'est pas valable", "nl": "is niet geldig"}


@cache
def kinds() -> dict[str, dict[str, str]]:
    """By kind of anomaly or of refusal, its words by language (kinds.yaml)."""
    text = (files("dmfa.checks") / "kinds.yaml").read_text(encoding="utf-8")
    read: dict[str, dict[str, str]] = yaml.load(
        text,
        Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # noqa: S506 - both are safe
    )
    return read


def told_of(code: str, label: str | None = None, language: Language = "en") -> str:
    """What a code says: of a zone or block by its label, or of a whole file.

    Args:
        code: official code, or kind of refusal of a whole file.
        label: of the zone or block, for a code that the catalogue does not know.
        language: in which it is told.

    Examples:
        >>> told_of("00040-008"), told_of("doctype", language="nl")
        ('Border is not one of the values allowed', 'Het bestand declareert een DOCTYPE, wat DmfA verbiedt')
    """
    whole = kinds().get(code)
    if whole is not None:
        return whole[language]
    official = next((known.codes[code] for known in catalogues().values() if code in known.codes), None)
    subject = official.element if official is not None else label or _FILE[language]
    return f"{subject} {kinds().get(code[-3:], _WRONG)[language]}"
