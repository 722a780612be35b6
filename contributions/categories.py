"""What a structural category bears: every category of a quarter by employer class, and what its result would say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import polars as pl

from contributions import reasons
from contributions.columns import COMPUTED, NOT_COMPUTABLE, REASON, REFUSAL, STATUS, TRUST
from contributions.law import Law
from contributions.rates import structural_classes, structural_exceptions
from contributions.rates.ceilings import official
from contributions.rates.grid import Grid
from contributions.rules.structural import CATEGORIES, FOLDER
from contributions.trust import COMPUTING, lowest

STRUCTURAL: Final = "3000"
SCOPE: Final = "structural_scope"
"""Column that names the parameter folder of an occupation's structural category."""

_OTHER_CODES: Final = ""
"""Stands for the worker codes that no class has a category of their own for."""


@dataclass(frozen=True, slots=True)
class Categories:
    """Structural categories by employer class and worker code, and the texts of every result.

    Attributes:
        grid: tells the row of an employer class and worker code.
        rows: structural_category, structural_scope, ceiling_rate in ten-thousandths, category_trust, named_with_class,
            official_right (whether the official file of ceilings gives the right, null without one); the last row, of
            nulls, stands for all classes that are not known.
        texts: trust, status, reason and refusal: one row per row of `rows`, then one per case.
        case: the case of an occupation, null where it has an amount.
        nothing_due: how many cases there are where nothing is due, the first ones; the others are not computable.
        premium: the case of amounts that differ by a premium that is not declared.
    """

    grid: Grid
    rows: pl.DataFrame
    texts: pl.DataFrame
    case: pl.Expr
    nothing_due: int
    premium: int

    def of_lines(self, lines: pl.DataFrame) -> pl.Series:
        """The row of each worker line."""
        classes = self.grid.numbers(lines["employer_class"], "employer_class")
        return self.grid.rows(classes + self.grid.numbers(lines["worker_code"], "worker_code", otherwise=_OTHER_CODES))


@lru_cache(maxsize=64)
def categories(law: Law) -> Categories:
    """Put the categories and the rules of a quarter together; done once per quarter and trust in a process."""
    classes = structural_classes(law.quarter, law.asked, law.changes)
    codes = structural_exceptions(law.quarter, law.asked, law.book, law.changes)
    classes, codes = _with_rights(classes, codes, law)
    names = {"category": pl.String, "ceiling": pl.Int64, "trust": pl.String}
    rows = pl.concat(
        [
            classes.select("official_right", *(pl.col(f"class_{name}").alias(name) for name in names)),
            codes.select("official_right", "named_with_class", *(pl.col(f"own_{name}").alias(name) for name in names)),
            pl.DataFrame({"category": [None]}, schema={"category": pl.String}),
        ],
        how="diagonal",
        rechunk=True,
    ).select(
        structural_category="category",
        structural_scope=(f"{FOLDER}/category_" + pl.col("category")).cast(pl.Enum(CATEGORIES)),
        ceiling_rate="ceiling",
        category_trust="trust",
        named_with_class="named_with_class",
        official_right="official_right",
    )
    of_cases, unclear = _of_cases(law)
    told = [*_of_categories(rows, law), *of_cases, *unclear]
    columns = {"trust": TRUST, "reason": REASON, "refusal": REFUSAL}
    texts = pl.DataFrame(told, schema=columns, orient="row").with_columns(
        status=pl.when(pl.col("reason").is_null()).then(pl.lit(COMPUTED)).otherwise(pl.lit(NOT_COMPUTABLE)).cast(STATUS)
    )
    return Categories(
        _grid(
            classes.select("employer_class"), codes.select("employer_class", "worker_code"), otherwise=rows.height - 1
        ),
        rows,
        texts,
        _case(law),
        len(of_cases),
        len(of_cases) + len(unclear) - 1,
    )


