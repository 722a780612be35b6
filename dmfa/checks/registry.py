"""The registry of checks: found by decorator, told apart by official code.

There are two kinds. `anomaly` registers a function that is given whole tables and returns the rows at fault: for what
counts, joins or compares rows. `rows` registers what can be told of one row of a table, with what stands above and
below it: a Boolean expression, or several of one family. All expressions of a table are evaluated together, so that
hundreds of them cost little; this is the way for everything that fits it.

Severity and label come from the official catalogue (dmfa.schema.catalogue) by code and quarter and are not repeated; a
code that the catalogue of a declaration's quarter does not know is not told there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from importlib import import_module
from pkgutil import iter_modules

import polars as pl

import dmfa.checks
from dmfa.quarter import Quarter
from dmfa.schema.catalogue import Official, catalogue

_TABLE_CHECKS: dict[str, Check] = {}
_ROW_CHECKS: dict[tuple[str, str], RowCheck] = {}

CheckFunction = Callable[..., pl.LazyFrame]
RowFunction = Callable[..., "pl.Expr | Mapping[str, pl.Expr]"]


@dataclass(frozen=True)
class Context:
    """What checks may know beside the tables.

    Attributes:
        received_on: the day on which the filings were received; never today's date of a rerun.
        blocks: name of a table to the label of its block.
        validator_only: run only the checks of the NSSO's own validator and the check digits (DMFA_CHECKS=validator).
        lenient_identifiers: make wrong check digits a warning, for test data.
        refuse_prescribed: refuse a quarter past limitation instead of warning.
        limitation_years: years of limitation, seven where fraud is dealt with.
    """

    received_on: date
    blocks: Mapping[str, str] = field(compare=False)
    validator_only: bool = False
    lenient_identifiers: bool = False
    refuse_prescribed: bool = False
    limitation_years: int = 3


class _Worded:
    """A check whose words are those of its function."""

    code: str
    function: Callable[..., object]

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """What the function names as parameters."""
        return tuple(inspect.signature(self.function).parameters)

    @property
    def words(self) -> str:
        """The first sentence of its docstring."""
        return (inspect.getdoc(self.function) or self.code).partition("\n")[0].rstrip(".")


@dataclass(frozen=True)
class Check(_Worded):
    """A check of whole tables.

    Attributes:
        code: official code: number of the zone or block, hyphen, kind of anomaly.
        severity: severity where it is not the catalogue's, else None.
        block: label of the block it speaks of, empty if the function tells it row by row.
        zone: label of the zone, empty if it speaks of the block.
        always: whether it also runs when only the validator's checks are asked for.
        function: from LazyFrames to the rows at fault.
    """

    code: str
    severity: str | None
    block: str
    zone: str
    always: bool
    function: CheckFunction


@dataclass(frozen=True)
class RowCheck(_Worded):
    """A check of single rows.

    Attributes:
        code: official code.
        table: name of the table whose rows it judges.
        zone: label of the zone that it tells, empty if it tells the block of the row.
        place: name of the table whose block it tells: `table`, or one above it.
        empty: whether it speaks of a zone that is empty or of a block that is not there; others are not asked where
            their zone is empty in every row.
        code_list: name of the code list that it rests on; a null beside a filled zone is counted as not verifiable.
        since: first quarter in which it holds, yyyyq.
        until: last quarter in which it holds, yyyyq.
        few: whether what it reads takes few values, so that it is asked of each combination of them once.
        function: from what it names to an expression, or to one for each code of its family.
    """

    code: str
    table: str
    zone: str
    place: str
    empty: bool
    code_list: str | None
    since: int
    until: int
    few: bool
    family: bool
    function: RowFunction

    def expression(self, context: Context) -> pl.Expr:
        """The expression: true for a row at fault, null where nothing can be told."""
        known = {"context": context, "table": self.table}
        given = _given(self.function, tuple((name, known[name]) for name in self.needs))
        return given[self.code] if isinstance(given, Mapping) else given

    @property
    def words(self) -> str:
        """Its docstring's first sentence; one of a family has none of its own."""
        return "" if self.family else super().words


@cache
def _given(function: RowFunction, arguments: tuple[tuple[str, object], ...]) -> pl.Expr | Mapping[str, pl.Expr]:
    # A family is asked once for all its codes.
    return function(**dict(arguments))


