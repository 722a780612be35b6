"""Check digits of the numbers of persons, employers and establishments: code 004 of each zone that holds one.

A zone is looked for in every table that has it, so that a block added by a later release is checked too. A person's
number is never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from dmfa.checks.registry import Context, anomaly
from dmfa.identifiers import (
    enterprise_text_expr,
    enterprise_valid_expr,
    insz_valid_expr,
    local_unit_text_expr,
    local_unit_valid_expr,
    noss_registration_text_expr,
    noss_registration_valid_expr,
)

Tables = Mapping[str, pl.DataFrame]

_ENTERPRISE = 10**10
"""Put before an enterprise number where a zone holds that or a registration number."""


@anomaly("00011-004", severity="B", block="EmployerDeclaration", zone="NOSSRegistrationNbr", always=True)
def noss_registration_wrong(employer_declaration: pl.LazyFrame, context: Context) -> pl.LazyFrame:
    """Check digits of the registration number are wrong.

    0 stands for an employer who has no number yet; it needs an enterprise number.
    """
    number = pl.col("noss_registration_nbr")
    unknown_yet = (number == 0) & (pl.col("company_id").fill_null(0) > 0)
    wrong = employer_declaration.filter(~noss_registration_valid_expr(number) & ~unknown_yet)
    return wrong.select(
        "declaration_id",
        block_ordinal=pl.lit(0),
        seen_value=noss_registration_text_expr(number),
        severity=_severity("B", context),
    )


@anomaly("00014-004", severity="B", zone="CompanyID", always=True)
def enterprise_wrong(tables: Tables, context: Context) -> pl.LazyFrame:
    """Check digits of the enterprise number are wrong."""
    return _wrong(tables, context, "company_id", enterprise_valid_expr, shown=enterprise_text_expr)


@anomaly("00024-004", severity="B", zone="INSS", always=True)
def inss_wrong(tables: Tables, context: Context) -> pl.LazyFrame:
    """Check digits of the INSZ are wrong."""
    return _wrong(tables, context, "inss", insz_valid_expr, allow_zero=False)


@anomaly("00042-004", severity="B", zone="LocalUnitID", always=True)
def local_unit_wrong(tables: Tables, context: Context) -> pl.LazyFrame:
    """Check digits of the number of the establishment are wrong."""
    return _wrong(tables, context, "local_unit_id", local_unit_valid_expr, shown=local_unit_text_expr)


@anomaly("00092-004", severity="NP", zone="ReplacedINSS", always=True)
def replaced_inss_wrong(tables: Tables, context: Context) -> pl.LazyFrame:
    """Check digits of the INSZ of the person replaced are wrong."""
    return _wrong(tables, context, "replaced_inss", insz_valid_expr, severity="NP")


@anomaly("00093-004", severity="NP", zone="ApplicantINSS", always=True)
def applicant_inss_wrong(tables: Tables, context: Context) -> pl.LazyFrame:
    """Check digits of the INSZ of the person who opened the right are wrong."""
    return _wrong(tables, context, "applicant_inss", insz_valid_expr, severity="NP")


@anomaly("00131-004", severity="B", zone="UsingEmployerCompanyID", always=True)
def using_employer_wrong(tables: Tables, context: Context) -> pl.LazyFrame:
    """Check digits of the enterprise number of the user are wrong."""
    return _wrong(tables, context, "using_employer_company_id", enterprise_valid_expr, shown=enterprise_text_expr)


@anomaly("00815-004", zone="EmployerNotion", always=True)
def employer_notion_wrong(tables: Tables, context: Context) -> pl.LazyFrame:
    """Check digits of the number of the employer on whose behalf somebody declares are wrong.

    A registration number, or an enterprise number with a 1 before it.
    """
    return _wrong(tables, context, "employer_notion", _employer_valid_expr, shown=_employer_text_expr)


def _employer_text_expr(number: pl.Expr) -> pl.Expr:
    return number.cast(pl.String).str.zfill(11)


def _employer_valid_expr(number: pl.Expr, *, allow_zero: bool = False) -> pl.Expr:
    enterprise = enterprise_valid_expr(number - _ENTERPRISE)
    registered = noss_registration_valid_expr(number, allow_zero=allow_zero)
    return pl.when(number >= _ENTERPRISE).then(enterprise).otherwise(registered)


@anomaly("00749-004", severity="B", zone="SubstituteINSS", always=True)
def substitute_inss_wrong(tables: Tables, context: Context) -> pl.LazyFrame:
    """Check digits of the INSZ of the substitute are wrong."""
    return _wrong(tables, context, "substitute_inss", insz_valid_expr)


def _wrong(
    tables: Tables,
    context: Context,
    column: str,
    valid: Callable[..., pl.Expr],
    *,
    allow_zero: bool = True,
    shown: Callable[[pl.Expr], pl.Expr] | None = None,
    severity: str = "B",
) -> pl.LazyFrame:
    """Rows whose number is wrong, in every table with the column; null passes."""
    number = pl.col(column)
    hits = []
    for name, table in tables.items():
        if column not in table.columns or table[column].dtype != pl.Int64 or table[column].null_count() == table.height:
            continue
        ordinal = f"{name}_ordinal"
        hits.append(
            table.lazy()
            .filter(~valid(number, allow_zero=allow_zero))
            .select(
                "declaration_id",
                block=pl.lit(context.blocks[name]),
                block_ordinal=pl.col(ordinal) if ordinal in table.columns else pl.lit(0, dtype=pl.Int32),
                seen_value=shown(number) if shown else pl.lit(None, dtype=pl.String),
                severity=_severity(severity, context),
            )
        )
    return pl.concat(hits) if hits else pl.LazyFrame(schema={"declaration_id": pl.Int64})


def _severity(severity: str, context: Context) -> pl.Expr:
    return pl.lit("W" if context.lenient_identifiers and severity == "B" else severity)
