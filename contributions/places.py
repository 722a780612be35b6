"""Where rows stand: the row of a table to which each row of another belongs, so that columns are looked up, not joined.

An ordinal is the number of a block in its declaration, from 0, in document order. A table that holds its declarations
one after the other and each of them in that order, without a gap, answers by addition alone; any other is searched.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl


class Places:
    """The rows of some tables by declaration and ordinal.

    Args:
        declarations: one row per declaration_id.
        tables: further tables by name, with declaration_id and their ordinal, `<name>_ordinal`.

    Raises:
        polars.exceptions.ComputeError: a declaration stands there twice.
    """

    def __init__(self, declarations: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> None:
        self._index = declarations.select("declaration_id").with_row_index("employer_declaration")
        self._searched = {}
        for name, table in tables.items():
            keys = ["declaration_id", f"{name}_ordinal"]
            ids = runs(table, "declaration_id")
            start = ids["many"].cum_sum() - ids["many"]
            number = pl.int_range(pl.len()) - pl.lit(start).gather(pl.col("declaration_id").rle_id())
            in_order = table.is_empty() or table.select(number.eq_missing(pl.col(keys[1])).all()).item()
            if in_order and ids["declaration_id"].n_unique() == ids.height:
                own = ids.select("declaration_id", start.alias(f"{name}_start"), pl.col("many").alias(f"{name}_many"))
                self._index = self._index.join(
                    own, on="declaration_id", how="left", maintain_order="left", validate="1:1"
                )
            else:
                self._searched[name] = table.select(keys).with_row_index(name)

    def of(self, rows: pl.DataFrame, *names: str) -> pl.DataFrame:
        """The places of what each row belongs to, null where there is none.

        Args:
            rows: rows with declaration_id and, for each table asked for, its ordinal.
            names: names of tables; `employer_declaration` is the first argument of this class.

        Returns:
            A column for each name.

        Raises:
            polars.exceptions.ComputeError: a table holds a block twice.
        """
        ids = runs(rows, "declaration_id").drop("many")
        if not ids["declaration_id"].equals(self._index["declaration_id"]):
            index = ids.join(self._index, on="declaration_id", how="left", maintain_order="left")
        else:
            index = self._index
        added = [name for name in names if name not in self._searched]
        wanted = [column for column in index.columns if column.removesuffix("_start").removesuffix("_many") in added]
        given = rows.select(f"{name}_ordinal" for name in added if name != "employer_declaration")
        numbers = rows_at(index.select(wanted), rows.select(pl.col("declaration_id").rle_id()).to_series())
        found = numbers.hstack(given).select(_place(name) for name in added).get_columns()
        return pl.DataFrame([*found, *(self._search(rows, name) for name in names if name in self._searched)])

    def _search(self, rows: pl.DataFrame, name: str) -> pl.Series:
        keys = ["declaration_id", f"{name}_ordinal"]
        table = self._searched[name]
        return rows.select(keys).join(table, on=keys, how="left", maintain_order="left", validate="m:1")[name]


def _place(name: str) -> pl.Expr:
    if name == "employer_declaration":
        return pl.col(name)
    ordinal, start, many = (pl.col(f"{name}_{what}") for what in ("ordinal", "start", "many"))
    return pl.when((ordinal >= 0) & (ordinal < many)).then((start + ordinal).cast(pl.UInt32)).alias(name)


def runs(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Neighbours of one key, taken together: the key, and `many`, how many they are."""
    found = rows.select(pl.col(key).rle()).to_series().struct.unnest()
    return found.select(pl.col("value").alias(key), pl.col("len").cast(pl.Int64).alias("many"))


def rows_at(rows: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """The row at each place; nulls where there is no place."""
    return rows[places] if rows.height else rows.clear(len(places))


def spread(rows: pl.DataFrame, places: pl.Series, height: int) -> pl.DataFrame:
    """A frame of some height that holds each row at its place, and nulls elsewhere; each place at most once."""
    index = pl.Series([None], dtype=pl.UInt32).new_from_index(0, height)
    return rows_at(rows, index.scatter(places, pl.int_range(rows.height, dtype=pl.UInt32, eager=True)))


def summed(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Sums of all other columns by key, a row for each key.

    Neighbours of one key are summed first, by differences of running sums: exact while a whole column sums up to less
    than 2**63, which takes 9e7 of the largest amounts.

    Args:
        rows: the key and Int64 columns.
        key: name of the key.
    """
    together = runs(rows, key)
    last = together["many"].cum_sum() - 1
    running = rows.select(pl.exclude(key).fill_null(0).cum_sum())
    sums = rows_at(running, last).with_columns(pl.all() - pl.all().shift(1, fill_value=0))
    sums = together.select(key).hstack(sums)
    return sums if sums[key].n_unique() == sums.height else sums.group_by(key).agg(pl.all().sum())
