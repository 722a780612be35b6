"""Solidarity contribution on company vehicles, code 862: by CO2 emission and fuel of each vehicle, a month at a time.

((grams x 9 - constant of the fuel) / 12) x index / base of the index, at least the minimum; vehicles with a combustion
engine that were ordered on 1 July 2023 or later bear a multiple, save where the minimum holds. A declaration tells the
plates alone: emission, fuel, order date and months of each vehicle come from elsewhere, as columns of company_vehicle.
Source: law of 29 June 1981, art. 38 par. 3quater; social secretariats (index, minima, multipliers).
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from contributions import reasons
from contributions.algebra import UNIT, Columns, above, at_least, ratio
from contributions.parameters import Parameters
from contributions.rules.registry import contribution, not_computable, quantity, total

VEHICLES: Final = "vehicles"
"""Kind of basis: the vehicles of the declaration."""

FOLDER: Final = "company_vehicles"
ROUNDING: Final = "rounding/vehicle_month"
FUELS: Final = ("petrol", "diesel", "lpg")
WITHOUT_EMISSION: Final = ("electric", "hydrogen")
SECOND_REGIME: Final = date(2023, 7, 1)
"""From this day of order on a vehicle bears the multiplier; the rules that name it hold since that quarter."""

LARGEST_EMISSION: Final = 10_000
"""Grams per km that no vehicle emits; products stay exact below it."""


@quantity(level="vehicle")
def emission_grams(o: Columns, p: Parameters) -> pl.Expr:
    """Grams of CO2 per km that count: those of the vehicle, or those of its fuel where they are unknown."""
    unknown = [
        pl.when(o.fuel == fuel).then(pl.lit(p.number(f"{FOLDER}/unknown_co2/{fuel}"), dtype=pl.Int64))
        for fuel in ("petrol", "diesel")
    ]
    grams = pl.coalesce(o.co2_grams_per_km, *unknown)
    return pl.when(grams <= LARGEST_EMISSION).then(grams)


@quantity(level="vehicle")
def year_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Contribution of a year before indexation, in cents, never negative; null for other fuels."""
    gross = o.emission_grams * p.number(f"{FOLDER}/euro_per_gram")
    return pl.coalesce(
        pl.when(o.fuel == fuel).then(above(gross, p.number(f"{FOLDER}/constant/{fuel}"))) for fuel in FUELS
    )


def _month(o: Columns, p: Parameters, multiplier: int) -> pl.Expr:
    """A month's contribution by the formula, times a multiplier in ten-thousandths, in cents.

    Bound: 10,000 grams x 9 euro x an index of 1,000 x 10 = 2 x 9e6 x 1e5 x 1e5 = 1.8e17.
    """
    top = o.year_cents * (p.number(f"{FOLDER}/index") * multiplier)
    return ratio(top, 12 * p.number(f"{FOLDER}/index_base") * UNIT, p, ROUNDING)


@quantity(level="vehicle")
def plain_month_cents(o: Columns, p: Parameters) -> pl.Expr:
    """A month's contribution by the formula alone, in cents; nothing for vehicles without emission."""
    return pl.when(o.fuel.is_in(list(WITHOUT_EMISSION))).then(0).otherwise(_month(o, p, UNIT)).cast(pl.Int64)


@quantity(level="vehicle", name="month_cents", until="2023/2")
def month_of_one_regime_cents(o: Columns, p: Parameters) -> pl.Expr:
    """A month's contribution, in cents: by the formula, at least the minimum."""
    return at_least(o.plain_month_cents, p.number(f"{FOLDER}/minimum/ordered_before_2023_07"))


