"""R18: which anomalies stand open, as corrections come: over a lake with originals and Forms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

import polars as pl
import pytest

from dmfa.extracts.open_anomalies import COLUMNS, open_anomalies
from dmfa.lake import Lake, history_tables
from dmfa.lake.tables import REPLACED
from dmfa.quarter import Quarter
from dmfa.schema import LINE, ordinal
from tests.unit.extracts.institutions import RECEIVED, anomaly
from tests.unit.extracts.material import QUARTER, Invention

FRAMES = Invention(8).declaration(5, persons=3).frames()
BELOW = "remun"
"""The only table below lines that is filled here."""

UNRELATED = "contribution_unrelated_to_np"
TABLES = ("employer_declaration", "natural_person", LINE, UNRELATED, BELOW)
SPECS = {spec.name: spec for spec in history_tables() if spec.name in TABLES}
LINE_NUMBER, PERSON_NUMBER = ordinal(LINE), ordinal("natural_person")
LINES = [place for (place,) in FRAMES["remun"].select(LINE_NUMBER).unique(maintain_order=True).iter_rows()]
PERSONS = dict(FRAMES[LINE].select(LINE_NUMBER, PERSON_NUMBER).iter_rows())
NUMBERS = count(5)


class Corrected:
    """One declaration of a lake that many share, and corrections of it: put there when it is first asked for."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.number, self.version = lake, next(NUMBERS), 1
        own = pl.lit(self.number, pl.Int64).alias("declaration_id")
        self._rows = {name: FRAMES[name].with_columns(own) for name in TABLES}
        self._new = {name: [rows] for name, rows in self._rows.items()}
        self._ended: list[pl.DataFrame] = []
        self._received: dict[str, list[dict[str, Any]]] = {"anomaly": [], "correction": [], "correction_place": []}
        self.highest = FRAMES[BELOW].height - 1

    def form(self, which: int) -> int:
        """Number of a Form."""
        return self.number * 100 + which

    def finds(self, block: str, place: int, code: str, *, form: int | None = None, **how: Any) -> None:
        number = self.number if form is None else self.form(form)
        row = anomaly(number, QUARTER.code, block, place, how.pop("zone", None), code, **how)
        self._received["anomaly"].append(row)

    def correct(self, form: int, *lines: int, state: str = "applied", **zones: object) -> dict[str, pl.DataFrame]:
        """A Form that states lines anew; zones are those of the declaration that it changes."""
        keys = {"form_id": self.form(form), "quarter": QUARTER.code, "declaration_id": self.number}
        made = {**keys, "state": state}
        told = {}
        if state == "applied":
            told = self._next(lines, zones, {})
            made["version"] = self.version
        self._received["correction"].append(made)
        return told

    def stands(self, form: int | None, block: str, place: int, own: int) -> None:
        """A block of a Form, as it is in the version that the Form has just made; None for what no Form asked for."""
        number = self.number if form is None else self.form(form)
        keys = {"form_id": number, "quarter": QUARTER.code, "declaration_id": self.number}
        row = {**keys, "version": self.version, "block": block, "place": place, "ordinal": own}
        self._received["correction_place"].append(row)

    def renew(self, line: int, wrong: int, amount: int) -> None:
        """A version of a line that no Form asked for: one pay of it has another amount."""
        right = pl.when(pl.int_range(pl.len()) == wrong).then(amount).otherwise("remun_amount").cast(pl.Int64)
        self._next((line,), {}, {"remun_amount": right})

    def _next(
        self, lines: tuple[int, ...], zones: dict[str, object], of_pay: dict[str, pl.Expr]
    ) -> dict[str, pl.DataFrame]:
        """A version of some lines, their persons, the declaration, and all that is unrelated to persons."""
        self.version += 1
        told = dict(self._units(lines, zones))
        self._ended += [self._replaced(name, rows) for name, rows in told.items()]
        told[BELOW] = self._below(lines).with_columns(**of_pay)
        for name, rows in told.items():
            self._rows[name] = pl.concat([self._rows[name], rows.select(self._rows[name].columns)])
            self._new[name].append(rows)
        return told

    def _last(self, name: str) -> pl.DataFrame:
        within = [] if name == "employer_declaration" else [ordinal(name)]
        return self._rows[name].sort("version").unique(["declaration_id", *within], keep="last", maintain_order=True)

    def _units(self, lines: tuple[int, ...], zones: dict[str, object]) -> Iterator[tuple[str, pl.DataFrame]]:
        own = self._last(LINE).filter(pl.col(LINE_NUMBER).is_in(lines))
        persons = self._last("natural_person").join(own, on=PERSON_NUMBER, how="semi")
        top = self._last("employer_declaration")
        top = top.with_columns(pl.lit(value).cast(top.schema[name]).alias(name) for name, value in zones.items())
        units = {LINE: own, "natural_person": persons, "employer_declaration": top, UNRELATED: self._last(UNRELATED)}
        for name, rows in units.items():
            yield name, rows.with_columns(version=pl.lit(self.version, pl.Int16), status=pl.lit(1, pl.Int8))

    def _below(self, lines: tuple[int, ...]) -> pl.DataFrame:
        """Rows below lines as first declared, in the order of the Form, under numbers that nothing had before."""
        own = "remun_ordinal"
        first = self._rows[BELOW].filter(version=1)
        rows = pl.concat(first.filter(pl.col(LINE_NUMBER) == line).sort(own) for line in lines)
        start = self.highest + 1
        self.highest += rows.height
        numbers = pl.int_range(start, start + pl.len(), dtype=pl.Int32).alias(own)
        return rows.with_columns(numbers, version=pl.lit(self.version, pl.Int16), status=pl.lit(1, pl.Int8))

    def _replaced(self, name: str, rows: pl.DataFrame) -> pl.DataFrame:
        place = pl.lit(0, pl.Int32) if name == "employer_declaration" else pl.col(ordinal(name))
        before = self._last(name).select("declaration_id", place.alias("ordinal"), last="version")
        ended = rows.select("quarter", "declaration_id", "filing_id", place.alias("ordinal"), ended_by="version")
        return ended.join(before, on=["declaration_id", "ordinal"]).select(
            "quarter", "declaration_id", pl.lit(name).alias("unit"), "ordinal", pl.col("last").alias("version"),
            "ended_by", "filing_id", pl.lit(datetime(2026, 12, 1)).alias("known_until"),
        )  # fmt: skip

    def _put(self) -> None:
        """Put into the lake what is not there yet."""
        new, self._new = self._new, {name: [] for name in TABLES}
        received, self._received = self._received, {name: [] for name in self._received}
        ended, self._ended = self._ended, []
        if not any((*new.values(), *received.values(), ended)):
            return
        with self.lake.transaction() as publication:
            for name, parts in new.items():
                if parts:
                    publication.append(SPECS[name], pl.concat(part.select(SPECS[name].arrow.names) for part in parts))
            for name, rows in received.items():
                types = pl.DataFrame(RECEIVED[name].arrow.empty_table()).schema
                publication.append(RECEIVED[name], pl.DataFrame(rows, schema=types))
            if ended:
                publication.append(REPLACED, pl.concat(ended))

    def standing(self, quarter: Quarter = QUARTER, **how: Any) -> tuple[str, list[object]] | None:
        self._put()
        return open_anomalies(self.lake, quarter, declarations=[self.number], **how)

    def open(self, version: int | None = None) -> list[tuple[Any, ...]]:
        """Block, its ordinal, code of what is open, now or at a version of the declaration."""
        standing = self.standing(version=version)
        if standing is None:
            return []
        rows = self.lake.arrow(f"SELECT DISTINCT * FROM {standing[0]} ORDER BY ALL", standing[1])
        assert rows.column_names == list(COLUMNS)
        assert set(rows.column("declaration_id").to_pylist()) <= {self.number}
        return sorted((row["block"], row["ordinal"], row["code"]) for row in rows.to_pylist())


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with Lake.open(tmp_path_factory.mktemp("open") / "lake", write=True, create=True) as opened:
        yield opened


