"""Rates and parameters of a quarter, read as plain data from the files under contributions/.

Only figures of trust A and B are given out. This reader is on purpose another one than that of the contributions
package: two readings of the same figures that must agree.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from dmfa.quarter import Quarter

TRUSTED: Final = frozenset("AB")


class Figure(NamedTuple):
    """A value and the trust in it."""

    value: Fraction
    trust: str


class Rate(NamedTuple):
    """A total contribution rate as a fraction of the basis, and the trust in it.

    `basis_percent` is 100 or 108, or None where the basis is that of the worker line; `personal` is the worker's part.
    """

    value: Fraction
    trust: str
    basis_percent: int | None
    personal: Fraction | None


def _folder() -> Path:
    return Path(__file__).parents[2] / "contributions"


def _rows(path: Path) -> tuple[dict[str, str], ...]:
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def _by_code(folder: Path) -> dict[tuple[str, str], tuple[dict[str, str], ...]]:
    found: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in _rows(folder / "rates" / "seed" / "contribution_rates.csv"):
        found.setdefault((row["contribution_code"], row["contribution_type"]), []).append(row)
    return {key: tuple(rows) for key, rows in found.items()}


@cache
def _groups(folder: Path) -> dict[str, dict[str, str]]:
    return {row["employer_class"]: row for row in _rows(folder / "rates" / "seed" / "category_groups.csv")}


@cache
def _values(path: Path) -> tuple[tuple[str, str | None, str], ...]:
    """First day of effect, value and trust of one parameter file, oldest first."""
    text = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    return tuple(
        (str(day), None if entry["value"] is None else str(entry["value"]), str(entry.get("trust", "")))
        for day, entry in sorted(text["values"].items(), key=lambda item: str(item[0]))
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of one quarter.

    Attributes:
        quarter: the quarter they hold in.
        folder: where rates/seed and parameters lie; the project's own by default.
    """

    quarter: Quarter
    folder: Path

    @classmethod
    def of(cls, quarter: Quarter, folder: Path | None = None) -> Figures:
        """The figures of a quarter."""
        return cls(quarter, folder or _folder())

    def rate(self, code: str, kind: int, employer_class: str, sector: str) -> Rate | None:
        """The rate of a contribution code and type for an employer class, or None without one of trust A or B.

        The first level that has a row decides: the class itself, its group, all private employers, everyone.
        """
        rows = _by_code(self.folder).get((code, str(kind)), ())
        group = _groups(self.folder).get(employer_class, {})
        now = str(self.quarter)
        levels = [
            f"class_{employer_class}",
            group.get("employer_group", ""),
            "private" if sector == "private" else "",
            "all",
        ]
        for level in filter(None, levels):
            for row in rows:
                if row["employer_group"] == level and row["from_quarter"] <= now <= row["to_quarter"]:
                    trust = max(row["trust"], group.get("trust", "C")) if level == levels[1] else row["trust"]
                    if trust not in TRUSTED or not row["total"]:
                        return None
                    percent = int(row["basis_percent"]) if row["basis_percent"] else None
                    personal = Fraction(row["personal"]) / 100 if row["personal"] else None
                    return Rate(Fraction(row["total"]) / 100, trust, percent, personal)
        return None

    def structural_category(self, employer_class: str) -> tuple[str, str]:
        """The category of the structural reduction of an employer class and the trust in it; empty if there is none."""
        row = _groups(self.folder).get(employer_class, {})
        return row.get("structural_category", ""), row.get("structural_trust", "")

    def ceiling(self, employer_class: str) -> Fraction | None:
        """Base contributions that cap the reductions, as a fraction of the basis."""
        row = _groups(self.folder).get(employer_class, {})
        return Fraction(row["ceiling_rate"]) / 100 if row.get("ceiling_rate") else None

    def parameter(self, name: str) -> Figure | None:
        """A parameter by its path under parameters/ without ending, or None without a value of trust A or B.

        The parameter's file may be missing as long as nobody has confirmed it.
        """
        path = self.folder / "parameters" / f"{name}.yaml"
        if not path.is_file():
            return None
        day = self.quarter.first_day.isoformat()
        held = [(value, trust) for start, value, trust in _values(path) if start <= day]
        if not held or held[-1][0] is None or held[-1][1] not in TRUSTED:
            return None
        return Figure(Fraction(held[-1][0]), held[-1][1])
