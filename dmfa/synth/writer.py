"""The blocks of an invented declaration as XML text, built with string templates in the order of the XSD.

Three styles, as payroll programs differ: compact; indented; indented with padded amounts, self-closed references and
the longer forms of codes. All three mean the same.
"""

from __future__ import annotations

from datetime import date, timedelta
from xml.sax.saxutils import escape

from dmfa.quarter import Quarter
from dmfa.synth.declaration import (
    Contribution,
    Declaration,
    DeclaredPerson,
    Deduction,
    Line,
    Occupation,
    PublicService,
    Student,
)
from dmfa.synth.employer import Employer
from dmfa.synth.rare_blocks import FIRST_USERS, RareBlocks
from dmfa.synth.tally import Tally


def _declared(deduction: Deduction) -> bool:
    return deduction.declared


def created(declaration: Declaration) -> tuple[date, str]:
    """Day and hour at which the declarant made the form: in the month after the quarter."""
    number = declaration.employer.index
    day = declaration.made_on or declaration.quarter.last_day + timedelta(days=3 + number * 7 % 25)
    return day, f"{8 + number % 10:02d}:{number * 13 % 60:02d}:{number * 29 % 60:02d}.000"


class Writer:
    """Writes blocks in one style.

    Args:
        style: 0 compact, 1 indented, 2 indented with padded amounts.
    """

    def __init__(self, style: int) -> None:
        self._breaks = ["\n" + "\t" * level if style else "" for level in range(12)]
        self._money = "011d" if style == 2 else "d"
        self._days = "05d" if style == 2 else "d"
        self._two = "02d" if style == 2 else "d"
        self._three = "03d" if style == 2 else "d"
        self._empty_references = style == 2
        self._quarter = Quarter(2022, 1)
        self._employer: Employer
        self._rare = RareBlocks(self._breaks)

    def head(self, declaration: Declaration, tally: Tally) -> str:
        """A Form and its EmployerDeclaration up to the first person; the net amount owed must be known."""
        n1, n2, n3 = self._breaks[1:4]
        day, hour = created(declaration)
        who = declaration.employer
        reference = escape(declaration.reference or f"Q{declaration.quarter.code} {who.index:06d}")
        tally.add("employer_declaration", net_owed_amount=declaration.net_owed)
        self._quarter, self._employer = declaration.quarter, who
        return (
            f"{n1}<Form>{n2}<Identification>DMFA</Identification>{n2}<FormCreationDate>{day}</FormCreationDate>"
            f"{n2}<FormCreationHour>{hour}</FormCreationHour>{n2}<AttestationStatus>0</AttestationStatus>"
            f"{n2}<TypeForm>SU</TypeForm>{n2}<Reference>{n3}<ReferenceType>1</ReferenceType>"
            f"{n3}<ReferenceOrigin>1</ReferenceOrigin>{n3}<ReferenceNbr>{reference}</ReferenceNbr>{n2}</Reference>"
            f"{n2}<EmployerDeclaration>{n3}<Quarter>{declaration.quarter.code}</Quarter>"
            f"{n3}<NOSSRegistrationNbr>{who.noss_registration_nbr:09d}</NOSSRegistrationNbr>"
            f"{n3}<Trusteeship>0</Trusteeship>{n3}<CompanyID>{who.company_id:010d}</CompanyID>"
            f"{n3}<NetOwedAmount>{declaration.net_owed}</NetOwedAmount>"
        )

    def end(self, declaration: Declaration, tally: Tally) -> str:
        """What follows the last person, up to the end of the Form."""
        n1, n2, n3 = self._breaks[1:4]
        parts: list[str] = []
        for number, plate in enumerate(declaration.vehicles, 1):
            tally.add("company_vehicle")
            n4 = self._breaks[4]
            parts.append(
                f"{n3}<CompanyVehicle>{n4}<CompanyVehicleSequenceNbr>{number}</CompanyVehicleSequenceNbr>"
                f"{n4}<LicensePlate>{plate}</LicensePlate>{n4}<EcoVehicle>0</EcoVehicle>{n3}</CompanyVehicle>"
            )
        for item in declaration.unrelated:
            n4 = self._breaks[4]
            tally.add(
                "contribution_unrelated_to_np", unrelated_calculation_basis=item.basis, unrelated_amount=item.amount
            )
            basis = (
                "" if item.basis is None else f"{n4}<UnrelatedCalculationBasis>{item.basis}</UnrelatedCalculationBasis>"
            )
            parts.append(
                f"{n3}<ContributionUnrelatedToNP>{n4}<UnrelatedEmployerClass>{item.employer_class}</UnrelatedEmployerClass>"
                f"{n4}<UnrelatedWorkerCode>{item.code}</UnrelatedWorkerCode>{basis}"
                f"{n4}<UnrelatedAmount>{item.amount}</UnrelatedAmount>{n3}</ContributionUnrelatedToNP>"
            )
        if declaration.compensation:
            parts.append(self._rare.compensation(declaration.compensation, tally))
        parts.append(f"{n2}</EmployerDeclaration>{n1}</Form>")
        return "".join(parts)

    def _reference(self, name: str, text: str, indent: str) -> str:
        if text:
            return f"{indent}<{name}>{escape(text)}</{name}>"
        return f"{indent}<{name}/>" if self._empty_references else ""

    def person(self, number: int, person: DeclaredPerson, tally: Tally) -> str:
        """One NaturalPerson."""
        n3, n4 = self._breaks[3:5]
        tally.add("natural_person")
        parts = [
            f"{n3}<NaturalPerson>{n4}<NaturalPersonSequenceNbr>{number:07d}</NaturalPersonSequenceNbr>"
            f"{n4}<INSS>{person.insz:011d}</INSS>"
            f"{self._reference('NaturalPersonUserReference', person.user_reference, n4)}"
        ]
        for line in person.lines:
            self._line(parts, line, tally)
        parts.append(f"{n3}</NaturalPerson>")
        return "".join(parts)

    def _line(self, parts: list[str], line: Line, tally: Tally) -> None:
        n4, n5 = self._breaks[4:6]
        tally.add("worker_record")
        parts.append(
            f"{n4}<WorkerRecord>{n5}<EmployerClass>{line.employer_class}</EmployerClass>"
            f"{n5}<WorkerCode>{line.worker_code}</WorkerCode>"
            f"{n5}<NOSSQuarterStartingDate>{self._quarter.first_day}</NOSSQuarterStartingDate>"
            f"{n5}<NOSSQuarterEndingDate>{self._quarter.last_day}</NOSSQuarterEndingDate>{n5}<Border>0</Border>"
            f"{self._reference('WorkerRecordUserReference', line.user_reference, n5)}"
        )
        for occupation in line.occupations:
            self._occupation(parts, occupation, tally)
        if line.activation:
            parts.append(self._rare.activation(line.activation, self._quarter, tally))
        if line.dismissal:
            parts.append(self._rare.dismissal(line.dismissal, tally))
        if line.student:
            self._student(parts, line.student, tally)
        if line.early_retirement:
            parts.append(self._rare.early_retirement(line.early_retirement, tally))
        parts += [self._rare.complement(item, tally) for item in line.complements]
        if line.contributions:
            owed = line.contributions
            tally.count("worker_contribution", len(owed))
            bases = [item.basis for item in owed if item.basis is not None]
            tally.sum("worker_contribution", "contribution_calculation_basis", bases)
            tally.sum("worker_contribution", "contribution_amount", [item.amount for item in owed])
            parts += [self._contribution(item) for item in owed]
        parts += [
            self._deduction(item, "WorkerDeduction", "worker_deduction", 5, tally)
            for item in filter(_declared, line.deductions)
        ]
        parts += [self._rare.indemnity(item, tally) for item in line.indemnities]
        parts.append(f"{n4}</WorkerRecord>")

    def _student(self, parts: list[str], student: Student, tally: Tally) -> None:
        n5, n6 = self._breaks[5:7]
        tally.add(
            "student_contribution",
            student_remun_amount=student.pay,
            student_contribution_amount=student.amount,
            student_hours_nbr=student.hours,
        )
        parts.append(
            f"{n5}<StudentContribution>{n6}<StudentRemunAmount>{student.pay}</StudentRemunAmount>"
            f"{n6}<StudentContributionAmount>{student.amount}</StudentContributionAmount>"
            f"{n6}<StudentHoursNbr>{student.hours}</StudentHoursNbr>"
            f"{n6}<LocalUnitID>{student.local_unit}</LocalUnitID>"
        )
        if self._quarter >= FIRST_USERS:
            parts += [self._rare.user(one, 6, tally) for one in student.users]
        parts.append(f"{n5}</StudentContribution>")

    def _contribution(self, item: Contribution) -> str:
        n5, n6 = self._breaks[5:7]
        basis = (
            ""
            if item.basis is None
            else f"{n6}<ContributionCalculationBasis>{item.basis:{self._money}}</ContributionCalculationBasis>"
        )
        return (
            f"{n5}<WorkerContribution>{n6}<ContributionWorkerCode>{item.code}</ContributionWorkerCode>"
            f"{n6}<ContributionType>{item.type}</ContributionType>{basis}"
            f"{n6}<ContributionAmount>{item.amount:{self._money}}</ContributionAmount>{n5}</WorkerContribution>"
        )

    def _deduction(self, item: Deduction, name: str, table: str, level: int, tally: Tally) -> str:
        outer, inner = self._breaks[level], self._breaks[level + 1]
        tally.add(table, deduction_amount=item.amount)
        amount = "" if item.amount is None else f"{inner}<DeductionAmount>{item.amount:{self._money}}</DeductionAmount>"
        starts = f"{inner}<DeductionRightStartingDate>{item.right_start}</DeductionRightStartingDate>"
        details = self._rare.details(item.details, table, level + 1, tally) if item.details else ""
        return (
            f"{outer}<{name}>{inner}<DeductionCode>{item.code}</DeductionCode>{amount}"
            f"{starts if item.right_start else ''}{details}{outer}</{name}>"
        )

    def _occupation(self, parts: list[str], occupation: Occupation, tally: Tally) -> None:
        n5, n6, n7 = self._breaks[5:8]
        tally.add("occupation")
        o = occupation
        ends = f"{n6}<OccupationEndingDate>{o.end}</OccupationEndingDate>" if o.end else ""
        mean = "" if o.mean_hours is None else f"{n6}<MeanWorkingHours>{o.mean_hours}</MeanWorkingHours>"
        status = f"{n6}<WorkerStatus>{o.status}</WorkerStatus>" if o.status else ""
        measure = o.reorganisations[0][0] if len(o.reorganisations) == 1 else 599
        reorganised = f"{n6}<ReorganisationMeasure>{measure}</ReorganisationMeasure>" if o.reorganisations else ""
        apprentice = f"{n6}<Apprenticeship>{o.apprenticeship}</Apprenticeship>" if o.apprenticeship else ""
        parts.append(
            f"{n5}<Occupation>{n6}<OccupationSequenceNbr>{o.sequence:{self._two}}</OccupationSequenceNbr>"
            f"{n6}<OccupationStartingDate>{o.start}</OccupationStartingDate>{ends}"
            f"{n6}<JointCommissionNbr>{o.joint_committee}</JointCommissionNbr>"
            f"{n6}<WorkingDaysSystem>{o.days_system}</WorkingDaysSystem>"
            f"{n6}<ContractType>{int(o.part_time)}</ContractType>"
            f"{n6}<RefMeanWorkingHours>{o.ref_hours}</RefMeanWorkingHours>{status}{mean}{reorganised}"
            f"{n6}<Retired>{int(o.retired)}</Retired>{apprentice}"
            f"{self._reference('OccupationUserReference', '', n6)}{n6}<LocalUnitID>{o.local_unit}</LocalUnitID>"
        )
        if o.hour_pay or o.training_hours or o.exempt:
            tally.add(
                "occupation_informations", hour_remun=o.hour_pay, flemish_training_holiday_hours_nbr=o.training_hours
            )
            hour = f"{n7}<HourRemun>{o.hour_pay}</HourRemun>" if o.hour_pay else ""
            name = "FlemishTrainingHolidayHoursNbr"
            training = f"{n7}<{name}>{o.training_hours}</{name}>" if o.training_hours else ""
            exempt = f"{n7}<ServiceExemptionNotion>2</ServiceExemptionNotion>" if o.exempt else ""
            parts.append(f"{n6}<OccupationInformations>{hour}{exempt}{training}{n6}</OccupationInformations>")
        if o.second_pillar:
            month, salary, language = o.second_pillar
            tally.add("second_pillar_information", monthly_scale_salary=salary)
            parts.append(
                f"{n6}<SecondPillarInformation>{n7}<ReferenceYearMonth>{month}</ReferenceYearMonth>"
                f"{n7}<MonthlyScaleSalary>{salary}</MonthlyScaleSalary>"
                f"{n7}<OfficialLanguage>{language}</OfficialLanguage>{n6}</SecondPillarInformation>"
            )
        tally.count("service", len(o.services))
        tally.sum("service", "service_nbr_days", [service.days for service in o.services])
        tally.sum("service", "service_nbr_hours", [item.hours for item in o.services if item.hours is not None])
        for number, service in enumerate(o.services, 1):
            hours = "" if service.hours is None else f"{n7}<ServiceNbrHours>{service.hours}</ServiceNbrHours>"
            parts.append(
                f"{n6}<Service>{n7}<ServiceSequenceNbr>{number:{self._two}}</ServiceSequenceNbr>"
                f"{n7}<ServiceCode>{service.code:{self._three}}</ServiceCode>"
                f"{n7}<ServiceNbrDays>{service.days:{self._days}}</ServiceNbrDays>{hours}{n6}</Service>"
            )
        tally.count("remun", len(o.remuns))
        tally.sum("remun", "remun_amount", [remun.amount for remun in o.remuns])
        for number, remun in enumerate(o.remuns, 1):
            frequency = (
                ""
                if remun.frequency is None
                else f"{n7}<BonusPaymentFrequency>{remun.frequency}</BonusPaymentFrequency>"
            )
            parts.append(
                f"{n6}<Remun>{n7}<RemunSequenceNbr>{number:{self._two}}</RemunSequenceNbr>"
                f"{n7}<RemunCode>{remun.code:{self._three}}</RemunCode>{frequency}"
                f"{n7}<RemunAmount>{remun.amount:{self._money}}</RemunAmount>{n6}</Remun>"
            )
        if o.public_service:
            self._public_service(parts, o.public_service, tally)
        if len(o.reorganisations) > 1:
            for code, percentage in o.reorganisations:
                tally.add("reorg_measure_information")
                parts.append(
                    f"{n6}<ReorgMeasureInformation>{n7}<ReorganisationMeasure>{code}</ReorganisationMeasure>"
                    f"{n7}<ReorganisationMeasurePercentage>{percentage}</ReorganisationMeasurePercentage>"
                    f"{n6}</ReorgMeasureInformation>"
                )
        if o.user and self._quarter >= FIRST_USERS:
            parts.append(self._rare.user(o.user, 6, tally))
        parts += [
            self._deduction(item, "OccupationDeduction", "occupation_deduction", 6, tally)
            for item in filter(_declared, o.deductions)
        ]
        parts.append(f"{n5}</Occupation>")

    def _public_service(self, parts: list[str], career: PublicService, tally: Tally) -> None:
        n6, n7, n8, n9 = self._breaks[6:10]
        tally.add("occupation_public_service_data")
        tally.add("scale_salary", scale_salary_amount=career.scale_amount)
        supplements = []
        for reference, amount in career.supplements:
            tally.add("additional_scale_salary", additional_scale_salary_amount=amount)
            supplements.append(
                f"{n8}<AdditionalScaleSalary>{n9}<AdditionalScaleSalaryStartDate>{career.start}"
                f"</AdditionalScaleSalaryStartDate>{n9}<AdditionalScaleSalaryReference>{reference}"
                f"</AdditionalScaleSalaryReference>{n9}<AdditionalScaleSalaryAmount>{amount}"
                f"</AdditionalScaleSalaryAmount>{n8}</AdditionalScaleSalary>"
            )
        parts.append(
            f"{n6}<OccupationPublicServiceData>{n7}<OccupationPSDStartDate>{career.start}</OccupationPSDStartDate>"
            f"{n7}<PublicSectorInstitutionType>{career.institution:02d}</PublicSectorInstitutionType>"
            f"{n7}<PublicSectorPersonnelCategory>{career.category:02d}</PublicSectorPersonnelCategory>"
            f"{n7}<GradeOrFunction>{escape(career.grade)}</GradeOrFunction>"
            f"{n7}<OfficialLanguage>{career.language}</OfficialLanguage>{n7}<AssignmentType>0</AssignmentType>"
            f"{n7}<FunctionNature>1</FunctionNature>{n7}<ScaleSalary>"
            f"{n8}<ScaleSalaryStartDate>{career.start}</ScaleSalaryStartDate>"
            f"{n8}<PecuniarySeniorityStartDate>{career.seniority}</PecuniarySeniorityStartDate>"
            f"{n8}<SalaryScaleReference>{career.scale}</SalaryScaleReference>"
            f"{n8}<ScaleSalaryAmount>{career.scale_amount}</ScaleSalaryAmount>"
            f"{n8}<WeekHoursNbr>{career.week_hours}</WeekHoursNbr>"
            f"{n8}<ScaleSalaryWeekHoursNbr>{career.week_hours}</ScaleSalaryWeekHoursNbr>"
            f"{''.join(supplements)}{n7}</ScaleSalary>{n6}</OccupationPublicServiceData>"
        )