def _with_rights(classes: pl.DataFrame, codes: pl.DataFrame, law: Law) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same with `official_right`: in a class that the official file names, no code has a right without a row."""
    known = official(law.book, law.asked)
    rows = None if known is None else known[0].filter(pl.col("deduction_code") == STRUCTURAL)
    if known is None or rows is None or rows.is_empty():
        unknown = pl.lit(None, dtype=pl.Boolean).alias("official_right")
        return classes.with_columns(unknown), codes.with_columns(unknown)
    named = pl.col("employer_class").is_in(known[0]["employer_class"].unique().implode())
    rights = rows.select("employer_class", "worker_code", official_right=pl.lit(True)).unique()
    own = codes.join(rights, on=["employer_class", "worker_code"], how="left", maintain_order="left")
    without = pl.when(named).then(False)
    return (
        classes.with_columns(official_right=without),
        own.with_columns(official_right=pl.coalesce("official_right", without)),
    )


def _grid(classes: pl.DataFrame, codes: pl.DataFrame, otherwise: int) -> Grid:
    """Tells the row of a class and code: that of the two, or that of the class; those of classes come first."""
    of_class = classes.with_row_index("of_class")
    of_code = codes.with_row_index("of_code", offset=classes.height)
    every = codes["worker_code"].unique().extend(pl.Series([_OTHER_CODES])).to_frame()
    table = (
        pl.concat([classes, codes.select("employer_class")])
        .unique()
        .join(every, how="cross")
        .join(of_class, on="employer_class", how="left")
        .join(of_code, on=["employer_class", "worker_code"], how="left")
        .with_columns(row=pl.coalesce("of_code", "of_class", pl.lit(otherwise, dtype=pl.UInt32)))
    )
    return Grid(table, ["employer_class", "worker_code"], table["row"], otherwise)


Told = tuple[str | None, str | None, str | None]
"""Trust, reason and refusal."""


def _of_categories(rows: pl.DataFrame, law: Law) -> list[Told]:
    """What is told of each category whose occupations are in no case."""
    found: list[Told] = []
    unknown = missing_condition(law)
    for scope, trust in rows.select(SCOPE, "category_trust").iter_rows():
        key = (scope, "structural_reduction")
        reason, own = unknown, trust
        if scope is not None and key in law.pieces:
            own = lowest(law.pieces[key].trust, *([trust] if trust else []))
        elif scope is not None:
            reason = reason or law.missing.get(key, reasons.PARAMETER_UNKNOWN)
        # Where the category is not trusted enough, its occupations are in a case.
        found.append((own if reason is None and own in COMPUTING else None, reason, None))
    return found


def _of_cases(law: Law) -> tuple[list[Told], list[Told]]:
    """What is told where nothing is due; and of each condition that keeps from an amount, and of the premium."""
    rules = law.of_subject(STRUCTURAL)
    own = lowest(*(law.pieces["", rule.name].trust for rule in rules if ("", rule.name) in law.pieces))
    due_nothing: list[Told] = [(own, None, rule.reason) for rule in rules if rule.kind == "nothing due"]
    unclear = [rule.reason for rule in rules if rule.kind == "not computable"]
    return due_nothing, [(None, reason, None) for reason in (*unclear, reasons.PREMIUM_NOT_DECLARED)]


def _case(law: Law) -> pl.Expr:
    """The case of an occupation, over the columns of its level: the first condition that holds."""
    rules = law.of_subject(STRUCTURAL)
    if missing_condition(law):
        return pl.lit(None, dtype=pl.UInt32)
    ordered = sorted(rules, key=lambda rule: rule.kind != "nothing due")
    cases = (law.pieces["", rule.name].expression for rule in ordered)
    return pl.coalesce(pl.when(one).then(pl.lit(number, dtype=pl.UInt32)) for number, one in enumerate(cases))


def missing_condition(law: Law) -> str | None:
    """Why no reduction can be computed at all, if a condition of it cannot be formed."""
    lacking = [law.missing["", rule.name] for rule in law.of_subject(STRUCTURAL) if ("", rule.name) in law.missing]
    return lacking[0] if lacking else None
