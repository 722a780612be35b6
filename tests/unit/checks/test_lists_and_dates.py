"""Lists, dates, repetitions: a valid declaration with one thing changed has the code, and no other B."""

from __future__ import annotations

import pytest

from tests.spoiling import again, anomalies_of, blocking, gone, zone

LINE = "NaturalPerson/WorkerRecord"
CLERK = f"{LINE}[WorkerCode='495']"
JOB = f"{CLERK}/Occupation"
SERVICE = f"{JOB}/Service"
REMUN = f"{JOB}/Remun"
SEVERANCE = f"{LINE}/Occupation[Remun/RemunCode='3']"
RETIRED = f"{LINE}[WorkerCode='879']/ComplementaryIndemnity"
SHARE = f"{RETIRED}/ComplIndemnityContribution"
OWED = f"{CLERK}/WorkerContribution"
UNRELATED = "ContributionUnrelatedToNP"
STRUCTURAL = f"{LINE}/Occupation/OccupationDeduction[DeductionCode='3000']"
APPOINTED = f"{LINE}[WorkerCode='675']/Occupation"
CAREER = f"{APPOINTED}/OccupationPublicServiceData"
SCALE = f"{CAREER}/ScaleSalary"
SUPPLEMENT = f"{APPOINTED}[.//AdditionalScaleSalary]/OccupationPublicServiceData/ScaleSalary/AdditionalScaleSalary"
OLD_SCALE = f"{APPOINTED}[.//AdditionalScaleSalary]/OccupationPublicServiceData/ScaleSalary"
SICK = f"{LINE}/DismissedStatutoryWorkerContribution[../WorkerCode='876']"
G = "general 2022/2"
F = "federal 2022/2"

CASES = {
    # lists
    "00019-008": ("general 2022/1", zone(UNRELATED, UnrelatedEmployerClass="003")),
    "00019-034": ("general 2022/1", zone(UNRELATED, UnrelatedEmployerClass="004")),
    "00020-008": (G, zone(UNRELATED, UnrelatedWorkerCode="809")),
    "00020-035": (G, zone(UNRELATED, UnrelatedWorkerCode="851")),
    "00036-008": ("general 2022/1", zone(CLERK, EmployerClass="003")),
    "00036-034": ("general 2022/1", zone(CLERK, EmployerClass="004")),
    "00037-008": (G, gone(f"{CLERK}/WorkerContribution"), zone(CLERK, WorkerCode="848")),
    "00037-025": (G, gone(f"{CLERK}/WorkerContribution"), zone(CLERK, WorkerCode="041")),
    "00037-035": (G, gone(f"{CLERK}/WorkerContribution"), zone(CLERK, WorkerCode="671")),
    "00053-008": (G, zone(JOB, WorkerStatus="M")),
    "00053-034": (G, zone(JOB, WorkerStatus="CM")),
    "00062-008": (G, zone(SERVICE, ServiceCode=23)),
    "00082-008": (G, zone(f"{CLERK}/WorkerContribution[2]", ContributionWorkerCode="879")),
    "00082-035": (G, zone(f"{CLERK}/WorkerContribution[2]", ContributionWorkerCode="860")),
    "00083-008": (G, zone(OWED, ContributionType=1)),
    "00083-084": (G, zone(OWED, ContributionType=2)),
    "00086-008": (G, zone(STRUCTURAL, DeductionCode="3001")),
    "00086-034": (G, zone(STRUCTURAL, DeductionCode="0501")),
    # dates in order
    "00038-008": (G, zone(CLERK, NOSSQuarterStartingDate="2021-12-31")),
    "00038-034": (G, zone(f"{LINE}[StudentContribution]", NOSSQuarterStartingDate="2022-04-04")),
    "00039-008": (G, zone(CLERK, NOSSQuarterEndingDate="2023-01-01")),
    "00039-014": (G, zone(f"{LINE}[StudentContribution]", NOSSQuarterEndingDate="2022-03-31")),
    "00039-034": (G, zone(f"{LINE}[StudentContribution]", NOSSQuarterEndingDate="2022-07-03")),
    "00045-014": (G, zone(JOB, OccupationStartingDate="2022-06-01", OccupationEndingDate="2022-05-31")),
    "00129-014": (F, zone(SICK, SubjectionStartingDate="2022-06-30", SubjectionEndingDate="2022-06-29", RefNbrDays=1)),
    "00965-014": (F, zone(CAREER, OccupationPSDStartDate="2022-06-02", OccupationPSDEndDate="2022-06-01")),
    "00971-014": (F, zone(SCALE, ScaleSalaryStartDate="2022-06-02", ScaleSalaryEndDate="2022-06-01")),
    "00979-014": (
        F,
        zone(SUPPLEMENT, AdditionalScaleSalaryStartDate="2022-06-02", AdditionalScaleSalaryEndDate="2022-06-01"),
    ),
    "00965-414": (
        F,
        zone(APPOINTED, OccupationStartingDate="2022-05-02"),
        zone(CAREER, OccupationPSDStartDate="2022-04-01", OccupationPSDEndDate="2022-05-01"),
    ),
    "00971-414": (
        F,
        zone(CAREER, OccupationPSDStartDate="2022-05-02"),
        zone(SCALE, ScaleSalaryStartDate="2022-04-01", ScaleSalaryEndDate="2022-05-01"),
    ),
    "00979-414": (
        F,
        zone(OLD_SCALE, ScaleSalaryStartDate="2022-05-02"),
        zone(SUPPLEMENT, AdditionalScaleSalaryStartDate="2022-04-01", AdditionalScaleSalaryEndDate="2022-05-01"),
    ),
    "01129-372": (
        G,
        zone(SHARE, IndemnityContributionPeriodCode=5),
        zone(RETIRED, FirstComplIndemnityDate="2016-12-31", NoticeDate="2016-11-02"),
    ),
    "01129-375": (
        G,
        zone(SHARE, IndemnityContributionPeriodCode=5),
        zone(RETIRED, FirstComplIndemnityDate="2017-01-01", NoticeDate="2016-10-31"),
    ),
    # repeated
    "00023-006": (G, zone("NaturalPerson[2]", NaturalPersonSequenceNbr=1)),
    "00043-006": (G, again(SEVERANCE, OccupationSequenceNbr=1)),
    "00061-006": (G, again(SERVICE, ServiceCode=24)),
    "00066-006": (G, again(REMUN, RemunCode=6)),
    "00780-006": ("services 2022/2", again("CompanyVehicle", LicensePlate="1ABC123")),
}


@pytest.fixture(scope="module")
def found():
    return anomalies_of(CASES)


@pytest.mark.parametrize("code", CASES)
def test_code(code, found):
    assert code in set(found[code]["code"])
    assert blocking(found[code]) <= {code}
