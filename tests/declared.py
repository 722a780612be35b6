"""Small declarations for the tests of contributions: blocks written one by one, given out as tables of the lake."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

_TEXT = {
    "employer_class", "worker_code", "contribution_worker_code", "service_code", "remun_code", "deduction_code",
    "unrelated_employer_class", "unrelated_worker_code", "worker_status", "apprenticeship", "fuel",
    "joint_commission_nbr",
}  # fmt: skip

BROUGHT_BY = {"filing_id": 7, "version": 1}


def _type(column: str) -> pl.DataType:
    if column in _TEXT:
        return pl.String()
    if column == "version":
        return pl.Int16()
    if column == "ordered_on" or column.endswith("_date"):
        return pl.Date()
    return pl.Int32() if column.endswith("_ordinal") or column == "quarter" else pl.Int64()


def insz_of(born: date, serial: int = 1) -> int:
    """The number of a person born on a day."""
    first = (born.year % 100 * 10_000 + born.month * 100 + born.day) * 1_000 + serial
    return first * 100 + 97 - (first + (2_000_000_000 if born.year >= 2000 else 0)) % 97


@dataclass
class Declarations:
    """Any number of declarations; `tables()` gives them as the lake would."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list), repr=False)

    def employer(self, quarter: int = 20263, *, net: int = 0, number: int = 100006) -> Employer:
        found = Employer(self, len(self.rows["employer_declaration"]) + 1, quarter)
        self.rows["employer_declaration"].append(
            {**found.keys, **BROUGHT_BY, "noss_registration_nbr": number, "net_owed_amount": net}
        )
        return found

    def tables(self) -> dict[str, pl.DataFrame]:
        found = {}
        for name, rows in self.rows.items():
            columns = list(dict.fromkeys(key for row in rows for key in row))
            found[name] = pl.DataFrame(rows, schema={column: _type(column) for column in columns})
        return found


@dataclass
class _Block:
    all: Declarations
    declaration_id: int
    quarter: int
    keys: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.keys = {"declaration_id": self.declaration_id, "quarter": self.quarter}

    def _add(self, table: str, above: dict[str, int], zones: dict[str, Any]) -> dict[str, int]:
        ordinal = sum(row["declaration_id"] == self.declaration_id for row in self.all.rows[table])
        keys = {**above, f"{table}_ordinal": ordinal}
        self.all.rows[table].append({**keys, **BROUGHT_BY, **zones})
        return keys


class Employer(_Block):
    def person(self, inss: int = 77101500172) -> Person:
        person = Person(self.all, self.declaration_id, self.quarter)
        person.keys = self._add("natural_person", self.keys, {"inss": inss})
        return person

    def unrelated(self, employer_class: str, code: str, amount: int, basis: int | None = None) -> None:
        zones = {"unrelated_employer_class": employer_class, "unrelated_worker_code": code}
        zones |= {"unrelated_calculation_basis": basis, "unrelated_amount": amount}
        self._add("contribution_unrelated_to_np", self.keys, zones)

    def vehicle(self, *, eco: int | None = 0, **facts: Any) -> None:
        known = {"fuel": None, "co2_grams_per_km": None, "ordered_on": None, "months": None}
        assert set(facts) <= set(known)
        self._add("company_vehicle", self.keys, {"eco_vehicle": eco, **known, **facts})


class Person(_Block):
    def line(self, employer_class: str = "000", worker_code: str = "495") -> Line:
        line = Line(self.all, self.declaration_id, self.quarter)
        line.keys = self._add(
            "worker_record", self.keys, {"employer_class": employer_class, "worker_code": worker_code}
        )
        return line


class Line(_Block):
    def occupation(self, **zones: Any) -> Occupation:
        number = sum(all(row[key] == value for key, value in self.keys.items()) for row in self.all.rows["occupation"])
        known = {
            "occupation_sequence_nbr": number + 1, "working_days_system": 500, "contract_type": 0, "retired": 0,
            "ref_mean_working_hours": None, "mean_working_hours": None, "worker_status": None, "apprenticeship": None,
            "occupation_starting_date": None, "occupation_ending_date": None, "joint_commission_nbr": None,
            "local_unit_id": None,
        }  # fmt: skip
        assert set(zones) <= set(known)
        occupation = Occupation(self.all, self.declaration_id, self.quarter)
        occupation.keys = self._add("occupation", self.keys, {**known, **zones})
        return occupation

    def contribution(self, code: str, kind: int, basis: int | None, amount: int) -> None:
        zones = {
            "contribution_worker_code": code,
            "contribution_type": kind,
            "contribution_calculation_basis": basis,
            "contribution_amount": amount,
        }
        self._add("worker_contribution", self.keys, zones)

    def student(self, wage: int | None, amount: int, hours: int | None = None) -> None:
        zones = {"student_remun_amount": wage, "student_contribution_amount": amount, "student_hours_nbr": hours}
        self._add("student_contribution", self.keys, zones)

    def dismissed(self, wage: int | None, amount: int) -> None:
        zones = {"gross_ref_remun_amount": wage, "gross_ref_remun_contribution_amount": amount}
        self._add("dismissed_statutory_worker_contribution", self.keys, zones)

    def early_retired(self, amount: int) -> None:
        self._add("early_retirement_contribution", self.keys, {"early_retirement_contribution_amount": amount})

    def complement(self, code: str, kind: int, amount: int) -> None:
        zones = {"contribution_worker_code": code, "contribution_type": kind, "contribution_amount": amount}
        self._add("compl_indemnity_contribution", {**self.keys, "complementary_indemnity_ordinal": 0}, zones)

    def deduction(self, code: str, amount: int | None, since: date | None = None) -> None:
        zones = {"deduction_code": code, "deduction_amount": amount, "deduction_right_starting_date": since}
        self._add("worker_deduction", self.keys, zones)


class Occupation(_Block):
    def remun(self, code: str, amount: int) -> Occupation:
        self._add("remun", self.keys, {"remun_code": code, "remun_amount": amount})
        return self

    def service(self, code: str, days: int, hours: int | None = None) -> Occupation:
        zones = {"service_code": code, "service_nbr_days": days, "service_nbr_hours": hours}
        self._add("service", self.keys, zones)
        return self

    def deduction(self, code: str, amount: int | None, start: date | None = None) -> Occupation:
        zones = {"deduction_code": code, "deduction_amount": amount, "deduction_right_starting_date": start}
        self._add("occupation_deduction", self.keys, zones)
        return self

    def detail(self, since: date | None, before: int | None, after: int | None) -> Occupation:
        """The detail block of the deduction declared last."""
        last = self.all.rows["occupation_deduction"][-1]
        keys = {**self.keys, "occupation_deduction_ordinal": last["occupation_deduction_ordinal"]}
        zones = {
            "working_regulations_starting_date": since,
            "average_working_time_before_reduction": before,
            "average_working_time_after_reduction": after,
        }
        self._add("occupation_deduction_detail", keys, zones)
        return self

    def user(self, company: int = 206731645) -> Occupation:
        self._add("using_employer", self.keys, {"using_employer_company_id": company})
        return self
