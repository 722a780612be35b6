"""One person twice in one employer's quarter."""

from __future__ import annotations

import polars as pl

from dmfa.checks.registry import anomaly


@anomaly("90017-006", severity="B", block="NaturalPerson", always=True)
def person_repeated(natural_person: pl.LazyFrame, employer_declaration: pl.LazyFrame) -> pl.LazyFrame:
    """The person stands more than once in this employer's quarter.

    The key is INSZ, registration number and quarter over the whole filing, across its Forms, as numbers. An INSZ that
    is empty or 0 is left out. Told once per person and declaration concerned, at the second block of the person where
    the declaration has two.

    Source: the NSSO's validator, step 3; catalogue of anomalies, block 90017.
    """
    employer = employer_declaration.select("declaration_id", pl.col("noss_registration_nbr"))
    key = ("filing_id", "inss", "noss_registration_nbr", "quarter")
    return (
        natural_person.filter(pl.col("inss") != 0)
        .join(employer, on="declaration_id", how="left")
        .with_columns(times=pl.len().over(key))
        .filter(pl.col("times") > 1)
        .group_by(*key, "declaration_id")
        .agg(
            block_ordinal=pl.col("natural_person_ordinal").sort().slice(0, 2).last(),
            times=pl.col("times").first(),
        )
        .select(
            "declaration_id",
            "block_ordinal",
            message=pl.format("the same person stands {} times in this employer's quarter in the filing", "times"),
        )
    )