@quantity(level="vehicle", since="2023/3")
def minimum_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Least contribution of a month by the day of order, in cents; null where that day is unknown."""
    return (
        pl.when(o.ordered_on < SECOND_REGIME)
        .then(p.number(f"{FOLDER}/minimum/ordered_before_2023_07"))
        .when(o.ordered_on >= SECOND_REGIME)
        .then(p.number(f"{FOLDER}/minimum/ordered_since_2023_07"))
        .cast(pl.Int64)
    )


@quantity(level="vehicle", since="2023/3")
def multiplied_month_cents(o: Columns, p: Parameters) -> pl.Expr:
    """A month's contribution by the formula and the multiplier of the vehicle's day of order, in cents."""
    multiplied = _month(o, p, p.number(f"{FOLDER}/multiplier"))
    late = (o.ordered_on >= SECOND_REGIME) & o.fuel.is_in(list(FUELS))
    return pl.when(late).then(multiplied).otherwise(o.plain_month_cents)


@quantity(level="vehicle", name="month_cents", since="2023/3")
def month_of_two_regimes_cents(o: Columns, p: Parameters) -> pl.Expr:
    """A month's contribution, in cents: the minimum, which is not multiplied, or the multiple of the formula.

    Null where the formula alone stays below the minimum and its multiple does not: which of the two is due is open.
    """
    return (
        pl.when(o.multiplied_month_cents <= o.minimum_cents)
        .then(o.minimum_cents)
        .when(o.plain_month_cents >= o.minimum_cents)
        .then(o.multiplied_month_cents)
    )


@quantity(level="vehicle")
def vehicle_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Contribution of a vehicle for its months of the quarter, in cents; null where a month is, or more than three."""
    return pl.when(o.months.is_between(0, 3)).then(o.month_cents * o.months)


def _is_untold(o: Columns) -> pl.Expr:
    """Whether a fact is not known: the fuel, or one that the law does not name, the day of order, months, emission.

    Months that no quarter has are none.
    """
    without = o.fuel.is_in(list(WITHOUT_EMISSION)).fill_null(False)
    months = o.months.is_between(0, 3).fill_null(False)
    return o.ordered_on.is_null() | ~months | ~(without | o.year_cents.is_not_null())


@total(level="declaration", of="company_vehicle", scopes=(VEHICLES,))
def vehicles_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Contribution of all vehicles but the eco-friendly ones of a mobility budget, in cents; they are code 868."""
    return pl.when(_owes(o)).then(o.vehicle_cents)


@total(level="declaration", of="company_vehicle", scopes=(VEHICLES,))
def vehicles_told(o: Columns, p: Parameters) -> pl.Expr:
    """How many such vehicles there are with fuel, emission, day of order and months."""
    return (_owes(o) & ~_is_untold(o)).cast(pl.Int64)


@total(level="declaration", of="company_vehicle", scopes=(VEHICLES,))
def vehicles_untold(o: Columns, p: Parameters) -> pl.Expr:
    """How many such vehicles lack one of these facts."""
    return (_owes(o) & _is_untold(o)).cast(pl.Int64)


@total(level="declaration", of="company_vehicle", scopes=(VEHICLES,))
def vehicles_open(o: Columns, p: Parameters) -> pl.Expr:
    """How many such vehicles have no certain amount in spite of these facts."""
    return (_owes(o) & ~_is_untold(o) & o.vehicle_cents.is_null()).cast(pl.Int64)


def _owes(o: Columns) -> pl.Expr:
    return o.eco_vehicle.fill_null(0) == 0


@quantity(level="contribution", scopes=(VEHICLES,))
def basis_cents(o: Columns, p: Parameters) -> pl.Expr:
    """Basis as declared, which is no part of the calculation."""
    return o.declared_basis_cents


@quantity(level="contribution", scopes=(VEHICLES,))
def declared_in_parts(o: Columns, p: Parameters) -> pl.Expr:
    """Whether the declaration has several such contributions, one for each employer class."""
    return o.declared_cents.is_not_null().sum().over("declaration_id") > 1


@contribution(VEHICLES, blocks=("contribution_unrelated_to_np",), codes=("862",))
def vehicles_contribution(o: Columns, p: Parameters) -> pl.Expr:
    """Contribution of all vehicles of the declaration, in cents."""
    return o.vehicles_cents


@not_computable("contribution", level="contribution", reason=reasons.VEHICLES_NOT_TOLD, scopes=(VEHICLES,))
def vehicles_are_not_told(o: Columns, p: Parameters) -> pl.Expr:
    """No vehicle is known, or one without emission, fuel, day of order or months; or which class has it is open."""
    return (o.vehicles_told == 0) | (o.vehicles_untold > 0) | o.declared_in_parts


@not_computable("contribution", level="contribution", reason=reasons.SOURCES_CONFLICT, scopes=(VEHICLES,))
def multiplier_is_open(o: Columns, p: Parameters) -> pl.Expr:
    """The formula alone stays below the minimum and its multiple does not, for some vehicle."""
    return o.vehicles_open > 0
