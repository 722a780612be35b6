"""Ages that a contribution demands, as the worker's own number tells them: kinds 060 and 061.

Where the number does not tell the day of birth nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from dmfa.checks.groups import READ_TO, last_day
from dmfa.checks.registry import anomaly, rows
from dmfa.checks.relatives import above
from dmfa.identifiers import insz_birth_date_expr

Tables = Mapping[str, pl.DataFrame]

_FIFTY: Final = "50y"
_AGES: Final = (55, 58, 60, 62)
"""Types 0 to 4 of contributions 260 and 261: younger than 55, and from each of these ages on (annex 3)."""
_LAST_KNOWN: Final = 20223
"""Annex 3 is known to this quarter."""


@rows("00082-061", table="compl_indemnity_contribution", until=READ_TO)
def too_young_for_indemnity() -> pl.Expr:
    """Complementary indemnities are for workers of fifty and more."""
    return insz_birth_date_expr(above("natural_person", "inss")).dt.offset_by(_FIFTY) > last_day()


@anomaly("00083-060", block="WorkerContribution", zone="ContributionType")
def too_old_for_type(tables: Tables) -> pl.LazyFrame:
    """The worker was older when freed from work than the type of the contribution says."""
    return _of_other_type(tables, pl.col("contribution_type") < pl.col("type"))


@anomaly("00083-061", block="WorkerContribution", zone="ContributionType")
def too_young_for_type(tables: Tables) -> pl.LazyFrame:
    """The worker was younger when freed from work than the type of the contribution says."""
    return _of_other_type(tables, pl.col("contribution_type") > pl.col("type"))


def _of_other_type(tables: Tables, other: pl.Expr) -> pl.LazyFrame:
    """Activation contributions of another type than the worker's age at the start of the exemption gives."""
    nothing = pl.LazyFrame(schema={"declaration_id": pl.Int64})
    if "activation_information" not in tables or "worker_contribution" not in tables:
        return nothing
    known = pl.col("quarter") <= _LAST_KNOWN
    activations = tables["activation_information"].filter(known)
    if activations.is_empty():
        return nothing
    person, line = ("declaration_id", "natural_person_ordinal"), ("declaration_id", "worker_record_ordinal")
    persons = tables["natural_person"].select(*person, "inss")
    since = pl.col("service_exemption_start_date")
    reached = [pl.col("born").dt.offset_by(f"{age}y") <= since for age in _AGES]
    typed = (
        activations.lazy()
        .join(persons.lazy(), on=person, how="left")
        .with_columns(born=insz_birth_date_expr(pl.col("inss")))
        .filter(pl.col("born").is_not_null())
        .select(*line, type=pl.sum_horizontal(reached))
    )
    return (
        tables["worker_contribution"]
        .lazy()
        .filter(pl.col("contribution_worker_code").is_in(("260", "261")))
        .join(typed, on=line)
        .filter(other)
        .select(
            "declaration_id",
            block_ordinal="worker_contribution_ordinal",
            seen_value=pl.col("contribution_type").cast(pl.String),
        )
    )
