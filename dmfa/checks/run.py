"""Runs the checks over a batch of shredded declarations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from dmfa.anomaly import ANOMALY_SCHEMA, anomaly_frame
from dmfa.checks.registry import Check, Context, RowCheck, checks, row_checks
from dmfa.checks.relatives import Relatives
from dmfa.checks.words import told_of
from dmfa.schema import Zone, lake_tables, snake_case
from dmfa.schema.catalogue import catalogue

ORDER = ("filing_id", "declaration_id", "code", "block", "block_ordinal")


@dataclass(frozen=True)
class Checked:
    """What the checks found.

    Attributes:
        anomalies: columns of `dmfa.anomaly.ANOMALY_SCHEMA`, in an order that depends on content alone.
        not_verifiable: by code, the values that no code list at hand could tell of.
    """

    anomalies: pl.DataFrame
    not_verifiable: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class _Ready:
    """A row check with its expression."""

    check: RowCheck
    expression: pl.Expr
    reads: frozenset[str]

    @property
    def zone(self) -> str:
        """The column of the zone that it tells, as it stands beside the row; empty if it tells the block."""
        check = self.check
        if not check.zone:
            return ""
        column = snake_case(check.zone)
        return column if check.place == check.table else f"{check.place}.{column}"


def run_checks(tables: Mapping[str, pl.DataFrame], context: Context) -> pl.DataFrame:
    """The anomalies that `check` finds."""
    return check(tables, context).anomalies


def check(tables: Mapping[str, pl.DataFrame], context: Context) -> Checked:
    """Run the checks over shredded declarations.

    A double INSZ is looked for in whole filings: all declarations of a filing must be in the tables together.

    Args:
        tables: every table by name, as shredding gives them.
        context: what else the checks may know.
    """
    found = _of_tables(tables, context)
    of_rows, not_verifiable = _of_rows(tables, context)
    found += of_rows
    if not found:
        return Checked(anomaly_frame(), not_verifiable)
    filings = tables["employer_declaration"].select("declaration_id", "filing_id", "quarter")
    hits = pl.concat(found).drop("filing_id").join(filings, on="declaration_id", how="left")
    return Checked(_weighed(hits).select(list(ANOMALY_SCHEMA)).sort(ORDER, nulls_last=True), not_verifiable)


def _weighed(hits: pl.DataFrame) -> pl.DataFrame:
    """Hits with the catalogue's severity where they have none; without those unknown to it in their quarter."""
    known = catalogue()
    pairs = hits.select("code", "quarter").unique()
    official = [known.severity(code, quarter) for code, quarter in pairs.iter_rows()]
    pairs = pairs.with_columns(pl.Series("official", official, dtype=pl.String))
    return (
        hits.join(pairs, on=["code", "quarter"], how="left")
        .with_columns(pl.coalesce("severity", "official").alias("severity"))
        .filter(pl.col("severity").is_not_null())
    )


def _of_tables(tables: Mapping[str, pl.DataFrame], context: Context) -> list[pl.DataFrame]:
    known: dict[str, object] = {name: table.lazy() for name, table in tables.items()}
    known |= {"tables": {name: table for name, table in tables.items() if table.height}, "context": context}
    wanted = [one for one in checks() if one.always or not context.validator_only]
    hits = pl.collect_all([one.function(**{name: known[name] for name in one.needs}) for one in wanted])
    return [_told(one, rows) for one, rows in zip(wanted, hits, strict=True) if rows.height]


def _told(one: Check, hits: pl.DataFrame) -> pl.DataFrame:
    """Rows at fault as anomalies; what a check does not tell itself is what its registration says."""
    told = {
        "block": one.block or None,
        "zone": one.zone or None,
        "code": one.code,
        "severity": one.severity,
        "message": one.words,
    }
    return hits.select(
        (pl.col(name) if name in hits.columns else pl.lit(told.get(name))).cast(kind).alias(name)
        for name, kind in ANOMALY_SCHEMA.items()
    )


@cache
def _ready(context: Context) -> Mapping[str, tuple[_Ready, ...]]:
    """The row checks by table, built once per process: expressions do not depend on the batch."""
    found: dict[str, list[_Ready]] = {}
    for one in () if context.validator_only else row_checks():
        expression = one.expression(context)
        if one.since > 20031 or one.until < 99994:
            expression &= pl.col("quarter").is_between(one.since, one.until)
        found.setdefault(one.table, []).append(_Ready(one, expression, frozenset(expression.meta.root_names())))
    return {table: tuple(own) for table, own in found.items()}


