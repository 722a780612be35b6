"""Groups of codes that the rules of the glossaries speak of, and days of the quarter, as expressions.

The codes stand in the NSSO's glossaries of zones and blocks, whose domains are the same in 2022/3 and 2023/3 but for
students' hours and the exemption from second pillars, and in annexes 2, 3 and 27. Where a rule enumerates codes that a
later release may add to, it ends with the newest glossary read, `READ_TO`.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from dmfa.checks.code_lists import codes, rows

READ_TO: Final = "2023/3"

# Employer classes (annex 27).
THIRD_PARTY_PAYERS: Final = ("099", "199", "299", "699")
FEDRIS_CLASSES: Final = ("027", "028")
SEAFARERS_CLASSES: Final = ("105", "205", "305", "505")
LOCAL_CLASSES: Final = ("750", "751", "752", "753", "754")

# Worker codes (annex 2).
STUDENTS: Final = ("840", "841")
DISMISSED: Final = ("876", "877")
SICKNESS_OF_DISMISSED: Final = "876"
EARLY_RETIRED: Final = "879"
DISMISSED_WITH_INDEMNITY: Final = "883"
CAREER_BREAK: Final = "885"
INDEMNITY_LINES: Final = (EARLY_RETIRED, DISMISSED_WITH_INDEMNITY, CAREER_BREAK)
WITHOUT_WORK: Final = (*DISMISSED, *INDEMNITY_LINES)
PARLIAMENT: Final = ("406", "407")
FLEXI: Final = ("050", "450")
CHILD_MINDER: Final = "497"
CONTRACTUAL: Final = ("015", "495")
"""Ordinary manual and white-collar workers: never appointed staff."""
STATUTORY: Final = ("675", "676", "690")
"""Appointed staff: never on a contract."""

# Remuneration codes (annex 7) and kinds of home work (annex 21).
SEVERANCE: Final = "003"
ENDING_CONTRACT: Final = (SEVERANCE, "009", "028")
CHILD_CARE_AT_HOME: Final = ("D1", "D2")


@cache
def private_classes() -> tuple[str, ...]:
    """Employer classes of the private sector."""
    return tuple(sorted(row["code"] for row in rows("employer_classes") if row["sector"] == "private"))


@cache
def kind_of_code(kind: str) -> tuple[str, ...]:
    """Worker and contribution codes of a kind, as annex 2 last had them."""
    return tuple(sorted(codes("worker_codes", 20222, lambda row: row["kind"] == kind)))


def year() -> pl.Expr:
    """The year of the quarter declared."""
    return pl.col("quarter") // 10


def first_day() -> pl.Expr:
    """First day of the quarter declared."""
    return pl.date(year(), pl.col("quarter") % 10 * 3 - 2, 1)


def last_day() -> pl.Expr:
    """Last day of the quarter declared."""
    return pl.date(year(), pl.col("quarter") % 10 * 3, 1).dt.month_end()


def filled(column: str) -> pl.Expr:
    """Whether a zone holds anything."""
    return pl.col(column).is_not_null()


def surely(condition: pl.Expr) -> pl.Expr:
    """A condition that an empty zone does not meet."""
    return condition.fill_null(value=False)
