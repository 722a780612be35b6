"""Who owes what once more, in plain Python over the same facts: an oracle that shares no line with contributions/."""

from __future__ import annotations

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

SEED = Path(__file__).parent.parent / "contributions" / "rates" / "seed"

Row = dict[str, Any]
Combination = tuple[str, str, str, int]
"""Employer class, worker code, contribution code, owedness code."""


@cache
def facts(name: str) -> list[dict[str, str]]:
    with (SEED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def seed_combinations(quarter: str) -> list[Combination]:
    return [
        (row["employer_class"], row["worker_code"], row["contribution_code"], int(row["owedness_code"]))
        for row in facts("owedness")
        if row["from_quarter"] <= quarter <= row["to_quarter"]
    ]


class OwingOracle:
    """What lines owe, line by line.

    Attributes:
        superfluous: (declaration, ordinal) of each contribution that is not owed.
        missing: (declaration, line, code) of each contribution that is owed on a wage and not declared.
    """

    def __init__(
        self,
        tables: dict[str, pl.DataFrame],
        combinations: list[Combination],
        employers: dict[int, tuple[int | None, str | None]],
    ) -> None:
        self.known: dict[tuple[str, str], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for employer_class, worker_code, code, owedness in combinations:
            self.known[employer_class, worker_code][code].add(owedness)
        self.superfluous: set[tuple[int, int]] = set()
        self.missing: set[tuple[int, int, str]] = set()
        numbers = {
            row["declaration_id"]: row["noss_registration_nbr"] for row in tables["employer_declaration"].to_dicts()
        }
        for line in tables["worker_record"].to_dicts():
            employer = employers.get(numbers[line["declaration_id"]], (None, None))
            declared, wage = (self._below(tables, name, line) for name in ("worker_contribution", "remun"))
            for row in declared:
                if not self._owed(row, line, *employer):
                    self.superfluous.add((row["declaration_id"], row["worker_contribution_ordinal"]))
            if sum(row["remun_amount"] for row in wage):
                lacking = self._due(line, *employer) - {row["contribution_worker_code"] for row in declared}
                self.missing |= {(line["declaration_id"], line["worker_record_ordinal"], code) for code in lacking}

    @staticmethod
    def _below(tables: dict[str, pl.DataFrame], name: str, line: Row) -> list[Row]:
        rows = tables[name].to_dicts() if name in tables else []
        keys = ("declaration_id", "worker_record_ordinal")
        return [row for row in rows if all(row[key] == line[key] for key in keys)]

    def _owed(self, row: Row, line: Row, importance: int | None, ffe: str | None) -> bool:
        code, kind, employer_class = row["contribution_worker_code"], row["contribution_type"], line["employer_class"]
        listed = self.known.get((employer_class, line["worker_code"]))
        if listed and code != line["worker_code"] and code not in listed:
            return False
        if importance:
            for where in (employer_class, "*"):
                found = [
                    fact
                    for fact in facts("size_conditions")
                    if (fact["contribution_code"], fact["employer_class"], fact["contribution_type"])
                    == (code, where, str(kind))
                ]
                if found:
                    if not int(found[0]["least_importance"]) <= importance <= int(found[0]["most_importance"]):
                        return False
                    break
        return not (ffe and {"809": "C", "811": "B"}.get(code, ffe) != ffe)

    def _due(self, line: Row, importance: int | None, ffe: str | None) -> set[str]:
        listed = self.known.get((line["employer_class"], line["worker_code"]))
        if not listed:
            return set()
        due = {line["worker_code"]} if line["worker_code"][0] in "0456" else set()
        for fact in facts("due"):
            code, owedness = fact["contribution_code"], int(fact["owedness_code"])
            apprentice = line["worker_code"] in ("035", "439") and owedness == 1
            if owedness in listed.get(code, ()) and not apprentice:
                holds = {
                    "": True,
                    "importance": bool(importance and importance >= 3),
                    "ffe=C": ffe == "C",
                    "ffe=B": ffe == "B",
                }
                if holds[fact["condition"]]:
                    due.add(code)
        return due
