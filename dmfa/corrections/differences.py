"""What a version changed: rows before and after it, paired block by block.

Blocks below a line are numbered anew with every version, so they are paired by what identifies them inside the block
around them, as the glossaries have it (anomaly 006 of each block): a service by its code, a contribution by its worker
code and type. Where a block has no such zones, or the same ones twice, the first is paired with the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import polars as pl

from dmfa.schema import KEYS, TOP, Table, identifying, snake_case, unit_of

REMOVED, CHANGED, CREATED, REACTIVATED, BELOW, UNCHANGED = 0, 1, 3, 5, 7, 9
"""What was done to a block, as zone 00411 (Action) says it; BELOW: only something in it changed."""

CANCELLED, AGAIN = 3, 4
"""Status of a unit that is no more, and of one that came back."""

STEP: Final = "step"
"""Column: the version of the declaration that made the change."""

PATH, PARENT, ACTION, PLACE = "path", "parent", "action", "place"

_UNITS: Final = ("worker_record", "company_vehicle", "contribution_unrelated_to_np")

IDENTIFYING: Final[Mapping[str, tuple[str, ...]]] = {
    "occupation": ("occupation_sequence_nbr",),
    "occupation_deduction_detail": ("deduction_detail_sequence_nbr",),
    **{table: zones for table, zones in identifying.IDENTIFYING.items() if table not in _UNITS},
}
"""Zones by which blocks below a line are told apart within the block around them; where none is named, their order."""

_TOP: Final = snake_case(TOP)
_UNIT: Final = ("declaration_id", STEP)
_KEYS: Final = frozenset(column.name for column in KEYS)

Tables = Mapping[str, pl.DataFrame]
Read = Callable[[str, pl.DataFrame], pl.DataFrame]


def earlier(read: Read, replaced: pl.DataFrame, tables: Iterable[Table]) -> dict[str, pl.DataFrame]:
    """The rows that versions ended, by table, each under the version that ended it.

    Args:
        read: gives the rows of a table that have these values: its name, and a frame with quarter, declaration_id,
            version and, but for the declaration itself, the ordinal of the unit.
        replaced: rows of history.replaced of the versions asked for.
        tables: what the tables hold.

    Returns:
        The columns of the tables and `step`.
    """
    found = {}
    for table in tables:
        unit, own = unit_of(table.arrow_schema.names)
        key = pl.col("ordinal").alias(own) if own else pl.lit(0).alias("top")
        ended = replaced.filter(pl.col("unit") == unit).select(
            "quarter", "declaration_id", "version", key, pl.col("ended_by").alias(STEP)
        )
        keys = ended.drop(STEP, "top", strict=False).unique(maintain_order=True)
        rows = read(table.name, keys)
        found[table.name] = rows.join(
            ended.drop("top", strict=False), on=keys.columns, how="inner", maintain_order="left"
        )
    return found


def later(rows: Tables, tables: Iterable[Table]) -> dict[str, pl.DataFrame]:
    """The rows that versions brought, by table, each under its version.

    Args:
        rows: rows of history by table; a table without any may be left out.
        tables: what the tables hold.

    Returns:
        The columns of the tables and `step`.
    """
    step = pl.col("version").alias(STEP)
    return {
        table.name: rows[table.name].with_columns(step)
        if table.name in rows
        else pl.DataFrame(table.arrow_schema.empty_table()).with_columns(step)
        for table in tables
    }


def compare(before: Tables, after: Tables, tables: Iterable[Table]) -> dict[str, pl.DataFrame]:
    """What versions did to each block that they touch.

    Args:
        before: the rows that they ended, from `earlier`; a cancelled unit has no content.
        after: the rows that they brought, from `later`.
        tables: what the tables hold.

    Returns:
        By table, one row per block: declaration_id, step, `path` (of the block, unique within the step), `parent` (path
        of the block around it), `action`, `place` (its order), `version` and `status` before and after, and each zone
        twice: as it is now (`<zone>`; as it was, where the block is removed) and as it was (`<zone>_before`).
    """
    # Parents first: a block has more ordinals than those around it.
    held = sorted(tables, key=lambda table: len(_ordinals(table.arrow_schema.names)))
    sides: list[dict[str, pl.DataFrame]] = []
    for side in (before, after):
        pathed: dict[str, pl.DataFrame] = {}
        for table in held:
            pathed[table.name] = _with_path(side[table.name].filter(pl.col("status") != CANCELLED), table, pathed)
        sides.append(pathed)
    paired = {
        table.name: _paired(sides[0][table.name], sides[1][table.name], after[table.name], table) for table in held
    }
    for table in reversed(held):
        _mark_above(paired, table.name)
    return paired


def _with_path(rows: pl.DataFrame, table: Table, pathed: Tables) -> pl.DataFrame:
    """Rows with the path of their block and of the one around it."""
    ordinals = _ordinals(rows.columns)
    if not ordinals:
        return rows.with_columns(pl.lit(_TOP).alias(PATH), pl.lit("").alias(PARENT), pl.lit(0, pl.Int32).alias(PLACE))
    around: list[pl.Expr] = []
    # The innermost block around it comes first; of two that exclude one another, one has no number.
    for number, name in enumerate(reversed(ordinals[:-1])):
        parent = pathed[name.removesuffix("_ordinal")]
        above = parent.select(*_UNIT, name, pl.col(PATH).alias(f"above_{number}"))
        rows = rows.join(above, on=[*_UNIT, name], how="left", maintain_order="left")
        around.append(pl.col(f"above_{number}"))
    rows = rows.with_columns(pl.coalesce(*around, pl.lit(_TOP)).alias(PARENT), pl.col(ordinals[-1]).alias(PLACE))
    if _is_unit(table):
        own = pl.col(PLACE).cast(pl.String)
    else:
        zones = [name for name in IDENTIFYING.get(table.name, ()) if name in rows.columns]
        told = pl.concat_str([pl.col(zone).cast(pl.String).fill_null("") for zone in zones], separator="|")
        rows = rows.with_columns((told if zones else pl.lit("")).alias("told")).sort(PLACE, maintain_order=True)
        nth = pl.int_range(pl.len()).over(*_UNIT, PARENT, "told")
        own = pl.format("{}#{}", "told", nth)
    return rows.with_columns(pl.format("{}/{}:{}", PARENT, pl.lit(table.name), own).alias(PATH))


def _paired(before: pl.DataFrame, after: pl.DataFrame, units: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Rows before and after as one, with what was done to the block."""
    zones = [column.name for column in table.columns if column.name not in _KEYS and column.zone is not None]
    kept = _ordinals(table.arrow_schema.names)
    columns = [*_UNIT, PATH, PARENT, PLACE, "version", "status", *kept, *zones]
    joined = after.select(*columns, here=pl.lit(value=True)).join(
        before.select(*columns, was=pl.lit(value=True)),
        on=[*_UNIT, PATH],
        how="full",
        coalesce=True,
        suffix="_before",
    )
    gone, new = pl.col("here").is_null(), pl.col("was").is_null()
    differs = [pl.col(zone).ne_missing(pl.col(f"{zone}_before")) for zone in zones]
    done = (
        pl.when(gone)
        .then(REMOVED)
        .when(new)
        .then(pl.when(pl.col("status") == AGAIN).then(REACTIVATED).otherwise(CREATED))
        .when(pl.any_horizontal(differs))
        .then(CHANGED)
        .otherwise(UNCHANGED)
    )
    unit = _is_unit(table)
    if not unit:
        # Only a unit has a status of its own: what is in it is created with it.
        done = pl.when(done == REACTIVATED).then(CREATED).otherwise(done)
    # A unit that is cancelled keeps its version in the row that says so.
    ended = units.filter(pl.col("status") == CANCELLED).select(*_UNIT, *kept, ended=pl.col("version")).unique()
    filled = [
        pl.when(gone).then(f"{name}_before").otherwise(name).alias(name) for name in (PARENT, PLACE, *kept, *zones)
    ]
    result = joined.with_columns(done.cast(pl.Int8).alias(ACTION), *filled)
    if unit:
        result = result.join(ended, on=[*_UNIT, *kept], how="left").with_columns(
            version=pl.coalesce("version", "ended")
        )
    return result.drop(
        "here",
        "was",
        "ended",
        f"{PARENT}_before",
        f"{PLACE}_before",
        *(f"{name}_before" for name in kept),
        strict=False,
    ).sort(*_UNIT, pl.col(ACTION) == REMOVED, PLACE)


def _mark_above(paired: dict[str, pl.DataFrame], name: str) -> None:
    """Blocks around one that changed, which did not change themselves, are marked so."""
    below = paired[name]
    touched = below.filter(pl.col(ACTION) != UNCHANGED).select(*_UNIT, pl.col(PARENT).alias(PATH)).unique()
    if touched.is_empty():
        return
    touched = touched.with_columns(hit=pl.lit(value=True))
    for around in (_TOP, *(column.removesuffix("_ordinal") for column in _ordinals(below.columns)[:-1])):
        marked = paired[around].join(touched, on=[*_UNIT, PATH], how="left", maintain_order="left")
        action = pl.when((pl.col(ACTION) == UNCHANGED) & pl.col("hit").is_not_null()).then(BELOW).otherwise(ACTION)
        paired[around] = marked.with_columns(action.cast(pl.Int8).alias(ACTION)).drop("hit")


def _ordinals(columns: Iterable[str]) -> list[str]:
    return [name for name in columns if name.endswith("_ordinal")]


def _is_unit(table: Table) -> bool:
    return unit_of(table.arrow_schema.names)[0] == table.name
