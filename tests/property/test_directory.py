"""R1: an attestation goes out if a line with an admitted quality shares a day with the quarter, and only then.

The oracle knows no periods: it keeps, for each person, institution and quality, the set of single days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dmfa.extracts.authorisations import Inscription
from dmfa.extracts.directory import DIRECTORY
from dmfa.extracts.directory_changes import DE_INTEGRATE, INTEGRATE, Change, applied
from dmfa.extracts.persons import persons_with_a_line
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from tests.unit.extracts.material import CANARY, new_lake

EXAMPLES = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
QUARTER = Quarter(2026, 3)
FIRST, LAST = date(2026, 6, 20), date(2026, 10, 10)
"""The days that periods are drawn from: the quarter, and some on both sides."""

PERSONS = (CANARY, 5123112338, 10100105)
INSCRIPTIONS = (
    Inscription("999", ("101",), "005"),
    Inscription("999", ("000", "101"), "005"),
    Inscription("999", ("101", "902")),
    Inscription("031", ("101",), "005"),
)
Key = tuple[int, str, str, str]


@dataclass(frozen=True)
class Case:
    """Changes that fit, and the days that are left by them."""

    changes: list[Change]
    days: dict[Key, set[date]]

    def known(self, asked: Inscription) -> set[int]:
        return {
            inss
            for (inss, sector, type_, quality), days in self.days.items()
            if sector == asked.sector and quality in asked.qualities and asked.institution_type in (None, type_)
            if any(QUARTER.first_day <= day <= QUARTER.last_day for day in days)
        }


def _range(first: date, last: date) -> set[date]:
    return {first + timedelta(days=number) for number in range((last - first).days + 1)}


days = st.one_of(
    st.dates(FIRST, LAST),
    st.sampled_from([edge + timedelta(days=by) for edge in (QUARTER.first_day, QUARTER.last_day) for by in (-1, 0, 1)]),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    held: dict[Key, set[date]] = {}
    changes: list[Change] = []
    for place in range(draw(st.integers(5, 40))):
        person, sector = draw(st.sampled_from(PERSONS)), draw(st.sampled_from(["999", "999", "031"]))
        type_, quality = draw(st.sampled_from(["005", "006"])), draw(st.sampled_from(["000", "101", "902"]))
        first, last = sorted((draw(days), draw(days)))
        end = None if draw(st.integers(0, 3)) == 0 else last
        slice_ = _range(first, end or LAST)
        key = (person, sector, type_, quality)
        operation, said = INTEGRATE, quality
        if draw(st.integers(0, 2)) == 0:
            operation = DE_INTEGRATE
            said = draw(st.sampled_from([quality, None]))
            keys = [one for one in held if one[:3] == key[:3] and said in (None, one[3]) and held[one] & slice_]
            if not keys:
                continue
            for one in keys:
                held[one] -= slice_
        elif held.get(key, set()) & slice_:
            continue
        else:
            held.setdefault(key, set()).update(slice_)
        changes.append(Change(place, operation, person, sector, type_, said, None, first, end, LAST))
    return Case(changes, held)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with Lake.open(new_lake(tmp_path_factory.mktemp("directory")), write=True, wait_seconds=0) as opened:
        yield opened


@EXAMPLES
@given(case=cases())
def test_r1_a_line_that_shares_a_day_with_the_quarter_lets_the_attestation_out_and_nothing_else_does(
    lake: Lake, case: Case
) -> None:
    then, _ = applied(Path("changes.csv"), [], case.changes)
    for line in then:
        assert line.begin_date <= line.last
    rows = pl.DataFrame(list(map(vars, then)), schema=pl.DataFrame(DIRECTORY.arrow.empty_table()).schema)
    lake.replace(DIRECTORY, rows)
    declared = lake.arrow("SELECT DISTINCT inss FROM lake.authentic.natural_person WHERE quarter = 20263")
    for asked in INSCRIPTIONS:
        sql, values = persons_with_a_line(asked, QUARTER)
        found = lake.arrow(f"SELECT DISTINCT inss FROM {sql}", values)
        assert {row["inss"] for row in found.to_pylist()} == case.known(asked) & set(declared.column(0).to_pylist())


@EXAMPLES
@given(case=cases())
def test_lines_never_share_a_day_and_their_versions_lead_to_what_stands(case: Case) -> None:
    then, steps = applied(Path("changes.csv"), [], case.changes)
    found: dict[Key, list[date]] = {}
    for line in then:
        key = (line.inss, line.sector, line.institution_type, line.quality)
        found.setdefault(key, []).extend(_range(line.begin_date, min(line.last, LAST)))
    assert {key: sorted(days) for key, days in found.items()} == {
        key: sorted(days) for key, days in case.days.items() if days
    }
    standing = []
    for step in steps:
        if step.effect == "began":
            standing.append(step.line)
        else:
            standing.remove(step.line)
    assert sorted(map(repr, standing)) == sorted(map(repr, then))
