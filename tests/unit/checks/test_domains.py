"""Values, check digits, working time: a valid declaration with one thing changed has the code, and no other B."""

from __future__ import annotations

import pytest

from tests.spoiling import add, anomalies_of, blocking, zone

LINE = "NaturalPerson/WorkerRecord"
MANUAL = f"{LINE}[WorkerCode='015']"
CLERK = f"{LINE}[WorkerCode='495']"
JOB = f"{CLERK}/Occupation"
PART_TIME = f"{LINE}/Occupation[ContractType='1']"
SERVICE = f"{JOB}/Service"
REMUN = f"{JOB}/Remun"
STUDENT = f"{LINE}/StudentContribution"
APPRENTICE = f"{LINE}[WorkerCode='035']/Occupation"
ACTIVATED = f"{LINE}[ActivationInformation]"
RETIRED = f"{LINE}[WorkerCode='879']/ComplementaryIndemnity"
DISMISSED = f"{LINE}[WorkerCode='883']/ComplementaryIndemnity"
SHARE = f"{RETIRED}/ComplIndemnityContribution"
APPOINTED = f"{LINE}[WorkerCode='675']/Occupation"
CAREER = f"{APPOINTED}/OccupationPublicServiceData"
SCALE = f"{CAREER}/ScaleSalary"
SUPPLEMENT = f"{APPOINTED}[.//AdditionalScaleSalary]/OccupationPublicServiceData/ScaleSalary/AdditionalScaleSalary"
PILLAR = f"{LINE}/Occupation/SecondPillarInformation"
SICK = f"{LINE}/DismissedStatutoryWorkerContribution[../WorkerCode='876']"
VICTIM = f"{LINE}/IndemnityWAPM"
G = "general 2022/2"
F = "federal 2022/2"
V = "insurer 2022/2"
INFO = "OccupationInformations"