@pytest.fixture
def world(lake: Lake) -> Corrected:
    return Corrected(lake)


def remun_of(line: int, which: int = 0) -> int:
    """Ordinal of a remuneration of a line, as declared."""
    rows = FRAMES["remun"].filter(pl.col(LINE_NUMBER) == line).sort("remun_ordinal")
    return int(rows["remun_ordinal"][which])


def test_r18_nothing_is_read_where_nothing_was_found(world: Corrected) -> None:
    world.finds("Remun", 0, "00070-001", severity="B")
    world.finds("Remun", 0, "00070-013", severity="W")
    assert world.standing() is None
    world.finds("Remun", 0, "00070-008")
    assert world.open() == [("Remun", 0, "00070-008")]
    assert world.standing(tables=["service"]) is None
    assert world.standing(QUARTER.before) is None
    assert open_anomalies(world.lake, QUARTER, declarations=[4]) is None


def test_r18_a_state_of_before_there_were_corrections_has_its_anomalies(world: Corrected) -> None:
    world.finds("Remun", 0, "00070-008")
    world.correct(1, LINES[1])
    world.finds("Remun", 0, "00070-013", form=1)
    world.stands(1, "Remun", 0, world.highest)
    there = [("Remun", 0, "00070-008"), ("Remun", world.highest, "00070-013")]
    assert world.open() == there
    world.lake.arrow("BEGIN")
    try:
        world.lake.arrow("DROP TABLE lake.received.correction_place")
        assert world.open() == there[:1], "what an earlier program applied has no places"
        world.lake.arrow("DROP TABLE lake.received.correction")
        assert world.open() == there[:1]
    finally:
        world.lake.arrow("ROLLBACK")


