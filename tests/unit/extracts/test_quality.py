"""R18: open anomalies travel with the attestation, no further than what its recipient is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dmfa.checks.registry import checks, row_checks
from dmfa.extracts import EXTRACTS, Permit, load, permits
from dmfa.extracts.authorisations import FLAG_COLUMNS, FLAG_TABLE, KEYS
from dmfa.extracts.changes import contents
from dmfa.extracts.holdings import attestation_number
from dmfa.extracts.making import Making
from dmfa.extracts.open_anomalies import COLUMNS
from dmfa.extracts.quality import may_travel, visible
from dmfa.extracts.shape import zones_of
from dmfa.schema import lake_tables
from dmfa.schema.catalogue import catalogue
from tests.unit.extracts.institutions import INSCRIBED, whole_row
from tests.unit.extracts.material import DAY, NARROW, QUARTER, invented, permit_of, register

SEEN = {
    "employer_declaration": frozenset({"Quarter"}),
    "worker_record": frozenset[str](),
    "occupation": frozenset({"LocalUnitID", "WorkingDaysSystem"}),
    "remun": frozenset({"RemunCode"}),
}


@pytest.mark.parametrize(
    ("block", "zone", "code", "travels"),
    [
        ("Occupation", "LocalUnitID", "00042-451", True),
        ("WorkerRecord", "LocalUnitID", "00042-451", False),  # a zone of that name in another block
        ("Remun", "RemunCode", "00067-008", True),
        ("Remun", "RemunAmount", "00070-008", False),
        ("Remun", "RemunCode", "00070-008", False),  # the code is about the amount
        ("Remun", None, "00070-008", False),
        ("Occupation", None, "90015-393", True),
        ("WorkerRecord", None, "90012-260", False),  # only that the block is there is given
        ("WorkerRecord", None, "90015-393", False),
        ("Occupation", None, "90012-260", False),
        ("Occupation", "JointCommissionNbr", "90015-393", False),
        ("OccupationUpdate", "LocalUnitID", "00042-451", False),  # labels are those of an original
        ("Occupation", "RemunCode", "00067-008", True),  # told of the block above, which has no such zone
        ("Occupation", "RemunAmount", "00070-008", False),
        ("Service", "ServiceCode", "00062-008", False),
        ("Remun", "RemunCode", "99999-999", False),  # nobody knows what it is about
    ],
)
def test_r18_it_travels_to_whom_the_block_and_the_zone_are_given(
    block: str, zone: str | None, code: str, travels: bool
) -> None:
    assert may_travel(block, zone, code, SEEN) is travels


def test_r18_of_a_block_of_corrections_the_code_is_that_of_the_block() -> None:
    """Anomalies found in corrections have numbers of blocks of their own."""
    code = next(code for code in catalogue("DmfAUpdate").codes if code.startswith("90225"))
    assert not may_travel("WorkerRecord", None, code, SEEN)
    assert may_travel("WorkerRecord", None, code, {"worker_record": frozenset({"WorkerCode"})})


def test_r18_who_is_given_everything_is_told_of_every_anomaly_that_is_looked_for() -> None:
    """Each check tells a zone of the block that it tells: else its anomalies would travel to nobody."""
    everything = {table.name: frozenset(zones_of(table)) for table in lake_tables()}
    labels = {table.name: table.block.name for table in lake_tables()}
    told = [(labels[one.place], one.zone or None, one.code) for one in row_checks()]
    told += [(one.block, one.zone or None, one.code) for one in checks() if one.block]
    flagged = [one for one in told if {"P", "NP"} & {*catalogue().codes[one[2]].severities.values()}]
    assert len(flagged) > 50
    assert [one for one in flagged if not may_travel(*one, everything)] == []


def anomalies(*rows: tuple[Any, ...]) -> pl.DataFrame:
    types = [pl.Int64, pl.Int32, pl.String, pl.Int32, pl.String, pl.String, pl.String]
    return pl.DataFrame(rows, schema=dict(zip(COLUMNS, types, strict=True)), orient="row")


def reads(permit: Permit) -> dict[str, tuple[str, ...]]:
    extract = EXTRACTS[permit.authorisation.extract]
    return extract.reads(permit.authorisation, extract.shape(permit))


def made(permit: Permit, *rows: tuple[Any, ...]) -> dict[str, pl.DataFrame]:
    """What a permit gives of the invented quarter, with some anomalies open in it."""
    shape = EXTRACTS[permit.authorisation.extract].shape(permit)
    frames = {name: frame.filter(pl.col("quarter") == QUARTER.code) for name, frame in invented().items()}
    known = frames["natural_person"].select("declaration_id", "natural_person_ordinal")
    if not shape.nested:
        frames = {name: frames[name].select(columns) for name, columns in reads(permit).items()}
    making = Making(permit, shape)
    assert visible(permit.authorisation, shape)
    return making.of(frames, known if permit.authorisation.directory else None, anomalies(*rows)).tables


def remun(place: int) -> dict[str, Any]:
    """A remuneration of declaration 5."""
    return invented()["remun"].filter(pl.col("declaration_id") == 5).sort("remun_ordinal").row(place, named=True)


def flagged(place: int, zone: str = "RemunAmount", code: str = "00070-008") -> tuple[Any, ...]:
    told = remun(place)
    return (5, told["natural_person_ordinal"], "Remun", told["remun_ordinal"], zone, code, "P")


def test_r18_a_flag_leads_to_the_row_that_it_is_about(tmp_path: Path) -> None:
    tables = made(permit_of(tmp_path, blocks=NARROW), flagged(-1), flagged(-1), flagged(0, "RemunCode", "00067-008"))
    flags = tables[FLAG_TABLE]
    assert flags.columns == [*KEYS, *FLAG_COLUMNS]
    assert flags["code"].to_list() == ["00067-008", "00070-008"], "each once, in the order of the document"
    rows = flags.join(tables["remun"], left_on=["attestation", "ordinal"], right_on=["attestation", "remun_ordinal"])
    amounts = dict(rows.select("code", "remun_amount").iter_rows())
    assert amounts == {"00067-008": remun(0)["remun_amount"], "00070-008": remun(-1)["remun_amount"]}


def test_r18_a_flag_of_the_declaration_is_told_of_everybody_in_it(tmp_path: Path) -> None:
    of_all = (5, None, "EmployerDeclaration", 0, "NOSSRegistrationNbr", "00011-051", "NP")
    of_one = (5, 2, "NaturalPerson", 2, "INSS", "00024-053", "NP")
    flags = made(permit_of(tmp_path, blocks=NARROW), of_one, of_all)[FLAG_TABLE]
    assert flags["code"].to_list() == ["00011-051", "00011-051", "00011-051", "00024-053", "00011-051"]
    assert flags[KEYS[0]].to_list() == [attestation_number(5, place) for place in (0, 1, 2, 2, 3)]
    assert flags["ordinal"].null_count() == flags.height


@pytest.mark.parametrize(
    "changes",
    [
        {"blocks": {**NARROW, "Remun": ["RemunCode"]}},
        {"blocks": {block: zones for block, zones in NARROW.items() if block != "Remun"}},
        {"population": {"EmployerDeclaration.CompanyID": ["1"]}},
    ],
    ids=["not the zone", "not the block", "not the person"],
)
def test_r18_what_the_recipient_is_not_given_takes_its_flags_with_it(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert made(permit_of(tmp_path, **{"blocks": NARROW, **changes}), flagged(0))[FLAG_TABLE].is_empty()


def test_r18_of_rows_that_a_population_leaves_out_nothing_is_told(tmp_path: Path) -> None:
    many = invented()["remun"].filter(pl.col("declaration_id") == 5).height
    amounts = [remun(place)["remun_amount"] for place in range(many)]
    place = next(place for place, amount in enumerate(amounts) if amounts.count(amount) == 1 and amount)
    permit = permit_of(tmp_path, blocks=NARROW, population={"Remun.RemunAmount": [str(amounts[place])]})
    tables = made(permit, *(flagged(other) for other in range(many)))
    told = tables["remun"].filter(pl.col("remun_amount") == amounts[place])
    assert tables[FLAG_TABLE].select(KEYS[0], "ordinal").rows() == told.select(KEYS[0], "remun_ordinal").rows()
    assert many > 1


def test_r18_r20_an_answer_says_only_that_it_stands_under_reserve(tmp_path: Path) -> None:
    (permit,) = permits(load(register(tmp_path, whole_row("sickness"))), DAY, inscribed=INSCRIBED)
    used, other = flagged(0), (5, 0, "Occupation", 0, "LocalUnitID", "00042-451", "P")
    flags = made(permit, used, (*used[:4], "RemunCode", "00067-008", "NP"))[FLAG_TABLE]
    assert flags.columns == list(KEYS)
    assert flags[KEYS[0]].to_list() == [attestation_number(5, remun(0)["natural_person_ordinal"])]
    assert made(permit, other)[FLAG_TABLE].is_empty(), "it is not made of that"


def test_r13_what_is_said_of_whom_nothing_is_flagged_has_the_digest_that_it_had(tmp_path: Path) -> None:
    permit = permit_of(tmp_path, blocks=NARROW)
    tables = made(permit, flagged(0))
    persons = tables["natural_person"].select(KEYS[0])
    plain = contents(persons, {name: rows for name, rows in tables.items() if name != FLAG_TABLE})
    given = contents(persons, tables)
    mine = tables[FLAG_TABLE][KEYS[0]].to_list()
    assert persons.filter(given != plain)[KEYS[0]].to_list() == mine
    again = contents(persons, made(permit, flagged(0, "RemunCode", "00067-008")))
    assert persons.filter(given != again)[KEYS[0]].to_list() == mine
