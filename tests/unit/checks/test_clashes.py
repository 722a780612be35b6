"""Reductions, presence, clashes: a valid declaration with one thing changed has the code, and no other B."""

from __future__ import annotations

import pytest

from tests.spoiling import add, anomalies_of, blocking, copied, gone, zone

LINE = "NaturalPerson/WorkerRecord"
CLERK = f"{LINE}[WorkerCode='495']"
JOB = f"{CLERK}/Occupation"
SERVICE = f"{JOB}/Service"
REMUN = f"{JOB}/Remun"
BONUS = f"{LINE}/Occupation/Remun[RemunCode='2']"
ACTIVATED = f"{LINE}[ActivationInformation]"
RETIRED = f"{LINE}[WorkerCode='879']/ComplementaryIndemnity"
DISMISSED = f"{LINE}[WorkerCode='883']/ComplementaryIndemnity"
SHARE = f"{RETIRED}/ComplIndemnityContribution"
EARLY = f"{LINE}/EarlyRetirementContribution"
OWED = f"{CLERK}/WorkerContribution"
UNRELATED = "ContributionUnrelatedToNP"
STRUCTURAL = f"{LINE}/Occupation/OccupationDeduction[DeductionCode='3000']"
RESTRUCTURED = f"{LINE}/WorkerDeduction[DeductionCode='0601']"
APPOINTED = f"{LINE}[WorkerCode='675']/Occupation"
G = "general 2022/2"
F = "federal 2022/2"
A = "agency 2023/1"
INFO = "OccupationInformations"

MOVED = "NaturalPerson[WorkerRecord/StudentContribution]/WorkerRecord[Occupation]"

