"""Corrections of invented declarations (DmfAUpdate): pay that was wrong, a person too many, a person forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import polars as pl
from lxml import etree

from dmfa.pid import declaration_pid, declared_person_pid, person_pid
from dmfa.schema import UPDATE
from dmfa.synth.declaration import Declaration, DeclaredPerson
from dmfa.synth.draws import below, between, stream
from dmfa.synth.law import Law
from dmfa.synth.tally import Tally
from dmfa.synth.writer import Writer, created
from dmfa.synth.xml import schema_name

DELETE, CHANGE, CREATE = 0, 1, 3
"""What is asked of a line (zone 00618)."""

ORIGINAL: Final = 1
"""Version of all that an original declares."""

CORRECTED_AFTER: Final = timedelta(days=21)

_SALT_UPDATE: Final = 44
_PERSONS_IN_TEN: Final = 1
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_OCCUPATION: Final = "Occupation"
_BELOW_LINE: Final = frozenset(
    {
        *(_OCCUPATION, "ActivationInformation", "WorkerContribution", "WorkerDeduction", "IndemnityWAPM"),
        *("DismissedStatutoryWorkerContribution", "StudentContribution", "EarlyRetirementContribution"),
        "ComplementaryIndemnity",
    }
)
_BEHIND_VERSION: Final = frozenset({"LocalUnitID", "ShipId", "StaffCode", "SubsidizedMeanWorkingHours"})
"""Zones of an occupation that stand behind its version; so does every block in it."""

CorrectedLine = tuple[int, int, str, str, int, int, int]
"""Quarter, person, employer class, worker code, action, what the line owed before and owes after, in cents."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A person whom an original declares wrongly.

    Attributes:
        declared: as the original has it; None for a person it forgets.
        right: as it should be; None for a person who did not work there.
    """

    declared: DeclaredPerson | None
    right: DeclaredPerson | None

    @property
    def action(self) -> int:
        """What a correction asks of the lines."""
        return CREATE if self.declared is None else DELETE if self.right is None else CHANGE


@dataclass(slots=True)
class Update:
    """A correction of one declaration.

    Attributes:
        declaration: the original, as it was sent.
        wrong: the persons corrected, none of them twice.
    """

    declaration: Declaration
    wrong: list[Wrong] = field(default_factory=list)

    def lines(self) -> Iterator[CorrectedLine]:
        """What happens to each line."""
        for one in self.wrong:
            shown = one.right or one.declared
            assert shown is not None, "a person is declared before or after"
            before = [line.owed() for line in one.declared.lines] if one.declared else [0] * len(shown.lines)
            after = [line.owed() for line in one.right.lines] if one.right else [0] * len(shown.lines)
            for line, was, now in zip(shown.lines, before, after, strict=True):
                key = (self.declaration.quarter.code, shown.insz, line.employer_class, line.worker_code)
                yield (*key, one.action, was, now)

    def document(self) -> bytes:
        """The correction as a file; valid against the release of its quarter."""
        quarter, who = self.declaration.quarter, self.declaration.employer
        root = etree.Element(UPDATE.name, nsmap={"xsi": _XSI[1:-1]})
        root.set(f"{_XSI}noNamespaceSchemaLocation", schema_name(quarter, UPDATE))
        day = created(self.declaration)[0] + CORRECTED_AFTER
        form = _block(
            root,
            "Form",
            ("Identification", "DMFAUPD"),
            ("FormCreationDate", day),
            ("FormCreationHour", created(self.declaration)[1]),
            ("AttestationStatus", 1),
            ("TypeForm", "SU"),
        )
        own = (("ReferenceType", 1), ("ReferenceOrigin", 1), ("ReferenceNbr", f"U{quarter.code} {who.index:06d}"))
        _block(form, "Reference", *own)
        declared, persons = self._identified()
        top = _block(
            form,
            "EmployerDeclarationUpdate",
            ("Quarter", quarter.code),
            ("NOSSRegistrationNbr", f"{who.noss_registration_nbr:09d}"),
            ("Trusteeship", 0),
            ("CompanyID", f"{who.company_id:010d}"),
            ("EmployerDeclarationPID", declared),
        )
        writer = Writer(0)
        writer.head(self.declaration, Tally())  # it then knows the quarter and the employer
        for number, (one, (of_person, of_both)) in enumerate(zip(self.wrong, persons, strict=True), 1):
            shown = one.right or one.declared
            assert shown is not None, "a person is declared before or after"
            written = etree.fromstring(writer.person(number, shown, Tally()))
            top.append(_person(written, one.action, of_person, of_both))
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)

    def _identified(self) -> tuple[int, list[tuple[int, int]]]:
        """Identifier of the declaration; of each person, and of the person in the declaration."""
        who = self.declaration.employer
        inss = pl.Series([(one.right or one.declared).insz for one in self.wrong], dtype=pl.Int64)  # type: ignore[union-attr]
        numbers = (who.noss_registration_nbr, who.company_id, self.declaration.quarter.code)
        declared = declaration_pid(*(pl.lit(number, pl.Int64) for number in numbers))
        found = pl.DataFrame({"inss": inss}).select(
            declared.alias("declaration"),
            person_pid(pl.col("inss")).alias("person"),
            declared_person_pid(pl.col("inss"), declared).alias("both"),
        )
        return found["declaration"][0], list(zip(found["person"].to_list(), found["both"].to_list(), strict=True))


def spoil(declaration: Declaration, seed: int, law: Law) -> Update | None:
    """Make a good declaration wrong in the way that people do, and say what will put it right.

    Of ten persons one is concerned, at least one in all: mostly pay was declared too low or too high, which changes
    contributions and reductions too; some persons are forgotten, and some should not be there.

    Args:
        declaration: a good one; it is changed, and its net amount is right for what it then declares.
        seed: seed of the invented country.
        law: contributions and reductions of its quarter.

    Returns:
        What puts it right; None if nothing in it can go wrong so.
    """
    rng = stream(_SALT_UPDATE, seed, declaration.employer.index, declaration.quarter.code)
    candidates = [place for place, person in enumerate(declaration.persons) if _paid(person)]
    if not candidates:
        return None
    many = max(1, len(declaration.persons) * _PERSONS_IN_TEN // 10)
    chosen = set[int]()
    while len(chosen) < min(many, len(candidates)):
        chosen.add(candidates[below(rng, len(candidates))])
    update, forgotten = Update(declaration), set[int]()
    for place in sorted(chosen):
        right = declaration.persons[place]
        way = below(rng, 10)
        if way == 0 and len(declaration.persons) - len(forgotten) > 1:
            forgotten.add(place)
            update.wrong.append(Wrong(None, right))
        elif way == 1 and len(declaration.persons) > 1:
            update.wrong.append(Wrong(right, None))
        else:
            wrong = misstated(right, declaration, law, percent=between(rng, -20, 20) or 1)
            declaration.persons[place] = wrong
            update.wrong.append(Wrong(wrong, right))
    declaration.persons = [person for place, person in enumerate(declaration.persons) if place not in forgotten]
    declaration.balance()
    return update


def _paid(person: DeclaredPerson) -> bool:
    """Whether all lines of a person are of plain work, so that they can be charged anew."""
    return all(line.occupations and line.occupations[0].remuns and not line.indemnities for line in person.lines)


def misstated(person: DeclaredPerson, declaration: Declaration, law: Law, *, percent: int) -> DeclaredPerson:
    """A person whose first pay is so much higher, or lower, with contributions and reductions as the law has them."""
    other = deepcopy(person)
    pay = other.lines[0].occupations[0].remuns[0]
    pay.amount = max(1, pay.amount * (100 + percent) // 100)
    for line in other.lines:
        line.contributions, line.deductions = [], []
        for occupation in line.occupations:
            occupation.deductions = []
    law.charge(other, declaration.employer)
    return other


def _person(written: etree._Element, action: int, of_person: int, of_both: int) -> etree._Element:
    """A NaturalPerson as a correction says it."""
    written.tag = "NaturalPersonUpdate"
    lines = written.findall("WorkerRecord")
    for line in lines:
        written.remove(line)
    if action != CREATE:
        for label, value in (("NaturalPersonPID", of_person), ("DeclNaturalPersonPID", of_both)):
            _zone(written, label, value)
        _zone(written, "DeclNaturalPersonVersionNbr", ORIGINAL)
    for line in lines:
        keys = [(label, line.findtext(label)) for label in ("EmployerClass", "WorkerCode")]
        update = _block(written, "WorkerRecordUpdate")
        if action != CREATE:
            _block(update, "LastSituationWR", *keys, ("WorkerRecordVersionNbr", ORIGINAL))
        asked = _block(update, "WorkerRecordUpdateAction")
        if action == DELETE:
            for label, code in keys:
                _zone(asked, label, code)
            _zone(asked, "UpdateAction", action)
            continue
        below_line = [child for child in line if child.tag in _BELOW_LINE]
        asked.extend([child for child in line if child.tag not in _BELOW_LINE])
        _zone(asked, "UpdateAction", action)
        asked.extend([_occupation(child, action) if child.tag == _OCCUPATION else child for child in below_line])
    return written


def _occupation(written: etree._Element, action: int) -> etree._Element:
    written.tag = "OccupationUpdate"
    if action == CHANGE:
        behind = (place for place, child in enumerate(written) if child.tag in _BEHIND_VERSION or len(child))
        version = etree.Element("OccupationVersionNbr")
        version.text = str(ORIGINAL)
        written.insert(next(behind, len(written)), version)
    return written


def _block(above: etree._Element, label: str, *zones: tuple[str, object]) -> etree._Element:
    made = etree.SubElement(above, label)
    for name, value in zones:
        _zone(made, name, value)
    return made


def _zone(block: etree._Element, label: str, value: object) -> None:
    etree.SubElement(block, label).text = str(value)
