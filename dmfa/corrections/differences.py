"""What a version changed: rows before and after it, paired block by block.

Blocks below a line are numbered anew with every version, so they are paired by what identifies them inside the block
around them, as the glossaries have it (anomaly 006 of each block): a service by its code, a contribution by its worker
code and type. Where a block has no such zones, or the same ones twice, the first is paired with the first. A block that
is in both has its new number then, and so has what was in it; no number below a line is used twice in a declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import polars as pl

from dmfa.schema import KEYS, TOP, Table, identifying, ordinal, snake_case, unit_of

REMOVED, CHANGED, CREATED, REACTIVATED, BELOW, UNCHANGED = 0, 1, 3, 5, 7, 9
"""What was done to a block, as zone 00411 (Action) says it; BELOW: only something in it changed."""

CANCELLED, AGAIN = 3, 4
"""Status of a unit that is no more, and of one that came back."""

STEP: Final = "step"
"""Column: the version of the declaration that made the change."""

ACTION: Final = "action"
"""Column: what was done."""

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
_PERSON: Final = ordinal("natural_person")
_NTH: Final = "nth"

Tables = Mapping[str, pl.DataFrame]
Read = Callable[[str, pl.DataFrame], pl.DataFrame]


def earlier(read: Read, replaced: pl.DataFrame, tables: Iterable[Table]) -> dict[str, pl.DataFrame]:
    """The rows that versions ended, by table, each under the version that ended it.

    Args:
        read: gives the rows of a table that have these values, others do no harm: its name, and a frame with quarter,
            declaration_id, version and, but for the declaration itself, the ordinal of the unit.
        replaced: rows of history.replaced of the versions asked for.
        tables: what the tables hold.

    Returns:
        The columns of the tables and `step`.
    """
    by_unit = replaced.partition_by("unit", as_dict=True)
    found = {}
    for table in tables:
        unit, own = unit_of(table.arrow_schema.names)
        if (unit,) in by_unit:
            ordinals = {own: "ordinal"} if own else {}
            ended = by_unit[unit,].select("quarter", "declaration_id", "version", **ordinals, **{STEP: "ended_by"})
            keys = ended.drop(STEP)
            found[table.name] = read(table.name, keys).join(ended, on=keys.columns, maintain_order="left")
        else:
            found[table.name] = _nothing(table)
    return found


def later(rows: Tables, tables: Iterable[Table]) -> dict[str, pl.DataFrame]:
    """The rows that versions brought, by table, each under its version.

    Args:
        rows: rows of history by table; a table without any may be left out.
        tables: what the tables hold.

    Returns:
        The columns of the tables and `step`.
    """
    return {
        table.name: rows[table.name].with_columns(**{STEP: "version"}) if table.name in rows else _nothing(table)
        for table in tables
    }


def compare(before: Tables, after: Tables, tables: Iterable[Table]) -> dict[str, pl.DataFrame]:
    """What versions did to each block that they touch.

    Args:
        before: the rows that they ended, from `earlier`; a cancelled unit has no content.
        after: the rows that they brought, from `later`.
        tables: what the tables hold.

    Returns:
        By table, one row per block: declaration_id, step, `action`, `version` and `status` before and after, its own
        ordinal twice, and each zone twice: as it is now (`<zone>`; as it was, where the block is removed) and as it was
        (`<zone>_before`). The ordinals of the blocks around it are those that they have here.
    """
    # Parents first: a block has more ordinals than those around it.
    held = sorted(tables, key=lambda table: len(ordinals_of(table)))
    paired: dict[str, pl.DataFrame] = {}
    for table in held:
        was, now = (side[table.name].filter(pl.col("status") != CANCELLED) for side in (before, after))
        ordinals = ordinals_of(table)
        if _is_unit(table):
            paired[table.name] = _ended(_paired(was, now, table, ordinals), after[table.name], ordinals)
        else:
            *around, own = ordinals
            alike = [*around, *(zone for zone in IDENTIFYING.get(table.name, ()) if zone in was.columns)]
            was, now = (_numbered(rows, [*_UNIT, *alike], own) for rows in (_placed(was, table, paired), now))
            paired[table.name] = _paired(was, now, table, [*alike, _NTH])
    for table in reversed(held):
        _mark_around(paired, table)
    return paired


def ordinals_of(table: Table) -> list[str]:
    """Columns of a table with the ordinals of the blocks around one of its blocks, outermost first, and its own."""
    return [name for name in table.arrow_schema.names if name.endswith("_ordinal")]


def _placed(rows: pl.DataFrame, table: Table, paired: Tables) -> pl.DataFrame:
    """Rows of before with the numbers that the blocks around them have now."""
    *around, _ = ordinals_of(table)
    _, unit = unit_of(around)
    for name in around:
        if name not in (unit, _PERSON):
            numbers = paired[name.removesuffix("_ordinal")].select(*_UNIT, f"{name}_before", now=name)
            rows = (
                rows.rename({name: f"{name}_before"})
                .join(numbers, on=[*_UNIT, f"{name}_before"], how="left", maintain_order="left")
                .rename({"now": name})
            )
    return rows


def _numbered(rows: pl.DataFrame, alike: Sequence[str], own: str) -> pl.DataFrame:
    """Blocks that are alike numbered in their order."""
    row = pl.int_range(pl.len())
    first = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in alike)
    return rows.sort(*alike, own).with_columns((row - pl.when(first).then(row).forward_fill()).alias(_NTH))


def _paired(before: pl.DataFrame, after: pl.DataFrame, table: Table, key: Sequence[str]) -> pl.DataFrame:
    """Rows before and after as one, with what was done to the block; those with the same key are the same block."""
    zones = [column.name for column in table.columns if column.name not in _KEYS and column.zone is not None]
    own = [*ordinals_of(table)[-1:], *zones]
    told = [name for name in own if name not in key]
    columns = [*_UNIT, *key, "version", "status", *told]
    joined = after.select(columns).join(
        before.select(columns), on=[*_UNIT, *key], how="full", coalesce=True, nulls_equal=True, suffix="_before"
    )
    gone, new = pl.col("version").is_null(), pl.col("version_before").is_null()
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in told if name in zones]
    done = (
        pl.when(gone)
        .then(REMOVED)
        .when(new & (pl.col("status") == AGAIN) & _is_unit(table))  # what is in a unit is created with it
        .then(REACTIVATED)
        .when(new)
        .then(CREATED)
        .when(pl.any_horizontal(pl.lit(value=False), *differs))
        .then(CHANGED)
        .otherwise(UNCHANGED)
    )
    return joined.with_columns(
        done.cast(pl.Int8).alias(ACTION),
        *(pl.when(gone).then(f"{name}_before").otherwise(name).alias(name) for name in told),
        *(pl.when(~new).then(name).alias(f"{name}_before") for name in own if name in key),
    ).sort(*_UNIT, pl.col(ACTION) == REMOVED, *ordinals_of(table)[-1:])


def _ended(found: pl.DataFrame, rows: pl.DataFrame, own: Sequence[str]) -> pl.DataFrame:
    """Units with the version of the row that says that they are cancelled."""
    ended = rows.filter(pl.col("status") == CANCELLED).select(*_UNIT, *own, ended="version").unique()
    return found.join(ended, on=[*_UNIT, *own], how="left", maintain_order="left").select(
        pl.exclude("version", "ended"), version=pl.coalesce("version", "ended")
    )


def _mark_around(paired: dict[str, pl.DataFrame], table: Table) -> None:
    """Blocks around one that changed, which did not change themselves, are marked so."""
    touched = paired[table.name].filter(pl.col(ACTION) != UNCHANGED)
    if touched.is_empty():
        return
    around = {name.removesuffix("_ordinal"): (*_UNIT, name) for name in ordinals_of(table)[:-1]}
    for name, key in {_TOP: _UNIT, **around}.items():
        hit = touched.select(*key, hit=pl.lit(value=True)).unique()
        marked = paired[name].join(hit, on=key, how="left", maintain_order="left")
        action = pl.when((pl.col(ACTION) == UNCHANGED) & pl.col("hit")).then(BELOW).otherwise(ACTION)
        paired[name] = marked.with_columns(action.cast(pl.Int8).alias(ACTION)).drop("hit")


def _nothing(table: Table) -> pl.DataFrame:
    """No row of a table, with its step."""
    return pl.DataFrame(table.arrow_schema.empty_table()).with_columns(**{STEP: "version"})


def _is_unit(table: Table) -> bool:
    return unit_of(table.arrow_schema.names)[0] == table.name
