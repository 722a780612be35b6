"""The net amount owed against the amounts that make it up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from dmfa.checks.registry import anomaly
from dmfa.schema.amounts import GRANTED, OWED


@anomaly("00015-007", severity="B", block="EmployerDeclaration", zone="NetOwedAmount", always=True)
def net_owed_differs(employer_declaration: pl.LazyFrame, tables: Mapping[str, pl.DataFrame]) -> pl.LazyFrame:
    """The net amount owed is not the sum of the amounts declared.

    Sum of the contributions minus the sum of the deductions and compensations, by name of the zone wherever it stands,
    in cents; empty counts as 0; no tolerance. Each declaration stands alone.

    Source: the NSSO's validator, step 4; catalogue of anomalies, zone 00015.
    """
    top = employer_declaration.select(
        "declaration_id", declared=pl.col("net_owed_amount").fill_null(0), seen=pl.col("net_owed_amount")
    )
    return (
        top.join(net_amounts(tables), on="declaration_id", how="left")
        .with_columns(pl.col("net_cents").fill_null(0))
        .filter(pl.col("declared") != pl.col("net_cents"))
        .select(
            "declaration_id",
            block_ordinal=pl.lit(0),
            seen_value=pl.col("seen").cast(pl.String),
            message=pl.format("declared net amount owed {}, sum of the amounts {} (in cents)", "declared", "net_cents"),
        )
    )


@anomaly("00015-011", block="EmployerDeclaration", zone="NetOwedAmount")
def class_owes_less_than_nothing(tables: Mapping[str, pl.DataFrame]) -> pl.LazyFrame:
    """The reductions of an employer class are more than its contributions.

    Contributions less reductions of the worker lines of each class, and its contributions unrelated to a person, in
    cents; a compensation belongs to no class. Only declarations with several classes are asked: of one class alone the
    net amount tells.

    Source: catalogue of anomalies, zone 00015.
    """
    classes = [
        tables[name].lazy().select("declaration_id", employer_class=column)
        for name, column in (
            ("worker_record", "employer_class"),
            ("contribution_unrelated_to_np", "unrelated_employer_class"),
        )
        if name in tables
    ]
    nothing = pl.LazyFrame(schema={"declaration_id": pl.Int64})
    if not classes:
        return nothing
    several = pl.concat(classes).unique().group_by("declaration_id").len().filter(pl.col("len") > 1).collect()
    if several.is_empty():
        return nothing
    line = ("declaration_id", "worker_record_ordinal")
    ids = several["declaration_id"].implode()
    own = {name: table.filter(pl.col("declaration_id").is_in(ids)) for name, table in tables.items()}
    of_lines = {name: table for name, table in own.items() if line[1] in table.columns}
    parts = [_net_amounts(of_lines, line).join(own["worker_record"].lazy().select(*line, "employer_class"), on=line)]
    if "contribution_unrelated_to_np" in own:
        unrelated = own["contribution_unrelated_to_np"].rename({"unrelated_employer_class": "employer_class"})
        parts.append(_net_amounts({"contribution_unrelated_to_np": unrelated}, ("declaration_id", "employer_class")))
    return (
        pl.concat([part.select("declaration_id", "employer_class", "net_cents") for part in parts])
        .group_by("declaration_id", "employer_class")
        .agg(pl.col("net_cents").sum())
        .filter(pl.col("net_cents") < 0)
        .sort("declaration_id", "employer_class")
        .select(
            "declaration_id",
            block_ordinal=pl.lit(0),
            message=pl.format("the reductions of class {} are more than its contributions", "employer_class"),
        )
    )


def net_amounts(tables: Mapping[str, pl.DataFrame]) -> pl.LazyFrame:
    """The net amount of each declaration that has any amount: declaration_id, net_cents (Int64)."""
    return _net_amounts(tables, ("declaration_id",))


def _net_amounts(tables: Mapping[str, pl.DataFrame], key: tuple[str, ...]) -> pl.LazyFrame:
    """The net amount of each key that has any amount."""
    parts = []
    for table in tables.values():
        terms = [*_terms(table.columns, OWED, 1), *_terms(table.columns, GRANTED, -1)]
        if terms:
            parts.append(table.lazy().select(*key, net_cents=pl.sum_horizontal(terms)))
    if not parts:
        return pl.LazyFrame(schema={"declaration_id": pl.Int64, "net_cents": pl.Int64})
    return pl.concat(parts).group_by(key).agg(pl.col("net_cents").sum())


def _terms(names: Iterable[str], wanted: tuple[str, ...], sign: int) -> list[pl.Expr]:
    return [sign * pl.col(name).fill_null(0) for name in names if name in wanted]
