"""Deliveries of changes: push, mutation, late inscription, replaced numbers; each as its recipient gets it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from dmfa.errors import LakeProblem, WrongUsage
from dmfa.extracts import deliver_all, load, permits, recorder
from dmfa.extracts.authorisations import CHANGE_TABLE
from dmfa.extracts.delivery import Delivery
from dmfa.extracts.mutations import apply_mutations, in_order
from dmfa.lake import EXCHANGE, Lake, history_tables
from dmfa.lake.tables import REPLACED
from dmfa.quarter import Quarter
from dmfa.schema import home
from tests.unit.extracts.material import DAY, QUARTER, RUN, fill, invented, register, row

BEFORE = Quarter(2026, 2)
KNOWN, OTHER = 10100105, 5123112338
CODE = invented()["worker_record"].filter(pl.col("declaration_id") == 5)["worker_code"].drop_nulls()[0]
BLOCKS = {
    "EmployerDeclaration": ["Quarter", "NOSSRegistrationNbr"],
    "NaturalPerson": ["INSS"],
    "WorkerRecord": ["WorkerCode"],
}
ASKED = {"sector": "999", "institution_type": "005", "qualities": ["101"]}


def recipient(name: str) -> dict[str, str]:
    return {"name": name, "title": "Invented", "sector": "999", "institution": "1"}


ROWS = (
    row(id="whole", recipient=recipient("whole"), blocks=BLOCKS),
    row(id="mutating", recipient=recipient("mutating"), blocks=BLOCKS, delivery="mutation"),
    row(id="pushed", recipient=recipient("pushed"), blocks=BLOCKS, delivery="push", format=["parquet"]),
    row(id="knowing", recipient=recipient("knowing"), blocks=BLOCKS, delivery="mutation", directory=ASKED),
    row(
        id="of-employees",
        recipient=recipient("of-employees"),
        blocks=BLOCKS,
        population={"WorkerRecord.WorkerCode": [CODE]},
        delivery="mutation",
        format=["parquet"],
    ),
)


class World:
    """A lake and what is given out of it, day by day."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lake, self.out = folder, folder / "lake", folder / "out"
        self.rows = load(register(folder, *ROWS))
        self.day = 0
        self.opened: Lake

    def knows(self, *lines: tuple[int, date, date | None]) -> None:
        """The whole directory: these lines."""
        spec = next(spec for spec in EXCHANGE if spec.name == "directory")
        rows = [
            {
                "inss": inss, "sector": "999", "institution_type": "005", "quality": "101", "phase": None,
                "begin_date": begin, "end_date": end, "changed_on": begin,
            }
            for inss, begin, end in lines
        ]  # fmt: skip
        self.opened.replace(spec, pl.DataFrame(rows, schema=pl.DataFrame(spec.arrow.empty_table()).schema))

    def correct(self, person: pl.DataFrame, tables: dict[str, pl.DataFrame] | None = None) -> None:
        """A new row of a person in force, and of other tables of history, in the place of those before."""
        with self.opened.transaction() as publication:
            specs = {spec.name: spec for spec in history_tables()}
            units = {"natural_person": person, **(tables or {})}
            for name, rows in units.items():
                publication.append(specs[name], rows.select(specs[name].arrow.names))
            for unit in ("natural_person", "employer_declaration"):
                if unit in units:
                    publication.append(REPLACED, _replaced(unit, units[unit]))

    def give(self, *names: str, quarter: Quarter = QUARTER) -> dict[str, Delivery]:
        self.day += 1
        run = replace(RUN, id=f"run-{self.day}", at=RUN.at + timedelta(days=self.day))
        asked = permits(self.rows, DAY, names, [("999", "005")])
        at = datetime(2026, 12, 1, tzinfo=UTC) + timedelta(days=self.day)
        record = recorder(self.opened, lambda: at)
        done = deliver_all(self.opened, quarter, asked, self.out, run, record=record, shard=3)
        return {delivery.recipient: delivery for _, delivery in done}

    def read(self, sql: str) -> list[dict[str, object]]:
        return self.opened.arrow(sql).to_pylist()


