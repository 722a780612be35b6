"""Rights to reductions that earlier declarations have used up: counted over the quarters of the lake.

A lake need not hold every quarter, so that what it counts is the least that was used: enough to tell that nothing is
left, never that something is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from contributions.reference import USED
from contributions.target_groups import OF_PERSONS, allowed_quarters
from dmfa.lake import Lake
from dmfa.quarter import Quarter


def used(lake: Lake, quarters: Collection[int] | None = None) -> dict[int, pl.DataFrame]:
    """The rights without quarters left, by quarter, each a frame of USED; a quarter without any is left out.

    Args:
        lake: the lake.
        quarters: which, e.g. 20263; those of the lake and the next one if not given.
    """
    rows = lake.arrow("SELECT DISTINCT quarter FROM lake.authentic.employer_declaration").column(0)
    held = sorted(rows.to_pylist())
    if not held:
        return {}
    wanted = [*held, Quarter.from_code(held[-1]).next.code] if quarters is None else sorted(quarters)
    allowed = {code: allowed_quarters(Quarter.from_code(code)) for code in wanted}
    least = min((most for codes in allowed.values() for most in codes.values()), default=0)
    # Fewer earlier quarters than the shortest right has cannot use it up.
    if not least or sum(code < wanted[-1] for code in held) < least:
        return {}
    declared = _declared(lake, wanted[-1], sorted({code for codes in allowed.values() for code in codes}), least)
    found = {code: _used_up(declared, code, allowed[code]) for code in wanted}
    return {code: rights for code, rights in found.items() if not rights.is_empty()}


def _used_up(declared: pl.DataFrame, quarter: int, allowed: Mapping[str, int]) -> pl.DataFrame:
    """The rights whose quarters have all been used before a quarter."""
    most = pl.col("deduction_code").replace_strict(allowed, default=None, return_dtype=pl.Int64)
    earlier = pl.col("quarters").list.eval(pl.element() < quarter).list.sum().cast(pl.Int64)
    return declared.with_columns(quarters=earlier).filter(pl.col("quarters") >= most)


def _declared(lake: Lake, before: int, codes: list[str], least: int) -> pl.DataFrame:
    """Columns of USED, with the quarters before one in which each right was declared, at least so many."""
    rows = lake.arrow(
        """
        SELECT d.noss_registration_nbr, o.deduction_code,
            CASE WHEN list_contains(?::VARCHAR[], o.deduction_code) THEN p.inss END AS inss,
            o.deduction_right_starting_date AS right_start, list(DISTINCT o.quarter ORDER BY o.quarter) AS quarters
        FROM lake.authentic.occupation_deduction o
        JOIN lake.authentic.employer_declaration d ON d.quarter = o.quarter AND d.declaration_id = o.declaration_id
        JOIN lake.authentic.natural_person p ON p.quarter = o.quarter AND p.declaration_id = o.declaration_id
            AND p.natural_person_ordinal = o.natural_person_ordinal
        WHERE o.quarter < ? AND list_contains(?::VARCHAR[], o.deduction_code)
            AND o.deduction_right_starting_date IS NOT NULL
        GROUP BY ALL HAVING count(DISTINCT o.quarter) >= ?
        ORDER BY ALL
        """,
        [list(OF_PERSONS), before, codes, least],
    )
    kinds = {**USED, "quarters": pl.List(pl.Int32())}
    return pl.DataFrame(pl.from_arrow(rows)).select(pl.col(name).cast(kind) for name, kind in kinds.items())
