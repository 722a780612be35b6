"""Rates, structural categories and ceilings of a simulation, put in the place of those that the look-ups found."""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions.simulation.changes import CategoryChange, Changes, RateChange

FLAT: Final = "flat"
"""Kind of basis of a rate that is an amount, where the seed tables do not tell another."""

_SHARES: Final = ("personal", "base", "moderation")
_WHOLE: Final = 10_000
"""A hundred percent in ten-thousandths."""


def changed_rates(rates: pl.DataFrame, changes: Changes) -> pl.DataFrame:
    """Rates with the changed ones in their place.

    Args:
        rates: employer_class, contribution_worker_code, contribution_type, basis_kind, rate, rate_personal, rate_base,
            rate_moderation, rate_trust, rate_source, rate_words.
        changes: what is changed; a share without a total moves the total, a total alone leaves the shares untold.

    Raises:
        ChangeFault: a change meets no rate, or one that another change has met; the shares are not known or do not add
            up, or the total is more than a hundred percent.
    """
    met = pl.Series([False]).new_from_index(0, rates.height)
    for change in changes.rates:
        hit = rates.select(_concerned(change)).to_series()
        if not hit.any():
            raise change.place.fault(f"no rate is known of {change.words}.", _known(rates, change))
        if (hit & met).any():
            raise change.place.fault(f"the rate of {change.words} is changed twice.", "Leave one of the two out.")
        met |= hit
        rates = _with_rate(rates, hit, change, changes.source)
    return rates


def _concerned(change: RateChange) -> pl.Expr:
    own = (pl.col("contribution_worker_code") == change.code) & (pl.col("contribution_type") == change.type)
    return own & pl.col("employer_class").is_in(change.classes) if change.classes else own


def _known(rates: pl.DataFrame, change: RateChange) -> str:
    """What there is of the code, for somebody who asked for something else."""
    own = rates.filter(pl.col("contribution_worker_code") == change.code)
    types = sorted(own["contribution_type"].unique().to_list())
    if not types:
        return "docs/law-coverage.md lists the contribution codes."
    return f"Types of {change.code} in this quarter: {', '.join(map(str, types))}; not every class has each of them."


def _with_rate(rates: pl.DataFrame, hit: pl.Series, change: RateChange, source: str) -> pl.DataFrame:
    given = {name: getattr(change, name) for name in _SHARES}
    untold = all(share is None for share in given.values())
    shares = {
        name: pl.lit(share if not untold else None, dtype=pl.Int64)
        if share is not None or untold
        else pl.col(f"rate_{name}")
        for name, share in given.items()
    }
    added = shares["personal"] + shares["base"] + shares["moderation"]
    total = added if change.total is None else pl.lit(change.total, dtype=pl.Int64)
    figures = pl.struct(total.alias("total"), added.alias("added"), "basis_kind")
    told = rates.filter(hit).select(figures.alias("of"))["of"].struct.unnest()
    if told["total"].null_count():
        raise change.place.fault(f"the shares of {change.words} are not all known.", "Give its total.")
    if (told["total"] != told["added"]).any():
        raise change.place.fault(f"the shares of {change.words} do not add up to its total.", "Leave the total out.")
    if not told.filter(pl.col("basis_kind") != FLAT, pl.col("total") > _WHOLE).is_empty():
        raise change.place.fault(f"the rate of {change.words} is more than 100 %.")
    where = pl.lit(hit)
    own = {"rate": total, **{f"rate_{name}": share for name, share in shares.items()}}
    return rates.with_columns(
        *(pl.when(where).then(value).otherwise(pl.col(name)).alias(name) for name, value in own.items()),
        rate_source=pl.when(where).then(pl.lit(source)).otherwise("rate_source"),
        rate_words=pl.when(where).then(pl.lit(source)).otherwise("rate_words"),
        rate_trust=pl.when(where).then(pl.lit("A")).otherwise("rate_trust"),
    )


def changed_classes(classes: pl.DataFrame, changes: Changes) -> pl.DataFrame:
    """Employer classes with the changed categories and ceilings in their place.

    Args:
        classes: employer_class, class_category, class_ceiling, class_trust, class_category_trust.
        changes: what is changed.

    Raises:
        ChangeFault: a class is not known.
    """
    for change in changes.categories:
        hit = pl.col("employer_class") == change.employer_class
        if classes.filter(hit).is_empty():
            raise change.place.fault(f"employer class {change.employer_class} is not known in this quarter.")
        if not change.worker_code:
            told = {} if change.category is None else {"class_category_trust": pl.lit("A")}
            classes = _with_category(classes, hit, change, "class", told)
    return classes


def changed_exceptions(codes: pl.DataFrame, classes: pl.DataFrame, changes: Changes) -> pl.DataFrame:
    """Worker codes with the changed categories and ceilings in their place.

    A change of a class holds for the worker codes that have nothing of their own, which an official file may list too.

    Args:
        codes: employer_class, worker_code, own_category, own_ceiling, own_trust, named_with_class.
        classes: what `changed_classes` returns.
        changes: what is changed.
    """
    for change in changes.categories:
        of_class = pl.col("employer_class") == change.employer_class
        if change.worker_code:
            hit = of_class & (pl.col("worker_code") == change.worker_code)
            if codes.filter(hit).is_empty():
                own = classes.filter(of_class).select(
                    "employer_class",
                    worker_code=pl.lit(change.worker_code),
                    **{f"own_{name}": pl.col(f"class_{name}") for name in ("category", "ceiling", "trust")},
                )
                codes = pl.concat([codes, own], how="diagonal")
            codes = _with_category(codes, hit, change, "own", {"named_with_class": pl.lit(True)})
        else:
            codes = _with_category(codes, of_class & ~pl.col("named_with_class").fill_null(False), change, "own", {})
    return codes


def _with_category(
    rows: pl.DataFrame, hit: pl.Expr, change: CategoryChange, prefix: str, further: dict[str, pl.Expr]
) -> pl.DataFrame:
    given = {"category": change.category, "ceiling": change.ceiling}
    told = {f"{prefix}_{name}": pl.lit(value) for name, value in given.items() if value is not None}
    # Of category and ceiling together; what is not changed may be of either trust.
    trust = pl.lit("A" if len(told) == len(given) else "B")
    told |= {f"{prefix}_trust": trust, **further}
    return rows.with_columns(
        pl.when(hit).then(value).otherwise(pl.col(name)).alias(name) for name, value in told.items()
    )