def test_r18_what_was_refused_has_nothing_open(world: Corrected) -> None:
    """Its blocks are not in the lake; nor are those of a Form that was refused, or waits."""
    world.correct(1, state="refused")
    world.correct(2, state="waiting")
    for form in (1, 2, 3):
        world.finds("Remun", 0, "00070-008", form=form)
    assert world.open() == []


def test_r18_the_next_version_of_a_line_closes_what_stood_on_it(world: Corrected) -> None:
    first, second = (remun_of(line) for line in LINES[:2])
    world.finds("Remun", first, "00070-008")
    world.finds("Remun", second, "00070-008", severity="NP")
    for line in LINES[:2]:
        world.finds("WorkerRecord", line, "00041-008")
    world.correct(1, LINES[0])
    assert world.open(version=1) == sorted(
        [("Remun", place, "00070-008") for place in (first, second)]
        + [("WorkerRecord", line, "00041-008") for line in LINES[:2]]
    )
    now = [("Remun", second, "00070-008"), ("WorkerRecord", LINES[1], "00041-008")]
    assert world.open() == world.open(version=2) == now


def test_r18_what_a_form_states_anew_has_what_the_form_was_found_to_have(world: Corrected) -> None:
    """On the very row that the block has in history, whatever its number in the Form."""
    made = world.correct(1, LINES[1], LINES[0])
    told = made["remun"].sort("remun_ordinal")["remun_ordinal"].to_list()
    assert len(told) > 1
    for place, own in enumerate(told, start=3):
        world.stands(1, "Remun", place, own)
        world.finds("Remun", place, f"00070-{place:03d}", form=1)
    world.finds("Remun", 0, "00070-008", form=1)  # below a line that the Form leaves as it is
    again = world.correct(2, LINES[1])
    before = [("Remun", own, f"00070-{place:03d}") for place, own in enumerate(told, start=3)]
    assert world.open(version=2) == before
    assert world.open() == before[again["remun"].height :]


def test_r18_a_unit_of_a_form_stands_where_it_is_in_the_declaration(world: Corrected) -> None:
    """A line, a person, a contribution of no person, each under the label and ordinal that an original gives it."""
    lines = LINES[1], next(line for line in LINES if PERSONS[line] != PERSONS[LINES[1]])
    world.correct(1, *lines)
    for place, line in enumerate(lines):
        world.stands(1, "WorkerRecordUpdateAction", place, line)
        world.stands(1, "NaturalPersonUpdate", place, PERSONS[line])
    world.stands(1, "CUNPUpdateAction", 0, 1)
    world.finds("CUNPUpdateAction", 0, "90237-426", form=1)
    world.finds("WorkerRecordUpdateAction", 1, "00041-008", form=1)
    world.finds("NaturalPersonUpdate", 1, "00024-053", zone="INSS", severity="NP", form=1)
    world.finds("NaturalPersonUpdate", 0, "90220-528", form=1)
    of_zone = ("NaturalPerson", PERSONS[lines[1]], "00024-053")
    made = [
        ("ContributionUnrelatedToNP", 1, "90237-426"),
        ("NaturalPerson", PERSONS[lines[0]], "90220-528"),
        ("WorkerRecord", lines[1], "00041-008"),
    ]
    world.correct(2, *lines)
    assert world.open(version=2) == sorted([of_zone, *made])
    assert world.open() == [of_zone], "of a person, what stands on a zone does until that changes"