def _of_rows(tables: Mapping[str, pl.DataFrame], context: Context) -> tuple[list[pl.DataFrame], dict[str, int]]:
    """The hits of the row checks, and what could not be verified.

    Each table is looked at once for whether any of its rows is at fault; only for what is, the rows are looked for.
    """
    relatives = Relatives(tables)
    frames: list[pl.DataFrame] = []
    asked: list[list[_Ready]] = []
    questions: list[pl.LazyFrame] = []
    for table, ready in _ready(context).items():
        if table not in tables or tables[table].is_empty():
            continue
        quarters = tables[table]["quarter"]
        first, last = quarters.min(), quarters.max()
        timely = [one for one in ready if one.check.since <= last and first <= one.check.until]  # type: ignore[operator]
        own = [one for one in timely if _concerns(one, relatives)]
        if not own:
            continue
        shown = {one.zone for one in own if one.zone and relatives.knows(table, one.zone)}
        frame = relatives.beside(table, sorted(shown.union(*(one.reads for one in own))))
        for few in (True, False):
            some = [one for one in own if one.check.few is few]
            if some:
                frames.append(frame)
                asked.append(some)
                questions.append(_asked(frame, tuple(some), few=few))
    answers = pl.collect_all(questions)
    hits: list[pl.DataFrame] = []
    unknown: dict[str, int] = {}
    for frame, own, answer in zip(frames, asked, answers, strict=True):
        for place, one in enumerate(own):
            if answer.item(0, f"{place}"):
                hits.append(_rows_told(one, frame, context))
            if f"{place}?" in answer.columns and answer.item(0, f"{place}?"):
                unknown[one.check.code] = unknown.get(one.check.code, 0) + answer.item(0, f"{place}?")
    return hits, unknown


def _concerns(one: _Ready, relatives: Relatives) -> bool:
    """Whether a check can tell anything of these tables."""
    check = one.check
    if not all(relatives.knows(check.table, name) for name in one.reads):
        return False
    if check.empty or not check.zone:
        return True
    column = snake_case(check.zone)
    return not relatives.knows(check.place, column) or relatives.filled(check.place, column)


_MANY = "rows alike"
_MONEY = ("cent", "thousandth of a euro")
_SHORT = 2


def _asked(frame: pl.DataFrame, ready: tuple[_Ready, ...], *, few: bool) -> pl.LazyFrame:
    """The questions of some checks; of those that read few values, asked of each combination of them once."""
    if not few:
        return frame.lazy().select(_questions(ready, frozenset(frame.columns)))
    read = {name for one in ready for name in (*one.reads, one.zone)}.intersection(frame.columns)
    alike = frame.lazy().group_by(sorted(read)).agg(pl.len().alias(_MANY))
    return alike.select(_questions(ready, frozenset([*read, _MANY])))


@cache
def _questions(ready: tuple[_Ready, ...], columns: frozenset[str]) -> tuple[pl.Expr, ...]:
    """Of each check whether any row is at fault, and of those on code lists how many values are not verifiable."""
    asked = [one.expression.any().alias(f"{place}") for place, one in enumerate(ready)]
    for place, one in enumerate(ready):
        if one.check.code_list is not None and one.zone in columns:
            unknown = one.expression.is_null() & pl.col(one.zone).is_not_null()
            many = pl.col(_MANY).filter(unknown) if _MANY in columns else unknown
            asked.append(many.sum().alias(f"{place}?"))
    return tuple(asked)


def _rows_told(one: _Ready, frame: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The rows at fault as anomalies."""
    check = one.check
    ordinal = f"{check.place}_ordinal"
    zone = one.zone
    rows = frame.filter(one.expression)
    shown = zone in rows.columns and check.zone in _shown_zones()
    told = {
        "declaration_id": pl.col("declaration_id"),
        "block": pl.lit(context.blocks[check.place]),
        "block_ordinal": pl.col(ordinal) if ordinal in rows.columns else pl.lit(0),
        "zone": pl.lit(check.zone or None),
        "code": pl.lit(check.code),
        "seen_value": pl.col(zone) if shown else pl.lit(None),
        "message": pl.lit(check.words or told_of(check.code)),
    }
    found = rows.select(told.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in ANOMALY_SCHEMA.items())
    return found if check.place == check.table else found.unique(maintain_order=True)


@cache
def _shown_zones() -> frozenset[str]:
    """Labels of the zones whose values are shown: neither who somebody is nor what somebody earns."""
    zones = [column.zone for table in lake_tables() for column in table.columns if column.zone is not None]
    return frozenset(zone.name for zone in zones if zone.unit not in _MONEY and (not zone.personal or _short(zone)))


def _short(zone: Zone) -> bool:
    """Whether it holds a text too short to name anybody, such as a code that no enumeration lists."""
    return zone.base == "xs:string" and int(zone.facets.get("maxLength", ("9",))[0]) <= _SHORT
