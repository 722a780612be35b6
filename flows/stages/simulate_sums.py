"""Sums of a simulation: by structural category, size, region, wage decile and code, and of each employer.

A shard's sums are small whatever its size, and those of all shards add up to those of the quarter: wages are counted by
the euro, so that the bounds of the deciles are known only at the end and still no line is looked at twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import polars as pl

from contributions.arrays import Numbers, numbers
from contributions.simulation.effect import Simulated
from flows.report.queries import SIZES

SUMS: Final = (
    "rows",
    "left_out",
    "contributions_before_cents",
    "contributions_after_cents",
    "reductions_before_cents",
    "reductions_after_cents",
)
"""Of each group: amounts, those of them that are left out since they are not computable under one of the laws, and sums
over the others."""

LEFT_OUT: Final = ("not_before", "not_after", "not_either")
"""Amounts that are not computable: under the law alone, under the changes alone, under both."""

NO_LINE: Final = "no worker line"
NO_WAGE: Final = "no wage"
UNKNOWN: Final = "unknown"
DECILES: Final = 10

EMPLOYER: Final = {
    "noss_registration_nbr": pl.Int64(),
    "size": pl.Int64(),
    "persons": pl.Int64(),
    "lines": pl.Int64(),
    **dict.fromkeys((*SUMS, "net_before_cents", "net_after_cents", "effect_cents"), pl.Int64()),
    "outcome": pl.String(),
}
"""Columns of employers.parquet; size is the least number of workers of its size class, 0 without any."""

EFFECT: Final = {
    "grouping": pl.String(),
    "key": pl.String(),
    "up_to_euro": pl.Int64(),
    "lines": pl.Int64(),
    **dict.fromkeys((*SUMS, "net_before_cents", "net_after_cents", "effect_cents"), pl.Int64()),
}
"""Columns of effect.parquet; up_to_euro is the highest wage of a decile, lines is null of a code."""

GROUPINGS: Final = ("total", "structural category", "size", "region", "wage decile", "contribution", "deduction")


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of some declarations.

    Attributes:
        employers: noss_registration_nbr, size, persons, lines and SUMS, a row for each declaration.
        categories, regions: key, lines and SUMS.
        wages: euro (wage of a line in whole euro, upwards; null for none), lines and SUMS.
        codes: kind, code, type, rows, LEFT_OUT, before_cents and after_cents.
    """

    employers: pl.DataFrame
    categories: pl.DataFrame
    regions: pl.DataFrame
    wages: pl.DataFrame
    codes: pl.DataFrame


