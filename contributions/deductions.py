"""Deductions: each one declared, and each structural reduction that is due without being declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from contributions import reductions
from contributions.arrays import firsts, lengths, numbers
from contributions.categories import STRUCTURAL, categories
from contributions.columns import DECLARED_TABLE, DEDUCTION
from contributions.inputs import OF_LINE, Declared
from contributions.law import Law
from contributions.places import columns_at, filled, kept, rows_at, spread, taken
from contributions.rows import by_name, not_in_version, result


def structural(occupations: pl.DataFrame, declared: Declared, lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """The structural reduction of every occupation, declared or not, with every piece of its calculation.

    Args:
        occupations: rows of occupation with their totals and the place of their line.
        declared: the declared tables.
        lines: the worker lines with their totals and pieces.
        rules: the law of their quarter.

    Returns:
        The occupations in their order, with declared_ordinal, declared_cents (null where not declared), `wanted` (it is
        declared, or computes to an amount that is due), amount_cents, trust, status and reason. A reduction that is not
        declared is due only where the occupation declares none that excludes it (codes 1xxx, the reductions of single
        employers).
    """
    deductions = declared.placed("occupation_deduction")
    code = deductions["deduction_code"]
    structural = deductions[["occupation", *_OF_FIRST]][(code == STRUCTURAL).arg_true()]
    specific = deductions["occupation"][code.str.starts_with("1").arg_true()]
    reads = rules.reads("occupation")
    of_line = [name for name in lines.columns if name in reads and name not in occupations.columns]
    height, known = occupations.height, categories(rules)
    row = taken(known.of_lines(lines), occupations["worker_record"])
    found = reductions.structural(
        occupations.hstack(
            [
                *map(_told_sorted, columns_at(lines, of_line, occupations["worker_record"])),
                (row.fill_null(known.rows.height - 1) if row.null_count() else row).alias("category_row"),
                *_first(structural, height),
                _marked(declared.placed("using_employer")["occupation"], height, "agency"),
                _marked(specific, height, "specific"),
                _wage_before(occupations),
            ]
        ),
        rules,
    )
    due = (pl.col("amount_cents") > 0) & ~pl.col("specific")
    return found.with_columns(wanted=pl.col("declared_ordinal").is_not_null() | due.fill_null(False))


def _told_sorted(column: pl.Series) -> pl.Series:
    """A column, with the word that it is sorted if it is the persons' and they stand in order: sums are sooner made."""
    return column.set_sorted() if column.name == "person" and column.is_sorted() else column