def _replaced(unit: str, rows: pl.DataFrame) -> pl.DataFrame:
    ordinal = pl.col("natural_person_ordinal") if unit == "natural_person" else pl.lit(0, pl.Int32)
    return rows.select(
        "quarter",
        "declaration_id",
        pl.lit(unit).alias("unit"),
        ordinal.alias("ordinal"),
        (pl.col("version") - 1).alias("version"),
        pl.col("version").alias("ended_by"),
        "filing_id",
        pl.lit(datetime(2026, 12, 1)).alias("known_until"),
    )


def person(place: int = 0, version: int = 2, **zones: object) -> pl.DataFrame:
    found = invented()["natural_person"].filter(
        (pl.col("declaration_id") == 5) & (pl.col("natural_person_ordinal") == place)
    )
    told = {"version": version, "status": 1, **zones}
    return found.with_columns(pl.lit(value).cast(found.schema[name]).alias(name) for name, value in told.items())


def tables_in(delivery: Delivery) -> dict[str, pl.DataFrame]:
    return {path.stem: pl.read_parquet(path) for path in delivery.folder.glob("*.parquet")}


def number_of(version: pl.DataFrame) -> int:
    from dmfa.extracts.holdings import attestation_number

    return attestation_number(5, version["natural_person_ordinal"][0])


def statuses(delivery: Delivery) -> dict[int, int]:
    return dict(tables_in(delivery)[CHANGE_TABLE].select("attestation", "status").iter_rows())


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> World:
    """The first deliveries of all rows, of two quarters."""
    world = World(tmp_path_factory.mktemp("changes"))
    with Lake.open(world.lake, write=True, create=True) as world.opened:
        fill(world.opened, invented())
        world.knows((KNOWN, date(2026, 7, 1), None))
        world.give()
        world.give("knowing", quarter=BEFORE)
    return world


@pytest.fixture
def world(begun: World, tmp_path: Path) -> Iterator[World]:
    """The same, for one test to go on with."""
    shutil.copytree(begun.folder, tmp_path / "world")
    made = copy(begun)
    made.folder, made.lake, made.out = tmp_path / "world", tmp_path / "world" / "lake", tmp_path / "world" / "out"
    with Lake.open(made.lake, write=True, wait_seconds=0) as made.opened:
        yield made


def test_r12_the_first_delivery_of_changes_holds_everything_and_the_next_nothing(world):
    first = world.out / "extracts" / "2026-3" / "attestation" / "mutating.1"
    told = json.loads((first / "manifest.json").read_text())
    assert (told["delivery"], told["number"], told["follows"]) == ("mutation", 1, None)
    assert told["attestations"] == 9
    assert told["changes"] == {"new": 9, "changed": 0, "cancelled": 0, "reactivated": 0}
    before = sorted(path.name for path in first.parent.iterdir())
    again = world.give("mutating", "pushed")
    assert [one.changed for one in again.values()] == [False, False]
    assert sorted(path.name for path in first.parent.iterdir()) == before


def test_r13_all_mutations_lead_to_the_same_bytes_as_a_full_extract(world, tmp_path):
    base = apply_mutations({}, tables_in_folder(world, "mutating", 1))
    world.correct(person(0, inss=OTHER))
    second = world.give("mutating")["mutating"]
    base = apply_mutations(base, tables_in(second))
    world.correct(person(1, status=3))
    third = world.give("mutating")["mutating"]
    base = apply_mutations(base, tables_in(third))
    world.correct(person(1, version=3, status=4))
    last = world.give("mutating", "whole")
    base = apply_mutations(base, tables_in(last["mutating"]))
    assert [statuses(one) for one in (second, third, last["mutating"])] == [
        {number_of(person(0)): 1},
        {number_of(person(1)): 3},
        {number_of(person(1)): 4},
    ]
    full = in_order(tables_in(last["whole"]))
    assert base.keys() == {*full, CHANGE_TABLE}
    for name, rows in full.items():
        base[name].write_parquet(tmp_path / "mutated.parquet")
        rows.write_parquet(tmp_path / "full.parquet")
        assert (tmp_path / "mutated.parquet").read_bytes() == (tmp_path / "full.parquet").read_bytes()


