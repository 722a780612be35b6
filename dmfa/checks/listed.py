"""Codes against the official lists: unknown to a list, or not in force in the quarter declared.

A list is asked no further than it is known: later, a code that it lacks is counted as not verifiable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from dmfa.checks.code_lists import CodeList, quarters_known
from dmfa.checks.code_lists import rows as rows_of
from dmfa.checks.groups import FEDRIS_CLASSES, kind_of_code
from dmfa.checks.registry import rows

_TRAINEES: Final = ("848", "849")
_CONTRIBUTION: Final = pl.col("contribution_worker_code")


def _in_list(code: pl.Expr, known: CodeList, unknown: str, closed: str) -> Mapping[str, pl.Expr]:
    return {unknown: known.unknown(code), closed: known.closed(code)}


@rows("00036-008", "00036-034", table="worker_record", code_list="employer_classes", few=True)
def employer_class() -> Mapping[str, pl.Expr]:
    """Employer classes of annex 27."""
    return _in_list(pl.col("employer_class"), CodeList("employer_classes"), "00036-008", "00036-034")


@rows("00019-008", "00019-034", table="contribution_unrelated_to_np", code_list="employer_classes", few=True)
def class_of_unrelated() -> Mapping[str, pl.Expr]:
    """Employer classes of annex 27."""
    return _in_list(pl.col("unrelated_employer_class"), CodeList("employer_classes"), "00019-008", "00019-034")


@rows("00037-008", table="worker_record", code_list="worker_codes", few=True)
def worker_code_unknown() -> pl.Expr:
    """The worker code is not in annex 2, or is that of a trainee, whom this declaration does not take."""
    code = pl.col("worker_code")
    known = CodeList("worker_codes", lambda row: row["presence"] in ("1", "3"))
    return known.unknown(code) | code.is_in(_TRAINEES)


@rows("00037-035", table="worker_record", few=True)
def worker_code_of_class() -> pl.Expr:
    """The worker code is not in force in this quarter, or not with this employer class."""
    code = pl.col("worker_code")
    known = CodeList("worker_codes", lambda row: row["presence"] in ("1", "3"))
    return known.closed(code) | _not_of_class()


def _not_of_class() -> pl.Expr:
    """Whether a worker code is not one of its employer class, in the one quarter of which their table is known."""
    table = rows_of("worker_codes_of_classes")
    pairs = sorted(row["employer_class"] + code for row in table for code in row["worker_codes"].split())
    judged = sorted({pair[3:] for pair in pairs})
    employer_class, code = pl.col("employer_class"), pl.col("worker_code")
    known = code.is_in(judged) & employer_class.is_in(sorted(row["employer_class"] for row in table))
    return (
        (pl.col("quarter") == quarters_known("worker_codes_of_classes")[-1])
        & known
        & ~(employer_class + code).is_in(pairs)
    )


@rows("00037-025", table="worker_record", until="2022/2", few=True)
def worker_code_of_fedris() -> pl.Expr:
    """Codes of accident and disease indemnities go with classes 027 and 028, and these with no other."""
    fedris = kind_of_code("Fedris")
    apart = sorted(set(fedris) - set(kind_of_code("ordinary")))
    code, of_fedris = pl.col("worker_code"), pl.col("employer_class").is_in(FEDRIS_CLASSES)
    return (
        pl.when(of_fedris).then(~code.is_in(fedris) & code.is_in(kind_of_code("ordinary"))).otherwise(code.is_in(apart))
    )


@rows("00020-008", "00020-035", table="contribution_unrelated_to_np", code_list="worker_codes", few=True)
def unrelated_code() -> Mapping[str, pl.Expr]:
    """Contributions of annex 2 that belong to no person."""
    known = CodeList("worker_codes", lambda row: row["kind"] == "unrelated to a person")
    return _in_list(pl.col("unrelated_worker_code"), known, "00020-008", "00020-035")


@rows("00082-008", table=("worker_contribution", "compl_indemnity_contribution"), code_list="worker_codes", few=True)
def contribution_code_unknown() -> pl.Expr:
    """The contribution code is not in annex 2."""
    return CodeList("worker_codes", lambda row: row["presence"] in ("2", "3", "5")).unknown(_CONTRIBUTION)


@rows("00062-008", table="service", code_list="service_codes", few=True)
def service_code_unknown() -> pl.Expr:
    """The working-time code is not in annex 8, or not in force in this quarter."""
    known = CodeList("service_codes")
    return known.unknown(pl.col("service_code")) | known.closed(pl.col("service_code"))


@rows("00053-008", "00053-034", table="occupation", code_list="worker_statuses", few=True)
def worker_status() -> Mapping[str, pl.Expr]:
    """Statuses of annex 21."""
    return _in_list(pl.col("worker_status"), CodeList("worker_statuses"), "00053-008", "00053-034")
