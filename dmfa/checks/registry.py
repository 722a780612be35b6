"""The registry of checks: found by decorator, given the tables they name, run together over a batch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from importlib import import_module

import polars as pl

from dmfa.anomaly import ANOMALY_SCHEMA, anomaly_frame

_MODULES = ("double_inss", "identifiers", "net_owed", "quarter")
_REGISTRY: dict[str, Check] = {}

CheckFunction = Callable[..., pl.LazyFrame]


@dataclass(frozen=True)
class Context:
    """What checks may know beside the tables.

    Attributes:
        received_on: the day on which the filings were received; never today's date of a rerun.
        blocks: name of a table to the label of its block.
        validator_only: run only the checks of the NSSO's own validator and the check digits (DMFA_CHECKS=validator).
        lenient_identifiers: make wrong check digits a warning, for test data.
        refuse_prescribed: refuse a quarter past limitation instead of warning.
    """

    received_on: date
    blocks: Mapping[str, str]
    validator_only: bool = False
    lenient_identifiers: bool = False
    refuse_prescribed: bool = False


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        code: official code: number of the zone or block, hyphen, kind of anomaly.
        severity: severity of the official catalogue, or W where this project only warns.
        block: label of the block it speaks of, empty if the function tells it row by row.
        zone: label of the zone, empty if it speaks of the block.
        always: whether it also runs when only the validator's checks are asked for.
        function: from LazyFrames to the rows at fault.
    """

    code: str
    severity: str
    block: str
    zone: str
    always: bool
    function: CheckFunction

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """What the function names as parameters."""
        return tuple(inspect.signature(self.function).parameters)

    @property
    def words(self) -> str:
        """The first sentence of its docstring, which is also the message where it gives no other."""
        return (inspect.getdoc(self.function) or self.code).partition("\n")[0].rstrip(".")


def anomaly(
    code: str, *, severity: str, block: str = "", zone: str = "", always: bool = False
) -> Callable[[CheckFunction], CheckFunction]:
    """Register a function as the check of an official code.

    The function names what it reads as parameters: a table by its name as a LazyFrame, `tables` (those with rows by
    name, as DataFrames: of a LazyFrame even the columns take a plan to tell), `context`. It returns a LazyFrame with
    declaration_id and, where they apply, block, block_ordinal, seen_value (nothing that may identify a person) and
    message.
    """

    def register(function: CheckFunction) -> CheckFunction:
        if code in _REGISTRY:
            raise ValueError(f"{code} has two checks")
        _REGISTRY[code] = Check(code, severity, block, zone, always, function)
        return function

    return register


@cache
def checks() -> tuple[Check, ...]:
    """Every check, in the order of the codes."""
    for name in _MODULES:
        import_module(f"dmfa.checks.{name}")
    return tuple(_REGISTRY[code] for code in sorted(_REGISTRY))


def run_checks(tables: Mapping[str, pl.DataFrame], context: Context) -> pl.DataFrame:
    """Run the checks over shredded declarations.

    A double INSZ is looked for in whole filings: all declarations of a filing must be in the tables together.

    Args:
        tables: every table by name, as shredding gives them.
        context: what else the checks may know.

    Returns:
        The anomalies, columns of `dmfa.anomaly.ANOMALY_SCHEMA`, in an order that depends on content alone.
    """
    known: dict[str, object] = {name: table.lazy() for name, table in tables.items()}
    known |= {"tables": {name: table for name, table in tables.items() if table.height}, "context": context}
    wanted = [check for check in checks() if check.always or not context.validator_only]
    hits = pl.collect_all([check.function(**{name: known[name] for name in check.needs}) for check in wanted])
    found = [_told(check, rows) for check, rows in zip(wanted, hits, strict=True) if rows.height]
    if not found:
        return anomaly_frame()
    filings = tables["employer_declaration"].select("declaration_id", "filing_id")
    return (
        pl.concat(found)
        .drop("filing_id")
        .join(filings, on="declaration_id", how="left")
        .select(list(ANOMALY_SCHEMA))
        .sort("filing_id", "declaration_id", "code", "block", "block_ordinal", nulls_last=True)
    )


def _told(check: Check, hits: pl.DataFrame) -> pl.DataFrame:
    """Rows at fault as anomalies; what a check does not tell itself is what its registration says."""
    told = {
        "block": check.block or None,
        "zone": check.zone or None,
        "code": check.code,
        "severity": check.severity,
        "message": check.words,
    }
    return hits.select(
        (pl.col(name) if name in hits.columns else pl.lit(told.get(name))).cast(kind).alias(name)
        for name, kind in ANOMALY_SCHEMA.items()
    )
