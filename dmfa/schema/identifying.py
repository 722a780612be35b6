"""Which zones tell a block from its like inside the block around it, as the glossaries have it (anomaly 006)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

IDENTIFYING: Final[Mapping[str, tuple[str, ...]]] = {
    "worker_record": ("employer_class", "worker_code"),
    "service": ("service_code",),
    "remun": ("remun_code", "bonus_payment_frequency", "percentage_paid"),
    "occupation_public_service_data": (
        "occupation_psd_start_date",
        "public_sector_institution_type",
        "public_sector_personnel_category",
        "assignment_type",
        "function_nature",
    ),
    "scale_salary": ("scale_salary_start_date", "pecuniary_seniority_start_date", "salary_scale_reference"),
    "additional_scale_salary": ("additional_scale_salary_reference", "additional_scale_salary_start_date"),
    "reorg_measure_information": ("reorganisation_measure",),
    "occupation_deduction": ("deduction_code",),
    "worker_contribution": ("contribution_worker_code", "contribution_type"),
    "worker_deduction": ("deduction_code",),
    "deduction_detail": ("deduction_detail_sequence_nbr",),
    "early_retirement_contribution": ("early_retirement_code",),
    "indemnity_wapm": ("indemnity_nature", "incapacity_degree"),
    "complementary_indemnity": (
        "employer_notion",
        "joint_commission_nbr",
        "activity_code",
        "compl_indemnity_agreement_notion",
        "half_time_career_interruption_notion",
        "replacement_accordance_wcc_notion",
        "service_exemption_notion",
    ),
    "compl_indemnity_contribution": (
        "contribution_worker_code",
        "contribution_type",
        "compl_indemnity_amount_adjust_notion",
        "contribution_sequence_nbr",
    ),
    "company_vehicle": ("license_plate",),
    "contribution_unrelated_to_np": ("unrelated_employer_class", "unrelated_worker_code"),
}
"""Name of the table of a block -> columns of these zones. Source: glossaries of blocks, 2022/3, restrictions."""
