"""What is wrong with a value that breaks a rule of its zone, as the official catalogue has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dmfa.reading.patterns import DIGIT, read_pattern
from dmfa.schema import MESSAGE, Zone
from dmfa.schema.given import EMPTY, KINDS, NOT_NUMERIC, WRONG_LENGTH, official_code

_WHOLE_NUMBER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[\d.,+-]+")
_HARMLESS = re.compile(r"[+-]?\d{1,5}|\d{4}-\d{2}-\d{2}|[A-Za-z]{1,2}")
"""Values that identify nobody, whatever zone they were put into by mistake."""

_WORDS = {
    "001": "is empty",
    "003": "does not have the form that the schema prescribes",
    "008": "is not one of the values allowed",
    "093": "has the wrong length",
    "minInclusive": "is below the lowest value allowed",
    "minExclusive": "is below the lowest value allowed",
    "maxInclusive": "is above the highest value allowed",
    "maxExclusive": "is above the highest value allowed",
    "type": "is not a valid value",
}
"""What a broken rule means, by kind of anomaly, and where it says more by facet."""


@dataclass(frozen=True)
class Broken:
    """A rule broken by a value.

    Attributes:
        code: official code.
        words: what is wrong, behind the label of the zone.
        seen: the value, where it can identify nobody.
    """

    code: str
    words: str
    seen: str | None


def broken(value: str, zone: Zone, facet: str, message: str = MESSAGE) -> Broken:
    """What a value breaks.

    A validator tells one facet, and a value may break several: that it is empty, not a number or too long says more
    than that it does not match a pattern.

    Args:
        value: the value as it stands in the file.
        zone: its zone.
        facet: the facet that a validator tells, a key of `dmfa.schema.given.KINDS`.
        message: name of the message that it stands in.
    """
    text = value.strip()
    code = official_code(zone.number, [*_demands(text, zone), facet], message=message)
    kind = code[-3:]
    words = _WORDS[facet] if facet in _WORDS and kind == KINDS[facet][0] else _WORDS.get(kind, _WORDS["type"])
    if kind == "002":
        words = "is not a whole number" if zone.base == "xs:integer" else "is not a number"
    return Broken(code, words, text if _HARMLESS.fullmatch(text) and not zone.personal else None)


def misfit(value: str, zone: Zone, message: str = MESSAGE) -> Broken | None:
    """What a value breaks by itself, where no validator looks at it; None if nothing can be told."""
    text, forms = value.strip(), _forms(zone)
    demands = [*_demands(text, zone)]
    if forms and not any(_fits(text, form) for form in forms):
        demands.append("pattern")
    found = broken(value, zone, demands[-1], message) if demands else None
    return found if found is not None and found.code.startswith(zone.number) else None


def _demands(text: str, zone: Zone) -> Iterator[str]:
    if not text:
        yield EMPTY
        return
    if not (_WHOLE_NUMBER if zone.base == "xs:integer" else _NUMBER).fullmatch(text):
        yield NOT_NUMERIC
    if _wrong_length(text, zone):
        yield WRONG_LENGTH


def _wrong_length(text: str, zone: Zone) -> bool:
    """Whether a value is longer or shorter than any that its zone may hold."""

    def limit(facet: str) -> int | None:
        values = zone.facets.get(facet)
        return int(values[-1]) if values else None

    digits, least, most, exact = limit("totalDigits"), limit("minLength"), limit("maxLength"), limit("length")
    lengths = {len(form) for form in _forms(zone)}
    return (
        (digits is not None and len(text.lstrip("+-").lstrip("0")) > digits)
        or (least is not None and len(text) < least)
        or (most is not None and len(text) > most)
        or (exact is not None and len(text) != exact)
        or (len(lengths) == 1 and len(text) not in lengths)
    )


def _forms(zone: Zone) -> list[tuple[str, ...]]:
    """The forms that a value may have, where the zone's pattern is one of forms of fixed length."""
    read = [read_pattern(pattern) for pattern in zone.facets.get("pattern", ())]
    return [form for pattern in read if pattern is not None for form in pattern.forms]


def _fits(text: str, form: tuple[str, ...]) -> bool:
    return len(text) == len(form) and all(
        sign.isdecimal() if wanted == DIGIT else sign == wanted for sign, wanted in zip(text, form, strict=True)
    )
