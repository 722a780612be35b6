"""The questions that reports ask of the lake; each stands here once, and none returns a person or a single employer.

Every function takes an open lake and returns rows in a fixed order. Amounts are integer cents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeVar

from dmfa.lake import Lake
from dmfa.quarter import Quarter

Row = TypeVar("Row")

FEW_PERSONS = 5
"""Fewer persons than this are not shown by themselves."""

SIZES = (1, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Least number of workers in each size class of employers, as the NSSO publishes them."""


@dataclass(frozen=True)
class Filings:
    """Filings of one state on the ledger; `of` is "this" quarter, "another", or "none" where none can be read."""

    state: str
    of: str
    filings: int
    declarations: int
    declarations_refused: int
    size: int


def filings(lake: Lake, quarter: Quarter) -> list[Filings]:
    """What was received, by state: for a quarter, for others, and without a legible one."""
    return _rows(
        lake,
        Filings,
        """
        SELECT state, CASE WHEN quarter = ? THEN 'this' WHEN quarter IS NULL THEN 'none' ELSE 'another' END AS of,
            count(*) AS filings, sum(declarations)::BIGINT AS declarations,
            sum(refused)::BIGINT AS declarations_refused, sum(size)::BIGINT AS size
        FROM lake.received.filing GROUP BY ALL ORDER BY of DESC, state
        """,
        quarter.code,
    )


@dataclass(frozen=True)
class Anomalies:
    """Anomalies of one code: how many, and in how many filings."""

    code: str
    severity: str
    zone: str | None
    block: str | None
    anomalies: int
    filings: int


def anomalies(lake: Lake, quarter: Quarter | None = None) -> list[Anomalies]:
    """Anomalies by code, those that refuse first: of a quarter and of filings without a legible one, or of all."""
    return _rows(
        lake,
        Anomalies,
        """
        SELECT a.code, a.severity, a.zone, a.block, count(*) AS anomalies, count(DISTINCT a.filing_id) AS filings
        FROM lake.received.anomaly a JOIN lake.received.filing f USING (filing_id)
        WHERE ? IS NULL OR f.quarter = ? OR f.quarter IS NULL
        GROUP BY a.code, a.severity, a.zone, a.block
        ORDER BY a.severity <> 'B', filings DESC, anomalies DESC, a.code, a.zone
        """,
        quarter and quarter.code,
        quarter and quarter.code,
    )


@dataclass(frozen=True)
class Amounts:
    """Declared against computed amounts of one contribution (code and type) or deduction (code).

    Attributes:
        kind: contribution or deduction.
        code: the official code.
        type: contribution type, null where the declared block has none.
        rows: rows compared.
        declared: sum declared.
        covered: of it the sum of rows that could be computed.
        computed: sum computed; a row within its bounds counts as declared.
        equal: rows equal to the cent.
        close: rows a cent apart, or within their bounds.
        differing: rows that differ, are missing or superfluous.
        not_computable: rows that could not be computed.
    """

    kind: str
    code: str
    type: int | None
    rows: int
    declared: int
    covered: int
    computed: int
    equal: int
    close: int
    differing: int
    not_computable: int

    @property
    def label(self) -> str:
        """Code and type as people write them, 015/1."""
        return self.code if self.type is None else f"{self.code}/{self.type}"

    @property
    def difference(self) -> int:
        """Computed less declared, over the rows that could be computed."""
        return self.computed - self.covered


def amounts(lake: Lake, quarter: Quarter) -> list[Amounts]:
    """Declared against computed, by contribution and deduction."""
    return _rows(
        lake,
        Amounts,
        """
        SELECT kind, code, type, count(*) AS rows, coalesce(sum(declared_cents), 0)::BIGINT AS declared,
            coalesce(sum(declared_cents) FILTER (WHERE outcome <> 'not computable'), 0)::BIGINT AS covered,
            coalesce(sum(if(outcome = 'within bounds', declared_cents, computed_cents)), 0)::BIGINT AS computed,
            count(*) FILTER (WHERE outcome = 'equal') AS equal,
            count(*) FILTER (WHERE outcome IN ('rounding', 'within bounds')) AS close,
            count(*) FILTER (WHERE outcome IN ('differs', 'missing', 'superfluous')) AS differing,
            count(*) FILTER (WHERE outcome = 'not computable') AS not_computable
        FROM lake.computed.difference WHERE quarter = ? GROUP BY ALL ORDER BY kind, code, type
        """,
        quarter.code,
    )


