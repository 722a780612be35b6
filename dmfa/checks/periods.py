"""Occupations of one person against each other: severance pay, and flexi work beside another contract.

Few persons have either, so that only they are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from dmfa.checks.groups import FLEXI, SEVERANCE, last_day
from dmfa.checks.registry import anomaly

Tables = Mapping[str, pl.DataFrame]

_OCCUPATION: Final = ("declaration_id", "occupation_ordinal")
_LINE: Final = ("declaration_id", "worker_record_ordinal")
_PERSON: Final = ("declaration_id", "natural_person_ordinal")
_NOTHING: Final = pl.LazyFrame(schema={"declaration_id": pl.Int64})


@anomaly("90012-478", block="WorkerRecord")
def severance_before_end(tables: Tables) -> pl.LazyFrame:
    """The time that severance pay covers starts before any paid occupation of the line ends."""
    severed = _with_pay(tables, SEVERANCE)
    if severed.is_empty():
        return _NOTHING
    occupations = _occupations(tables, severed, _LINE)
    starts = occupations.join(severed, on=_OCCUPATION, how="semi").group_by(_LINE).agg(starts=pl.col("begins").min())
    paid = occupations.join(severed, on=_OCCUPATION, how="anti")
    paid = paid.join(_with_pay(tables, "001"), on=_OCCUPATION, how="semi")
    return (
        starts.lazy()
        .join(paid.lazy().group_by(_LINE).agg(ended=pl.col("ends").min()), on=_LINE)
        .filter(pl.col("starts") <= pl.col("ended"))
        .select("declaration_id", block_ordinal="worker_record_ordinal")
    )


@anomaly("90012-486", block="WorkerRecord")
def flexi_beside_contract(tables: Tables) -> pl.LazyFrame:
    """Flexi work runs beside a contract of four fifths or more with the same employer."""
    others = _beside_flexi(tables)
    if others.is_empty():
        return _NOTHING
    hours, full = pl.col("mean_working_hours"), pl.col("ref_mean_working_hours")
    most = (pl.col("contract_type") == 0) | (5 * hours >= 4 * full)
    # What severance pay covers is no contract that runs.
    running = others.filter(most).join(_with_pay(tables, SEVERANCE), on=_OCCUPATION, how="anti")
    return _overlapped(tables, running, "worker_record_ordinal")


@anomaly("90015-484", block="Occupation")
def flexi_within_severance(tables: Tables) -> pl.LazyFrame:
    """Flexi work runs in a time that severance pay of the same employer covers."""
    others = _beside_flexi(tables)
    if others.is_empty():
        return _NOTHING
    severed = others.join(_with_pay(tables, SEVERANCE), on=_OCCUPATION, how="semi")
    return _overlapped(tables, severed, "occupation_ordinal")


def _with_pay(tables: Tables, code: str) -> pl.DataFrame:
    """Keys of the occupations with some pay, and of their lines."""
    if "remun" not in tables:
        return pl.DataFrame(
            schema={"declaration_id": pl.Int64, **dict.fromkeys((*_LINE[1:], *_OCCUPATION[1:]), pl.Int32)}
        )
    return tables["remun"].filter(pl.col("remun_code") == code).select(*_OCCUPATION, "worker_record_ordinal")


def _occupations(tables: Tables, some: pl.DataFrame, on: tuple[str, ...]) -> pl.DataFrame:
    """Occupations of some lines or persons, with the days they begin and end: the quarter's last where they go on."""
    own = tables["occupation"].join(some, on=on, how="semi")
    return own.with_columns(
        begins=pl.col("occupation_starting_date"), ends=pl.coalesce("occupation_ending_date", last_day())
    )


def _flexi_lines(tables: Tables) -> pl.DataFrame:
    return tables["worker_record"].filter(pl.col("worker_code").is_in(FLEXI))


def _beside_flexi(tables: Tables) -> pl.DataFrame:
    """The other occupations of those who have flexi work too."""
    if "worker_record" not in tables or "occupation" not in tables:
        return pl.DataFrame()
    flexi = _flexi_lines(tables)
    if flexi.is_empty():
        return flexi
    lines = tables["worker_record"].join(flexi, on=_PERSON, how="semi").filter(~pl.col("worker_code").is_in(FLEXI))
    return lines if lines.is_empty() else _occupations(tables, lines, _LINE)


def _overlapped(tables: Tables, others: pl.DataFrame, told: str) -> pl.LazyFrame:
    """Flexi occupations, or their lines, that overlap one of some other occupations of the person."""
    if others.is_empty():
        return _NOTHING
    own = _occupations(tables, _flexi_lines(tables), _LINE)
    overlapping = (pl.col("begins") <= pl.col("ends_right")) & (pl.col("begins_right") <= pl.col("ends"))
    return (
        own.lazy()
        .join(others.lazy(), on=_PERSON)
        .filter(overlapping)
        .select("declaration_id", block_ordinal=told)
        .unique(maintain_order=True)
    )
