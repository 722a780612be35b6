"""Complementary indemnities: their notions against each other and against the kind of worker line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from dmfa.checks.groups import CAREER_BREAK, DISMISSED_WITH_INDEMNITY, READ_TO, filled, surely
from dmfa.checks.registry import rows
from dmfa.checks.relatives import above

_CODE: Final = above("worker_record", "worker_code")
_NOT_APPLICABLE: Final = "9"
_THIRD_PARTIES: Final = ("2", "3", "5")
_EMPLOYERS: Final = ("0", "1", "4")
_ENTERPRISE: Final = 10**10
"""Put before an enterprise number where a zone holds that or a registration number."""


@rows("00749-008", "00749-053", table="complementary_indemnity")
def substitute() -> Mapping[str, pl.Expr]:
    """A substitute has a number, and is there only where the worker is replaced."""
    number, replaced = pl.col("substitute_inss"), pl.col("replacement_accordance_wcc_notion") == "1"
    return {"00749-008": number == 0, "00749-053": (number != 0) & ~replaced}


@rows("00815-008", "00815-383", table="complementary_indemnity")
def employer_notion() -> Mapping[str, pl.Expr]:
    """A third party names the employer, who is somebody else; an employer does not."""
    notion, debtor = pl.col("employer_notion"), pl.col("debtor_type")
    third, own = debtor.is_in(_THIRD_PARTIES), debtor.is_in(_EMPLOYERS)
    registration = above("employer_declaration", "noss_registration_nbr")
    enterprise = above("employer_declaration", "company_id")
    himself = (notion == registration) | (notion - _ENTERPRISE == enterprise)
    return {
        "00815-008": third & (notion == 0) | own & (notion != 0),
        "00815-383": third & (notion != 0) & himself,
    }


@rows("00825-053", "00826-053", "00827-053", table="complementary_indemnity", until=READ_TO)
def notions_applicable() -> Mapping[str, pl.Expr]:
    """Half-time, exemption from work and replacement are told where they can be, and else as not applicable."""
    half, exempt = pl.col("half_time_career_interruption_notion"), pl.col("service_exemption_notion")
    replaced, sector = pl.col("replacement_accordance_wcc_notion"), pl.col("compl_indemnity_agreement_notion") == 1
    unemployed, career_break = _CODE == DISMISSED_WITH_INDEMNITY, _CODE == CAREER_BREAK
    half_break = career_break & (half == "1")
    none = replaced == _NOT_APPLICABLE
    of_sector = half_break & sector & (exempt == "0")
    return {
        "00825-053": unemployed != (half == _NOT_APPLICABLE),
        "00826-053": half_break == (exempt == _NOT_APPLICABLE),
        "00827-053": ~none & (unemployed | career_break & ~of_sector) | none & of_sector,
    }


@rows("00826-008", table="complementary_indemnity", until=READ_TO)
def exemption_of_indemnity() -> pl.Expr:
    """Beside an indemnity, the exemption from work is 0, 1 or 9."""
    return ~pl.col("service_exemption_notion").is_in(("0", "1", _NOT_APPLICABLE))


@rows("00826-008", table="occupation_informations", until=READ_TO)
def exemption_of_occupation() -> pl.Expr:
    """Of an occupation, the exemption from work is 0 or 2 to 6."""
    return pl.col("service_exemption_notion").is_in(("1", _NOT_APPLICABLE))


@rows("00829-008", table="compl_indemnity_contribution", since="2010/2")
def adjustment_of_old() -> pl.Expr:
    """Amounts incomplete within a month, 2 and 3, ended with 2010/1."""
    return pl.col("compl_indemnity_amount_adjust_notion").is_in((2, 3))


@rows("00831-008", "00957-053", table="compl_indemnity_contribution")
def months() -> Mapping[str, pl.Expr]:
    """More than three months, or none but decimals, come of paying out in advance, in whole or in part."""
    number, decimals = pl.col("compl_indemnity_nbr_months"), pl.col("nbr_months_decimals")
    advance = surely(pl.col("capitalization_notion").is_in(("1", "2")))
    part = surely(pl.col("capitalization_notion") == "2")
    return {
        "00831-008": (number > 3) & ~advance | (number == 0) & ~(part & surely(decimals > 0)),
        "00957-053": (decimals > 0) & ~part,
    }


@rows("00953-053", "00954-053", table="complementary_indemnity")
def recognition() -> Mapping[str, pl.Expr]:
    """The days of recognition belong to a company in difficulty or being reorganised."""
    none = ~surely(pl.col("ailing_or_reorg_company_notion").is_in(("1", "2", "3")))
    return {
        "00953-053": filled("acknowledgement_start_date") & none,
        "00954-053": filled("acknowledgement_end_date") & none,
    }


@rows("00960-053", table="compl_indemnity_contribution")
def floor_of_employer() -> pl.Expr:
    """The floor bears on the worker's own part, contribution 295."""
    return (pl.col("floor_application_notion") > 0) & (pl.col("contribution_worker_code") != "295")
