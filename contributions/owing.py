"""Contributions that a line declares without owing them, and those that it owes without declaring them.

Said only where the combinations of its employer class and worker code are known, and of a type that is bound to the
size or purpose of the employer only where these are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from contributions import amounts, reasons
from contributions.arrays import CODES, Numbers, Small, firsts, lengths, number_of, numbers, three_digits
from contributions.columns import COMPUTED, CONTRIBUTION, NOT_COMPUTABLE
from contributions.inputs import CODE, OF_LINE
from contributions.law import Law
from contributions.places import columns_at, filled
from contributions.rates import OTHER_CLASS, contribution_rates
from contributions.rates.owedness import ANY_CLASS, Bits, Owed, owedness, sizes
from contributions.reference import FFE, Reference
from contributions.rows import by_name, result
from contributions.trust import Trust

EXEMPT: Final = 8
"""Contribution type of those who are exempt (annex 3)."""

_CODE: Final = "contribution_worker_code"

NOT_OWED: Final = "not owed: "
"""So begins the rate_source of a contribution that is not owed; what follows is where that is known from."""

OF_SIZE: Final = f"{NOT_OWED}size of the employer"
OF_PURPOSE: Final = f"{NOT_OWED}purpose of the employer"


@dataclass(frozen=True, slots=True)
class Owing:
    """What the lines of a quarter owe, beside what they declare.

    Attributes:
        not_owed: rows of the declared contributions that nobody owes on their line, by where that is known from and
            the trust in it.
        missing: worker_record, contribution_worker_code and contribution_type of what is owed and not declared, and the
            trust in it that it is due; types says how many types it may have, and only where there is one is
            contribution_type not null.
    """

    not_owed: dict[tuple[str, Trust], Numbers]
    missing: pl.DataFrame


def owing(
    contribution: pl.DataFrame, codes: pl.Series, lines: pl.DataFrame, rules: Law, reference: Reference
) -> Owing | None:
    """Compare what lines declare with what they owe.

    Args:
        contribution: rows of worker_contribution with the place of their line.
        codes: their contribution_worker_code, as text or as `amounts.by_number` has it.
        lines: the worker lines.
        rules: the law of their quarter.
        reference: what is known of the quarter's employers.

    Returns:
        None where nothing is known of any line.
    """
    owed = owedness(rules.quarter, rules.asked, rules.book)
    rows = None if owed is None else _rows(lines, owed)
    if rows is None and reference.employers.is_empty():
        return None
    place = numbers(contribution["worker_record"], lines.height)
    code = _code_numbers(codes)
    employers = _employers(lines, reference)
    not_owed: dict[tuple[str, Trust], Numbers] = {}
    missing = pl.DataFrame()
    if owed is not None and rows is not None:
        not_listed, declared = _compared(code, place, rows, lines["worker_code"], owed)
        not_owed[f"{NOT_OWED}{owed.source}", owed.trust] = not_listed
        missing = _missing(owed, rows, employers, declared, lines["worker_code"])
    if employers is not None:
        types = contribution["contribution_type"]
        not_owed[OF_SIZE, "B"] = _of_another_size(code, types, place, employers, lines["employer_class"])
        not_owed[OF_PURPOSE, "B"] = _of_another_purpose(code, place, employers)
    if not missing.is_empty():
        missing = _with_types(missing, lines, rules, employers)
    return Owing(not_owed, missing)


def settled(contributions: pl.DataFrame, found: Owing) -> pl.DataFrame:
    """Declared contributions of which those that are not owed compute to zero, with where that is known from.

    Args:
        contributions: what `amounts.contributions` returns.
        found: what `owing` returns.
    """
    for (source, trust), rows in found.not_owed.items():
        if len(rows):
            told = {"amount_cents": 0, "trust": trust, "rate_source": source, "status": COMPUTED, "reason": None}
            place = pl.Series(rows, dtype=pl.UInt32)
            contributions = contributions.with_columns(
                contributions[name].clone().scatter(place, value) for name, value in told.items()
            )
    return contributions


def missing_rows(contribution: pl.DataFrame, found: Owing, lines: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """What is owed and not declared, as a frame of CONTRIBUTION with declared_cents beside it.

    An amount of zero is left out, and so is one that can not be computed on a line without any wage that bears
    contributions.

    Args:
        contribution: rows of worker_contribution with the place of their line, for their columns.
        found: what `owing` returns.
        lines: the worker lines with their totals and pieces.
        rules: the law of their quarter.
    """
    missing = found.missing
    if missing.is_empty():
        return pl.DataFrame(schema={**CONTRIBUTION, "declared_cents": pl.Int64()})
    own = by_name(missing, columns_at(lines, OF_LINE, missing["worker_record"]))
    height = missing.height
    rows = pl.DataFrame([own.get(name, filled(None, kind, height, name)) for name, kind in contribution.schema.items()])
    told, _ = amounts.contributions(rows, rows["contribution_worker_code"], lines, rules)
    wage = columns_at(lines, ["ordinary_wage_cents"], missing["worker_record"])[0]
    wanted = told.select(pl.col("amount_cents").fill_null(1) > 0).to_series() & (
        told["amount_cents"].is_not_null() | (wage.fill_null(0) > 0)
    )
    columns = by_name(columns_at(lines, _OF_LINE, told["worker_record"]), told)
    places = (missing["types"] > 1).arg_true()
    for name, value in (("status", NOT_COMPUTABLE), ("reason", reasons.TYPE_OPEN)):
        columns[name] = columns[name].clone().scatter(places, value)
    # The trust of a result is the lowest among its figures; that it is due is one of them.
    trust = columns["trust"]
    columns["trust"] = trust.zip_with(trust.is_null() | (missing["due_trust"] == "A"), missing["due_trust"])
    return result(columns, CONTRIBUTION, height).filter(wanted)


_OF_LINE: Final = (*OF_LINE, "declaration_id", "natural_person_ordinal", "worker_record_ordinal")


def rate_of(row: dict[str, Any], rules: Law) -> dict[str, Any] | None:
    """The rate of a missing contribution, as `contributions.rates.contribution_rates` has it; None where it has none.

    Args:
        row: of what `missing_rows` returns.
        rules: the law of its quarter.
    """
    rates = contribution_rates(rules.quarter, rules.asked, rules.book, rules.changes)
    own = rates.filter(
        pl.col("employer_class").is_in([row["employer_class"], OTHER_CLASS]),
        pl.col(_CODE) == row[_CODE],
        pl.col("contribution_type") == row["contribution_type"],
    ).sort(pl.col("employer_class") == OTHER_CLASS)
    return None if own.is_empty() else own.row(0, named=True)


def _code_numbers(codes: pl.Series) -> npt.NDArray[np.uint16]:
    """Codes as numbers below CODES; what is none becomes the last of them, which no code is."""
    if codes.dtype == pl.UInt16:
        return np.asarray(codes.to_numpy(), np.uint16)
    found = three_digits(codes.cast(pl.String))
    if found is not None:
        return found
    place = codes.cast(pl.String).cast(CODE, strict=False).to_physical().cast(pl.UInt32)
    return np.asarray(_NUMBERS[numbers(place, len(_NUMBERS) - 1)], np.uint16)


_NUMBERS: Final[npt.NDArray[np.uint16]] = np.array(
    [*(number_of(code) for code in CODE.categories), CODES - 1], np.uint16
)


def _rows(lines: pl.DataFrame, owed: Owed) -> Small | None:
    """The row of each line in what is owed, the last one where nothing is known; None where that is so of all lines."""
    number = owed.grid.numbers(lines["employer_class"], "employer_class")
    if (number == owed.stranger).all():
        return None
    found = owed.grid.rows(number + owed.grid.numbers(lines["worker_code"], "worker_code"))
    rows: Small = found.to_numpy()
    return rows if (rows != owed.unknown).any() else None


class _Employers(NamedTuple):
    """Importance class and number of the FFE code of each line's employer, each -1 where it is not known."""

    importance: Numbers
    ffe: Numbers


