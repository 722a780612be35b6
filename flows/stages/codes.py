"""What an official code means, how severe it is, and what tells it."""

from __future__ import annotations

import inspect

from dmfa.checks.code_lists import KNOWN_TO
from dmfa.checks.coverage import NOT_YET, Coverage, coverage, sources
from dmfa.checks.registry import Check, RowCheck
from dmfa.checks.words import Language, kinds, told_of
from dmfa.errors import WrongUsage
from dmfa.quarter import Quarter
from dmfa.schema import MESSAGE
from dmfa.schema.catalogue import BLOCKS, catalogue, catalogues
from flows import console

EVER = (20031, 99994)
"""The quarters of a check that holds in all."""

_SEVERITIES = {
    "B": "refuses its declaration",
    "P": "counted in percent",
    "NP": "counted, never refuses",
    "D": "concerns a right to a reduction",
    "W": "warns",
    "I": "to be looked into",
}


def explain(code: str, language: Language = "en") -> int:
    """Print what a code means, which rule gives it and what that rests on.

    Args:
        code: an official code, or the kind of refusal of a whole file.
        language: of the meaning.

    Returns:
        Exit code 0.

    Raises:
        WrongUsage: no such code.
    """
    if code in kinds() and not code.isdecimal():
        console.say(f"{code}: {told_of(code, language=language)}.")
        console.say("It is told of a whole file, which is refused for it: see docs/reading.md and docs/answers.md.")
        return 0
    messages = [name for name, one in catalogues().items() if code in one.codes]
    if not messages:
        # What was typed is not repeated: it may be a person's number.
        raise WrongUsage(
            "The official catalogue has no such code.",
            "A code is five digits of a zone or block, a hyphen, and three of a kind: 00037-008.",
        )
    message = MESSAGE if MESSAGE in messages else messages[0]
    one = coverage(message)[code]
    what = "block" if code.startswith(BLOCKS) else "zone"
    console.say(f"{code}: {told_of(code, language=language)}.")
    console.say(f"  {what} {one.official.number} {one.official.element}, kind {one.official.kind}")
    for name in messages:
        by_class: dict[str, list[str]] = {}
        for version, severity in sorted(catalogue(name).codes[code].severities.items()):
            by_class.setdefault(severity, []).append(str(version))
        told = (f"{severity} ({_SEVERITIES[severity]}) in {', '.join(own)}" for severity, own in by_class.items())
        console.say(f"  {name}: {'; '.join(told)}")
    for line in _told_by(one, language):
        console.say(f"  {line}")
    return 0


def _told_by(one: Coverage, language: Language) -> list[str]:
    """What tells a code, one line each."""
    if one.state == NOT_YET:
        return [f"not told yet; it lacks: {sources()[one.needs][language]}"]
    lines = [f"the XSD tells it: {', '.join(one.demands)}"] if one.demands else []
    if one.elsewhere:
        lines.append(f"told by {one.elsewhere}")
    for check in one.checks:
        words = " ".join((inspect.getdoc(check.function) or "").split())
        lines.append(f"{check.function.__module__}: {words}{_reach(check)}")
    return list(dict.fromkeys(lines))


def _reach(check: Check | RowCheck) -> str:
    """In which quarters a check holds, and how far its code list is known."""
    if isinstance(check, Check):
        return ""
    told = ""
    if check.since > EVER[0]:
        told += f" From {Quarter.from_code(check.since)}."
    if check.until < EVER[1]:
        told += f" To {Quarter.from_code(check.until)}, the last quarter of which the rule is known."
    if check.code_list in KNOWN_TO:
        told += f" The code list is known to {Quarter.from_code(KNOWN_TO[check.code_list])}."
    return told
