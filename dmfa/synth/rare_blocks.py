"""Blocks of an invented declaration that few employers have, as XML text in the order of the XSD."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final
from xml.sax.saxutils import escape

from dmfa.quarter import Quarter
from dmfa.synth.benefits import Complement, ComplementContribution, Dismissal, EarlyRetirement, Indemnity
from dmfa.synth.declaration import Activation, Compensation, Detail, User
from dmfa.synth.tally import Tally

FIRST_USERS: Final = Quarter(2023, 1)
"""Release that brought the users of agency workers, and the percentage of an activation."""

_DETAILS: Final = {
    "worker_deduction": ("DeductionDetail", "deduction_detail"),
    "occupation_deduction": ("OccupationDeductionDetail", "occupation_deduction_detail"),
}

_NOT_APPLICABLE: Final = "9"

Zone = tuple[str, str | int | date | None]


class RareBlocks:
    """Writes these blocks.

    Args:
        breaks: line end and indentation of each level, empty strings in the compact style.
    """

    def __init__(self, breaks: list[str]) -> None:
        self._breaks = breaks

    def _block(self, name: str, zones: Iterable[Zone], level: int, inside: str = "") -> str:
        """A block with the zones that have a value, then the blocks inside it."""
        outer, inner = self._breaks[level], self._breaks[level + 1]
        held = "".join(
            f"{inner}<{zone}>{escape(str(value))}</{zone}>" for zone, value in zones if value not in (None, "")
        )
        return f"{outer}<{name}>{held}{inside}{outer}</{name}>"

    def user(self, user: User, level: int, tally: Tally) -> str:
        """UsingEmployer with its Address."""
        tally.add("using_employer")
        tally.add("address")
        address = (
            ("Street", user.street),
            ("HouseNbr", user.house),
            ("PostBox", user.box),
            ("ZIPCode", user.zip_code),
            ("City", user.city),
        )
        zones = (
            ("UsingEmployerName", user.name),
            ("UsingEmployerCompanyID", None if user.company_id is None else f"{user.company_id:010d}"),
            ("INSS", None if user.insz is None else f"{user.insz:011d}"),
            ("DailyContractNbr", user.daily_contracts),
        )
        return self._block("UsingEmployer", zones, level, self._block("Address", address, level + 1))

    def activation(self, activation: Activation, quarter: Quarter, tally: Tally) -> str:
        """ActivationInformation."""
        tally.add("activation_information")
        zones: tuple[Zone, ...] = (
            ("ServiceExemptionStartDate", activation.exempt_from),
            ("TrainingSituationStartDate", activation.training_from),
            ("TrainingSituation", int(activation.in_training)),
            ("ActivationPercentageStatus", 0 if quarter >= FIRST_USERS else None),
        )
        return self._block("ActivationInformation", zones, 5)

    def dismissal(self, dismissal: Dismissal, tally: Tally) -> str:
        """DismissedStatutoryWorkerContribution."""
        tally.add(
            "dismissed_statutory_worker_contribution",
            gross_ref_remun_amount=dismissal.reference_pay,
            gross_ref_remun_contribution_amount=dismissal.amount,
        )
        zones: tuple[Zone, ...] = (
            ("GrossRefRemunAmount", dismissal.reference_pay),
            ("GrossRefRemunContributionAmount", dismissal.amount),
            ("RefNbrDays", dismissal.days),
            ("SubjectionStartingDate", dismissal.first),
            ("SubjectionEndingDate", dismissal.last),
        )
        return self._block("DismissedStatutoryWorkerContribution", zones, 5)

    def early_retirement(self, retirement: EarlyRetirement, tally: Tally) -> str:
        """EarlyRetirementContribution."""
        tally.add("early_retirement_contribution", early_retirement_contribution_amount=retirement.amount)
        zones: tuple[Zone, ...] = (
            ("EarlyRetirementCode", retirement.code),
            ("EarlyRetirementNbrMonths", retirement.months),
            ("EarlyRetirementContributionAmount", retirement.amount),
        )
        return self._block("EarlyRetirementContribution", zones, 5)

    def complement(self, complement: Complement, tally: Tally) -> str:
        """ComplementaryIndemnity with its contributions; the employer declares it, so that no other is named."""
        tally.add("complementary_indemnity")
        inside = "".join(
            self._complement_contribution(number, item, tally)
            for number, item in enumerate(complement.contributions, 1)
        )
        substitute = complement.substitute
        zones: tuple[Zone, ...] = (
            ("EmployerNotion", "0" * 11),
            ("JointCommissionNbr", complement.joint_committee),
            ("ActivityCode", "00000"),
            ("DebtorType", "0"),
            ("FirstComplIndemnityDate", complement.first),
            ("ComplIndemnityAgreementNotion", 1),
            ("HalfTimeCareerInterruptionNotion", "0" if complement.retired else _NOT_APPLICABLE),
            ("ServiceExemptionNotion", _NOT_APPLICABLE),
            ("ReplacementAccordanceWCCNotion", _NOT_APPLICABLE if substitute is None else "1"),
            ("SubstituteINSS", None if substitute is None else f"{substitute:011d}"),
            ("ComplIndemnityNbrOfParts", 1),
            ("NoticeDate", complement.notice),
        )
        return self._block("ComplementaryIndemnity", zones, 5, inside)

    def _complement_contribution(self, number: int, item: ComplementContribution, tally: Tally) -> str:
        tally.add("compl_indemnity_contribution", contribution_amount=item.amount, compl_indemnity_amount=item.monthly)
        zones: tuple[Zone, ...] = (
            ("ContributionWorkerCode", item.code),
            ("ContributionType", item.type),
            ("IndemnityContributionPeriodCode", 1 if item.code == "290" else None),
            ("ComplIndemnityAmountAdjustNotion", 0),
            ("ContributionSequenceNbr", number),
            ("ComplIndemnityAmount", item.monthly),
            ("ComplIndemnityNbrMonths", item.months),
            ("ContributionAmount", item.amount),
        )
        return self._block("ComplIndemnityContribution", zones, 6)

    def indemnity(self, indemnity: Indemnity, tally: Tally) -> str:
        """IndemnityWAPM."""
        tally.add("indemnity_wapm", indemnity_amount=indemnity.amount)
        zones: tuple[Zone, ...] = (
            ("IndemnityNature", f"{indemnity.nature:02d}"),
            ("IncapacityDegree", f"{indemnity.degree // 100:03d},{indemnity.degree % 100:02d}"),
            ("IndemnityAmount", indemnity.amount),
        )
        return self._block("IndemnityWAPM", zones, 5)

    def details(self, details: tuple[Detail, ...], table: str, level: int, tally: Tally) -> str:
        """Details of a deduction of a worker line or of an occupation."""
        name, own_table = _DETAILS[table]
        parts = []
        for number, detail in enumerate(details, 1):
            tally.add(own_table, deduction_detail_amount=detail.amount)
            zones: tuple[Zone, ...] = (
                ("DeductionDetailSequenceNbr", number),
                ("DeductionDetailAmount", detail.amount),
                ("WorkingRegulationsStartingDate", detail.start),
                ("AverageWorkingTimeBeforeReduction", detail.hours_before),
                ("AverageWorkingTimeAfterReduction", detail.hours_after),
            )
            parts.append(self._block(name, zones, level))
        return "".join(parts)

    def compensation(self, compensation: Compensation, tally: Tally) -> str:
        """EmployerCompensation."""
        tally.add("employer_compensation", compensation_amount=compensation.amount)
        zones: tuple[Zone, ...] = (
            ("CompensationCode", "01"),
            ("CompensationAmount", compensation.amount),
            ("CompensationException", "01" if compensation.exception else None),
        )
        return self._block("EmployerCompensation", zones, 3)
