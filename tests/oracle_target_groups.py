"""Target-group reductions once more, row by row in fractions: an oracle that shares no line with contributions/."""

from __future__ import annotations

import csv
from datetime import date
from fractions import Fraction

import polars as pl

from tests.oracle import FACTS, LARGEST, Oracle, Row, cent, parameter

REGIONS = {8999999104: "flanders", 8999999203: "brussels", 8999999302: "wallonia", 8999999401: "german_community"}
ABROAD = 8999999993
LATER_WORKERS = ("3324", "3325", "3326", "3333", "3334", "3342", "3343", "3352", "3353", "3360", "3361")
OLDER = ("6320", "6321", "7320", "8320")
CLOSED = {"3342", "3343", "3352", "3353", "3360", "3361"}
COMPUTED = {"3315", *LATER_WORKERS, "3500", "3510", "3520", "3900", "4110", "4300", "6310", "6311", *OLDER}

with (FACTS / "codes" / "deductions.csv").open(encoding="utf-8", newline="") as file:
    CODES = list(csv.DictReader(file))


def turn(day: date) -> int:
    return day.year * 4 + (day.month - 1) // 3


def last_day(quarter: int) -> date:
    year, month = quarter // 10, quarter % 10 * 3
    return date(year, month, 31 if month in (3, 12) else 30)


