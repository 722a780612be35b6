"""Corrections of declarations, written from the bytes of their originals: what an employer would send."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date

import polars as pl
from lxml import etree

from dmfa.pid import declaration_pid, declared_person_pid, person_pid
from tests.making import XSI

DELETE, CHANGE, CREATE, UNCHANGED = "0", "1", "3", "9"
"""What UpdateAction says of a unit."""

Edit = Callable[[etree._Element], None]

_HEAD = ("Quarter", "NOSSRegistrationNbr", "Trusteeship", "CompanyID", "System5", "HolidayStartingDate")
_BELOW_LINE = ("OccupationUpdate", "ActivationInformation", "WorkerContribution", "WorkerDeduction")
_BELOW_LINE += ("DismissedStatutoryWorkerContribution", "StudentContribution", "EarlyRetirementContribution")
_BELOW_LINE += ("ComplementaryIndemnity", "IndemnityWAPM")
_AFTER_VERSION = ("LocalUnitID", "ShipId", "StaffCode", "SubsidizedMeanWorkingHours")


def zone(label: str, value: object) -> Edit:
    """An edit: the first zone of that label below a block gets a value."""

    def edit(block: etree._Element) -> None:
        found = block.find(f".//{label}")
        assert found is not None, f"no {label} there"
        found.text = str(value)

    return edit


def pids(inss: int, noss: int, company: int, quarter: int) -> tuple[int, int, int]:
    """Identifiers of a declaration, of a person, and of the person in the declaration."""
    declaration = declaration_pid(pl.lit(noss), pl.lit(company), pl.lit(quarter))
    found = (declaration, person_pid(pl.lit(inss)), declared_person_pid(pl.lit(inss), declaration))
    of_declaration, of_person, of_both = pl.select(*(one.alias(str(place)) for place, one in enumerate(found))).row(0)
    return of_declaration, of_person, of_both


class Correction:
    """A correction of one declaration; each call adds a unit, `data()` gives the file.

    Args:
        original: bytes of the filing that declared it.
        form: index of the Form.
        justification: why, where one is asked.
        reference: the sender's own, so that two equal corrections are two files.
    """

    def __init__(self, original: bytes, form: int = 0, *, justification: str = "", reference: str = "1") -> None:
        root = etree.fromstring(original)
        self._form = root.findall("Form")[form]
        self.declared = self._form.find("EmployerDeclaration")
        self._release = root.get(f"{{{XSI}}}noNamespaceSchemaLocation").split("_")[1]
        self._top = etree.Element("EmployerDeclarationUpdate")
        for label in _HEAD:
            if self.declared.find(label) is not None:
                self._top.append(copy.deepcopy(self.declared.find(label)))
        self._numbers = tuple(int(self.declared.findtext(label)) for label in ("NOSSRegistrationNbr", "CompanyID"))
        self.quarter = int(self.declared.findtext("Quarter"))
        _add(self._top, "EmployerDeclarationPID", pids(0, *self._numbers, self.quarter)[0])
        if justification:
            _add(self._top, "Justification", justification)
        self._reference = reference
        self._persons: dict[int, etree._Element] = {}
        self._beside: dict[str, list[etree._Element]] = {"vehicle": [], "unrelated": [], "compensation": []}

    def line(
        self,
        person: int = 0,
        line: int = 0,
        action: str = CHANGE,
        *edits: Edit,
        version: int | None = 1,
        of_person: int | None = 1,
        last: tuple[str, str] | None = None,
    ) -> Correction:
        """Correct a line of a person, or create one like it.

        Args:
            person: place of the person in the original.
            line: place of the line below the person.
            action: one of the four.
            edits: what is done to the line as declared.
            version: of its last situation.
            of_person: version of the person's; None for a person that is to be created with the line.
            last: class and code of its last situation, where they are not those declared now.
        """
        declared = self.declared.findall("NaturalPerson")[person].findall("WorkerRecord")[line]
        state = copy.deepcopy(declared)
        for edit in edits:
            edit(state)
        made = etree.SubElement(self._person(person, of_person), "WorkerRecordUpdate")
        keys = last or (declared.findtext("EmployerClass"), declared.findtext("WorkerCode"))
        if action != CREATE:
            situation = etree.SubElement(made, "LastSituationWR")
            for label, value in zip(("EmployerClass", "WorkerCode"), keys, strict=True):
                _add(situation, label, value)
            _add(situation, "WorkerRecordVersionNbr", version)
        asked = etree.SubElement(made, "WorkerRecordUpdateAction")
        for child in state:
            if child.tag == "Occupation":
                child.tag = "OccupationUpdate"
                if action == CHANGE:
                    _version_of_occupation(child, version)
        whole = action in (CHANGE, CREATE)
        zones = [child for child in state if child.tag not in _BELOW_LINE]
        asked.extend(zones if whole else [child for child in zones if child.tag in ("EmployerClass", "WorkerCode")])
        _add(asked, "UpdateAction", action)
        asked.extend([child for child in state if child.tag in _BELOW_LINE] if whole else [])
        return self

    def vehicle(self, place: int = 0, action: str = CHANGE, *edits: Edit, version: int = 1) -> Correction:
        """Correct a company vehicle."""
        made = self._edited("CompanyVehicle", place, edits)
        made.tag = "CompanyVehicleUpdateAction"
        if action == DELETE and made.find("EcoVehicle") is not None:
            made.remove(made.find("EcoVehicle"))
        if action != CREATE:
            _add(made, "CompanyVehicleVersionNbr", version)
        _add(made, "UpdateAction", action)
        self._beside["vehicle"].append(made)
        return self

    def unrelated(self, place: int = 0, action: str = CHANGE, *edits: Edit, version: int = 1) -> Correction:
        """Correct a contribution that is related to no person."""
        self._beside["unrelated"].append(
            self._update(
                "ContributionUnrelatedToNP",
                ("CUNP", "ContUnrelatedToNPVersionNbr"),
                ("UnrelatedEmployerClass", "UnrelatedWorkerCode"),
                self._edited("ContributionUnrelatedToNP", place, edits),
                place,
                action,
                version,
            )
        )
        return self

    def compensation(self, action: str = CHANGE, *edits: Edit, version: int = 1) -> Correction:
        """Correct the employer's compensation."""
        self._beside["compensation"].append(
            self._update(
                "EmployerCompensation",
                ("EmpCompensation", "EmpCompensationVersionNbr"),
                ("CompensationCode",),
                self._edited("EmployerCompensation", 0, edits),
                0,
                action,
                version,
            )
        )
        return self

    def data(self, received: date = date(2026, 11, 22)) -> bytes:
        """The file as it is sent."""
        root = etree.Element("DmfAUpdate", nsmap={"xsi": XSI})
        root.set(f"{{{XSI}}}noNamespaceSchemaLocation", f"DmfAUpdate_{self._release}")
        form = etree.SubElement(root, "Form")
        head = {"Identification": "DMFAUPD", "FormCreationDate": received, "FormCreationHour": "09:00:00.000"}
        for label, value in {**head, "AttestationStatus": 1, "TypeForm": "SU"}.items():
            _add(form, label, value)
        reference = etree.SubElement(form, "Reference")
        own = {"ReferenceType": 1, "ReferenceOrigin": 1, "ReferenceNbr": self._reference}
        for label, value in own.items():
            _add(reference, label, value)
        top = copy.deepcopy(self._top)
        top.extend(copy.deepcopy([self._persons[place] for place in sorted(self._persons)]))
        top.extend(copy.deepcopy([unit for units in self._beside.values() for unit in units]))
        form.append(top)
        data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
        return data

    def _person(self, place: int, version: int | None) -> etree._Element:
        if place not in self._persons:
            declared = self.declared.findall("NaturalPerson")[place]
            made = self._persons[place] = etree.Element("NaturalPersonUpdate")
            for label in ("NaturalPersonSequenceNbr", "INSS", "NaturalPersonUserReference"):
                if declared.find(label) is not None:
                    made.append(copy.deepcopy(declared.find(label)))
            if version is not None:
                _, of_person, of_both = pids(int(declared.findtext("INSS")), *self._numbers, self.quarter)
                _add(made, "NaturalPersonPID", of_person)
                _add(made, "DeclNaturalPersonPID", of_both)
                _add(made, "DeclNaturalPersonVersionNbr", version)
        return self._persons[place]

    def _edited(self, label: str, place: int, edits: tuple[Edit, ...]) -> etree._Element:
        state = copy.deepcopy(self.declared.findall(label)[place])
        for edit in edits:
            edit(state)
        return state

    def _update(
        self,
        label: str,
        names: tuple[str, str],
        keys: tuple[str, ...],
        state: etree._Element,
        place: int,
        action: str,
        version: int,
    ) -> etree._Element:
        made = etree.Element(f"{label}Update")
        declared = self.declared.findall(label)[place]
        if action != CREATE:
            situation = etree.SubElement(made, f"LastSituation{names[0]}")
            for key in keys:
                _add(situation, key, declared.findtext(key))
            _add(situation, names[1], version)
        asked = etree.SubElement(made, f"{names[0]}UpdateAction")
        asked.extend([child for child in state if action != DELETE or child.tag in keys])
        _add(asked, "UpdateAction", action)
        return made


def _version_of_occupation(occupation: etree._Element, version: int | None) -> None:
    """Put the version of an occupation, that of its line, where the structure has it."""
    number = etree.Element("OccupationVersionNbr")
    number.text = str(version)
    before = [child.tag in _AFTER_VERSION or len(child) > 0 for child in occupation]
    occupation.insert(before.index(True) if True in before else len(occupation), number)


def _add(block: etree._Element, label: str, value: object) -> None:
    etree.SubElement(block, label).text = str(value)