def anomaly(
    code: str, *, severity: str | None = None, block: str = "", zone: str = "", always: bool = False
) -> Callable[[CheckFunction], CheckFunction]:
    """Register a function as the check of an official code over whole tables.

    The function names what it reads as parameters: a table by its name as a LazyFrame, `tables` (those with rows by
    name, as DataFrames: of a LazyFrame even the columns take a plan to tell), `context`. It returns a LazyFrame with
    declaration_id and, where they apply, block, block_ordinal, severity, seen_value (nothing that may identify a
    person) and message.

    Args:
        code: official code.
        severity: only where it is not that of the catalogue.
        block: label of the block that it tells.
        zone: label of the zone that it tells.
        always: whether it also runs when only the validator's checks are asked for.
    """

    def register(function: CheckFunction) -> CheckFunction:
        _official(code)
        if code in _TABLE_CHECKS:
            raise ValueError(f"{code} has two checks")
        _TABLE_CHECKS[code] = Check(code, severity, block, zone, always, function)
        return function

    return register


def rows(
    *codes: str,
    table: str | tuple[str, ...],
    place: str | None = None,
    zone: str | None = None,
    empty: bool = False,
    code_list: str | None = None,
    since: str = "2003/1",
    until: str = "9999/4",
    few: bool = False,
) -> Callable[[RowFunction], RowFunction]:
    """Register a function as the check of one or several official codes on the rows of one or several tables.

    The function returns a Boolean expression, true for a row at fault; with several codes, a mapping with one
    expression for each. It may name as parameters `table` (the name, where it is registered for several) and
    `context`. An expression reads

    - the row's own columns, `quarter` among them: `pl.col("worker_code")`;
    - columns of a block above it: `above("worker_record", "worker_code")`;
    - what stands below it: `any_below("remun", pl.col("remun_code") == "003")`, `count_below("service")`,
      `sum_below("remun", pl.col("remun_amount"))`.

    Null is never an anomaly: a comparison with an empty zone tells nothing. A column that no release at hand has makes
    its checks cost and tell nothing; so does a zone that is empty in every row, unless `empty` is set. What is told is
    the row's block with the zone of the code's number, its value where it identifies nobody, and words made of the
    label and the kind; the docstring's first sentence instead, if the function has a single code.

    Args:
        codes: official codes.
        table: name of the table, or of several that hold the same zone.
        place: name of a table above, if its block is what is told; every such block is told once.
        zone: label of the zone that is told, if it is not the code's own; "" tells the block alone.
        empty: the check speaks of an empty zone, or of a block that is not there.
        code_list: name of the code list that the check rests on: where its expression is null and the zone filled, the
            value is counted as not verifiable.
        since: first quarter in which it holds, e.g. "2022/3".
        until: last quarter in which it holds.
        few: what it reads takes few values, codes above all: it is asked once of each combination of them, which is
            cheap on a large table however dear the question.
    """

    def register(function: RowFunction) -> RowFunction:
        for code in codes:
            official = _official(code)
            told = ("" if official.of_block else official.element) if zone is None else zone
            for name in (table,) if isinstance(table, str) else table:
                if (code, name) in _ROW_CHECKS:
                    raise ValueError(f"{code} has two checks of {name}")
                _ROW_CHECKS[code, name] = RowCheck(
                    code,
                    name,
                    told,
                    place or name,
                    empty,
                    code_list,
                    Quarter.parse(since).code,
                    Quarter.parse(until).code,
                    few,
                    len(codes) > 1,
                    function,
                )
        return function

    return register


def _official(code: str) -> Official:
    found = catalogue().codes.get(code)
    if found is None:
        raise ValueError(f"{code} is no official code")
    return found


@cache
def _load() -> None:
    """Import every module of this package: each registers its checks."""
    for module in iter_modules(dmfa.checks.__path__):
        import_module(f"dmfa.checks.{module.name}")


def checks() -> tuple[Check, ...]:
    """Every check of whole tables, in the order of the codes."""
    _load()
    return tuple(_TABLE_CHECKS[code] for code in sorted(_TABLE_CHECKS))


def row_checks() -> tuple[RowCheck, ...]:
    """Every check of single rows, in the order of codes and tables."""
    _load()
    return tuple(_ROW_CHECKS[key] for key in sorted(_ROW_CHECKS))