def tables_in_folder(world: World, name: str, number: int) -> dict[str, pl.DataFrame]:
    folder = world.out / "extracts" / "2026-3" / "attestation" / f"{name}.{number}"
    return {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}


def test_r14_a_replaced_number_of_a_person_comes_with_the_one_before(world):
    old = person(0)["inss"][0]
    new = OTHER if old != OTHER else KNOWN
    world.correct(person(0, inss=new))
    done = world.give("mutating", "pushed")
    changes = tables_in(done["mutating"])[CHANGE_TABLE]
    assert changes["previous_inss"].to_list() == [f"{old:011d}"]
    assert changes["previous_noss_registration_nbr"].to_list() == [None]
    assert tables_in(done["mutating"])["natural_person"]["inss"].to_list() == [f"{new:011d}"]
    assert "previous_inss" not in tables_in(done["pushed"])[CHANGE_TABLE].columns
    root = etree.parse(done["mutating"].folder / "attestation.xml").getroot()
    etree.XMLSchema(etree.parse(home() / "DmfAAttestation_1.xsd")).assertValid(root)
    assert root.findtext("attestation/mutation/previousSsin") == f"{old:011d}"
    assert root.findtext("attestation/mutation/deliveryNumber") == "2"
    assert not world.give("mutating")["mutating"].changed, "the next one tells it no more"


def test_r14_a_replaced_number_of_an_employer_comes_to_all_its_workers_once(world):
    declared = invented()["employer_declaration"].filter(pl.col("declaration_id") == 5)
    old = declared["noss_registration_nbr"][0]
    new = 199999934 if old == 100006 else 100006
    declared = declared.with_columns(
        pl.lit(2, pl.Int16).alias("version"),
        pl.lit(1, pl.Int8).alias("status"),
        pl.lit(new, pl.Int64).alias("noss_registration_nbr"),
    )
    world.correct(person(0), {"employer_declaration": declared})
    told = tables_in(world.give("mutating")["mutating"])
    assert told[CHANGE_TABLE].height == 4
    assert set(told[CHANGE_TABLE]["previous_noss_registration_nbr"]) == {f"{old:09d}"}
    assert set(told["employer_declaration"]["noss_registration_nbr"]) == {f"{new:09d}"}
    world.correct(person(0, version=3))
    later = tables_in(world.give("mutating")["mutating"])[CHANGE_TABLE]
    assert later["previous_noss_registration_nbr"].to_list() == [None]


def test_who_leaves_the_population_is_cancelled_for_that_recipient_alone(world):
    known = tables_in_folder(world, "of-employees", 1)["natural_person"]["attestation"]
    lines = invented()["worker_record"].filter((pl.col("declaration_id") == 5) & (pl.col("worker_code") == CODE))
    places = set(lines["natural_person_ordinal"])
    assert places
    place = min(places)
    gone = invented()["worker_record"].filter(
        (pl.col("declaration_id") == 5) & (pl.col("natural_person_ordinal") == place)
    )
    changed = gone.with_columns(
        pl.lit("001").alias("worker_code"), pl.lit(2, pl.Int16).alias("version"), pl.lit(1, pl.Int8).alias("status")
    )
    replace_lines(world, place, changed)
    done = world.give("mutating", "of-employees")
    told = tables_in(done["of-employees"])
    assert statuses(done["of-employees"]) == {number_of(person(place)): 3}
    assert told[CHANGE_TABLE]["version"].to_list() == [2]
    assert told["natural_person"].is_empty()
    assert number_of(person(place)) in set(known)
    assert statuses(done["mutating"]) == {number_of(person(place)): 1}


