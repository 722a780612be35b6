"""What a recipient does with a delivery of changes: `apply_mutations`, a pure function over tables.

    tables = {}
    for delivery in deliveries:                    # their folders, in any order, twice or once
        tables = apply_mutations(tables, {file.stem: pl.read_parquet(file) for file in delivery.glob("*.parquet")})

Tables are told apart by their names, and rows by `attestation`. The table `mutation` says of each attestation what
became of it (`status`: 0 new, 1 changed, 3 cancelled, 4 reactivated) and in which delivery (`delivery_nbr`). What a
mutation says of an attestation replaces all that was said before. The outcome keeps the last mutation of each
attestation, so that a delivery that comes again, late or out of turn changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dmfa.extracts.authorisations import CHANGE_TABLE, KEYS, NUMBER

ATTESTATION = KEYS[0]
_CANCELLED = 3


def apply_mutations(base: Mapping[str, pl.DataFrame], mutation: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables after a delivery of changes.

    Args:
        base: tables by name: empty, those of a full delivery, or what this function returned.
        mutation: the tables of one delivery of changes, `mutation` among them.

    Returns:
        All tables, in the order of `in_order`, and `mutation` with the last that was said of each attestation. A table
        that only one side has is kept; of one whose columns differ, the later columns hold.

    Raises:
        ValueError: there is no table of changes, or it says something of an attestation twice.
    """
    if CHANGE_TABLE not in mutation:
        raise ValueError(f"a delivery of changes has a table {CHANGE_TABLE}; this one has none.")
    told = mutation[CHANGE_TABLE]
    if told[ATTESTATION].is_duplicated().any():
        raise ValueError("the table of changes names an attestation twice: put deliveries in one by one.")
    known = base.get(CHANGE_TABLE, told.clear())
    last = known.select(ATTESTATION, pl.col(NUMBER).alias("last"))
    later = told.join(last, on=ATTESTATION, how="left").filter(
        pl.col("last").is_null() | (pl.col(NUMBER) > pl.col("last"))
    )
    given = later.filter(pl.col(KEYS[2]) != _CANCELLED)
    made = {
        name: _merged(base.get(name), mutation.get(name), later, given)
        for name in {**base, **mutation}
        if name != CHANGE_TABLE
    }
    return in_order({**made, CHANGE_TABLE: _merged(known, told, later, later)})


def in_order(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Tables with their rows in the order of attestations and, in each, of the document.

    A full delivery has its attestations in another order; put into this one, it has the same bytes as the tables that
    all mutations lead to.
    """
    return {
        table: frame.sort(
            ATTESTATION, *(name for name in frame.columns if name.endswith("_ordinal")), maintain_order=True
        )
        for table, frame in sorted(tables.items())
    }


def _merged(
    before: pl.DataFrame | None, after: pl.DataFrame | None, replaced: pl.DataFrame, given: pl.DataFrame
) -> pl.DataFrame:
    """One table: what is replaced goes, what is given comes."""
    kept = [] if before is None else [before.join(replaced, on=ATTESTATION, how="anti", maintain_order="left")]
    if after is None:
        return kept[0]
    come = after.join(given, on=ATTESTATION, how="semi", maintain_order="left")
    if kept and not kept[0].height:
        return come
    if kept and kept[0].schema != come.schema:
        # Whoever may have other columns is given everything anew; until then the earlier rows lack what is new.
        kept = [_fitted(kept[0], come)]
    return pl.concat([*kept, come])


def _fitted(frame: pl.DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in like.schema.items()
    )
