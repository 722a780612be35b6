"""Contribution codes and types against annex 3: which go together, and with which employer classes.

The annex is known to 2022/3; of a later quarter it is only counted what it never had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Final

import polars as pl

from dmfa.checks.code_lists import CodeList, Row, holds, in_quarters, quarters_known
from dmfa.checks.code_lists import rows as rows_of
from dmfa.checks.groups import kind_of_code
from dmfa.checks.registry import rows
from dmfa.checks.relatives import above

_LIST: Final = "contribution_types"
_TABLES: Final = ("worker_contribution", "compl_indemnity_contribution")
_OTHERS: Final = "others"
"""Stands for the employer classes that no other row of the code names."""

_CODE: Final = pl.col("contribution_worker_code")
_TYPED: Final = _CODE + pl.col("contribution_type").cast(pl.String)
_CLASS: Final = above("worker_record", "employer_class")


class ContributionTypes:
    """Which types annex 3 allows each contribution in a quarter, and with which employer classes.

    Args:
        quarter: yyyyq.

    Attributes:
        allowed: contribution code and type, as text of four digits.
        limited: codes of which every type belongs to some classes.
        codes_of_classes: employer class and code, of limited codes.
        of_some: code and type that only some classes have.
        of_classes: employer class, code and type, of those.
    """

    def __init__(self, quarter: int) -> None:
        table = [row for row in rows_of("contribution_types") if holds(row, quarter)]
        by_code: dict[str, list[Row]] = defaultdict(list)
        for row in table:
            for code in _meant(row["code"]):
                by_code[code].append(row)
        everywhere = {code + row["type"] for code, own in by_code.items() for row in own if not row["employer_classes"]}
        self.allowed = frozenset(code + row["type"] for code, own in by_code.items() for row in own)
        self.limited = frozenset(
            code for code, own in by_code.items() if all(row["employer_classes"] not in ("", _OTHERS) for row in own)
        )
        named = {code: {one for row in own for one in row["employer_classes"].split()} for code, own in by_code.items()}
        self.codes_of_classes = frozenset(one + code for code in self.limited for one in named[code])
        self.of_some = self.allowed - everywhere
        self.of_classes = frozenset(
            one + code + row["type"]
            for code, own in by_code.items()
            for row in own
            for one in (
                _classes() - named[code] if row["employer_classes"] == _OTHERS else row["employer_classes"].split()
            )
            if code + row["type"] in self.of_some
        )


def _classes() -> frozenset[str]:
    return frozenset(row["code"] for row in rows_of("employer_classes"))


def _meant(code: str) -> tuple[str, ...]:
    """The codes that annex 3 means: 0xx, 4xx and 6xx stand for worker codes, ALL for those of Fedris classes."""
    if code == "ALL":
        return kind_of_code("Fedris")
    own = {*kind_of_code("ordinary"), *kind_of_code("Fedris")}
    return tuple(one for one in sorted(own) if one[0] == code[0]) if code.endswith("xx") else (code,)


@cache
def _quarters() -> Mapping[int, ContributionTypes]:
    return {quarter: ContributionTypes(quarter) for quarter in quarters_known(_LIST)}


def _is_one(text: pl.Expr, attribute: str) -> pl.Expr:
    """Whether a text is one of an attribute of the types of its quarter."""
    return in_quarters(text, {quarter: getattr(types, attribute) for quarter, types in _quarters().items()})


@rows("00082-035", table=_TABLES, few=True)
def contribution_of_class() -> pl.Expr:
    """The contribution is not in force in this quarter, or not with this employer class."""
    closed = CodeList("worker_codes", lambda row: row["presence"] in ("2", "3", "5")).closed(_CODE)
    return closed | _is_one(_CODE, "limited") & ~_is_one(_CLASS + _CODE, "codes_of_classes")


@rows("00083-008", "00083-084", table=_TABLES, code_list=_LIST, few=True)
def contribution_type() -> Mapping[str, pl.Expr]:
    """The type is one that annex 3 allows the contribution, in the employer class of the worker line."""
    quarters = _quarters()
    known = pl.col("quarter") <= max(quarters)
    judged = _CODE.is_in(sorted({typed[:3] for types in quarters.values() for typed in types.allowed}))
    other_class = _is_one(_TYPED, "of_some") & ~_is_one(_CLASS + _TYPED, "of_classes")
    # Of a contribution that the class does not have at all, zone 00082 tells.
    has_it = ~_is_one(_CODE, "limited") | _is_one(_CLASS + _CODE, "codes_of_classes")
    last = quarters[max(quarters)].allowed | {row["code"] + row["type"] for row in rows_of(_LIST)}
    later = pl.when(_TYPED.is_in(sorted(last))).then(pl.lit(value=False))
    return {
        "00083-008": pl.when(known).then(judged & ~_is_one(_TYPED, "allowed")).otherwise(later),
        "00083-084": known & other_class & has_it,
    }