def _employers(lines: pl.DataFrame, reference: Reference) -> _Employers | None:
    """What is known of each line's employer; None where nothing is of any."""
    employers = reference.employers.sort("noss_registration_nbr")
    if employers.is_empty():
        return None
    known = numbers(employers["noss_registration_nbr"])
    own = numbers(lines["noss_registration_nbr"], -1)
    first = firsts(own)
    place = np.searchsorted(known, own[first]).clip(max=len(known) - 1)
    holds = known[place] == own[first]
    many = lengths(first, len(own))
    ffe = employers["ffe"].replace_strict(FFE, default=-1, return_dtype=pl.Int64)
    importance, purpose = (
        np.repeat(np.where(holds, numbers(column, -1)[place], -1), many) for column in (employers["importance"], ffe)
    )
    # Class 0 is that of employers whose size is not determined.
    return _Employers(np.where(importance > 0, importance, -1), purpose)


def _compared(
    code: npt.NDArray[np.uint16], place: Numbers, rows: Small, worker_codes: pl.Series, owed: Owed
) -> tuple[Numbers, Bits]:
    """Contributions that do not belong to the worker code of their line, and the bits of what each line declares."""
    height, known = len(rows), None
    # One line more, of which nothing is known, is that of contributions without one.
    rows = np.append(rows, np.uint32(owed.unknown))
    if np.count_nonzero(rows != owed.unknown) < height // 2:
        known = np.flatnonzero(rows[place] != owed.unknown)
        code, place = code[known], place[known]
    own = code == np.append(_code_numbers(worker_codes), np.uint16(CODES - 1))[place]
    listed = owed.possible[rows[place] * owed.width + owed.column[code]]
    wrong = np.flatnonzero(~(listed | own))
    bits = owed.bit[code]
    bits[own] = owed.own
    return wrong if known is None else known[wrong], _declared_bits(place, bits, height)