@dataclass(frozen=True)
class Gap:
    """What could not be computed for one reason, and which codes that concerns."""

    reason: str
    rows: int
    declared: int
    codes: str


def gaps(lake: Lake, quarter: Quarter) -> list[Gap]:
    """What could not be computed, by reason, the largest first."""
    return _rows(
        lake,
        Gap,
        """
        SELECT reason, count(*) AS rows, coalesce(sum(declared_cents), 0)::BIGINT AS declared,
            string_agg(DISTINCT code, ' ' ORDER BY code) AS codes
        FROM lake.computed.difference WHERE quarter = ? AND outcome = 'not computable'
        GROUP BY reason ORDER BY rows DESC, reason
        """,
        quarter.code,
    )


@dataclass(frozen=True)
class Given:
    """What one recipient received under one authorisation; `attestations` counts each once."""

    extract: str
    recipient: str
    authorisation: str
    attestations: int
    communications: int
    last: datetime


def given(lake: Lake, quarter: Quarter) -> list[Given]:
    """What was given out of a quarter, by extract and recipient, by the log of communications."""
    return _rows(
        lake,
        Given,
        """
        SELECT d.extract, l.recipient, l.authorisation, count(DISTINCT l.attestation) AS attestations,
            count(DISTINCT l.ticket) AS communications, max(l.at) AS last
        FROM lake.exchange.log l
        JOIN (SELECT DISTINCT run_id, recipient, authorisation, extract FROM lake.exchange.delivery WHERE quarter = ?) d
            USING (run_id, recipient, authorisation)
        WHERE l.quarter = ? AND l.result = 'given'
        GROUP BY ALL ORDER BY d.extract, l.recipient, l.authorisation
        """,
        quarter.code,
        quarter.code,
    )


@dataclass(frozen=True)
class Size:
    """Employers with so many workers: from `least` to `most` (None: and more)."""

    least: int
    most: int | None
    employers: int
    persons: int


def sizes(lake: Lake, quarter: Quarter) -> list[Size]:
    """Employers by their number of workers; a class of fewer than five persons is told together with its neighbour."""
    bounds = ", ".join(map(str, SIZES))
    found = lake.arrow(
        f"""
        SELECT list_max(list_filter([{bounds}], least -> least <= persons)) AS least, count(*) AS employers,
            sum(persons)::BIGINT AS persons
        FROM (SELECT declaration_id, count(*) AS persons FROM lake.authentic.natural_person WHERE quarter = ?
            GROUP BY declaration_id)
        GROUP BY least ORDER BY least
        """,  # noqa: S608 - made of the constants above
        [quarter.code],
    ).to_pylist()
    return classes_of({row["least"]: (row["employers"], row["persons"]) for row in found})


def classes_of(held: Mapping[int, tuple[int, int]]) -> list[Size]:
    """Size classes without gaps, in which no class of some persons has fewer than five, if there are five at all.

    Args:
        held: least number of workers of a class to its employers and their persons; a class without any may be absent.
    """
    ends: dict[int, int | None] = {least: following - 1 for least, following in pairwise(SIZES)} | {SIZES[-1]: None}
    classes: list[Size] = []
    for least, most in ends.items():
        one = Size(least, most, *held.get(least, (0, 0)))
        if classes and 0 < classes[-1].persons < FEW_PERSONS:
            before = classes.pop()
            one = Size(before.least, most, before.employers + one.employers, before.persons + one.persons)
        classes.append(one)
    return classes


