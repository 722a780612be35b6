"""Codes of blocks: a valid declaration with one thing changed has the code, and no other B."""

from __future__ import annotations

import pytest

from tests.spoiling import add, again, anomalies_of, blocking, copied, gone, zone

LINE = "NaturalPerson/WorkerRecord"
CLERK = f"{LINE}[WorkerCode='495']"
JOB = f"{CLERK}/Occupation"
RETIRED = f"{LINE}[WorkerCode='879'][ComplementaryIndemnity]"
STUDENT = f"{LINE}[StudentContribution]"
ACTIVATED = f"{LINE}[ActivationInformation]"
APPOINTED = f"{LINE}[WorkerCode='675']/Occupation"
DISMISSED = f"{LINE}[WorkerCode='876']"
VICTIM = f"{LINE}[IndemnityWAPM]"
PART_TIME = f"{LINE}/Occupation[ContractType='1']"

FLEXI = "NaturalPerson[WorkerRecord/WorkerCode='050']"
BESIDE = f"{FLEXI}/WorkerRecord[WorkerCode='495']/Occupation"
FULL_TIME = f"{LINE}[WorkerCode='495'][Occupation[ContractType='0'][not(OccupationEndingDate)]]"

H = "hospitality 2022/2"
G, F, V, B = "general 2022/2", "federal 2022/2", "insurer 2022/2", "building 2022/2"

PAID = {"RemunSequenceNbr": 99, "RemunCode": 6, "RemunAmount": 1}

CASES = {
    "90001-006": (G, again(f"{CLERK}/WorkerContribution")),
    "90001-030": (V, zone(VICTIM, WorkerCode="879")),
    "90002-006": (G, again("ContributionUnrelatedToNP")),
    "90003-025": (G, zone(STUDENT, EmployerClass="027")),
    "90003-030": (G, zone(STUDENT, WorkerCode="495")),
    "90005-025": (F, zone(DISMISSED, EmployerClass="027")),
    "90005-030": (F, zone(DISMISSED, WorkerCode="879")),
    "90011-006": (V, again(f"{VICTIM}/IndemnityWAPM")),
    "90011-025": (V, zone(VICTIM, EmployerClass="010")),
    "90012-006": (G, again(CLERK)),
    "90012-260": (G, zone(f"{PART_TIME}/Service", ServiceNbrHours=218_401)),
    "90012-478": (G, zone(f"{LINE}/Occupation[Remun/RemunCode='3']", OccupationStartingDate="2022-04-01")),
    "90012-486": (H, copied(FULL_TIME, FLEXI)),
    "90012-529": (V, zone(f"{VICTIM}/IndemnityWAPM", IndemnityAmount=1)),
    "90015-025": (G, zone(CLERK, EmployerClass="027")),
    "90015-030": (G, gone(f"{CLERK}/WorkerContribution"), zone(CLERK, WorkerCode="840")),
    "90015-095": (G, zone(f"{JOB}/Service", ServiceNbrDays=9_101)),
    "90015-169": (G, add(f"{LINE}/Occupation[Remun/RemunCode='3']", "Remun", **PAID)),
    "90015-244": (G, zone(PART_TIME, MeanWorkingHours=3_801)),
    "90015-484": (
        H,
        copied(FULL_TIME, FLEXI),
        gone(f"{BESIDE}/Remun[position() > 1]"),
        zone(f"{BESIDE}/Remun", RemunCode=3),
        zone(BESIDE, OccupationStartingDate="2022-05-01", OccupationEndingDate="2022-06-30"),
    ),
    "90018-006": (G, again(f"{JOB}/Service", ServiceSequenceNbr=99)),
    "90019-006": (G, again(f"{JOB}/Remun", RemunSequenceNbr=99)),
    "90042-006": (G, again(f"{LINE}/EarlyRetirementContribution")),
    "90042-025": (G, zone(f"{LINE}[EarlyRetirementContribution]", EmployerClass="027")),
    "90042-030": (G, zone(f"{LINE}[EarlyRetirementContribution]", WorkerCode="885")),
    "90108-006": (B, again(f"{LINE}/WorkerDeduction/DeductionDetail")),
    "90109-006": (G, again(f"{LINE}/Occupation/OccupationDeduction")),
    "90110-006": (B, again(f"{LINE}/WorkerDeduction")),
    "90172-473": (
        F,
        add(
            f"{LINE}/Occupation[SecondPillarInformation]", "OccupationInformations", SupplPensionContributionExemption=1
        ),
    ),
    "90294-006": ("services 2022/2", again("CompanyVehicle", CompanyVehicleSequenceNbr=99)),
    "90336-006": (G, again(f"{RETIRED}/ComplementaryIndemnity")),
    "90336-025": (G, zone(RETIRED, EmployerClass="027")),
    "90336-030": (G, zone(RETIRED, WorkerCode="877")),
    "90337-006": (G, again(f"{RETIRED}/ComplementaryIndemnity/ComplIndemnityContribution")),
    "90411-006": (F, again(f"{APPOINTED}/OccupationPublicServiceData")),
    "90412-006": (F, again(f"{APPOINTED}/OccupationPublicServiceData/ScaleSalary")),
    "90413-006": (F, again(f"{APPOINTED}/OccupationPublicServiceData/ScaleSalary/AdditionalScaleSalary")),
    "90438-001": (F, gone(f"{LINE}/Occupation/ReorgMeasureInformation[2]")),
    "90438-006": (F, zone(f"{LINE}/Occupation/ReorgMeasureInformation[2]", ReorganisationMeasure=4)),
    "90438-053": (F, zone(f"{LINE}/Occupation[ReorgMeasureInformation]", ReorganisationMeasure=7)),
    "90578-001": (G, gone(f"{ACTIVATED}/ActivationInformation")),
    "90578-053": (G, gone(f"{ACTIVATED}/Occupation/OccupationInformations")),
}


@pytest.fixture(scope="module")
def found():
    return anomalies_of(CASES)


@pytest.mark.parametrize("code", CASES)
def test_code(code, found):
    assert code in set(found[code]["code"])
    assert blocking(found[code]) <= {code}
