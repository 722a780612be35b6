"""The sets of the labour-market data warehouse, before persons, employers, lines and places get their codes.

Source: description of the sources of the Datawarehouse marché du travail et protection sociale.
"""

from __future__ import annotations

from hashlib import sha256

import polars as pl

from dmfa.extracts.persons import Frames
from dmfa.extracts.selections.classes import age_class, sex, wage_class, with_places, worker_status
from dmfa.extracts.selections.working_time import LINE, OCCUPATION, PAID, lines, occupations, pay, time, with_sums


def select(frames: Frames) -> Frames:
    """Occupations, deductions, measures, contributions, contributions not tied to a person, and places of work."""
    worker_lines = _coded(lines(frames))
    sums = pay(frames, OCCUPATION), time(frames, OCCUPATION, "", PAID)
    jobs = with_places(_coded(with_sums(occupations(frames), OCCUPATION, *sums)), frames).with_columns(
        age_class=age_class(), sex=sex(), wage_class=wage_class(), worker_status=worker_status()
    )
    of_occupation = frames["occupation_deduction"].join(jobs, on=OCCUPATION, how="inner")
    of_line = frames["worker_deduction"].join(worker_lines, on=LINE, how="inner")
    columns = ["declaration_id", "quarter", "line", "deduction_code", "deduction_amount"]
    unrelated = frames["contribution_unrelated_to_np"].join(
        frames["employer_declaration"], on="declaration_id", how="inner"
    )
    return {
        "dmfa": jobs,
        "f": pl.concat(
            [of_occupation.select(*columns, "occupation_sequence_nbr"), of_line.select(columns)], how="diagonal"
        ),
        "plus": jobs.filter(
            pl.col("employment_promotion").is_not_null() | pl.col("reorganisation_measure").is_not_null()
        ),
        "c": frames["worker_contribution"].join(worker_lines, on=LINE, how="inner"),
        "cm": unrelated.with_columns(
            employer=pl.col("noss_registration_nbr"),
            basis=pl.col("unrelated_calculation_basis"),
            amount=pl.col("unrelated_amount"),
        ),
        "d": jobs.with_columns(place=pl.col("local_unit_id")),
    }


def _coded(rows: pl.DataFrame) -> pl.DataFrame:
    """With the numbers that are to be coded: the employer's, the person's, and one of the line."""
    keys = zip(*(rows[name].to_list() for name in (LINE[0], LINE[2])), strict=True)
    numbers = [int.from_bytes(sha256(b"%d:%d" % key).digest()[:8]) >> 1 for key in keys]
    return rows.with_columns(
        pl.Series("line", numbers, pl.Int64), employer=pl.col("noss_registration_nbr"), person=pl.col("inss")
    )