def _declared_bits(place: Numbers, bits: Bits, height: int) -> Bits:
    """The bits of all contributions of each line."""
    found = np.zeros(height + 1, np.uint32)
    first = firsts(place)
    if len(first):
        np.bitwise_or.at(found, place[first], np.bitwise_or.reduceat(bits, first))
    return found[:-1]


def _missing(
    owed: Owed, rows: Small, employers: _Employers | None, declared: Bits, worker_codes: pl.Series
) -> pl.DataFrame:
    """worker_record, contribution_worker_code and due_trust of what is due and not declared."""
    due = owed.due[rows]
    if employers is not None:
        importance, ffe = employers
        for holds, bits in (
            (importance >= 3, owed.of_importance),
            (ffe == FFE["C"], owed.of_commerce),
            (ffe == FFE["B"], owed.of_others),
        ):
            due |= np.where(holds, bits[rows], np.uint32(0))
    lacking = due & ~declared
    known = np.flatnonzero(lacking)
    if not len(known):
        return pl.DataFrame()
    lacking = lacking[known]
    found = []
    own = pl.Series(known[(lacking & owed.own) != 0], dtype=pl.UInt32)
    trust = filled(owed.trust, pl.String(), len(own), "due_trust")
    found.append(pl.DataFrame([own.alias("worker_record"), worker_codes[own].alias(_CODE), trust]))
    for place, code in enumerate(owed.codes):
        where = known[(lacking & np.uint32(1 << place)) != 0]
        if len(where):
            line = pl.Series("worker_record", where, dtype=pl.UInt32)
            trust = filled(owed.trusts[place], pl.String(), len(where), "due_trust")
            found.append(pl.DataFrame([line, filled(code, pl.String(), len(where), _CODE), trust]))
    return pl.concat(found).sort("worker_record", maintain_order=True)


