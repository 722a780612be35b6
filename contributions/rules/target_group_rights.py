"""Conditions of single target-group reductions that a declaration, or the history of a lake, can show not to be met.

What no declaration tells (which worker is the second one, a diploma, a card of a job-seeker, a cash register) is taken
as the declaration asserts it by declaring the reduction.
Source: programme law of 24 December 2002; regional decrees; NSSO instructions, target-group reductions.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import reasons, refusals
from contributions.algebra import Columns
from contributions.parameters import Parameters
from contributions.rules.registry import not_computable, nothing_due
from contributions.rules.target_groups import (
    ARTISTS,
    BRUSSELS,
    CATERING,
    FIRST_HIRES,
    FIRST_WORKER,
    FOUR_DAYS,
    FOURTH_AND_FIFTH_WORKER,
    HIRED_IN_FLANDERS,
    IN_SERVICE_IN_FLANDERS,
    SECOND_WORKER,
    SHORTER_WEEK,
    SHORTER_WEEK_OF_FOUR_DAYS,
    SIXTH_WORKER,
    SPORT,
    TARGET_GROUPS,
    THIRD_WORKER,
    WALLONIA,
    turn,
    turn_of,
)

_GROUP: Final = "target group"
_HIRES: Final = f"{TARGET_GROUPS}/first_hires"
_WORKING_TIME: Final = f"{TARGET_GROUPS}/working_time"
_HUNDREDTHS: Final = 100
"""Hours are declared in hundredths."""

_LATER_WORKERS: Final = tuple(scope for scope in FIRST_HIRES if scope not in FIRST_WORKER)
_OLDER: Final = IN_SERVICE_IN_FLANDERS + HIRED_IN_FLANDERS + BRUSSELS + WALLONIA
_CATEGORY_1: Final = IN_SERVICE_IN_FLANDERS + BRUSSELS + WALLONIA
_SHORTENED: Final = SHORTER_WEEK + SHORTER_WEEK_OF_FOUR_DAYS
LIMITED: Final = _LATER_WORKERS + HIRED_IN_FLANDERS + FOUR_DAYS
"""Scopes of rights to a number of quarters that is counted from what was declared before."""


@nothing_due(_GROUP, level="deduction", scopes=FIRST_HIRES, reason=refusals.NOT_FOR_WORKER)
def hired_without_a_right(o: Columns, p: Parameters) -> pl.Expr:
    """Apprentices, students, flexi-jobs and other worker codes of which no first engagement has a right."""
    return o.target_right.is_null() & o.worker_code.is_in(p.codes(f"{_HIRES}/excluded_worker_codes"))


@nothing_due(_GROUP, level="deduction", scopes=_LATER_WORKERS, reason=refusals.OUTSIDE_PERIOD)
def window_has_closed(o: Columns, p: Parameters) -> pl.Expr:
    """The quarters of the right have to be used within a number of quarters from its start."""
    return o.quarters_since_start >= p.number(f"{_HIRES}/window")


@nothing_due(
    _GROUP,
    level="deduction",
    scopes=FOURTH_AND_FIFTH_WORKER,
    reason=refusals.OUTSIDE_PERIOD,
    since="2024/1",
    until="2026/2",
)
def fourth_or_fifth_worker_came_after_the_end(o: Columns, p: Parameters) -> pl.Expr:
    """No right to a fourth or fifth worker has started since 2024/1."""
    return turn_of(o.deduction_right_starting_date) >= turn(p.quarter_of(f"{_HIRES}/closed_from"))


@nothing_due(
    _GROUP,
    level="deduction",
    scopes=FOURTH_AND_FIFTH_WORKER,
    reason=refusals.OUTSIDE_PERIOD,
    since="2026/3",
)
def fourth_or_fifth_worker_came_in_between(o: Columns, p: Parameters) -> pl.Expr:
    """No right to a fourth or fifth worker started from 2024/1 until the programme law of 2026."""
    start = turn_of(o.deduction_right_starting_date)
    closed, reformed = (turn(p.quarter_of(f"{_HIRES}/{name}")) for name in ("closed_from", "reformed_from"))
    return (start >= closed) & (start < reformed)


@nothing_due(_GROUP, level="deduction", scopes=SIXTH_WORKER, reason=refusals.OUTSIDE_PERIOD, since="2024/1")
def sixth_worker_came_too_late(o: Columns, p: Parameters) -> pl.Expr:
    """No right to a sixth worker has started since 2024/1."""
    return turn_of(o.deduction_right_starting_date) >= turn(p.quarter_of(f"{_HIRES}/closed_from"))


@not_computable(
    _GROUP,
    level="deduction",
    scopes=SECOND_WORKER + THIRD_WORKER + FOURTH_AND_FIFTH_WORKER,
    reason=reasons.NEW_HIRES_CODE_OPEN,
    since="2026/3",
)
def right_is_of_the_law_of_2026(o: Columns, p: Parameters) -> pl.Expr:
    """Rights that start under the programme law of 2026 have other amounts, and which code carries them is open."""
    return turn_of(o.deduction_right_starting_date) >= turn(p.quarter_of(f"{_HIRES}/reformed_from"))


@nothing_due(_GROUP, level="deduction", scopes=LIMITED, reason=refusals.QUARTERS_USED)
def quarters_are_used_up(o: Columns, p: Parameters) -> pl.Expr:
    """Earlier declarations of the employer have used all quarters of the right."""
    return o.used_quarters >= p.number("quarters")


@nothing_due(_GROUP, level="deduction", scopes=HIRED_IN_FLANDERS, reason=refusals.QUARTERS_USED)
def quarters_have_passed(o: Columns, p: Parameters) -> pl.Expr:
    """The quarter of the hiring and those after it have all passed."""
    return o.quarters_since_start >= p.number("quarters")


@nothing_due(_GROUP, level="deduction", scopes=FOUR_DAYS, reason=refusals.QUARTERS_USED)
def quarters_of_four_days_have_passed(o: Columns, p: Parameters) -> pl.Expr:
    """The quarters after that of the introduction, with which the right starts, have all passed."""
    return o.quarters_since_start > p.number("quarters")


@nothing_due(_GROUP, level="deduction", scopes=HIRED_IN_FLANDERS, reason=refusals.OUTSIDE_PERIOD, since="2024/3")
def hired_after_the_end(o: Columns, p: Parameters) -> pl.Expr:
    """The system has ended for new hirings and runs out for earlier ones."""
    return turn_of(o.deduction_right_starting_date) >= turn(p.quarter_of("closed_from"))


@not_computable(
    _GROUP,
    level="deduction",
    scopes=_LATER_WORKERS + HIRED_IN_FLANDERS + FOUR_DAYS + SHORTER_WEEK_OF_FOUR_DAYS,
    reason=reasons.START_NOT_DECLARED,
)
def start_is_not_declared(o: Columns, p: Parameters) -> pl.Expr:
    """Without the day on which the right starts nobody can tell whether it still runs."""
    return o.deduction_right_starting_date.is_null()


@nothing_due(_GROUP, level="deduction", scopes=_SHORTENED, reason=refusals.NO_DETAIL)
def detail_is_missing(o: Columns, p: Parameters) -> pl.Expr:
    """The reduction asks for a detail block, and there is none."""
    return ~o.has_detail


@not_computable(_GROUP, level="deduction", scopes=_SHORTENED, reason=reasons.SHORTENING_NOT_DECLARED)
def shortening_is_not_declared(o: Columns, p: Parameters) -> pl.Expr:
    """The detail block does not tell since when, from how many hours or to how many working time was shortened."""
    return (
        o.working_regulations_starting_date.is_null()
        | o.average_working_time_before_reduction.is_null()
        | o.average_working_time_after_reduction.is_null()
    )


@nothing_due(_GROUP, level="deduction", scopes=_SHORTENED, reason=refusals.WORKING_TIME)
def working_time_is_not_short_enough(o: Columns, p: Parameters) -> pl.Expr:
    """Working time was shortened by less than an hour a week, or is still longer than the first step."""
    before, after = o.average_working_time_before_reduction, o.average_working_time_after_reduction
    by_less = before - after < p.number(f"{_WORKING_TIME}/least_reduction") * _HUNDREDTHS
    return by_less | (after > p.number(f"{_WORKING_TIME}/first_step_hours") * _HUNDREDTHS)


@nothing_due(_GROUP, level="deduction", scopes=_SHORTENED, reason=refusals.OUTSIDE_PERIOD)
def shortening_does_not_count_yet(o: Columns, p: Parameters) -> pl.Expr:
    """The right starts in the quarter after that of the shortening."""
    return o.quarters_since_shortening < 1


@nothing_due(_GROUP, level="deduction", scopes=_SHORTENED, reason=refusals.QUARTERS_USED)
def quarters_of_the_shortening_have_passed(o: Columns, p: Parameters) -> pl.Expr:
    """The right lasts as many quarters as the step gives that working time has come down to."""
    after = o.average_working_time_after_reduction
    steps = [f"{_WORKING_TIME}/{name}_step" for name in ("third", "second", "first")]
    lasts = pl.coalesce(
        pl.when(after <= p.number(f"{step}_hours") * _HUNDREDTHS).then(p.number(f"{step}_quarters")) for step in steps
    )
    return o.quarters_since_shortening > lasts


@nothing_due(_GROUP, level="deduction", scopes=CATERING, reason=refusals.NOT_FOR_EMPLOYER)
def not_in_catering(o: Columns, p: Parameters) -> pl.Expr:
    """The occupation belongs to another joint committee than that of catering."""
    (committee,) = p.codes("committee")
    return ~o.joint_commission_nbr.str.starts_with(committee)


@nothing_due(_GROUP, level="deduction", scopes=CATERING, reason=refusals.NOT_FOR_CONTRACT)
def not_full_time_in_catering(o: Columns, p: Parameters) -> pl.Expr:
    """The contract is for part of full time."""
    return o.contract_type == 1


@nothing_due(_GROUP, level="deduction", scopes=_CATEGORY_1, reason=refusals.NOT_FOR_EMPLOYER)
def employer_is_of_another_category(o: Columns, p: Parameters) -> pl.Expr:
    """The structural category of the employer class, or of its worker code, is not that of the reduction."""
    return ~o.structural_category.is_in(p.codes(f"{TARGET_GROUPS}/one_category"))


@not_computable(_GROUP, level="deduction", scopes=_CATEGORY_1, reason=reasons.CATEGORY_UNKNOWN)
def category_of_the_employer_is_unknown(o: Columns, p: Parameters) -> pl.Expr:
    """No confirmed structural category of the employer class."""
    return o.structural_category.is_null()


@nothing_due(
    _GROUP, level="deduction", scopes=IN_SERVICE_IN_FLANDERS + HIRED_IN_FLANDERS + WALLONIA, reason=refusals.AGE
)
def too_young(o: Columns, p: Parameters) -> pl.Expr:
    """The worker is below the age of the reduction at the end of the quarter."""
    return o.age_years < p.number("age_from")


@nothing_due(_GROUP, level="deduction", scopes=BRUSSELS, reason=refusals.AGE)
def too_young_or_too_old(o: Columns, p: Parameters) -> pl.Expr:
    """The worker is below or above the ages of the reduction at the end of the quarter."""
    return (o.age_years < p.number("age_from")) | (o.age_years > p.number("age_to"))


@not_computable(_GROUP, level="deduction", scopes=_OLDER + CATERING, reason=reasons.AGE_UNKNOWN)
def age_is_unknown(o: Columns, p: Parameters) -> pl.Expr:
    """Right or amount depend on the age, which the number of the person does not tell."""
    return o.age_years.is_null()


@nothing_due(
    _GROUP,
    level="deduction",
    scopes=_OLDER,
    reason=refusals.REFERENCE_WAGE,
    lacking=reasons.WAGE_LIMIT_UNKNOWN,
)
def wage_reaches_the_limit(o: Columns, p: Parameters) -> pl.Expr:
    """The reference wage S is not below the limit, even if that is the highest that it can be."""
    return o.reference_wage_cents >= p.number("wage_limit_to")


@nothing_due(
    _GROUP,
    level="deduction",
    scopes=ARTISTS,
    reason=refusals.REFERENCE_WAGE,
    lacking=reasons.WAGE_LIMIT_UNKNOWN,
)
def wage_is_below_the_least(o: Columns, p: Parameters) -> pl.Expr:
    """The reference wage S is below the least wage, even if that is the lowest that it can be."""
    return o.reference_wage_cents < p.number("wage_limit_from")


@not_computable(_GROUP, level="deduction", scopes=_OLDER + ARTISTS, reason=reasons.NO_PAID_TIME)
def reference_wage_is_unknown(o: Columns, p: Parameters) -> pl.Expr:
    """Counted time without any paid time: no reference wage can be formed."""
    return o.reference_wage_cents.is_null()


@not_computable(
    _GROUP,
    level="deduction",
    scopes=_OLDER + ARTISTS,
    reason=reasons.WAGE_LIMIT_UNKNOWN,
    lacking=reasons.WAGE_LIMIT_UNKNOWN,
)
def wage_is_near_an_unknown_limit(o: Columns, p: Parameters) -> pl.Expr:
    """The limit of the quarter lies between two known ones, and the reference wage S too."""
    return (o.reference_wage_cents >= p.number("wage_limit_from")) & (
        o.reference_wage_cents < p.number("wage_limit_to")
    )


@not_computable(_GROUP, level="deduction", scopes=HIRED_IN_FLANDERS + SPORT, reason=reasons.BALANCE_SHARE_OPEN)
def share_of_the_balance_is_open(o: Columns, p: Parameters) -> pl.Expr:
    """Whether mu and beta apply to a balance is not confirmed; it does not matter where their product is one."""
    return o.mu_pct * o.target_beta_numerator != 100 * o.target_beta_denominator