@dataclass(frozen=True)
class Totals:
    """Control totals of a quarter's declarations in force."""

    declarations: int
    persons: int
    lines: int
    occupations: int
    wages: int
    declared: int
    covered: int
    computed: int
    deductions: int
    deductions_covered: int
    deductions_computed: int
    net: int


def totals(lake: Lake, quarter: Quarter) -> Totals:
    """Control totals of a quarter."""
    (found,) = _rows(
        lake,
        Totals,
        """
        WITH account AS (SELECT * FROM lake.computed.employer_account WHERE quarter = $1)
        SELECT (SELECT count(*) FROM lake.authentic.employer_declaration WHERE quarter = $1) AS declarations,
            (SELECT count(*) FROM lake.authentic.natural_person WHERE quarter = $1) AS persons,
            (SELECT count(*) FROM lake.authentic.worker_record WHERE quarter = $1) AS lines,
            (SELECT count(*) FROM lake.authentic.occupation WHERE quarter = $1) AS occupations,
            (SELECT coalesce(sum(remun_amount), 0)::BIGINT FROM lake.authentic.remun WHERE quarter = $1) AS wages,
            coalesce(sum(declared_contribution_cents), 0)::BIGINT AS declared,
            coalesce(sum(covered_contribution_cents), 0)::BIGINT AS covered,
            coalesce(sum(computed_contribution_cents), 0)::BIGINT AS computed,
            coalesce(sum(declared_deduction_cents), 0)::BIGINT AS deductions,
            coalesce(sum(covered_deduction_cents), 0)::BIGINT AS deductions_covered,
            coalesce(sum(computed_deduction_cents), 0)::BIGINT AS deductions_computed,
            coalesce(sum(declared_net_cents), 0)::BIGINT AS net
        FROM account
        """,
        quarter.code,
    )
    return found


@dataclass(frozen=True)
class Entries:
    """Entries of one kind in the accounts of a quarter; amounts of all but originals are changes.

    Attributes:
        entry: original, correction, system correction or replacement.
        entries: how many.
        declarations: of how many declarations.
        debit: sum booked to the debit of employers, as declared.
        credit: sum booked to their credit.
        computed: what is owed, with every amount that could be computed in place of the declared one.
    """

    entry: str
    entries: int
    declarations: int
    debit: int
    credit: int
    computed: int


def entries(lake: Lake, quarter: Quarter) -> list[Entries]:
    """The entries of a quarter by kind, where anything was corrected; else none."""
    found = _rows(
        lake,
        Entries,
        """
        SELECT coalesce(entry, 'original') AS entry, count(*) AS entries,
            count(DISTINCT declaration_id) AS declarations,
            sum(debit_cents)::BIGINT AS debit, sum(credit_cents)::BIGINT AS credit,
            sum(computed_net_cents)::BIGINT AS computed
        FROM lake.computed.employer_account WHERE quarter = ? GROUP BY ALL ORDER BY min(version), 1
        """,
        quarter.code,
    )
    return found if len(found) > 1 else []


@dataclass(frozen=True)
class State:
    """Which state of the lake was read: its number and moment (UTC), its format, and the XSD releases that judged."""

    snapshot: int
    moment: datetime
    releases: str


def state(lake: Lake, quarter: Quarter) -> State:
    """The state of the lake that the other answers rest on."""
    (found,) = _rows(
        lake,
        State,
        """
        SELECT snapshot_id AS snapshot, snapshot_time AT TIME ZONE 'UTC' AS moment,
            coalesce((SELECT string_agg(DISTINCT schema_release, ', ' ORDER BY schema_release)
                FROM lake.received.filing WHERE quarter = ?), '-') AS releases
        FROM ducklake_snapshots('lake') ORDER BY snapshot_id DESC LIMIT 1
        """,
        quarter.code,
    )
    return found


def _rows(lake: Lake, kind: type[Row], sql: str, *values: Any) -> list[Row]:
    return [kind(**row) for row in lake.arrow(sql, list(values)).to_pylist()]