def structural_rows(detailed: pl.DataFrame, declared: Declared, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """What `structural` returns as frames of DEDUCTION with declared_cents beside it, where it is wanted."""
    wanted = [name for name in detailed.columns if name in (*DEDUCTION, "declared_cents", "worker_record")]
    once = rows_at(detailed[wanted], detailed["wanted"].arg_true())
    of_line = [name for name in OF_LINE if name not in once.columns]
    declares = once["declared_ordinal"].is_not_null()
    columns = by_name(once, columns_at(lines, of_line, once["worker_record"]))
    columns |= {
        "deduction_code": filled(STRUCTURAL, pl.String(), once.height),
        "declared_table": kept(filled("occupation_deduction", DECLARED_TABLE, once.height), declares),
    }
    found = result(columns, DEDUCTION, once.height)
    every = declared.rows("occupation_deduction")
    structural = every["deduction_code"] == STRUCTURAL
    if structural.sum() == once["declared_ordinal"].count():
        return [found]
    return [found, _repeated(every.filter(structural), found)]


def _wage_before(occupations: pl.DataFrame) -> pl.Series:
    """Wage of the earlier occupations of the same line, by their ordinals, in cents."""
    name = "wage_before_cents"
    line, ordinal = numbers(occupations["worker_record"], 0), numbers(occupations["occupation_ordinal"])
    first = firsts(line)
    if (line[1:] > line[:-1]).all():
        return filled(0, pl.Int64(), len(line), name)
    wage = pl.col("occupation_wage_cents")
    if (line[1:] >= line[:-1]).all() and (ordinal[1:] > ordinal[:-1])[line[1:] == line[:-1]].all():
        own = numbers(occupations["occupation_wage_cents"])
        before = np.cumsum(own) - own
        return pl.Series(name, before - np.repeat(before[first], lengths(first, len(line))))
    order = occupations.select((wage.cum_sum().over("worker_record", order_by="occupation_ordinal") - wage).alias(name))
    return order[name]


_OF_FIRST: Final = ("occupation_deduction_ordinal", "deduction_amount")


def _first(structural: pl.DataFrame, height: int) -> pl.DataFrame:
    """Ordinal and amount of the first structural reduction that each occupation declares, null where it has none."""
    first = structural.select(
        "occupation",
        declared_ordinal="occupation_deduction_ordinal",
        declared_cents=pl.col("deduction_amount").fill_null(0),
    )
    if first["occupation"].null_count():
        first = first.drop_nulls("occupation")
    if first["occupation"].n_unique() < first.height:
        first = first.sort("occupation", "declared_ordinal").unique("occupation", keep="first")
    return spread(first[["declared_ordinal", "declared_cents"]], first["occupation"], height)


def _marked(places: pl.Series, height: int, name: str) -> pl.Series:
    """Whether each occupation is among some places."""
    return filled(False, pl.Boolean(), height, name).scatter(places.drop_nulls(), True)


def _repeated(declared: pl.DataFrame, once: pl.DataFrame) -> pl.DataFrame:
    """A reduction declared again on the same occupation: nothing more is due where the first one could be computed."""
    keys = ["declaration_id", "occupation_ordinal"]
    again = declared.join(once, on=keys, how="inner", suffix="_of_first", maintain_order="left").filter(
        pl.col("occupation_deduction_ordinal") != pl.col("declared_ordinal")
    )
    told = again.with_columns(
        declared_ordinal="occupation_deduction_ordinal",
        declared_cents=pl.col("deduction_amount").fill_null(0),
        amount_cents=pl.when(pl.col("amount_cents").is_not_null()).then(0).cast(pl.Int64),
    )
    return result(by_name(told), DEDUCTION, told.height)


def other_deductions(
    declared: Declared, lines: pl.DataFrame, settled: Mapping[str, Sequence[pl.DataFrame]]
) -> list[pl.DataFrame]:
    """Every declared deduction but the structural reduction, each with its result or as not in this version.

    Args:
        declared: the declared tables.
        lines: the worker lines.
        settled: table (`occupation_deduction` or `worker_deduction`) -> frames of results: one row for each of some
            deductions of the table, with `row`, its place among the rows of the table, amount_cents, status, and where
            they apply trust, reason, refusal and reservation.

    Returns:
        Frames of DEDUCTION with declared_cents beside it, one for each table that has rows.
    """
    found = []
    for table in ("occupation_deduction", "worker_deduction"):
        rows = declared.placed(table)
        place = pl.int_range(rows.height, dtype=pl.UInt32, eager=True)
        if table == "occupation_deduction":
            place = (rows["deduction_code"] != STRUCTURAL).arg_true()
            rows = rows_at(rows, place)
        if not rows.is_empty():
            columns = by_name(rows, columns_at(lines, OF_LINE, rows["worker_record"]))
            if "occupation" in columns:
                sequence = declared.rows("occupation")["occupation_sequence_nbr"]
                columns["occupation_sequence_nbr"] = taken(sequence, columns["occupation"])
            columns |= {
                "declared_table": filled(table, DECLARED_TABLE, rows.height),
                "declared_ordinal": columns[f"{table}_ordinal"],
                "declared_cents": columns["deduction_amount"].fill_null(0),
            }
            results = [frame for frame in settled.get(table, ()) if not frame.is_empty()]
            found.append(_with_results(not_in_version(columns, DEDUCTION), place, results))
    return found


_TOLD: Final = ("amount_cents", "lowest_cents", "highest_cents", "trust", "status", "reason", "refusal", "reservation")


def _with_results(rows: pl.DataFrame, place: pl.Series, results: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows not in this version with the results of some of them in their place.

    Args:
        rows: frame of DEDUCTION with declared_cents.
        place: the place of each in its table, ascending.
        results: frames with `row` and what is told of it.
    """
    for frame in results:
        own = place.search_sorted(frame["row"])
        rows = rows.with_columns(
            rows[name]
            .clone()
            .scatter(own, frame[name].cast(rows[name].dtype) if name in frame.columns else [None] * frame.height)
            for name in _TOLD
        )
    return rows
