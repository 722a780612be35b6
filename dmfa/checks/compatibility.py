"""Zones and blocks that clash with the worker code, the employer class: kinds 025 and 030.

Blocks belong to kinds of worker lines; the glossaries of blocks say which.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from dmfa.checks.groups import (
    CONTRACTUAL,
    DISMISSED,
    EARLY_RETIRED,
    FEDRIS_CLASSES,
    FLEXI,
    INDEMNITY_LINES,
    LOCAL_CLASSES,
    PARLIAMENT,
    READ_TO,
    SEAFARERS_CLASSES,
    STATUTORY,
    STUDENTS,
    WITHOUT_WORK,
    filled,
    kind_of_code,
    private_classes,
)
from dmfa.checks.registry import rows
from dmfa.checks.relatives import above

_CODE: Final = above("worker_record", "worker_code")
_CLASS: Final = above("worker_record", "employer_class")


# Blocks.


@rows("90001-030", table="worker_contribution", few=True)
def contribution_of_other_line() -> pl.Expr:
    """A line without work owes no contribution on wages."""
    return _CODE.is_in(WITHOUT_WORK)


@rows("90003-025", "90003-030", table="student_contribution", few=True)
def no_student() -> Mapping[str, pl.Expr]:
    """The contribution of students belongs to their lines, and not to classes 027 and 028."""
    return {"90003-025": _CLASS.is_in(FEDRIS_CLASSES), "90003-030": ~_CODE.is_in(STUDENTS)}


@rows("90005-025", "90005-030", table="dismissed_statutory_worker_contribution")
def not_dismissed() -> Mapping[str, pl.Expr]:
    """The contribution of dismissed statutory staff belongs to their lines, and not to classes 027 and 028."""
    return {"90005-025": _CLASS.is_in(FEDRIS_CLASSES), "90005-030": ~_CODE.is_in(DISMISSED)}


@rows("90042-025", "90042-030", table="early_retirement_contribution")
def not_early_retired() -> Mapping[str, pl.Expr]:
    """The contribution on early retirement belongs to lines of the early retired, and not to classes 027 and 028."""
    return {"90042-025": _CLASS.is_in(FEDRIS_CLASSES), "90042-030": _CODE != EARLY_RETIRED}


@rows("90336-025", "90336-030", table="complementary_indemnity")
def no_indemnity_line() -> Mapping[str, pl.Expr]:
    """A complementary indemnity belongs to lines of those who draw one, and not to classes 027 and 028."""
    return {"90336-025": _CLASS.is_in(FEDRIS_CLASSES), "90336-030": ~_CODE.is_in(INDEMNITY_LINES)}


@rows("90011-025", table="indemnity_wapm")
def no_fedris_class() -> pl.Expr:
    """Indemnities of accidents and diseases belong to classes 027 and 028."""
    return ~_CLASS.is_in(FEDRIS_CLASSES)


@rows("90015-025", "90015-030", table="occupation", few=True)
def occupation_of_other_line() -> Mapping[str, pl.Expr]:
    """Lines without work, of students, and of accident indemnities have no occupation."""
    return {"90015-025": _CLASS.is_in(FEDRIS_CLASSES), "90015-030": _CODE.is_in((*WITHOUT_WORK, *STUDENTS))}


# Zones against the employer class.


@rows("00197-025", table="occupation_informations", until=READ_TO)
def holidays_of_no_seafarer() -> pl.Expr:
    """Holidays built up belong to the employers of seafarers."""
    return filled("holiday_days_number") & ~_CLASS.is_in(SEAFARERS_CLASSES)


@rows("00794-025", table="occupation_informations", until=READ_TO)
def maribel_of_other_employer() -> pl.Expr:
    """Value 7 belongs to employers other than local ones; 1 to 6 and 9 to 11 to local ones."""
    value = pl.col("nosslpa_social_maribel")
    local = value.is_in((1, 2, 3, 4, 5, 6, 9, 10, 11)) & _CLASS.is_in(private_classes())
    return local | (value == 7) & _CLASS.is_in(LOCAL_CLASSES)


@rows("01195-025", "01199-025", table="occupation", until=READ_TO)
def seafaring_of_other_employer() -> Mapping[str, pl.Expr]:
    """Ships and their staff belong to the employers of seafarers."""
    other = ~_CLASS.is_in(SEAFARERS_CLASSES)
    return {"01195-025": filled("ship_id") & other, "01199-025": filled("staff_code") & other}


# Zones against the worker code.


@rows("00055-030", table="occupation", until=READ_TO, few=True)
def no_apprentice() -> pl.Expr:
    """Appointed staff, members of parliaments and flexi workers are no apprentices."""
    return filled("apprenticeship") & _CODE.is_in((*STATUTORY, *PARLIAMENT, *FLEXI))


@rows("00067-030", table="remun", until=READ_TO, few=True)
def pay_of_other_workers() -> pl.Expr:
    """Flexi pay belongs to flexi workers, and pay free of the public pension contribution to appointed staff."""
    code = pl.col("remun_code")
    flexi = code.is_in(("022", "023")) & ~_CODE.is_in(FLEXI)
    return flexi | code.is_in(("061", "062", "065", "066", "067")) & _CODE.is_in(CONTRACTUAL)


@rows("00082-030", table="worker_contribution", until=READ_TO)
def contribution_of_other_worker() -> pl.Expr:
    """An ordinary contribution bears the worker code of its line."""
    own = sorted({*kind_of_code("ordinary"), *kind_of_code("Fedris")})
    contribution = pl.col("contribution_worker_code")
    # A line that owes no such contribution at all is told by its block.
    return (contribution != _CODE) & contribution.is_in(own) & ~_CODE.is_in(WITHOUT_WORK)


@rows("00082-030", table="compl_indemnity_contribution", until=READ_TO)
def contribution_of_other_indemnity() -> pl.Expr:
    """Early retirement and other complementary indemnities have contributions of their own."""
    contribution = pl.col("contribution_worker_code")
    retired = contribution.is_in(kind_of_code("early retirement"))
    other = contribution.is_in(kind_of_code("complementary indemnity"))
    return pl.when(_CODE == EARLY_RETIRED).then(other).when(_CODE.is_in(INDEMNITY_LINES)).then(retired)


@rows("00794-030", table="occupation_informations", until=READ_TO)
def maribel_of_appointed_staff() -> pl.Expr:
    """Value 6 belongs to staff on a contract."""
    return (pl.col("nosslpa_social_maribel") == 6) & _CODE.is_in(STATUTORY)


@rows("01194-030", table="occupation_informations", until=READ_TO)
def career_measure_of_appointed_staff() -> pl.Expr:
    """Soft landings and starter jobs belong to employment contracts."""
    return filled("career_measure") & _CODE.is_in((*STATUTORY, *PARLIAMENT))


@rows("00728-030", "01176-030", table="occupation_informations", until=READ_TO)
def zones_of_appointed_staff() -> Mapping[str, pl.Expr]:
    """Long illness and another base of the pension contribution belong to appointed staff."""
    contractual = _CODE.is_in(CONTRACTUAL)
    return {
        "00728-030": filled("six_months_illness_date") & contractual,
        "01176-030": filled("psp_contrib_calc_basis_derogation") & contractual,
    }


@rows("01011-030", "01012-030", table="occupation_informations", until=READ_TO)
def zones_of_contractual_staff() -> Mapping[str, pl.Expr]:
    """Pay for sick days, and the release from public service data, belong to staff on a contract."""
    appointed = _CODE.is_in(STATUTORY)
    return {
        "01011-030": filled("illness_gross_remun_amount") & appointed,
        "01012-030": filled("psd_dcl_exemption") & appointed,
    }


@rows("00969-030", table="occupation_public_service_data", until=READ_TO)
def end_of_no_appointment() -> pl.Expr:
    """Only an appointment ends for a reason."""
    return filled("statutory_relation_end_reason") & _CODE.is_in(CONTRACTUAL)


@rows("01235-030", table="scale_salary", until=READ_TO)
def reduced_pay_of_no_mandate() -> pl.Expr:
    """The reduced pay is that of a local mandate."""
    return filled("reduced_scale_salary_notion") & _CODE.is_in(CONTRACTUAL)