def replace_lines(world: World, place: int, lines: pl.DataFrame) -> None:
    """New rows of lines, without what hangs below; the person's row as every correction brings it."""
    with world.opened.transaction() as publication:
        specs = {spec.name: spec for spec in history_tables()}
        publication.append(specs["worker_record"], lines.select(specs["worker_record"].arrow.names))
        publication.append(specs["natural_person"], person(place).select(specs["natural_person"].arrow.names))
        ended = lines.select(
            "quarter",
            "declaration_id",
            pl.lit("worker_record").alias("unit"),
            pl.col("worker_record_ordinal").alias("ordinal"),
            pl.lit(1, pl.Int16).alias("version"),
            pl.lit(2, pl.Int16).alias("ended_by"),
            "filing_id",
            pl.lit(datetime(2026, 12, 1)).alias("known_until"),
        )
        publication.append(REPLACED, pl.concat([ended, _replaced("natural_person", person(place))]))


def test_r15_who_is_inscribed_late_brings_the_past_quarters_of_the_line_and_no_other(world):
    past = invented()["natural_person"].filter(pl.col("quarter") == BEFORE.code)
    late = past["inss"][0]
    theirs = past.filter(pl.col("inss") == late).height
    present = invented()["natural_person"].filter((pl.col("quarter") == QUARTER.code) & (pl.col("inss") == KNOWN))
    world.knows((KNOWN, date(2026, 7, 1), None), (late, date(2026, 4, 1), date(2026, 6, 30)))
    then, now = world.give("knowing", quarter=BEFORE)["knowing"], world.give("knowing")["knowing"]
    assert set(statuses(then).values()) == {0}
    assert then.attestations == theirs > 0
    assert then.not_integrated == past.height - theirs
    assert not now.changed
    world.knows()
    ended = world.give("knowing")["knowing"]
    assert list(statuses(ended).values()) == [3] * present.height


def test_r10_of_every_way_of_delivery_the_log_has_a_row_for_each_attestation_given(world):
    world.correct(person(0, inss=OTHER))
    world.correct(person(2, status=3))
    world.give()
    counted = world.read(
        """
        SELECT d.ticket, d.attestations, coalesce(l.n, 0) AS logged
        FROM (SELECT DISTINCT ticket, attestations FROM lake.exchange.delivery) d
        LEFT JOIN (SELECT ticket, count(*) AS n FROM lake.exchange.log WHERE result = 'given' GROUP BY ticket) l
        USING (ticket)
        """
    )
    assert len(counted) >= 8
    assert [one for one in counted if one["attestations"] != one["logged"]] == []
    for manifest in world.out.rglob("manifest.json"):
        told = json.loads(manifest.read_text())
        assert next(one for one in counted if one["ticket"] == told["ticket"])["logged"] == told["attestations"]
        if told["delivery"] != "full":
            assert sum(told["changes"].values()) == told["attestations"]
    cancelled = world.read("SELECT inss, status, content FROM lake.exchange.log WHERE status = 3")
    assert {one["inss"] for one in cancelled} == {person(2)["inss"][0]}
    assert {one["content"] for one in cancelled} == {None}


def test_a_kill_between_record_and_place_loses_no_change(world, monkeypatch):
    world.correct(person(0, inss=OTHER))
    with monkeypatch.context() as patch:

        def killed(*_):
            raise OSError(5, "Input/output error")

        patch.setattr("dmfa.extracts.plan.put_in_place", killed)
        with pytest.raises(LakeProblem):
            world.give("mutating")
    folder = world.out / "extracts" / "2026-3" / "attestation" / "mutating.2"
    assert not folder.exists()
    world.correct(person(1, status=3))
    later = world.give("mutating")["mutating"]
    assert (later.folder.name, statuses(later)) == ("mutating.3", {number_of(person(1)): 3})
    assert json.loads((folder / "manifest.json").read_text())["changes"]["changed"] == 1
    assert later.manifest["follows"] == json.loads((folder / "manifest.json").read_text())["ticket"]


def test_changes_are_not_given_of_what_is_not_given_by_attestation(world, tmp_path):
    asked = row(mode="aggregate", delivery="push", answer={"job": ["n"]}, groups=["n"], smallest_group=5)
    with pytest.raises(WrongUsage, match="an aggregate has no attestations: delivery push cannot be"):
        load(register(tmp_path, asked))
    with pytest.raises(WrongUsage, match="delivery sometimes is not one of full, push, mutation, pull"):
        load(register(tmp_path, row(delivery="sometimes")))
