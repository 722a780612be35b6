"""The size of employers: importance class by the directory, else by the four reference quarters in the lake.

The class of year T rests on the average number of workers at the end of the fourth quarter of T-2 and of the first
three quarters of T-1, and holds for the four quarters of T. Source: description of the variables of the data warehouse
of the CBSS. A worker counts who has an occupation in force on the last day of the quarter.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from contributions.reference import EMPLOYERS, no_employers
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from flows.report.queries import SIZES


def none() -> pl.DataFrame:
    """Nothing known of any employer."""
    return no_employers()


def reference_quarters(year: int) -> tuple[int, ...]:
    """The four quarters on whose last days the workers of a year's importance class are counted."""
    return ((year - 2) * 10 + 4, *((year - 1) * 10 + number for number in (1, 2, 3)))


def employers(lake: Lake, years: Collection[int] | None = None, *, directory: bool) -> dict[int, pl.DataFrame]:
    """Importance class and FFE code of employers by year, each a frame of EMPLOYERS.

    Args:
        lake: the lake.
        years: which; all of which anything is known if not given.
        directory: whether the lake has a directory of employers.
    """
    known = _directory(lake, years) if directory else {}
    found = dict(known)
    for year in _countable(lake) if years is None else _countable(lake) & set(years):
        counted = _counted(lake, year)
        told = known.get(year, none())
        both = told.join(counted, on="noss_registration_nbr", how="full", coalesce=True).select(
            "noss_registration_nbr", importance=pl.coalesce("importance", "counted"), ffe="ffe"
        )
        if not both.is_empty():
            found[year] = both.sort("noss_registration_nbr")
    return found


def _directory(lake: Lake, years: Collection[int] | None) -> dict[int, pl.DataFrame]:
    rows = pl.DataFrame(
        pl.from_arrow(
            lake.arrow(
                "SELECT year, noss_registration_nbr, importance, ffe FROM lake.reference.employer"
                " WHERE ? OR year IN (SELECT unnest(?::INTEGER[])) ORDER BY ALL",
                [years is None, sorted(years or ())],
            )
        )
    )
    return {
        int(str(year)): part.select(pl.col(name).cast(type_) for name, type_ in EMPLOYERS.items())
        for (year,), part in rows.group_by("year", maintain_order=True)
    }


def _countable(lake: Lake) -> set[int]:
    """Years whose four reference quarters all stand in the lake."""
    rows = lake.arrow("SELECT DISTINCT quarter FROM lake.authentic.employer_declaration")
    held = set(rows.column(0).to_pylist())
    return {code // 10 + 1 for code in held if held.issuperset(reference_quarters(code // 10 + 1))}


def _counted(lake: Lake, year: int) -> pl.DataFrame:
    """Importance class of the employers who declared in all four reference quarters, as `counted`.

    An employer without a declaration in one of them may be new, or declare no one: the class is not known then.
    """
    quarters = reference_quarters(year)
    ends = ", ".join(f"({code}, DATE '{Quarter.from_code(code).last_day}')" for code in quarters)
    bounds = ", ".join(str(4 * least) for least in SIZES)
    rows = lake.arrow(
        f"""
        WITH ends (quarter, last_day) AS (VALUES {ends}),
        declaration AS (
            SELECT d.quarter, d.declaration_id, d.noss_registration_nbr
            FROM lake.authentic.employer_declaration d JOIN ends USING (quarter)
        ),
        worker AS (
            SELECT o.quarter, o.declaration_id, count(DISTINCT o.natural_person_ordinal) AS workers
            FROM lake.authentic.occupation o JOIN ends USING (quarter)
            WHERE coalesce(o.occupation_starting_date <= last_day, true)
                AND coalesce(o.occupation_ending_date >= last_day, true)
            GROUP BY o.quarter, o.declaration_id
        ),
        employer AS (
            SELECT noss_registration_nbr, count(DISTINCT quarter) AS quarters,
                sum(coalesce(workers, 0))::BIGINT AS total
            FROM declaration LEFT JOIN worker USING (quarter, declaration_id)
            GROUP BY noss_registration_nbr
        )
        SELECT noss_registration_nbr,
            greatest(1, len(list_filter([{bounds}], least -> least <= total)))::BIGINT AS counted
        FROM employer WHERE quarters = 4 AND total > 0 AND noss_registration_nbr > 0 ORDER BY 1
        """  # noqa: S608 - made of the constants above
    )
    return pl.DataFrame(pl.from_arrow(rows))