def birth(inss: int) -> date | None:
    first, check = divmod(inss, 100)
    for century in (1900, 2000):
        if check == 97 - (first + (2_000_000_000 if century == 2000 else 0)) % 97:
            year, rest = divmod(first // 1000, 10_000)
            month, day = divmod(rest, 100)
            try:
                return date(century + year, month % 20, day)
            except ValueError:
                return None
    return None


class TargetGroups:
    """(declaration, ordinal) of each deduction of an occupation but 3000 -> its amount, None if not computable."""

    def __init__(self, tables: dict[str, pl.DataFrame], used: dict[tuple[str, date | None], int] | None = None) -> None:
        self.oracle = Oracle(tables)
        self.used = used or {}
        self.amounts: dict[tuple[int, int], int | None] = {}
        for occupation in self.oracle.rows.get("occupation", []):
            rows = self.oracle._below("occupation_deduction", occupation, "occupation_ordinal")
            self._occupation(occupation, [row for row in rows if row["deduction_code"] != "3000"], rows)

    def _occupation(self, occupation: Row, rows: list[Row], every: list[Row]) -> None:
        specific = any(row["deduction_code"][0] == "1" for row in every)
        taken: list[int | None] = []
        for row in sorted(rows, key=lambda one: one["occupation_deduction_ordinal"]):
            refused, amount = self._judged(row, occupation, specific)
            if not refused and row["deduction_code"][0] != "1":
                if taken:
                    amount = None if taken[0] is None else 0
                taken.append(amount)
            self.amounts[row["declaration_id"], row["occupation_deduction_ordinal"]] = 0 if refused else amount

    def _judged(self, row: Row, occupation: Row, specific: bool) -> tuple[bool, int | None]:
        """Whether the right is refused, and else the amount."""
        code, quarter = row["deduction_code"], row["quarter"]
        text = f"{quarter // 10}/{quarter % 10}"
        own = [fact for fact in CODES if fact["code"] == code]
        now = [fact for fact in own if fact["from_quarter"] <= text <= fact["to_quarter"]]
        if own and (own[0]["level"] == "line" or not now):
            return True, None
        line = self.oracle._line(occupation)
        unit = int(occupation["local_unit_id"] or line.get("local_unit_id") or 0)
        if now and now[0]["regions"]:
            region = REGIONS.get(unit)
            if unit == ABROAD or (region and region not in now[0]["regions"].split()):
                return True, None
        if not now or now[0]["lacking"] or code not in COMPUTED:
            return False, None
        end = last_day(quarter)
        if self._general_refusal(row, occupation, line, end) or self._own_refusal(row, occupation, line, end):
            return True, None
        return False, None if specific else self._amount(row, occupation, line, end)

    def _mu(self, occupation: Row) -> tuple[Fraction | None, Fraction | None, Fraction | None]:
        """mu, mu(glob) and the factor."""
        _, mu, factor = self.oracle._time(occupation)
        others = self.oracle._below("occupation", occupation, "natural_person_ordinal")
        parts = [self.oracle._time(other)[1] for other in others]
        known = [part for part in parts if part is not None]
        return mu, sum(known, Fraction(0)) if len(known) == len(parts) else None, factor

    def _enough(self, occupation: Row, line: Row, glob: Fraction | None) -> bool | None:
        if glob is not None and glob >= Fraction("0.275"):
            return True
        if line["worker_code"] == "046" or occupation["worker_status"] in ("A1", "A2"):
            return True
        if occupation["contract_type"] == 0:
            return True
        mean, full = occupation["mean_working_hours"], occupation["ref_mean_working_hours"]
        if mean is not None and full is not None:
            return True if 2 * mean >= full else (False if glob is not None else None)
        return None

    def _general_refusal(self, row: Row, occupation: Row, line: Row, end: date) -> bool:
        remuns = self.oracle._below("remun", occupation, "occupation_ordinal")
        if any(remun["remun_code"] in ("003", "009", "022") for remun in remuns):
            return True
        x, _, _ = self.oracle._time(occupation)
        low = self._enough(occupation, line, self._mu(occupation)[1]) is False and row["deduction_code"] != "4300"
        start = row["deduction_right_starting_date"]
        return x == 0 or low or (start is not None and turn(start) > turn(end))

    def _own_refusal(self, row: Row, occupation: Row, line: Row, end: date) -> bool:
        code, quarter, start = row["deduction_code"], row["quarter"], row["deduction_right_starting_date"]
        passed = None if start is None else turn(end) - turn(start)
        if code[:2] == "33":
            excluded = line["worker_code"] in ["027", "035", "047", "050", "439", "450", "487", "840", "841"]
            return excluded or (
                code != "3315" and passed is not None and self._hire_refused(code, quarter, start, passed)
            )
        if code in ("3500", "3520"):
            return self._shortening_refused(row, end)
        if code == "3510":
            return passed is not None and (passed > 4 or self._used_up(code, start))
        if code == "3900":
            committee = occupation["joint_commission_nbr"]
            return occupation["contract_type"] == 1 or (committee is not None and committee[:3] != "302")
        if (
            code == "6321"
            and passed is not None
            and (passed >= 8 or start >= date(2024, 7, 1) or self._used_up(code, start))
        ):
            return True
        if code in ("6320", "7320", "8320") and self._class_category(line) in ("2", "3", "3bis"):
            return True
        return self._age_refused(code, quarter, line, end) or self._wage_refused(code, quarter, occupation)

    def _hire_refused(self, code: str, quarter: int, start: date, passed: int) -> bool:
        late = code in CLOSED and quarter >= 20241 and start >= date(2024, 1, 1)
        if quarter >= 20263 and code not in ("3360", "3361") and start >= date(2026, 7, 1):
            late = False
        return passed >= 20 or late or self._used_up(code, start)

    def _used_up(self, code: str, start: date) -> bool:
        most = {"3324": 5, "6321": 8, "3333": 9, "3342": 9, "3352": 9, "3360": 9}.get(code, 4)
        return self.used.get((code, start), 0) >= most

    def _detail(self, row: Row) -> Row | None:
        found = self.oracle._below("occupation_deduction_detail", row, "occupation_deduction_ordinal")
        return min(found, key=lambda one: one["occupation_deduction_detail_ordinal"], default=None)

    def _shortening_refused(self, row: Row, end: date) -> bool:
        detail = self._detail(row)
        if detail is None:
            return True
        since = detail["working_regulations_starting_date"]
        before, after = (detail[f"average_working_time_{side}_reduction"] for side in ("before", "after"))
        if after is not None and (after > 3_700 or (before is not None and before - after < 100)):
            return True
        if since is None:
            return False
        passed = turn(end) - turn(since)
        lasts = 99 if after is None else 16 if after <= 3_500 else 12 if after <= 3_600 else 8
        return passed < 1 or passed > lasts

    def _class_category(self, line: Row) -> str | None:
        exceptions = self.oracle._category(line, 20263)[0]
        if exceptions:
            return exceptions
        return self.oracle._category({**line, "worker_code": "495"}, 20263)[0]

    def _age(self, line: Row, end: date) -> int | None:
        person = self.oracle._below("natural_person", line, "natural_person_ordinal")[0]
        born = birth(person["inss"])
        return None if born is None else end.year - born.year - ((born.month, born.day) > (end.month, end.day))

    def _age_refused(self, code: str, quarter: int, line: Row, end: date) -> bool:
        age = self._age(line, end)
        if age is None or code not in OLDER:
            return False
        highest = {"7320": 64 if quarter < 20243 else 65}.get(code, 200)
        least = {"6320": 59, "6321": 58, "7320": 57 if quarter < 20243 else 61, "8320": 55}[code]
        return not least <= age <= highest

    def _limits(self, code: str, quarter: int) -> tuple[Fraction, Fraction] | None:
        lowest, highest = (parameter(f"target_groups/{code}/wage_limit_{side}", quarter) for side in ("from", "to"))
        return None if lowest is None or highest is None else (Fraction(lowest) * 100, Fraction(highest) * 100)

    def _reference(self, occupation: Row) -> int | None:
        quarter = occupation["quarter"]
        remuns = self.oracle._below("remun", occupation, "occupation_ordinal")
        wage = self.oracle._wage(remuns, str(parameter("structural_reduction/wage_codes", quarter)))
        factor = self.oracle._time(occupation)[2]
        return None if factor is None or wage > LARGEST else cent(wage * factor)

    def _wage_refused(self, code: str, quarter: int, occupation: Row) -> bool:
        if code not in (*OLDER, "4300"):
            return False
        limits, reference = self._limits(code, quarter), self._reference(occupation)
        if limits is None or reference is None:
            return False
        return reference < limits[0] if code == "4300" else reference >= limits[1]

    def _amount(self, row: Row, occupation: Row, line: Row, end: date) -> int | None:
        code, quarter = row["deduction_code"], row["quarter"]
        mu, glob, _ = self._mu(occupation)
        share, category = self.oracle._share(line), self.oracle._category(line, quarter)
        structural = self.oracle.structural[occupation["declaration_id"], occupation["occupation_ordinal"]]
        if mu is None or glob is None or share is None or structural is None or category[1] is None:
            return None
        if (self._enough(occupation, line, glob) is None and code != "4300") or self._unclear(
            row, occupation, line, end
        ):
            return None
        before = self.oracle.earned_before(occupation)
        codes = str(parameter("basis/remuneration_codes", quarter))
        earned = self.oracle._wage(self.oracle._below("remun", occupation, "occupation_ordinal"), codes)
        if before + earned > LARGEST or glob > 1000:
            return None
        left = max(self.oracle.part_of_line(before, earned, share, category[1]) - structural, 0)
        beta = 1 / glob if glob >= Fraction("0.8") else 1 + max(glob - Fraction("0.55"), Fraction(0))
        if code in ("4110", "6321"):
            return None if mu * beta != 1 else left if code == "6321" else cent(left * Fraction(65, 100))
        full = self._full(code, quarter, self._age(line, end))
        if full is None:
            return None
        theoretical = cent(full * mu * beta)
        return min(min(theoretical, 51_700) if code == "4300" else theoretical, left)

    def _unclear(self, row: Row, occupation: Row, line: Row, end: date) -> bool:
        code, quarter, start = row["deduction_code"], row["quarter"], row["deduction_right_starting_date"]
        if code in (*LATER_WORKERS, "6321", "3510", "3520") and start is None:
            return True
        if code in LATER_WORKERS and code[:3] != "336" and quarter >= 20263 and start >= date(2026, 7, 1):
            return True
        if code in ("3500", "3520"):
            detail = self._detail(row) or {}
            return any(value is None for value in detail.values())
        if code in (*OLDER, "3900") and self._age(line, end) is None:
            return True
        if code not in (*OLDER, "4300"):
            return False
        limits, reference = self._limits(code, quarter), self._reference(occupation)
        return limits is None or reference is None or limits[0] <= reference < limits[1]

    def _full(self, code: str, quarter: int, age: int | None) -> int | None:
        name = "amount"
        if code == "3900" and age is not None and age < 26:
            name = "young_amount"
        if code == "6320" and age is not None and age >= 61:
            name = "senior_amount"
        if code == "8320" and age is not None:
            name = "eldest_amount" if age >= 65 else "senior_amount" if age >= 58 else "amount"
        text = parameter(f"target_groups/{code}/{name}", quarter)
        return None if text is None else int(Fraction(text) * 100)