def test_r18_of_the_declaration_itself_a_zone_stands_until_it_changes(world: Corrected) -> None:
    world.finds("EmployerDeclaration", 0, "00017-008", zone="HolidayStartingDate", severity="NP")
    world.finds("EmployerDeclaration", 0, "90007-262", severity="NP")
    world.finds("NaturalPerson", 0, "00024-053", zone="INSS", severity="NP")
    world.finds("NaturalPerson", 0, "90017-528")
    line = next(line for line in LINES if PERSONS[line] == 0)
    world.correct(1, line)
    world.correct(2, line, holiday_starting_date=datetime(2026, 7, 21).date())
    world.stands(2, "EmployerDeclarationUpdate", 0, 0)
    world.finds("EmployerDeclarationUpdate", 0, "00017-003", zone="HolidayStartingDate", form=2)
    of_zones = [("EmployerDeclaration", 0, "00017-008"), ("NaturalPerson", 0, "00024-053")]
    of_blocks = [("EmployerDeclaration", 0, "90007-262"), ("NaturalPerson", 0, "90017-528")]
    assert world.open(version=1) == sorted(of_zones + of_blocks)
    assert world.open(version=2) == of_zones
    assert world.open() == [("EmployerDeclaration", 0, "00017-003"), ("NaturalPerson", 0, "00024-053")]


def test_r18_a_version_that_no_form_asked_for_closes_what_it_changes_alone(world: Corrected) -> None:
    """A system correction puts one amount right; all else of the line is as it was, under new numbers."""
    many = FRAMES["remun"].group_by(LINE_NUMBER).len().sort("len", LINE_NUMBER)
    line, rows = many.row(-1)
    assert rows > 1
    wrong, kept = remun_of(line), remun_of(line, 1)
    for place in (wrong, kept):
        world.finds("Remun", place, "00070-008", zone="RemunAmount")
        world.finds("Remun", place, "00067-008", zone="RemunCode")
    world.finds("WorkerRecord", line, "00041-008", zone="ActivityWithRisk")
    world.finds("WorkerRecord", line, "90012-260")
    first = world.highest + 1
    world.renew(line, 0, 1)
    world.correct(1, line)
    world.stands(1, "Remun", 5, world.highest - rows + 2)
    world.finds("Remun", 5, "00067-008", zone="RemunCode", form=1)
    last = world.highest + 1
    world.renew(line, 0, 2)
    still = {"00041-008": line, "90012-260": line}
    assert len(world.open(version=1)) == 6
    assert world.open(version=2) == sorted(
        [("Remun", first, "00067-008"), ("Remun", first + 1, "00067-008"), ("Remun", first + 1, "00070-008")]
        + [("WorkerRecord", place, code) for code, place in still.items()]
    )
    assert world.open(version=3) == [("Remun", last - rows + 1, "00067-008")]
    assert world.open() == [("Remun", last + 1, "00067-008")]


def test_r18_a_version_that_no_form_asked_for_may_have_anomalies_of_its_own(world: Corrected) -> None:
    """A suspicion that is accepted has anomalies on the declaration itself, at the version that it made."""
    line = next(line for line in LINES if FRAMES["remun"].filter(pl.col(LINE_NUMBER) == line).height > 1)
    world.renew(line, 0, 1)
    last = world.highest
    for place, code in ((last, "00070-008"), (last - 1, "00067-008")):
        world.finds("Remun", place, code, zone="RemunAmount")
        world.stands(None, "Remun", place, place)
    assert world.open() == [("Remun", last - 1, "00067-008"), ("Remun", last, "00070-008")]
    rows = FRAMES["remun"].filter(pl.col(LINE_NUMBER) == line).height
    world.renew(line, rows - 2, 2)
    assert world.open() == [("Remun", world.highest, "00070-008")]
    world.correct(1, line)
    assert world.open() == []
