"""Working time: the regime, days and hours of an occupation against each other and against the quarter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from dmfa.checks.groups import (
    CHILD_CARE_AT_HOME,
    CHILD_MINDER,
    ENDING_CONTRACT,
    FLEXI,
    PARLIAMENT,
    READ_TO,
    SEAFARERS_CLASSES,
    THIRD_PARTY_PAYERS,
    surely,
)
from dmfa.checks.registry import rows
from dmfa.checks.relatives import above, any_below, sum_below

_CLASS: Final = above("worker_record", "employer_class")
_CODE: Final = above("worker_record", "worker_code")
_DAYS: Final = pl.col("working_days_system")
_HOURS: Final = pl.col("mean_working_hours")
_FULL_WEEK: Final = pl.col("ref_mean_working_hours")
_AT_HOME: Final = surely(pl.col("worker_status").is_in(CHILD_CARE_AT_HOME))
_NO_WORK_DUE: Final = surely(pl.col("days_justification") == "7")

# Overtime, the holidays that flexi pay holds, and days at sea stand beside the days worked.
_BESIDE_OTHER_DAYS: Final = ("015", "080", "101", "102")
_HUNDREDTHS: Final = 100


def _nothing_allowed() -> pl.Expr:
    """Whether an occupation may have neither days nor hours a week."""
    # A mandate or a measure may leave no work at all; which of them do is not told apart.
    apart = _CODE.is_in(PARLIAMENT) | _CODE.is_in(("400", "404", "405")) | _AT_HOME
    return pl.col("reorganisation_measure").is_not_null() | _NO_WORK_DUE | apart


@rows("00047-008", "00048-008", table="occupation", until=READ_TO)
def week_outside_domain() -> Mapping[str, pl.Expr]:
    """Days and hours a week are within their bounds, zero together or not at all, and fixed for some workers."""
    third, minder = _CLASS.is_in(THIRD_PARTY_PAYERS), _CODE == CHILD_MINDER
    status = pl.col("worker_status")
    most = pl.when(status == "D2").then(6_000).when(status == "D1").then(5_000).otherwise(4_800)
    fixed = (_DAYS != 500) & (third | minder) | (_DAYS != 700) & (_CLASS == "405")
    return {
        "00047-008": (_DAYS == 0) & ~_nothing_allowed() | fixed & (_DAYS > 0),
        "00048-008": (_HOURS == 0) & (~_nothing_allowed() | (_DAYS > 0) & ~_AT_HOME) | (most < _HOURS),
    }


@rows("90015-244", table="occupation")
def more_than_full_time() -> pl.Expr:
    """The worker's hours a week are more than those of a full-timer."""
    return (_HOURS > _FULL_WEEK) & ~_AT_HOME


@rows("01203-260", table="occupation")
def more_subsidised_than_worked() -> pl.Expr:
    """More hours a week are subsidised than are worked."""
    return pl.col("subsidized_mean_working_hours") > _HOURS


def _days_of_quarter() -> pl.Expr:
    """Calendar days of the quarter as the payroll counts it."""
    first, last = (above("worker_record", f"noss_quarter_{side}_date") for side in ("starting", "ending"))
    return (last - first).dt.total_days() + 1


@rows("90015-095", table="occupation")
def more_days_than_quarter() -> pl.Expr:
    """The days of the occupation are more than the quarter has."""
    counted = sum_below(
        "service", pl.when(~pl.col("service_code").is_in(_BESIDE_OTHER_DAYS)).then(pl.col("service_nbr_days"))
    )
    return (counted > _HUNDREDTHS * _days_of_quarter()) & ~_of_ended_contract()


@rows("00063-034", table="occupation", zone="ServiceNbrDays")
def service_longer_than_quarter() -> pl.Expr:
    """The days of one kind of working time are more than the quarter has."""
    longer = pl.col("service_nbr_days") > _HUNDREDTHS * _days_of_quarter()
    return any_below("service", longer) & ~_of_ended_contract()


def _of_ended_contract() -> pl.Expr:
    """Whether an occupation is the time that an indemnity for the end of a contract covers."""
    return any_below("remun", pl.col("remun_code").is_in(ENDING_CONTRACT))


@rows("00062-030", table="service", until=READ_TO, few=True)
def service_of_other_workers() -> pl.Expr:
    """This kind of working time belongs to other workers."""
    code = pl.col("service_code")
    at_sea = _CLASS.is_in(SEAFARERS_CLASSES)
    white_collar_only, manual_only = code == "076", code.is_in(("002", "003", "004", "072"))
    return (
        (code == "015") & ~_CODE.is_in(FLEXI)
        | (code == "074")
        & (_CODE != CHILD_MINDER)
        & ~surely(above("occupation", "worker_status").is_in(CHILD_CARE_AT_HOME))
        | manual_only & (_CODE == "495") & ~at_sea
        | white_collar_only & (_CODE == "015") & ~at_sea
    )


@rows("00062-025", table="service", until=READ_TO, few=True)
def service_at_sea() -> pl.Expr:
    """Days at sea and the leave they give belong to the employers of seafarers."""
    return pl.col("service_code").is_in(("101", "102")) & ~_CLASS.is_in(SEAFARERS_CLASSES)


@rows("00625-196", table="occupation")
def work_where_none_was_due() -> pl.Expr:
    """The days are justified by no work being due, yet there is work."""
    worked = any_below("service", pl.col("service_code") == "001")
    return _NO_WORK_DUE & worked


@rows("01232-196", table="occupation", zone="FlemishTrainingHolidayHoursNbr", until=READ_TO)
def training_without_leave() -> pl.Expr:
    """Hours of Flemish training leave go with working time of code 5, training leave."""
    hours = any_below("occupation_informations", pl.col("flemish_training_holiday_hours_nbr") > 0)
    return hours & ~any_below("service", pl.col("service_code") == "005")


@rows("90012-260", table="worker_record")
def more_hours_than_quarter() -> pl.Expr:
    """The hours of the worker line are more than the quarter has."""
    days = (pl.col("noss_quarter_ending_date") - pl.col("noss_quarter_starting_date")).dt.total_days() + 1
    inside = above("occupation", "occupation_starting_date") <= above("worker_record", "noss_quarter_ending_date")
    hours = sum_below("service", pl.when(inside).then(pl.col("service_nbr_hours")))
    return hours > 24 * _HUNDREDTHS * days
