"""What is computed of each contribution code and type in each quarter, as the engine itself has it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path

import polars as pl

from contributions import reasons
from contributions.bearing import bearing
from contributions.law import law
from contributions.rates import OTHER_CLASS, seed
from dmfa.quarter import Quarter

CODES = Path(__file__).parents[1] / "contributions" / "codes"
NO_CODE = "no code of this quarter"
MOST_CLASSES = 8
"""So many employer classes are named; of more, how many there are."""
MOST_EXCEPTIONS = 3
"""So many classes are named that a set lacks."""

Row = dict[str, str]


@dataclass(frozen=True)
class Cover:
    """One code and type: what becomes of it in each quarter, for employer classes that fare alike.

    Attributes:
        classes: the employer classes in words.
        cells: quarter -> "A" or "B" where it is computed, else why not.
    """

    code: str
    type: int
    classes: str
    cells: dict[Quarter, str] = field(default_factory=dict)

    @property
    def computed(self) -> str:
        """Quarters in which it is computed, with their trust."""
        return ", ".join(f"{told} {cell}" for told, cell in self._runs() if cell in ("A", "B"))

    @property
    def missing(self) -> str:
        """What is missing in the other quarters."""
        told: dict[str, list[str]] = {}
        for quarters_, cell in self._runs():
            if cell not in ("A", "B"):
                told.setdefault(cell, []).append(quarters_)
        return "; ".join(f"{', '.join(where)}: {why}" for why, where in told.items())

    def _runs(self) -> Iterator[tuple[str, str]]:
        for cell, group in groupby(self.cells.items(), key=lambda item: item[1]):
            run = [quarter for quarter, _ in group]
            yield (str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}"), cell


def quarters() -> list[Quarter]:
    """The quarters that the seed tables cover."""
    found = [seed.FIRST]
    while found[-1] < seed.LAST:
        found.append(found[-1].next)
    return found


@cache
def rows(name: str) -> tuple[Row, ...]:
    """A list of codes: `contributions` or `types`."""
    with (CODES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def types_of(code: str) -> list[Row]:
    """The types of annex 3 that a code has, its own or those of all codes alike."""
    own = [row for row in rows("types") if row["code"] == code]
    kinds = {row["kind"] for row in rows("contributions") if row["code"] == code}
    general = [f"{code[0]}xx"] * ("ordinary" in kinds and not own) + ["ALL"] * ("Fedris" in kinds)
    return own + [row for row in rows("types") if row["code"] in general]


@cache
def _cells() -> pl.DataFrame:
    """employer_class, code, type, quarter and cell, for all that has a rate."""
    parts = []
    for quarter in quarters():
        rates = bearing(law(quarter))
        row = rates.row
        worked_out = rates.worked_out[row]
        own = rates.texts[worked_out.zip_with(worked_out.is_not_null(), row)]
        parts.append(
            rates.of_classes.with_columns(
                quarter=pl.lit(quarter.code),
                cell=pl.coalesce(own["trust"].cast(pl.String), own["reason"].cast(pl.String)),
            )
        )
    return pl.concat(parts).rename({"contribution_worker_code": "code", "contribution_type": "type"})


@cache
def _classes() -> dict[str, frozenset[str]]:
    """Sectors and groups of employer classes in words -> their classes; the larger ones first."""
    rows_of = seed.table("category_groups").select("employer_class", "employer_group", "sector").rows()
    found: dict[str, set[str]] = {}
    for name, group, sector in rows_of:
        found.setdefault(f"sector {sector}", set()).add(name)
        found.setdefault(f"group {group}", set()).add(name)
    return {name: frozenset(own) for name, own in found.items() if len(own) > 1}


def _every() -> frozenset[str]:
    return frozenset(seed.table("category_groups")["employer_class"])


def _words(classes: frozenset[str]) -> str:
    every = _every()
    if len(every - classes) <= MOST_EXCEPTIONS:
        but = ", ".join(f"class {name}" for name in sorted(every - classes))
        return f"all but {but}" if but else "all"
    found, rest = [], set(classes - {OTHER_CLASS})
    for name, own in _classes().items():
        if own <= rest:
            found.append(name)
            rest -= own
    named = sorted(rest)
    if len(named) > MOST_CLASSES:
        return ", ".join([*found, f"{len(named)} {'other ' if found else ''}classes"])
    return ", ".join([*found, *(f"class {name}" for name in named)])


@cache
def covers() -> tuple[Cover, ...]:
    """Every code of annex 2 and later, with each of its types and every other type that has a rate."""
    cells: dict[tuple[str, int], dict[str, dict[int, str]]] = {}
    columns = ("employer_class", "code", "type", "quarter", "cell")
    for name, code, kind, quarter, cell in _cells().select(columns).iter_rows():
        cells.setdefault((code, kind), {}).setdefault(name, {})[quarter] = cell
    keys = set(cells)
    for row in rows("contributions"):
        keys |= {(row["code"], int(one["type"])) for one in types_of(row["code"])}
        if not any(key[0] == row["code"] for key in keys):
            keys.add((row["code"], 0))
    return tuple(cover for key in sorted(keys) for cover in _covers(*key, cells.get(key, {})))


def _covers(code: str, kind: int, by_class: dict[str, dict[int, str]]) -> Iterator[Cover]:
    """One for all classes that fare alike; classes without any rate are left out if others have one."""
    first = min((row["from_quarter"] for row in rows("contributions") if row["code"] == code), default="2022/1")
    alike: dict[tuple[str, ...], set[str]] = {}
    for name, told in by_class.items():
        line = tuple(told.get(quarter.code, reasons.NO_RATE) for quarter in quarters())
        alike.setdefault(line, set()).add(name)
    if not alike:
        alike[(reasons.NO_RATE,) * len(quarters())] = set(_every())
    for line, named in sorted(alike.items(), key=lambda item: min(item[1])):
        of_quarters = {
            quarter: NO_CODE if str(quarter) < first and cell not in ("A", "B") else cell
            for quarter, cell in zip(quarters(), line, strict=True)
        }
        yield Cover(code, kind, _words(frozenset(named)), of_quarters)


def names() -> dict[str, str]:
    """Contribution code -> its name; that of a code with several kinds is its first."""
    found: dict[str, str] = {}
    for row in sorted(rows("contributions"), key=lambda row: row["kind"] == "Fedris"):
        found.setdefault(row["code"], row["name"])
    return found


def page() -> Iterator[str]:
    """The table of all codes and types."""
    every = covers()
    pairs = {(cover.code, cover.type) for cover in every}
    computed = {(cover.code, cover.type) for cover in every if cover.computed}
    titles = names()
    yield "# What is computed, by contribution code and type"
    yield ""
    yield "Generated by `make docs` from annexes 2 and 3, the codes seen since, the rates and the rules; do not edit."
    yield f"Of {len(pairs)} codes and types, {len(computed)} are computed for some employer class in some quarter from"
    yield f"{seed.FIRST} to {seed.LAST}. A and B are the trust of the figures. An amount may still depend on a fact"
    yield "that one declaration lacks: each page of [contributions](contributions/README.md) says which."
    yield ""
    yield "The compensation of an employer (block 90595, code 01, 2023) is recorded as declared and taken off the net,"
    yield "and not computed: which contributions it is a share of is not confirmed, and the rates of 2023 are not told"
    yield "apart into shares. The cap on basic contributions from 2025/3 is deduction 1360 of a worker line, on pay at"
    yield "100 %."
    yield ""
    yield "| code | type | contribution | employer classes | computed | missing elsewhere |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for cover in every:
        link = f"[{cover.code}](contributions/{cover.code}.md)"
        told = (link, str(cover.type), titles[cover.code], cover.classes, cover.computed or "-", cover.missing)
        yield f"| {' | '.join(told)} |"