CASES = {
    # domains
    "00016-008": (G, zone("", System5=1)),
    "00017-008": ("general 2022/4", zone("", HolidayStartingDate="2023-04-30")),
    "00040-008": ("general 2022/2", zone(CLERK, EmployerClass="099", Border=1)),
    "00044-008": (G, zone(JOB, OccupationStartingDate="1921-12-31")),
    "00045-008": (G, zone(JOB, OccupationEndingDate="2022-07-01")),
    "00047-008": (G, zone(JOB, WorkingDaysSystem=0)),
    "00048-008": (G, zone(PART_TIME, MeanWorkingHours=0)),
    "00049-008": (G, zone(JOB, RefMeanWorkingHours=4_801)),
    "00050-008": (G, zone(CLERK, EmployerClass="099"), zone(JOB, ContractType=1)),
    "00051-008": (F, zone(f"{LINE}/Occupation/ReorgMeasureInformation", ReorganisationMeasure=599)),
    "00055-008": (G, zone(APPRENTICE, Apprenticeship=3)),
    "00070-008": (G, zone(REMUN, RemunAmount=0)),
    "00073-008": (F, zone(SICK, RefNbrDays=313)),
    "00127-008": (F, zone(SICK, SubjectionStartingDate="2021-03-31")),
    "00129-008": (F, zone(SICK, SubjectionEndingDate="2022-07-01")),
    "00145-008": (V, zone(VICTIM, IncapacityDegree="100,01")),
    "00228-008": (G, zone(RETIRED, ActivityCode="25110")),
    "00728-008": (F, add(APPOINTED, INFO, SixMonthsIllnessDate="1921-12-31")),
    "00749-008": (G, zone(RETIRED, ReplacementAccordanceWCCNotion=1, SubstituteINSS=0)),
    "00815-008": (G, zone(RETIRED, EmployerNotion="00199999934")),
    "00823-008": (G, zone(DISMISSED, FirstComplIndemnityDate="2005-12-31", NoticeDate="2005-01-01")),
    "00826-008": (G, add(JOB, INFO, ServiceExemptionNotion=1)),
    "00829-008": (G, zone(SHARE, ComplIndemnityAmountAdjustNotion=2)),
    "00831-008": (G, zone(SHARE, ComplIndemnityNbrMonths=4)),
    "00896-008": (
        G,
        add(
            CLERK,
            "WorkerContribution",
            ContributionWorkerCode=826,
            ContributionType=0,
            ContributionAmount=0,
            FirstHiringDate="2022-07-01",
        ),
    ),
    "00951-008": (G, zone(RETIRED, FirstComplIndemnityDate="2012-05-01", NoticeDate="2012-05-01")),
    "00953-008": (
        G,
        zone(
            RETIRED,
            AilingOrReorgCompanyNotion=1,
            AcknowledgementStartDate="2022-07-01",
            AcknowledgementEndDate="2023-06-30",
        ),
    ),
    "00954-008": (
        G,
        zone(
            RETIRED,
            AilingOrReorgCompanyNotion=1,
            AcknowledgementStartDate="2015-07-01",
            AcknowledgementEndDate="2015-07-01",
        ),
    ),
    "00964-008": (F, zone(CAREER, OccupationPSDStartDate="2010-12-31")),
    "00965-008": (F, zone(CAREER, OccupationPSDEndDate="2022-07-01")),
    "00970-008": (F, zone(SCALE, ScaleSalaryStartDate="2010-12-31")),
    "00971-008": (F, zone(SCALE, ScaleSalaryEndDate="2022-07-01")),
    "00972-008": (F, zone(SCALE, PecuniarySeniorityStartDate="2022-07")),
    "00978-008": (F, zone(SUPPLEMENT, AdditionalScaleSalaryStartDate="2010-12-31")),
    "00979-008": (F, zone(SUPPLEMENT, AdditionalScaleSalaryEndDate="2022-07-01")),
    "01148-008": (F, add(JOB, INFO, NewMaribelEmploymentDate="2019-12-31")),
    "01158-008": (G, zone(STUDENT, StudentHoursNbr=476)),
    "01191-008": (G, zone(f"{ACTIVATED}/ActivationInformation", ServiceExemptionStartDate="2017-09-27")),
    "01192-008": (G, zone(f"{ACTIVATED}/ActivationInformation", TrainingSituationStartDate="2017-09-27")),
    "01219-003": (F, zone(PILLAR, ReferenceYearMonth="2022/04")),
    "01219-008": (F, zone(PILLAR, ReferenceYearMonth="2022-07")),
    "01250-008": ("general 2023/3", add("", "EmployerCompensation", CompensationCode="01")),
    "00197-008": (G, add(JOB, INFO, HolidayDaysNumber=-1), zone(CLERK, EmployerClass="105")),
    "01010-008": (
        G,
        add(f"{MANUAL}/Occupation[not(OccupationInformations)]", INFO, FirstWeekGuaranteedSalaryNbrDays=9_201),
    ),
    "01011-008": (G, add(JOB, INFO, IllnessGrossRemunAmount=0)),
    "01195-008": (G, zone(JOB, ShipId=0), zone(CLERK, EmployerClass="105")),
    "01203-008": (G, zone(PART_TIME, SubsidizedMeanWorkingHours=-1)),
    "01216-008": (G, add(JOB, INFO, MobilityBudget=0)),
    # check digits
    "00815-004": (G, zone(RETIRED, DebtorType=2, EmployerNotion="00199999935")),
    # working time
    "00063-034": (G, zone(SERVICE, ServiceNbrDays=9_200)),
    "00073-021": (F, zone(SICK, SubjectionStartingDate="2022-06-01", RefNbrDays=31)),
    "00625-196": (G, zone(JOB, DaysJustification=7)),
    "01203-260": (G, zone(PART_TIME, SubsidizedMeanWorkingHours=4_000)),
    "01232-196": (G, add(f"{JOB}[not(OccupationInformations)]", INFO, FlemishTrainingHolidayHoursNbr=100)),
}


@pytest.fixture(scope="module")
def found():
    return anomalies_of(CASES)


@pytest.mark.parametrize("code", CASES)
def test_code(code, found):
    assert code in set(found[code]["code"])
    assert blocking(found[code]) <= {code}
