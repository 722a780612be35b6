"""The law once more, in plain Python and fractions: an oracle that shares no line with contributions/.

It reads the same facts (YAML and CSV) by itself, walks row by row, and knows one rounding: half up.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from functools import cache
from math import floor
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from tests import oracle_special

FACTS = Path(__file__).parent.parent / "contributions"
LARGEST = 99_999_999_999
MANUAL_SHARE, FULL_SHARE = Fraction(108, 100), Fraction(1)

Row = dict[str, Any]


def cent(value: Fraction) -> int:
    """A non-negative fraction of cents, half up."""
    return floor(value + Fraction(1, 2))


def two_decimals(value: Fraction) -> Fraction:
    return Fraction(cent(value * 100), 100)


def first_day(quarter: int) -> str:
    return f"{quarter // 10}-{3 * (quarter % 10) - 2:02d}-01"


@cache
def _values(name: str) -> list[tuple[str, str | None, str]]:
    content = yaml.safe_load((FACTS / "parameters" / f"{name}.yaml").read_text(encoding="utf-8"))
    return [(str(day), entry["value"], entry.get("trust", "C")) for day, entry in content["values"].items()]


def parameter(name: str, quarter: int) -> str | None:
    """The text of a parameter in a quarter, None where there is none of trust A or B."""
    held: tuple[str | None, str] = (None, "C")
    for day, value, trust in _values(name):
        if day <= first_day(quarter):
            held = (value, trust)
    return held[0] if held[1] in "AB" else None


@cache
def _csv(name: str) -> list[dict[str, str]]:
    with (FACTS / "rates" / "seed" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rate(employer_class: str, code: str, kind: int, quarter: int) -> dict[str, str] | None:
    """The row that decides, by the order class, group, private, all; None where there is none."""
    own = next((row for row in _csv("category_groups") if row["employer_class"] == employer_class), None)
    levels = ["all"]
    if own:
        levels = [f"class_{employer_class}", own["employer_group"]]
        levels += ["private"] * (own["sector"] == "private") + ["all"]
    text = f"{quarter // 10}/{quarter % 10}"
    for level in levels:
        for row in _csv("contribution_rates"):
            found = (row["contribution_code"], row["contribution_type"], row["employer_group"])
            if found == (code, str(kind), level) and row["from_quarter"] <= text <= row["to_quarter"]:
                return row
    return None


class Oracle:
    """Amounts of whole declarations, row by row.

    Attributes:
        contributions: (declaration, ordinal) -> (basis or None, amount or None if not computable).
        structural: (declaration, occupation ordinal) -> amount of code 3000, None if not computable.
    """

    def __init__(self, tables: dict[str, pl.DataFrame]) -> None:
        self.rows: dict[str, list[Row]] = {name: frame.to_dicts() for name, frame in tables.items()}
        self.contributions = {
            (row["declaration_id"], row["worker_contribution_ordinal"]): self._contribution(row)
            for row in self.rows.get("worker_contribution", [])
        }
        self.structural = {
            (row["declaration_id"], row["occupation_ordinal"]): self._structural(row)
            for row in self.rows.get("occupation", [])
        }

    def _below(self, table: str, above: Row, ordinal: str) -> list[Row]:
        return [
            row
            for row in self.rows.get(table, [])
            if row["declaration_id"] == above["declaration_id"] and row[ordinal] == above[ordinal]
        ]

    def _line(self, row: Row) -> Row:
        return self._below("worker_record", row, "worker_record_ordinal")[0]

    def _share(self, line: Row) -> Fraction | None:
        if line["worker_code"][0] != "0":
            return FULL_SHARE
        own = [
            row["contribution_type"]
            for row in self._below("worker_contribution", line, "worker_record_ordinal")
            if row["contribution_worker_code"] == line["worker_code"]
        ]
        if 1 in own:
            return MANUAL_SHARE
        return FULL_SHARE if own else None

    def _wage(self, rows: list[Row], codes: str) -> int:
        return sum(row["remun_amount"] for row in rows if row["remun_code"] in codes.split())

    def _contribution(self, row: Row) -> tuple[int | None, int | None]:
        line = self._line(row)
        quarter = row["quarter"]
        found = rate(line["employer_class"], row["contribution_worker_code"], row["contribution_type"], quarter)
        if found is None or row["contribution_worker_code"] == "862":
            return None, None
        if row["contribution_worker_code"] == "856":
            return self._of_household(row, line)
        if found["basis_kind"] not in ("ordinary", "line"):
            remuns = self._below("remun", line, "worker_record_ordinal")
            basis = row["contribution_calculation_basis"]
            return oracle_special.on_own_basis("worker_contribution", basis, found, remuns)
        percent = found["basis_percent"]
        share = Fraction(int(percent), 100) if percent else self._share(line)
        codes = parameter("basis/remuneration_codes", quarter)
        if share is None or codes is None:
            return None, None
        basis = cent(share * self._wage(self._below("remun", line, "worker_record_ordinal"), codes))
        if basis > LARGEST:
            return None, None
        if found["trust"] == "C" or not found["total"]:
            return basis, None
        return basis, cent(basis * Fraction(found["total"]) / 100)

    def _of_household(self, row: Row, line: Row) -> tuple[int | None, int | None]:
        quarter, basis, open_ = row["quarter"], 0, False
        for own in self._below("worker_record", line, "natural_person_ordinal"):
            codes = parameter("basis/remuneration_codes", quarter) or ""
            wage, share = self._wage(self._below("remun", own, "worker_record_ordinal"), codes), self._share(own)
            if share is None or wage > LARGEST:
                open_ = open_ or wage > 0
            else:
                basis += cent(share * wage)
        if basis > LARGEST or open_:
            return (None if basis > LARGEST else basis), None

        def figure(name: str) -> Fraction:
            number = Fraction(parameter(f"special_contribution/{name}", quarter) or 0)
            return number / 100 if name.endswith("percent") else number * 100

        return basis, oracle_special.household(basis, row["contribution_amount"], figure, quarter >= 20222)

    def _time(self, occupation: Row) -> tuple[Fraction, Fraction | None, Fraction | None]:
        """X or Z, mu and the factor of an occupation; None where they cannot be formed."""
        quarter = occupation["quarter"]
        paid = str(parameter("structural_reduction/paid_time_codes", quarter)).split()
        counted = str(parameter("structural_reduction/counted_time_codes", quarter)).split()
        services = self._below("service", occupation, "occupation_ordinal")
        relevant = [row for row in services if row["service_code"] in counted]
        hours = occupation["contract_type"] == 1 or any(row["service_nbr_hours"] is not None for row in relevant)
        if hours and any(row["service_nbr_hours"] is None for row in relevant):
            return Fraction(1), None, None
        unit = "service_nbr_hours" if hours else "service_nbr_days"
        system = Fraction(occupation["ref_mean_working_hours" if hours else "working_days_system"] or 0)
        x = Fraction(sum(row[unit] for row in relevant))
        j = Fraction(sum(row[unit] for row in services if row["service_code"] in paid))
        if x == 0:
            return x, Fraction(0), None
        mu = two_decimals(x / (13 * system)) if system else None
        return x, mu, two_decimals(13 * system / j) if j else None

    def _structural(self, occupation: Row) -> int | None:
        quarter, line = occupation["quarter"], self._line(occupation)
        remuns = self._below("remun", occupation, "occupation_ordinal")
        x, mu, factor = self._time(occupation)
        if (
            line["worker_code"] in str(parameter("structural_reduction/excluded_worker_codes", quarter)).split()
            or any(row["remun_code"] in ("003", "009", "022") for row in remuns)
            or x == 0
        ):
            return 0
        category, ceiling_rate = self._category(line, quarter)
        if category is None or ceiling_rate is None or mu is None or factor is None:
            return None
        if occupation["retired"] == 1 or occupation["apprenticeship"] is not None:
            return None
        share = self._share(line)
        others = [self._time(row)[1] for row in self._below("occupation", occupation, "natural_person_ordinal")]
        if share is None or None in others:
            return None
        glob = sum((other for other in others if other is not None), Fraction(0))
        beta = self._beta(occupation, line, glob)
        wage = self._wage(remuns, str(parameter("structural_reduction/wage_codes", quarter)))
        earned = self._wage(remuns, str(parameter("basis/remuneration_codes", quarter)))
        before = self.earned_before(occupation)
        if max(wage, before + earned) > LARGEST:
            return None
        ceiling = self.part_of_line(before, earned, share, ceiling_rate)
        amounts = []
        for lawful in self._lawful_wages(occupation, wage):
            full = self._full_amount(category, quarter, lawful, cent(lawful * factor))
            if beta is None or full is None or glob > 1000:
                return None
            amounts.append(min(cent(full * mu * beta), ceiling))
        return self._chosen(occupation, amounts)

    def earned_before(self, occupation: Row) -> int:
        """What the earlier occupations of the same line earned."""
        codes = str(parameter("basis/remuneration_codes", occupation["quarter"]))
        return sum(
            self._wage(self._below("remun", other, "occupation_ordinal"), codes)
            for other in self._below("occupation", occupation, "worker_record_ordinal")
            if other["occupation_ordinal"] < occupation["occupation_ordinal"]
        )

    def part_of_line(self, before: int, earned: int, share: Fraction, rate: Fraction) -> int:
        """An occupation's part of what a rate takes of its line, so that the parts add up."""
        until, till = cent(share * (before + earned)), cent(share * before)
        return cent(until * rate) - cent(till * rate)

    def _lawful_wages(self, occupation: Row, wage: int) -> list[int]:
        """W, and W with the end-of-year premium of a fund where there may be one."""
        number = occupation["quarter"] % 10
        agency = bool(self._below("using_employer", occupation, "occupation_ordinal"))
        if number == 4 and not agency:
            return [wage, cent(wage * Fraction(5, 4))]
        if number == 1 and agency:
            return [wage, cent(wage * Fraction(115, 100))]
        return [wage]

    def _chosen(self, occupation: Row, amounts: list[int]) -> int | None:
        """The only amount, or else the one declared."""
        if len(set(amounts)) == 1:
            return amounts[0]
        told = [
            row["deduction_amount"]
            for row in self._below("occupation_deduction", occupation, "occupation_ordinal")
            if row["deduction_code"] == "3000"
        ]
        return next((amount for amount in amounts if told and abs(told[0] - amount) <= 1), None)

    def _beta(self, occupation: Row, line: Row, glob: Fraction) -> Fraction | None:
        if glob >= Fraction("0.80"):
            return 1 / glob
        if glob >= Fraction("0.55"):
            return Fraction("1.18") + (glob - Fraction("0.55")) * Fraction("0.28")
        if glob >= Fraction("0.275") or line["worker_code"] == "046" or occupation["worker_status"] in ("A1", "A2"):
            return Fraction("1.18")
        if occupation["contract_type"] == 0:
            return Fraction("1.18")
        mean, full = occupation["mean_working_hours"], occupation["ref_mean_working_hours"]
        if mean is None or full is None:
            return None
        return Fraction("1.18") if Fraction(mean, full) >= Fraction(1, 2) else Fraction(0)

    def _category(self, line: Row, quarter: int) -> tuple[str | None, Fraction | None]:
        text = f"{quarter // 10}/{quarter % 10}"
        for row in _csv("structural_exceptions"):
            found = (row["employer_class"], row["worker_code"])
            held = row["from_quarter"] <= text <= row["to_quarter"]
            if held and found == (line["employer_class"], line["worker_code"]):
                if row["trust"] == "C":
                    return None, None
                return row["structural_category"], Fraction(row["ceiling_rate"]) / 100
        if line["worker_code"] not in str(parameter("structural_reduction/worker_codes", quarter)).split():
            return None, None
        for row in _csv("category_groups"):
            trusted = row["structural_trust"] in ("A", "B") and row["trust"] in ("A", "B")
            if trusted and row["employer_class"] == line["employer_class"]:
                return row["structural_category"], Fraction(row["ceiling_rate"]) / 100
        return None, None

    def _full_amount(self, category: str, quarter: int, wage: int, reference: int) -> int | None:
        def number(name: str) -> Fraction | None:
            try:
                text = parameter(f"structural_reduction/category_{category}/{name}", quarter)
            except FileNotFoundError:
                return Fraction(0)
            return None if text is None else Fraction(text)

        f, alpha, s0, delta, s1 = (number(name) for name in ("f", "alpha", "s0", "delta", "s1"))
        gamma, s2 = (number("gamma"), number("s2")) if quarter >= 20222 else (Fraction(0), Fraction(0))
        if f is None or alpha is None or s0 is None or delta is None or s1 is None or gamma is None or s2 is None:
            return None
        limit = parameter("basic_contribution/quarterly_wage_limit", quarter)
        high = min(Fraction(wage), Fraction(limit) * 100) if limit else Fraction(wage)
        terms = (alpha * (s0 * 100 - reference), gamma * (s2 * 100 - reference), delta * (high - s1 * 100))
        return int(f * 100) + sum(cent(max(term, Fraction(0))) for term in terms)
