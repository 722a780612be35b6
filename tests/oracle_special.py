"""Contributions with a basis of their own once more, in plain Python and fractions; as `tests.oracle`, on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import floor
from typing import Any

Row = dict[str, Any]
Answer = tuple["int | None", "int | None"]

BLOCKS = {
    "student_contribution": ("student",),
    "dismissed_statutory_worker_contribution": ("reference_wage",),
    "contribution_unrelated_to_np": ("unrelated", "amount"),
    "worker_contribution": (
        "pension",
        "severance",
        "benefit",
        "indemnity",
        "amount",
        "flexi",
        "mobility",
        "activation",
    ),
}
WAGES = {"flexi": ("022", "023"), "mobility": ("029",)}
LARGEST = 99_999_999_999


def cent(value: Fraction) -> int:
    """A non-negative fraction of cents, half up."""
    return floor(value + Fraction(1, 2))


def on_own_basis(
    block: str, declared: int | None, rate: dict[str, str], remuns: Iterable[Row], least: Fraction | None = None
) -> Answer:
    """Basis and amount of a contribution by its rate.

    Args:
        block: table that the row stands in.
        declared: basis as declared.
        rate: the deciding row of the seed rates.
        remuns: remuneration of its line.
        least: minimum of an activation contribution, in cents.
    """
    kind, basis = rate["basis_kind"], declared
    if kind not in BLOCKS[block] or rate["trust"] == "C" or not rate["total"]:
        return None, None
    if kind in WAGES:
        basis = sum(one["remun_amount"] for one in remuns if one["remun_code"] in WAGES[kind])
        if basis > LARGEST:
            return None, None
    if basis is None:
        return None, None
    amount = cent(basis * Fraction(rate["total"]) / 100)
    if kind != "activation":
        return basis, amount
    return basis, None if least is None else max(amount, int(least))


def household(wage: int, declared: int, figure: Callable[[str], Fraction], two_scales: bool) -> int | None:
    """The special contribution on a quarter's wage: certain, or the declared one if some household owes it.

    Args:
        wage: of the person, in cents.
        declared: amount, in cents.
        figure: amounts in cents and percentages as fractions, by name below the folder of parameters.
        two_scales: whether single persons have a scale of their own.
    """
    from_, to = figure("month_from"), figure("month_to")
    width, upper = to - from_, figure("upper_percent")
    low = figure("spouse_with_income/low_amount")
    spouse, single = figure("spouse_with_income/percent"), figure("single/percent")
    if wage < figure("free_below"):
        return 0
    if wage < figure("percent_from"):
        return declared if declared in (0, low) else None
    if wage <= figure("percent_to"):
        least = single * min(wage - 3 * from_, width)
        most = max(low, spouse * max(2 * width, wage - 3 * from_))
    else:
        least = min(figure("spouse_with_income/maximum") / 3, single * width + upper * (wage - 2 * from_ - to))
        most = figure("spouse_with_income/upper_amount") + upper * (wage - to)
        if two_scales:
            rise = figure("single/third_step_amount") - single * width
            chord = rise / (figure("single/third_step_from") - to)
            most = max(most, figure("single/upper_amount") + chord * (wage - to))
        most = min(most, figure("single/maximum"))
    return declared if cent(least) - 1 <= declared <= cent(most) + 1 else None


def vehicle(fuel: str, grams: int | None, late: bool, months: int, figure: Callable[[str], Fraction]) -> int | None:
    """The contribution of one company vehicle in cents; None where the sources leave it open.

    Args:
        fuel: as the law names it.
        grams: of CO2 per km; None if unknown.
        late: whether it was ordered on 1 July 2023 or later, and the quarter is not before.
        months: of the quarter.
        figure: numbers in the law's own unit, by name below the folder of parameters.
    """
    least = figure("minimum/ordered_since_2023_07" if late else "minimum/ordered_before_2023_07") * 100
    if fuel in ("electric", "hydrogen"):
        return int(least) * months
    if grams is None:
        grams = int(figure(f"unknown_co2/{fuel}"))
    year = max(grams * figure("euro_per_gram") - figure(f"constant/{fuel}"), Fraction(0)) * 100
    plain = year / 12 * figure("index") / figure("index_base")
    multiple = plain * figure("multiplier") if late else plain
    if cent(multiple) <= least:
        return int(least) * months
    return cent(multiple) * months if cent(plain) >= least else None
