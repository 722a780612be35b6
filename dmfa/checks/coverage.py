"""What this program does with each official code: given by the XSD, implemented, or not yet, and then what it lacks.

A code may be both given and implemented: the XSD tells that a value is not even possible, a check that it is not on its
list. not_yet.csv holds what nothing gives, each with the outside source that it lacks (sources.yaml); a test holds the
file to the truth. So it does the codes of values on a list that is not known in any quarter at hand, of which the XSD
gives the digits alone.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from dmfa.checks.registry import Check, RowCheck, checks, row_checks
from dmfa.schema import MESSAGE, newest
from dmfa.schema.catalogue import Official, catalogue
from dmfa.schema.given import given

IMPLEMENTED, BY_SCHEMA, NOT_YET = "implemented", "by the XSD", "not yet"

NOT_READ = "message"
"""The source that every code of a message lacks which is kept, but not read."""

ELSEWHERE = {
    **dict.fromkeys(
        (
            "00022-044",
            "00072-044",
            "00077-044",
            "00085-044",
            "00086-050",
            "00086-058",
            "00086-076",
            "00086-077",
            "00086-078",
            "00086-080",
            "00086-085",
            "00086-201",
            "00086-261",
            "00086-403",
            "00086-474",
            "00086-475",
            "00089-044",
        ),
        "flows.stages.differing",
    ),
    "90007-006": "flows.stages.originals",
    "90059-163": "dmfa.answers.notification",
    "90169-089": "dmfa.answers.acknowledgement",
}
"""Codes told outside this package, where amounts, the lake or whole files are at hand, by module."""


@dataclass(frozen=True)
class Coverage:
    """What is done with one code.

    Attributes:
        official: the code.
        checks: those that tell it.
        elsewhere: module outside this package that tells it, empty if none.
        demands: what the newest XSD demands whose breach is told by it.
        needs: the source that it lacks, a key of sources.yaml; empty if it is told.
    """

    official: Official
    checks: tuple[Check | RowCheck, ...] = ()
    elsewhere: str = ""
    demands: tuple[str, ...] = ()
    needs: str = ""

    @property
    def state(self) -> str:
        """Implemented, by the XSD, or not yet."""
        if self.needs:
            return NOT_YET
        return IMPLEMENTED if self.checks or self.elsewhere else BY_SCHEMA


@cache
def coverage(message: str = MESSAGE) -> dict[str, Coverage]:
    """What is done with each code of a message, of any version."""
    codes = catalogue(message).codes
    if message != MESSAGE:
        return {code: Coverage(official, needs=NOT_READ) for code, official in codes.items()}
    release = newest(MESSAGE)
    by_schema = given(release) if release is not None else {}
    lacking = not_yet()
    told: dict[str, list[Check | RowCheck]] = {}
    every: list[Check | RowCheck] = [*checks(), *row_checks()]
    for one in every:
        told.setdefault(one.code, []).append(one)
    return {
        code: Coverage(
            official,
            tuple(told.get(code, ())),
            ELSEWHERE.get(code, ""),
            () if code in lacking else by_schema.get(code, ()),
            lacking.get(code, ""),
        )
        for code, official in codes.items()
    }


@cache
def not_yet() -> dict[str, str]:
    """The codes that nothing gives in whole, each with the source that it lacks."""
    text = (files("dmfa.checks") / "not_yet.csv").read_text(encoding="utf-8")
    return {row["code"]: row["needs"] for row in csv.DictReader(text.splitlines())}


@cache
def sources() -> dict[str, dict[str, str]]:
    """What codes may lack, in words by language (sources.yaml)."""
    text = (files("dmfa.checks") / "sources.yaml").read_text(encoding="utf-8")
    read: dict[str, dict[str, str]] = yaml.safe_load(text)
    return read
