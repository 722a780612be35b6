"""What could not be computed of a quarter, by code and employer class, and whose size is not known.

As in `flows.report.queries`, no function returns a person or a single employer.
"""

from __future__ import annotations

from dataclasses import dataclass

from contributions.rates.owedness import ANY_CLASS, bound_to_size
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from flows.stages.reference import references


@dataclass(frozen=True)
class GapOfClasses:
    """Rows of one code that could not be computed for one reason: `classes` are the employer classes concerned."""

    kind: str
    code: str
    type: int | None
    reason: str
    rows: int
    declared: int
    classes: str

    @property
    def label(self) -> str:
        """Code and type as people write them, 015/1."""
        return self.code if self.type is None else f"{self.code}/{self.type}"


def gaps_of_classes(lake: Lake, quarter: Quarter) -> list[GapOfClasses]:
    """What could not be computed, by code, type and reason, with the number of rows of each employer class."""
    found = lake.arrow(
        """
        WITH gap AS (
            SELECT kind, code, type, reason, coalesce(employer_class, '-') AS class, count(*) AS rows,
                coalesce(sum(declared_cents), 0)::BIGINT AS declared
            FROM lake.computed.difference WHERE quarter = ? AND outcome = 'not computable' GROUP BY ALL
        )
        SELECT kind, code, type, reason, sum(rows)::BIGINT AS rows, sum(declared)::BIGINT AS declared,
            string_agg(class || ': ' || rows, ', ' ORDER BY rows DESC, class) AS classes
        FROM gap GROUP BY ALL ORDER BY rows DESC, kind, code, type, reason
        """,
        [quarter.code],
    )
    return [GapOfClasses(**row) for row in found.to_pylist()]


@dataclass(frozen=True)
class SizeUnknown:
    """Contributions of one code whose type is bound to a size of the employer that is not known."""

    code: str
    rows: int
    employers: int


def sizes_unknown(lake: Lake, quarter: Quarter) -> list[SizeUnknown]:
    """Contributions that were priced as declared, though nobody knows whether the employer's size entitles to the type.

    A row that is not owed for another reason is left out.
    """
    known = references(lake, [quarter.code]).get(quarter.code)
    sized: list[int] = []
    if known is not None:
        sized = known.employers.drop_nulls("importance")["noss_registration_nbr"].to_list()
    bound = ", ".join(f"('{code}', '{employer_class}', {type_})" for code, employer_class, type_ in bound_to_size())
    found = lake.arrow(
        f"""
        WITH bound (code, class, type) AS (VALUES {bound})
        SELECT code, count(*) AS rows, count(DISTINCT noss_registration_nbr) AS employers
        FROM lake.computed.contribution c JOIN bound b
            ON b.code = c.contribution_worker_code AND b.type = c.contribution_type
                AND b.class IN ('{ANY_CLASS}', c.employer_class)
        WHERE quarter = ? AND declared_table = 'worker_contribution'
            AND noss_registration_nbr NOT IN (SELECT unnest(?::BIGINT[]))
            AND NOT coalesce(starts_with(rate_source, 'not owed'), false)
        GROUP BY code ORDER BY code
        """,  # noqa: S608 - made of the seed table
        [quarter.code, sized],
    )
    return [SizeUnknown(**row) for row in found.to_pylist()]
