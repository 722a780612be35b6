"""The closed list of reasons why a line carries "not computable" in place of an amount."""

from __future__ import annotations

from typing import Final

NO_RATE: Final = "no rate known for this code, type and employer class"
RATE_BELOW_TRUST: Final = "no rate of the trust asked for"
RATE_INCOMPLETE: Final = "rate known in part only"
BASIS_NOT_IN_VERSION: Final = "basis of this contribution not in this version"
RULE_NOT_IN_VERSION: Final = "rule not in this version"
PARAMETER_UNKNOWN: Final = "parameter unknown in this quarter"
PARAMETER_BELOW_TRUST: Final = "no parameter of the trust asked for in this quarter"
SOURCES_CONFLICT: Final = "sources conflict on a parameter of this quarter"
LINE_SHARE_UNKNOWN: Final = "line declares no ordinary contribution, so 100 or 108 % is open"
CATEGORY_UNKNOWN: Final = "structural category of the employer class not confirmed"
CEILING_UNKNOWN: Final = "ceiling of the reduction not confirmed for this employer class"
WORKER_CODE_UNCONFIRMED: Final = "right of this worker code not confirmed"
RIGHT_NOT_DECLARED: Final = "right depends on facts that the declaration does not tell"
WORKING_TIME_UNKNOWN: Final = "reference working time is not declared or zero"
SERVICES_INCOMPLETE: Final = "hours are not declared for every service"
OTHER_OCCUPATION_INCOMPLETE: Final = "working time of another occupation of the person is unknown"
NO_PAID_TIME: Final = "wage without paid time behind it"
PREMIUM_NOT_DECLARED: Final = "declaration does not tell whether a fund pays the end-of-year premium"
TYPE_OPEN: Final = "several types of the contribution may be due, and none is declared"
OUT_OF_BOUNDS: Final = "figure beyond what its zone can mean"
BASIS_NOT_DECLARED: Final = "basis of this contribution is declared by itself alone, and is not there"
STUDENT_HOURS: Final = "more hours of student work in the quarter than the law allows in a year"
NO_HOUSEHOLD: Final = "household is not declared, and none would owe the declared amount"
VEHICLES_NOT_TOLD: Final = "declaration does not tell emission, fuel, order date and months of each vehicle"
LIMIT_SHARE_OPEN: Final = "whether the wage limit holds for the wage at 100 or at 108 % is not confirmed"
AMOUNT_UNCONFIRMED: Final = "amount of the reduction not confirmed"
CODE_OPEN: Final = "whether the code is still in force in this quarter is not confirmed"
MEANING_UNKNOWN: Final = "meaning of the deduction code not known"
NEW_HIRES_CODE_OPEN: Final = "code that carries the first engagements of the law of 2026 not confirmed"
WAGE_LIMIT_UNKNOWN: Final = "wage limit of the quarter unknown"
AGE_UNKNOWN: Final = "number of the person does not tell a day of birth"
START_NOT_DECLARED: Final = "start of the right is not declared"
SHORTENING_NOT_DECLARED: Final = "detail of the shortened working time is not declared in full"
BALANCE_SHARE_OPEN: Final = "whether working time lowers a reduction of the whole balance is not confirmed"
STRUCTURAL_OPEN: Final = "structural reduction of the occupation, which comes first, is not computable"
EXCLUSIVE_TOGETHER: Final = "declared together with a reduction that excludes it"
MONTHS_UNKNOWN: Final = "months of work not known: dates outside them, no week of five or six days, or several systems"
ORDER_OPEN: Final = "order of two reductions of the line is not confirmed"

ALL: Final = (
    NO_RATE,
    RATE_BELOW_TRUST,
    RATE_INCOMPLETE,
    BASIS_NOT_IN_VERSION,
    RULE_NOT_IN_VERSION,
    PARAMETER_UNKNOWN,
    PARAMETER_BELOW_TRUST,
    SOURCES_CONFLICT,
    LINE_SHARE_UNKNOWN,
    CATEGORY_UNKNOWN,
    CEILING_UNKNOWN,
    WORKER_CODE_UNCONFIRMED,
    RIGHT_NOT_DECLARED,
    WORKING_TIME_UNKNOWN,
    SERVICES_INCOMPLETE,
    OTHER_OCCUPATION_INCOMPLETE,
    NO_PAID_TIME,
    PREMIUM_NOT_DECLARED,
    TYPE_OPEN,
    OUT_OF_BOUNDS,
    BASIS_NOT_DECLARED,
    STUDENT_HOURS,
    NO_HOUSEHOLD,
    VEHICLES_NOT_TOLD,
    LIMIT_SHARE_OPEN,
    AMOUNT_UNCONFIRMED,
    CODE_OPEN,
    MEANING_UNKNOWN,
    NEW_HIRES_CODE_OPEN,
    WAGE_LIMIT_UNKNOWN,
    AGE_UNKNOWN,
    START_NOT_DECLARED,
    SHORTENING_NOT_DECLARED,
    BALANCE_SHARE_OPEN,
    STRUCTURAL_OPEN,
    EXCLUSIVE_TOGETHER,
    MONTHS_UNKNOWN,
    ORDER_OPEN,
)
"""Every reason, in the order of this page; a test holds the engine to it."""