def _of_another_size(
    code: npt.NDArray[np.uint16], types: pl.Series, place: Numbers, employers: _Employers, classes: pl.Series
) -> Numbers:
    """Contributions whose type needs another importance class than that of the employer."""
    table = sizes()
    size = np.append(employers.importance, -1)[place]
    rows = np.flatnonzero((size > 0) & table.sized[code])
    if not len(rows):
        return rows
    of_line = pl.Series(place[rows], dtype=pl.UInt32)
    number = table.grid.numbers(classes[of_line], "employer_class", otherwise=ANY_CLASS)
    number += table.grid.numbers(pl.Series(code[rows]), "contribution_code")
    number += table.grid.numbers(types[pl.Series(rows, dtype=pl.UInt32)], "contribution_type")
    row = numbers(table.grid.rows(number).cast(pl.Int64), -1)
    rows, row = rows[row >= 0], row[row >= 0]
    wrong: npt.NDArray[np.bool_] = (size[rows] < table.least[row]) | (size[rows] > table.most[row])
    return np.asarray(rows[wrong], np.int64)


_OF_COMMERCE, _OF_OTHERS = (number_of(code) for code in ("809", "811"))


def _of_another_purpose(code: npt.NDArray[np.uint16], place: Numbers, employers: _Employers) -> Numbers:
    """Basic contributions to the closing fund of employers who owe the other one, or none."""
    of_line = np.append(employers.ffe, -1)[place]
    wrong = ((code == _OF_COMMERCE) & (of_line != FFE["C"])) | ((code == _OF_OTHERS) & (of_line != FFE["B"]))
    return np.flatnonzero(wrong & (of_line >= 0))


@lru_cache(maxsize=64)
def _types(rules: Law) -> pl.DataFrame:
    """Class, code and each type that is not for the exempt; whether it bears anything, or may."""
    rates = contribution_rates(rules.quarter, rules.asked, rules.book, rules.changes)
    return rates.filter(pl.col("contribution_type") != EXEMPT).select(
        "employer_class",
        "contribution_worker_code",
        "contribution_type",
        bears=pl.col("rate").is_null() | (pl.col("rate") != 0),
    )


def _with_types(missing: pl.DataFrame, lines: pl.DataFrame, rules: Law, employers: _Employers | None) -> pl.DataFrame:
    """The type of what is missing, where it can have one only; what bears nothing in the quarter is left out."""
    types = _types(rules)
    classes = types["employer_class"].unique()
    named = missing.with_row_index("number").with_columns(lines["employer_class"][missing["worker_record"]])
    size = np.full(lines.height, -1) if employers is None else employers.importance
    named = named.with_columns(
        pl.Series("importance", size[missing["worker_record"].to_numpy()]),
        rate_class=pl.when(pl.col("employer_class").is_in(classes.implode()))
        .then("employer_class")
        .otherwise(pl.lit(OTHER_CLASS)),
    )
    keys = ["rate_class", _CODE]
    every = named.join(types.rename({"employer_class": "rate_class"}), on=keys, how="left", maintain_order="left")
    of_size = _size_of_types(every)
    fits = (pl.col("importance") < 1) | pl.col("importance").is_between("least", "most")
    possible = (
        every.hstack(of_size)
        .filter(fits.fill_null(True), pl.col("bears").fill_null(True))
        .group_by("number", "worker_record", _CODE, "due_trust", maintain_order=True)
        .agg(types=pl.len(), contribution_type=pl.col("contribution_type").first())
    )
    one = pl.when(pl.col("types") == 1).then("contribution_type")
    return possible.with_columns(contribution_type=one).drop("number")


def _size_of_types(rows: pl.DataFrame) -> list[pl.Series]:
    """The importance classes that each type needs, null where it needs none."""
    table = sizes()
    number = table.grid.numbers(rows["employer_class"], "employer_class", otherwise=ANY_CLASS)
    number += table.grid.numbers(rows["contribution_worker_code"], "contribution_code")
    number += table.grid.numbers(rows["contribution_type"].fill_null(-1), "contribution_type")
    row = table.grid.rows(number)
    return [pl.Series(name, column)[row] for name, column in (("least", table.least), ("most", table.most))]
