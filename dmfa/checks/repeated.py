"""What may stand once only: sequence numbers, and blocks with the same identifiers, within the block above (kind 006).

Told of the second of them and of each further one. Source: glossaries of zones and blocks, 2022/3, restrictions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from dmfa.checks.registry import rows

_DECLARATION: Final = "employer_declaration"
_PUBLIC_SERVICE: Final = "occupation_public_service_data"

_ONCE: Final = (
    ("00023-006", "natural_person", _DECLARATION, ("natural_person_sequence_nbr",)),
    ("00043-006", "occupation", "worker_record", ("occupation_sequence_nbr",)),
    ("00061-006", "service", "occupation", ("service_sequence_nbr",)),
    ("00066-006", "remun", "occupation", ("remun_sequence_nbr",)),
    ("00142-006", "deduction_detail", "worker_deduction", ("working_regulations_registry_nbr",)),
    ("00780-006", "company_vehicle", _DECLARATION, ("company_vehicle_sequence_nbr",)),
    ("90001-006", "worker_contribution", "worker_record", ("contribution_worker_code", "contribution_type")),
    (
        "90002-006",
        "contribution_unrelated_to_np",
        _DECLARATION,
        ("unrelated_employer_class", "unrelated_worker_code"),
    ),
    ("90011-006", "indemnity_wapm", "worker_record", ("indemnity_nature", "incapacity_degree")),
    ("90012-006", "worker_record", "natural_person", ("employer_class", "worker_code")),
    ("90018-006", "service", "occupation", ("service_code",)),
    ("90019-006", "remun", "occupation", ("remun_code", "bonus_payment_frequency", "percentage_paid")),
    ("90042-006", "early_retirement_contribution", "worker_record", ("early_retirement_code",)),
    ("90108-006", "deduction_detail", "worker_deduction", ("deduction_detail_sequence_nbr",)),
    ("90109-006", "occupation_deduction", "occupation", ("deduction_code",)),
    ("90110-006", "worker_deduction", "worker_record", ("deduction_code",)),
    ("90294-006", "company_vehicle", _DECLARATION, ("license_plate",)),
    (
        "90336-006",
        "complementary_indemnity",
        "worker_record",
        (
            "employer_notion",
            "joint_commission_nbr",
            "activity_code",
            "compl_indemnity_agreement_notion",
            "half_time_career_interruption_notion",
            "replacement_accordance_wcc_notion",
            "service_exemption_notion",
        ),
    ),
    (
        "90337-006",
        "compl_indemnity_contribution",
        "complementary_indemnity",
        (
            "contribution_worker_code",
            "contribution_type",
            "compl_indemnity_amount_adjust_notion",
            "contribution_sequence_nbr",
        ),
    ),
    (
        "90411-006",
        _PUBLIC_SERVICE,
        "occupation",
        (
            "occupation_psd_start_date",
            "public_sector_institution_type",
            "public_sector_personnel_category",
            "assignment_type",
            "function_nature",
        ),
    ),
    (
        "90412-006",
        "scale_salary",
        _PUBLIC_SERVICE,
        ("scale_salary_start_date", "pecuniary_seniority_start_date", "salary_scale_reference"),
    ),
    (
        "90413-006",
        "additional_scale_salary",
        "scale_salary",
        ("additional_scale_salary_reference", "additional_scale_salary_start_date"),
    ),
    ("90438-006", "reorg_measure_information", "occupation", ("reorganisation_measure",)),
)
"""Code, table, table of the block within which it may stand once, and what identifies it there."""


def _again(parent: str, identifiers: tuple[str, ...]) -> Callable[[], pl.Expr]:
    within = () if parent == _DECLARATION else (f"{parent}_ordinal",)

    def again() -> pl.Expr:
        """The same identifiers stand there already."""
        told = pl.any_horizontal(pl.col(name).is_not_null() for name in identifiers)
        return ~pl.struct("declaration_id", *within, *identifiers).is_first_distinct() & told

    return again


for _code, _table, _parent, _identifiers in _ONCE:
    rows(_code, table=_table)(_again(_parent, _identifiers))
