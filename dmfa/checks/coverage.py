"""What this program does with each official code: given by the XSD, implemented, or not yet, and then what it lacks.

A code may be both given and implemented: the XSD tells that a value is not even possible, a check that it is not on its
list. not_yet.csv holds what nothing gives, each with the outside source that it lacks (sources.yaml), and
not_yet_corrections.csv what corrections lack beside; a test holds the files to the truth. So do they codes of values
on a list that is not known in any quarter at hand, of which the XSD gives the digits alone.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from dmfa.checks import corrections
from dmfa.checks.registry import Check, RowCheck, checks, row_checks
from dmfa.schema import MESSAGE, UPDATE, newest
from dmfa.schema.catalogue import Official, catalogue
from dmfa.schema.given import given

IMPLEMENTED, BY_SCHEMA, NOT_YET = "implemented", "by the XSD", "not yet"

_AMOUNTS = dict.fromkeys(
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
)
"""Codes of amounts that are not those computed, in originals and in corrections."""

ELSEWHERE = {
    **_AMOUNTS,
    "90007-006": "flows.stages.originals",
    "90059-163": "dmfa.answers.notification",
    "90169-089": "dmfa.answers.acknowledgement",
}
"""Codes told outside this package, where amounts, the lake or whole files are at hand, by module."""

OF_CORRECTIONS = {
    **_AMOUNTS,
    **dict.fromkeys(
        (
            "00011-176",
            "00012-176",
            "00016-176",
            "00019-176",
            "00020-176",
            "00024-182",
            "00036-176",
            "00037-176",
            "00548-176",
            "00549-176",
            "00610-180",
            "00610-182",
            "00611-180",
            "00611-182",
            "00619-182",
            "00620-180",
            "00620-182",
            "00781-176",
            "00782-180",
            "00782-182",
            "01253-180",
            "01253-182",
            "90220-252",
            "90312-174",
        ),
        "dmfa.corrections.decision",
    ),
    **dict.fromkeys(("00545-001", "90219-323"), "dmfa.corrections.limitation"),
    "00534-182": "dmfa.corrections.apply",
    "90059-163": "dmfa.answers.notification",
}
"""Codes of a correction told where the declaration that it is about is at hand, or whole files are, by module."""


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
    by_schema, lacking = _given(message), not_yet(message)
    told: dict[str, list[Check | RowCheck]] = {}
    every: list[Check | RowCheck] = [*checks(), *row_checks()]
    elsewhere = ELSEWHERE
    if message == UPDATE.name:
        elsewhere = {**dict.fromkeys(corrections.codes(), corrections.__name__), **OF_CORRECTIONS}
    for one in every:
        # The new states of a correction are checked as if they were an original.
        told.setdefault(corrections.update_code(one.code) if message == UPDATE.name else one.code, []).append(one)
    return {
        code: Coverage(
            official,
            tuple(told.get(code, ())),
            elsewhere.get(code, ""),
            () if code in lacking else by_schema.get(code, ()),
            lacking.get(code, ""),
        )
        for code, official in codes.items()
    }


@cache
def not_yet(message: str = MESSAGE) -> dict[str, str]:
    """The codes of a message that nothing gives in whole, each with the source that it lacks.

    A correction lacks what an original does; not_yet_corrections.csv adds the codes that only corrections have, and
    those that only originals are told.
    """
    lacking = _listed("not_yet.csv")
    if message == MESSAGE:
        return lacking
    lists_too_old = _given(MESSAGE).keys()
    told = corrections.codes() | OF_CORRECTIONS.keys() | (_given(message).keys() - lists_too_old)
    own = {corrections.update_code(code): needs for code, needs in lacking.items()}
    known = catalogue(message).codes.keys() - told
    return {code: needs for code, needs in own.items() if code in known} | of_corrections_alone()


def of_corrections_alone() -> dict[str, str]:
    """The codes of corrections that nothing gives, and that no original lacks."""
    return _listed("not_yet_corrections.csv")


def _given(message: str) -> dict[str, tuple[str, ...]]:
    release = newest(message)
    return given(release) if release is not None else {}


def _listed(name: str) -> dict[str, str]:
    text = (files("dmfa.checks") / name).read_text(encoding="utf-8")
    return {row["code"]: row["needs"] for row in csv.DictReader(text.splitlines())}


@cache
def sources() -> dict[str, dict[str, str]]:
    """What codes may lack, in words by language (sources.yaml)."""
    text = (files("dmfa.checks") / "sources.yaml").read_text(encoding="utf-8")
    read: dict[str, dict[str, str]] = yaml.safe_load(text)
    return read