CASES = {
    "00015-011": (
        G,
        copied(f"{LINE}[Occupation/OccupationDeduction]", "NaturalPerson[WorkerRecord/StudentContribution]"),
        gone(f"{MOVED}/WorkerContribution"),
        zone(MOVED, EmployerClass="010"),
    ),
    # reductions
    "00086-064": (G, zone(STRUCTURAL, DeductionCode="0601", DeductionRightStartingDate="2022-04-01")),
    "00086-066": (G, zone(STRUCTURAL, DeductionCode="3500")),
    "00088-062": (G, zone(STRUCTURAL, DeductionCalculationBasis=1)),
    "00089-062": (G, add(CLERK, "WorkerDeduction", DeductionCode="2001", DeductionAmount=1)),
    "00090-008": (G, zone(STRUCTURAL, DeductionCode="3510", DeductionRightStartingDate="2022-07-01")),
    "00090-062": (G, zone(STRUCTURAL, DeductionRightStartingDate="2022-04-01")),
    "00091-062": (G, zone(STRUCTURAL, ManagementCostNbrMonths=1)),
    "00092-062": (G, zone(STRUCTURAL, ReplacedINSS="77101500172")),
    "00093-062": (G, zone(STRUCTURAL, ApplicantINSS="77101500172")),
    "00138-082": (G, add(STRUCTURAL, "OccupationDeductionDetail", DeductionDetailSequenceNbr=1)),
    "00138-083": (
        G,
        add(
            STRUCTURAL,
            "OccupationDeductionDetail",
            DeductionDetailSequenceNbr=1,
            AverageWorkingTimeBeforeReduction=3_800,
            AverageWorkingTimeAfterReduction=3_800,
        ),
        zone(STRUCTURAL, DeductionCode="3500"),
    ),
    "00141-044": ("building 2022/2", zone(f"{RESTRUCTURED}/DeductionDetail", DeductionDetailAmount=1)),
    "00138-078": (
        G,
        add(
            STRUCTURAL,
            "OccupationDeductionDetail",
            DeductionDetailSequenceNbr=1,
            WorkingRegulationsStartingDate="2022-04-02",
        ),
        zone(STRUCTURAL, DeductionCode="3500"),
    ),
    "00914-062": (
        G,
        add(
            STRUCTURAL,
            "OccupationDeductionDetail",
            DeductionDetailSequenceNbr=1,
            WorkingRegulationsEndingDate="2022-06-30",
        ),
        zone(STRUCTURAL, DeductionCode="3500"),
    ),
    "00142-006": (
        "building 2022/2",
        zone(f"{RESTRUCTURED}/DeductionDetail", WorkingRegulationsRegistryNbr="A"),
        zone(f"{RESTRUCTURED}/DeductionDetail[2]", WorkingRegulationsRegistryNbr="A"),
    ),
    "00143-008": (
        G,
        add(
            STRUCTURAL,
            "OccupationDeductionDetail",
            DeductionDetailSequenceNbr=1,
            WorkingRegulationsStartingDate="2022-07-01",
        ),
        zone(STRUCTURAL, DeductionCode="3500"),
    ),
    # presence
    "00021-062": (G, zone(UNRELATED, UnrelatedWorkerCode="862", UnrelatedCalculationBasis=1)),
    "00042-053": (G, zone(CLERK, LocalUnitID="2000000141")),
    "00068-029": (G, zone(f"{JOB}/Remun[RemunCode='1']", BonusPaymentFrequency=1)),
    "00069-029": (G, zone(BONUS, PercentagePaid=10_000)),
    "00080-062": (G, zone(EARLY, EarlyRetirementCode=1)),
    "00749-053": (G, zone(RETIRED, ReplacementAccordanceWCCNotion=0, SubstituteINSS="77101500172")),
    "00815-383": (
        G,
        zone(RETIRED, DebtorType=2, EmployerNotion=lambda root: "00" + root.find(".//NOSSRegistrationNbr").text),
    ),
    "00825-053": (G, zone(DISMISSED, HalfTimeCareerInterruptionNotion=0)),
    "00826-053": (G, zone(DISMISSED, ServiceExemptionNotion=0)),
    "00827-053": (G, zone(DISMISSED, ReplacementAccordanceWCCNotion=0)),
    "00896-053": (G, zone(OWED, FirstHiringDate="2020-01-01")),
    "00953-053": (G, zone(RETIRED, AcknowledgementStartDate="2015-07-01")),
    "00954-053": (G, zone(RETIRED, AcknowledgementEndDate="2015-07-01")),
    "00957-053": (G, zone(SHARE, NbrMonthsDecimals=50)),
    "00960-053": (G, zone(SHARE, FloorApplicationNotion=1)),
    "01012-418": (F, add(APPOINTED, INFO, PSDDclExemption=1)),
    "01030-440": (F, zone(f"{LINE}/Occupation/ReorgMeasureInformation", ReorganisationMeasurePercentage=1)),
    "01252-005": ("general 2023/3", add("", "EmployerCompensation", CompensationCode="02", CompensationException="01")),
    # clashes
    "00055-030": (F, zone(APPOINTED, Apprenticeship=1)),
    "00062-025": (G, zone(SERVICE, ServiceCode=101)),
    "00062-030": (G, zone(SERVICE, ServiceCode=15)),
    "00067-030": (G, zone(REMUN, RemunCode=22)),
    "00082-030": (G, zone(OWED, ContributionWorkerCode="493")),
    "00082-061": (G, zone("NaturalPerson[WorkerRecord/ComplementaryIndemnity]", INSS="00010100105")),
    "00083-060": (
        G,
        zone("NaturalPerson[WorkerRecord/ActivationInformation]", INSS="40010100140"),
        zone(f"{ACTIVATED}/WorkerContribution[ContributionWorkerCode='260']", ContributionType=0),
    ),
    "00083-061": (
        G,
        zone("NaturalPerson[WorkerRecord/ActivationInformation]", INSS="00010100105"),
        zone(f"{ACTIVATED}/WorkerContribution[ContributionWorkerCode='260']", ContributionType=4),
    ),
    "00197-025": (G, add(JOB, INFO, HolidayDaysNumber=1)),
    "00728-030": (F, add(JOB, INFO, SixMonthsIllnessDate="2022-05-01")),
    "00794-025": (G, add(JOB, INFO, NOSSLPASocialMaribel=1)),
    "00794-030": (F, add(APPOINTED, INFO, NOSSLPASocialMaribel=6)),
    "01194-030": (F, add(APPOINTED, INFO, CareerMeasure=1)),
    "00969-030": (
        F,
        zone(f"{LINE}[WorkerCode='675']", WorkerCode="495"),
        zone(f"{CLERK}/Occupation/OccupationPublicServiceData", StatutoryRelationEndReason=1),
        gone(f"{CLERK}/WorkerContribution"),
    ),
    "01011-030": (F, add(APPOINTED, INFO, IllnessGrossRemunAmount=1)),
    "01012-030": (F, add(APPOINTED, INFO, PSDDclExemption=1)),
    "01176-030": (F, add(JOB, INFO, PSPContribCalcBasisDerogation=1)),
    "01195-025": (G, zone(JOB, ShipId=1234567)),
    "01199-025": (G, zone(JOB, StaffCode=1)),
    "01235-030": (
        F,
        zone(f"{LINE}[WorkerCode='675']", WorkerCode="495"),
        zone(f"{CLERK}/Occupation/OccupationPublicServiceData/ScaleSalary", ReducedScaleSalaryNotion=1),
        gone(f"{CLERK}/WorkerContribution"),
    ),
}


@pytest.fixture(scope="module")
def found():
    return anomalies_of(CASES)


@pytest.mark.parametrize("code", CASES)
def test_code(code, found):
    assert code in set(found[code]["code"])
    assert blocking(found[code]) <= {code}
