"""Zones and blocks that must or may not be there beside others: kinds 001, 005, 029, 053, 062, 082, 090 and alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from dmfa.checks.groups import ENDING_CONTRACT, READ_TO, SEVERANCE, filled
from dmfa.checks.registry import rows
from dmfa.checks.relatives import above, any_below, count_below, sum_below

_WITH_FREQUENCY: Final = ("002", "023", "045", "062")
"""Bonuses, which alone are paid at a frequency (zone 00068)."""
_SEVERAL_MEASURES: Final = "599"
_EXEMPT_ALL_QUARTER: Final = "2"


@rows("00021-062", table="contribution_unrelated_to_np")
def base_of_vehicles() -> pl.Expr:
    """The contribution on company vehicles, 862, has no base."""
    return filled("unrelated_calculation_basis") & (pl.col("unrelated_worker_code") == "862")


@rows("00042-053", table="worker_record", since="2014/1")
def local_unit_of_line() -> pl.Expr:
    """Since 2014 the establishment is told of each occupation, not of the worker line."""
    return pl.col("local_unit_id") != 0


@rows("00068-029", "00069-029", table="remun", until=READ_TO, few=True)
def zones_of_pay() -> Mapping[str, pl.Expr]:
    """A frequency goes with a bonus, and a percentage with ordinary pay."""
    code = pl.col("remun_code")
    return {
        "00068-029": filled("bonus_payment_frequency") & ~code.is_in(_WITH_FREQUENCY),
        "00069-029": filled("percentage_paid") & (code != "001"),
    }


@rows("00080-062", table="early_retirement_contribution")
def months_of_compensatory_contribution() -> pl.Expr:
    """Months go with the flat contribution, 0."""
    return filled("early_retirement_nbr_months") & (pl.col("early_retirement_code") == 1)


@rows("00896-053", table="worker_contribution")
def first_hiring_of_other_contribution() -> pl.Expr:
    """The day of first hiring belongs to contribution 826."""
    return filled("first_hiring_date") & (pl.col("contribution_worker_code") != "826")


@rows("01012-418", table="occupation", zone="PSDDclExemption")
def released_yet_there() -> pl.Expr:
    """Public service data are there although the occupation is released from them."""
    released = any_below("occupation_informations", pl.col("psd_dcl_exemption") == "1")
    return released & (count_below("occupation_public_service_data") > 0)


@rows("01030-440", table="occupation", zone="ReorganisationMeasurePercentage")
def shares_of_measures() -> pl.Expr:
    """The shares of measures that run at once do not make up 100 percent."""
    shares = sum_below("reorg_measure_information", pl.col("reorganisation_measure_percentage"))
    return (count_below("reorg_measure_information") > 1) & (shares != 10_000)


@rows("01252-005", table="employer_compensation", since="2023/3", until="2023/4")
def exception_of_compensation() -> pl.Expr:
    """The exception to the compensation ended with 2023/2."""
    return filled("compensation_exception")


@rows("90012-529", table="worker_record", until=READ_TO)
def bases_of_fedris() -> pl.Expr:
    """The bases of the contributions are not the sum of the indemnities."""
    bases = sum_below("worker_contribution", pl.col("contribution_calculation_basis"))
    both = (count_below("indemnity_wapm") > 0) & (count_below("worker_contribution") > 0)
    return both & (bases != sum_below("indemnity_wapm", pl.col("indemnity_amount")))


@rows("90015-169", table="occupation", until=READ_TO)
def severance_beside_pay() -> pl.Expr:
    """Pay for the end of a contract stands beside other pay."""
    of_end = pl.col("remun_code").is_in((SEVERANCE, "028"))
    return any_below("remun", of_end) & any_below("remun", ~pl.col("remun_code").is_in(ENDING_CONTRACT))


@rows("90172-473", table="occupation", until=READ_TO)
def exempt_from_second_pillar() -> pl.Expr:
    """Pay for the second pension pillar is told although none is built up."""
    exempt = any_below("occupation_informations", pl.col("suppl_pension_contribution_exemption") == "1")
    return exempt & (count_below("second_pillar_information") > 0)


@rows("90438-001", table="occupation", empty=True)
def measures_missing() -> pl.Expr:
    """599 stands for two measures, each told with its share."""
    several = pl.col("reorganisation_measure") == _SEVERAL_MEASURES
    return several & (count_below("reorg_measure_information") < 2)


@rows("90438-053", table="reorg_measure_information")
def measures_of_one() -> pl.Expr:
    """Measures are told apart only where the occupation has several, 599."""
    return above("occupation", "reorganisation_measure").ne_missing(pl.lit(_SEVERAL_MEASURES))


@rows("90578-001", "90578-053", table="worker_record", empty=True, until=READ_TO)
def activation() -> Mapping[str, pl.Expr]:
    """The activation block goes with an occupation that is exempt from work for the whole quarter."""
    exempt = pl.col("service_exemption_notion") == _EXEMPT_ALL_QUARTER
    due = any_below("occupation_informations", exempt)
    given = count_below("activation_information") > 0
    return {"90578-001": due & ~given, "90578-053": given & ~due}
