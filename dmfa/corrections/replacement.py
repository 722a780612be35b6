"""Numbers of persons and employers that were replaced: a new version, in which the number before can still be read.

The identifiers of a declaration and of its persons stay those of the first numbers. Zones that name somebody else (a
replaced worker, a user) keep what was declared. Two persons of one declaration never become one so: that is reported.

Source: NSSO glossary of IDFLUX: a valid situation takes the place of an outdated one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from dmfa.corrections.applied import Applied
from dmfa.corrections.renewal import in_force, renewed
from dmfa.corrections.state import CANCELLED, DECLARATION, PERSON, State, last_rows
from dmfa.schema import ordinal

REPLACED = "replaced"
MERGES = "two persons of the declaration would become one"
NOWHERE = "no declaration in force has the number"

INSS: Final = "inss"
EMPLOYER: Final = ("noss_registration_nbr", "company_id")

_OWN = ordinal(PERSON)
_DECISION_TYPES: Final = {
    "place": pl.Int64(),
    "kind": pl.String(),
    "quarter": pl.Int32(),
    "declaration_id": pl.Int64(),
    "natural_person_ordinal": pl.Int32(),
    "version": pl.Int16(),
    "decision": pl.String(),
}


@dataclass(frozen=True)
class Replacement:
    """What became of replacements.

    Attributes:
        applied: what is to be added to the lake.
        decisions: one row per replacement and declaration in which the number stands, or per replacement without any:
            place (of the replacement, from 0), kind, quarter, declaration_id, natural_person_ordinal (null for an
            employer), version (null if nothing changed) and decision. No numbers.
    """

    applied: Applied
    decisions: pl.DataFrame


def replace_numbers(state: State, replacements: pl.DataFrame, filing_id: int, received_at: datetime) -> Replacement:
    """Put valid numbers in the place of outdated ones, in all declarations in force at once.

    All replacements are of what was known before any of them: 1 to 2 beside 2 to 3 leaves nobody with 2 but who had 1.

    Args:
        state: as `dmfa.corrections.state.state_of_numbers` gives it.
        replacements: kind ('inss', 'noss_registration_nbr' or 'company_id'), old, new; of a kind and old number once.
        filing_id: the filing that tells them.
        received_at: when it was received.
    """
    told = replacements.with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    persons = _persons(state, told)
    employers = {kind: _employers(state, told, kind) for kind in EMPLOYER}
    done = persons.filter(pl.col("decision") == REPLACED)
    keys = {PERSON: done.select("declaration_id", _OWN)}
    keys[DECLARATION] = pl.concat([found.select("declaration_id") for found in employers.values()]).unique()
    fixes = {(PERSON, INSS): done.select("declaration_id", _OWN, value="new")}
    fixes |= {(DECLARATION, kind): found.select("declaration_id", value="new") for kind, found in employers.items()}
    applied = renewed(state, keys, fixes, filing_id, received_at)
    versions = applied.units.select("declaration_id", "version").unique()
    known = pl.concat([persons, *employers.values()], how="diagonal")
    known = known.join(versions, on="declaration_id", how="left", maintain_order="left")
    nowhere = told.join(known, on="place", how="anti").with_columns(decision=pl.lit(NOWHERE))
    version = pl.when(pl.col("decision") == REPLACED).then(pl.col("version")).alias("version")
    decisions = pl.concat([known.with_columns(version), nowhere], how="diagonal").sort("place", "declaration_id", _OWN)
    return Replacement(applied, decisions.select(pl.col(name).cast(kind) for name, kind in _DECISION_TYPES.items()))


def _persons(state: State, told: pl.DataFrame) -> pl.DataFrame:
    """Each person in force whose number is replaced: place, kind, new and decision beside the person's keys."""
    last = last_rows(state.numbers, _OWN).filter(pl.col("status") != CANCELLED)
    after = (
        last.select("declaration_id", "quarter", _OWN, old="inss")
        .join(told.filter(pl.col("kind") == INSS), on="old", how="left", maintain_order="left")
        .with_columns(then=pl.coalesce("new", "old"))
    )
    # Who would share a number keeps the one before; that may be the number that another one is to get.
    after = after.with_columns(refused=pl.lit(value=False))
    twice = (pl.len().over("declaration_id", "then") > 1) & pl.col("new").is_not_null() & ~pl.col("refused")
    while after.select(twice.any()).item():
        after = after.with_columns(refused=twice | pl.col("refused")).with_columns(
            then=pl.when("refused").then("old").otherwise("then")
        )
    decision = pl.when("refused").then(pl.lit(MERGES)).otherwise(pl.lit(REPLACED)).alias("decision")
    return after.filter(pl.col("new").is_not_null()).select(
        "place", "kind", "quarter", "declaration_id", _OWN, "new", decision
    )


def _employers(state: State, told: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Each declaration in force whose employer has another number: place, kind, new and decision beside its key."""
    own = told.filter(pl.col("kind") == kind)
    return (
        in_force(state, DECLARATION)
        .join(own, left_on=kind, right_on="old", how="inner")
        .select("place", "kind", "quarter", "declaration_id", "new", decision=pl.lit(REPLACED))
    )