def of_shard(found: Simulated, importance: pl.DataFrame) -> Sums:
    """The sums of some declarations.

    Args:
        found: both laws over them.
        importance: noss_registration_nbr and importance class of the employers of whom it is known.
    """
    amounts = found.amounts
    lines, declarations = found.lines, found.declarations
    counted = _counted(amounts)
    of_lines = _summed(counted, numbers(amounts["line"].cast(pl.Int64), lines.height), lines.height)
    of_all = _summed(counted, numbers(amounts["declaration"].cast(pl.Int64), declarations.height), declarations.height)
    told = lines.hstack(of_lines).with_columns(lines=pl.lit(1, dtype=pl.Int64))
    wage = pl.col("wage_cents")
    added = [pl.col(name).sum() for name in ("lines", *SUMS)]
    categories, regions = (
        told.group_by(key=pl.col(name).fill_null(UNKNOWN)).agg(added).sort("key")
        for name in ("structural_category", "region")
    )
    return Sums(
        declarations.hstack(of_all).with_columns(_sizes(declarations, importance), _lines(lines, declarations.height)),
        categories,
        regions,
        told.group_by(euro=pl.when(wage > 0).then((wage + 99) // 100)).agg(added).sort("euro"),
        amounts.with_columns(*counted.values()).group_by("kind", "code", "type").agg(_of_code()).sort(_BY_CODE),
    )


_BY_CODE: Final = ("kind", "code", "type")


def _counted(amounts: pl.DataFrame) -> dict[str, pl.Series]:
    """What each amount adds to SUMS, and to LEFT_OUT."""
    before, after = amounts["before_cents"], amounts["after_cents"]
    known = [one.is_not_null() for one in (before, after)]
    holds = known[0] & known[1]
    deduction = amounts["kind"] == "deduction"
    found = {"rows": pl.Series([1], dtype=pl.Int64).new_from_index(0, amounts.height), "left_out": ~holds}
    for kind, own in (("contributions", holds & ~deduction), ("reductions", holds & deduction)):
        for when, cents in (("before", before), ("after", after)):
            found[f"{kind}_{when}_cents"] = cents.fill_null(0) * own.cast(pl.Int64)
    lacking = {
        "not_before": ~known[0] & known[1],
        "not_after": known[0] & ~known[1],
        "not_either": ~known[0] & ~known[1],
    }
    return {name: column.cast(pl.Int64).alias(name) for name, column in (found | lacking).items()}


def _of_code() -> list[pl.Expr]:
    return [
        *(pl.col(name).sum() for name in ("rows", "left_out", *LEFT_OUT)),
        *(
            (pl.col(f"contributions_{when}_cents").sum() + pl.col(f"reductions_{when}_cents").sum()).alias(
                f"{when}_cents"
            )
            for when in ("before", "after")
        ),
    ]


def _summed(counted: dict[str, pl.Series], place: Numbers, height: int) -> pl.DataFrame:
    """SUMS of each place; what belongs to none is left away."""
    found = {}
    for name in SUMS:
        sums = np.zeros(height + 1, np.int64)
        np.add.at(sums, place, counted[name].to_numpy())
        found[name] = sums[:-1]
    return pl.DataFrame(found)


def _lines(lines: pl.DataFrame, height: int) -> pl.Series:
    """Number of worker lines of each declaration."""
    counted = np.zeros(height, np.int64)
    np.add.at(counted, numbers(lines["declaration"]), 1)
    return pl.Series("lines", counted)


def _sizes(declarations: pl.DataFrame, importance: pl.DataFrame) -> pl.Series:
    """Least number of workers of each employer's size class: as known of it, else by the workers declared."""
    known = declarations.join(importance, on="noss_registration_nbr", how="left", maintain_order="left")["importance"]
    given = numbers(known.cast(pl.Int64), 0)
    counted = np.searchsorted(np.array(SIZES), declarations["persons"].to_numpy(), side="right")
    least = np.array([0, *SIZES])
    return pl.Series("size", least[np.where((given > 0) & (given <= len(SIZES)), given, counted)])


def together(parts: Sequence[Sums]) -> Sums:
    """The sums of all declarations of several parts."""
    frames = {one.name: pl.concat([getattr(part, one.name) for part in parts]) for one in fields(Sums)}
    employers = (
        frames.pop("employers")
        .group_by("noss_registration_nbr", "size")
        .agg(pl.col(name).sum() for name in ("persons", "lines", *SUMS))
    )
    return Sums(
        employers.sort("noss_registration_nbr", "size"),
        *(
            frame.group_by(keys, maintain_order=True).agg(pl.all().sum()).sort(keys)
            for frame, keys in zip(frames.values(), (["key"], ["key"], ["euro"], list(_BY_CODE)), strict=True)
        ),
    )


def employers(sums: Sums) -> pl.DataFrame:
    """A frame of EMPLOYER: what each employer owes before and after, in cents; a positive effect is a loss."""
    effect = pl.col("effect_cents")
    outcome = pl.when(effect > 0).then(pl.lit("loss")).when(effect < 0).then(pl.lit("gain")).otherwise(pl.lit("none"))
    return _with_net(sums.employers).with_columns(outcome=outcome).select(list(EMPLOYER))


def effect(sums: Sums) -> pl.DataFrame:
    """A frame of EFFECT: every group; those of a grouping add up to the total, those of codes to that of their kind."""
    added = [pl.col(name).sum() for name in ("lines", *SUMS)]
    total = sums.employers.select(added)
    sized = sums.employers.group_by("size").agg(added).sort("size")
    off_lines = (total - sums.categories.select(added)).with_columns(key=pl.lit(NO_LINE))
    groups = {
        "total": total.with_columns(key=pl.lit("all")),
        "structural category": _with(sums.categories, off_lines),
        "size": sized.with_columns(key=pl.Series([size_words(size) for size in sized["size"]], dtype=pl.String)),
        "region": _with(sums.regions, off_lines),
        "wage decile": _with(_deciles(sums.wages), off_lines),
        **{kind: _codes(sums.codes, kind) for kind in ("contribution", "deduction")},
    }
    every = [rows.with_columns(grouping=pl.lit(name)) for name, rows in groups.items()]
    found = _with_net(pl.concat(every, how="diagonal"))
    lacking = [name for name in EFFECT if name not in found.columns]
    return found.with_columns(pl.lit(None).alias(name) for name in lacking).select(
        pl.col(name).cast(kind) for name, kind in EFFECT.items()
    )


def _with(rows: pl.DataFrame, off_lines: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([rows, off_lines], how="diagonal") if off_lines["rows"].sum() else rows


def _with_net(rows: pl.DataFrame) -> pl.DataFrame:
    net = {
        when: pl.col(f"contributions_{when}_cents") - pl.col(f"reductions_{when}_cents") for when in ("before", "after")
    }
    return rows.with_columns(
        **{f"net_{when}_cents": value for when, value in net.items()}, effect_cents=net["after"] - net["before"]
    )


def _codes(codes: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The codes of a kind as a group each, 015/1."""
    own, other = ("contributions", "reductions") if kind == "contribution" else ("reductions", "contributions")
    return codes.filter(pl.col("kind") == kind).select(
        "rows",
        "left_out",
        key=pl.concat_str("code", pl.concat_str(pl.lit("/"), pl.col("type").cast(pl.String)).fill_null("")),
        **{f"{own}_{when}_cents": pl.col(f"{when}_cents") for when in ("before", "after")},
        **{f"{other}_{when}_cents": pl.lit(0, dtype=pl.Int64) for when in ("before", "after")},
    )


def _deciles(wages: pl.DataFrame) -> pl.DataFrame:
    """Tenths of the lines with a wage; lines of the same wage, in whole euro upwards, stand in the same one.

    A line's decile is one more than the whole tenths of all lines that have a lower wage.
    """
    paid = wages.filter(pl.col("euro").is_not_null()).sort("euro")
    below = paid["lines"].cum_sum() - paid["lines"]
    many = paid["lines"].sum()
    decile = below * DECILES // many + 1 if many else below
    added = [pl.col(name).sum() for name in ("lines", *SUMS)]
    tenths = paid.with_columns(decile.alias("decile")).group_by("decile").agg(*added, up_to_euro=pl.col("euro").max())
    tenths = tenths.sort("decile").with_columns(key=pl.col("decile").cast(pl.String)).drop("decile")
    unpaid = wages.filter(pl.col("euro").is_null()).drop("euro").with_columns(key=pl.lit(NO_WAGE))
    return pl.concat([tenths, unpaid], how="diagonal")


def size_words(least: int) -> str:
    """A size class by its least number of workers, in words.

    Examples:
        >>> size_words(0), size_words(1), size_words(1000)
        ('no worker', '1 to 4 workers', '1,000 workers and more')
    """
    if least == 0:
        return "no worker"
    place = SIZES.index(least) + 1
    return f"{least:,} to {SIZES[place] - 1:,} workers" if place < len(SIZES) else f"{least:,} workers and more"
