"""What holds for every extract, whatever it gives: columns, persons, values, record."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from lxml import etree

from dmfa.extracts import EXTRACTS, Delivery, deliver_all, load, permits, recorder
from dmfa.extracts.authorisations import FLAG_TABLE, KEYS
from dmfa.extracts.shape import is_identifier
from dmfa.lake import Lake
from dmfa.schema import home, lake_tables, snake_case
from tests.unit.extracts.institutions import EMPLOYER, INSCRIBED, KNOWN, LIMIT, filled, whole_row
from tests.unit.extracts.material import CANARY, DAY, QUARTER, RUN, register

EVERY = [name for name in EXTRACTS if not EXTRACTS[name].coded and EXTRACTS[name].mode != "aggregate"]
"""Those that tell of persons under their own numbers."""

KEYED = [name for name in EVERY if all(table.keyed for table in EXTRACTS[name].answer.values())]
INSIDE = ("quarter", "declaration_id", "natural_person_ordinal")


@dataclass(frozen=True)
class Given:
    """All extracts, each delivered once under a whole authorisation."""

    declared: dict[str, pl.DataFrame]
    deliveries: dict[str, Delivery]
    log: pl.DataFrame
    rejects: pl.DataFrame

    def table(self, extract: str, table: str) -> pl.DataFrame:
        return pl.read_parquet(Path(str(self.deliveries[extract].folder)) / f"{table}.parquet")

    def files(self, extract: str) -> dict[str, Path]:
        return {path.name: path for path in Path(str(self.deliveries[extract].folder)).iterdir()}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    folder = tmp_path_factory.mktemp("institutions")
    declared = filled(folder / "lake")
    file = register(folder, *(whole_row(name) for name in EVERY))
    allowed = permits(load(file), DAY, inscribed=INSCRIBED)
    with Lake.open(folder / "lake", write=True) as lake:
        done = deliver_all(lake, QUARTER, allowed, folder / "out", RUN, record=recorder(lake), shard=5)
        deliveries = {delivery.extract: delivery for _, delivery in done}
        log, rejects = (pl.DataFrame(lake.arrow(f"SELECT * FROM lake.exchange.{name}")) for name in ("log", "reject"))
    return Given(declared, deliveries, log, rejects)


def number(declaration: int, place: int) -> int:
    """Number of an attestation, by rules of the test's own."""
    return max(int(hashlib.sha256(f"{declaration}:{place}".encode()).hexdigest()[:16], 16) // 2, 1)


def persons(frames: dict[str, pl.DataFrame]) -> dict[int, tuple[int, int, int]]:
    rows = frames["natural_person"].select("declaration_id", "natural_person_ordinal", "inss").iter_rows()
    return {number(declaration, place): (declaration, place, inss) for declaration, place, inss in rows}


@pytest.mark.parametrize("name", EVERY)
def test_it_gives_something(given: Given, name: str) -> None:
    assert given.deliveries[name].attestations > 0
    rows = [given.table(name, table).height for table in given.deliveries[name].manifest["tables"]]
    assert max(rows) > 0


@pytest.mark.parametrize("name", EVERY)
def test_r6_columns_and_elements_are_those_that_the_authorisation_lists(given: Given, name: str) -> None:
    row = given.deliveries[name].authorisation
    keys = {*KEYS, *(f"{table}_ordinal" for table in row.columns)}
    labels = {"attestation", "version", "status", "number"}
    assert [path for path in given.files(name) if path.endswith(".parquet")]
    by_attestation = not EXTRACTS[name].answer or any(table.keyed for table in EXTRACTS[name].answer.values())
    listed = {table: columns for table, columns in row.columns.items() if by_attestation or table != FLAG_TABLE}
    for table, columns in listed.items():
        found = pq.read_schema(given.files(name)[f"{table}.parquet"])
        assert set(found.names) - keys <= set(columns)
        assert all(found.field(column).metadata.get(b"words") for column in found.names)
        labels |= {found.metadata[b"label"].decode()}
        labels |= {field.metadata[b"label"].decode() for field in found if b"label" in field.metadata}
    assert {path for path in given.files(name) if path.endswith(".parquet")} == {f"{t}.parquet" for t in listed}
    root = etree.parse(given.files(name)[f"{name}.xml"]).getroot()
    after = [node for node in root if node.getprevious() is not None and node.getprevious().tag == "dataFilters"]
    content = [*after, *(after[0].itersiblings() if after else ())]
    assert content
    assert {child.tag for node in content for child in node.iter()} <= labels


@pytest.mark.parametrize("name", EVERY)
def test_its_xml_is_valid(given: Given, name: str) -> None:
    schema = "DmfAAnswer_1.xsd" if EXTRACTS[name].answer else "DmfAAttestation_1.xsd"
    assert given.deliveries[name].manifest["versions"]["xml"] == schema
    etree.XMLSchema(etree.parse(home() / schema)).assertValid(etree.parse(given.files(name)[f"{name}.xml"]))


@pytest.mark.parametrize("name", EVERY)
def test_its_xml_says_what_its_parquet_says(given: Given, name: str) -> None:
    root = etree.parse(given.files(name)[f"{name}.xml"]).getroot()
    for table in given.deliveries[name].manifest["tables"]:
        rows = given.table(name, table)
        nodes = list(root.iter(pq.read_schema(given.files(name)[f"{table}.parquet"]).metadata[b"label"].decode()))
        assert len(nodes) == rows.height
        for column, field in zip(rows.columns, pq.read_schema(given.files(name)[f"{table}.parquet"]), strict=True):
            label = (field.metadata or {}).get(b"label")
            if label is not None:
                told = [node.findtext(label.decode()) for node in nodes]
                texts = rows[column].cast(pl.String)
                assert sorted(told, key=str) == sorted(texts, key=str)


def _within(given: Given, name: str) -> set[int]:
    """Attestations of the population, found one by one."""
    row = given.deliveries[name].authorisation
    found = persons(given.declared)
    for population in (EXTRACTS[name].population, row.population):
        for place, values in population.items():
            table, zone = map(snake_case, place.split("."))
            blocks = given.declared[table].filter(pl.col(zone).cast(pl.String).is_in(values)).to_dicts()
            keys = {tuple(block[key] for key in INSIDE if key in block) for block in blocks}
            found = {
                attestation: who
                for attestation, who in found.items()
                if (QUARTER.code, who[0], who[1]) in keys or (QUARTER.code, who[0]) in keys
            }
    if row.directory is not None:
        found = {attestation: who for attestation, who in found.items() if who[2] in KNOWN}
    if EXTRACTS[name].own_declarations:
        own = given.declared["employer_declaration"].filter(pl.col("company_id") == EMPLOYER)["declaration_id"]
        found = {attestation: who for attestation, who in found.items() if who[0] in own}
    return set(found)


@pytest.mark.parametrize("name", EVERY)
def test_r3_r7_r18_it_tells_of_its_population_alone(given: Given, name: str) -> None:
    """Of the persons with a line where one is asked for, in declarations that are in force."""
    told = set(given.log.filter((pl.col("flow") == name) & (pl.col("result") == "given"))["attestation"])
    allowed = _within(given, name)
    if EXTRACTS[name].of_year:
        assert len(told) == len(allowed) + 3  # the persons of the quarter before
        told &= set(persons(given.declared))
    assert told == allowed
    for table in given.deliveries[name].manifest["tables"]:
        rows = given.table(name, table)
        if "attestation" in rows.columns:
            assert set(rows["attestation"]) <= allowed


@pytest.mark.parametrize("name", EVERY)
def test_r9_r10_the_log_has_a_row_for_each_attestation_that_was_used(given: Given, name: str) -> None:
    rows = given.log.filter((pl.col("flow") == name) & (pl.col("result") == "given"))
    assert rows.height == rows["attestation"].n_unique() == given.deliveries[name].attestations
    people = {attestation: who[2] for attestation, who in persons(given.declared).items()}
    if not EXTRACTS[name].of_year:
        assert dict(rows.select("attestation", "inss").iter_rows()) == {one: people[one] for one in rows["attestation"]}
    assert rows["blocks"].unique().to_list() == [",".join(given.deliveries[name].authorisation.blocks)]


def test_r19_each_has_a_folder_a_ticket_and_a_log_of_its_own(given: Given) -> None:
    assert len({delivery.place for delivery in given.deliveries.values()}) == len(EVERY)
    tickets = {delivery.ticket: name for name, delivery in given.deliveries.items()}
    assert len(tickets) == len(EVERY)
    for ticket, flow in given.log.select("ticket", "flow").unique().iter_rows():
        assert tickets[ticket] == flow


@pytest.mark.parametrize("name", KEYED)
def test_r21_a_zone_has_the_same_value_in_every_extract(given: Given, name: str) -> None:
    """What it says of an attestation, the neutral attestation says too, in the block of that zone."""
    compared = 0
    blocks = {table.block.name: table for table in lake_tables()}
    for table in set(given.deliveries[name].manifest["tables"]) - {FLAG_TABLE}:
        rows = given.table(name, table)
        own = EXTRACTS[name].answer.get(table)
        places = {column.name: column.zone for column in own.columns if column.zone} if own else {}
        if own is None:
            label = next(label for label, one in blocks.items() if one.name == table)
            zones = [column.zone for column in blocks[label].columns if column.zone]
            places = {zone.column: f"{label}.{zone.name}" for zone in zones if zone.column in rows.columns}
        for column, place in places.items():
            block, _, zone = place.partition(".")
            neutral = given.table("attestation", snake_case(block))
            said = set(neutral.select("attestation", snake_case(zone)).iter_rows())
            assert set(rows.select("attestation", column).iter_rows()) <= said | {(one, None) for one, _ in said}
            compared += 1
    assert compared


def test_r20_a_threshold_says_yes_or_no_and_no_amount(given: Given) -> None:
    ceiling = given.table("maribel", "ceiling")
    pay: dict[int, int] = {}
    for remun in given.declared["remun"].to_dicts():
        if remun["remun_code"] == "001":
            one = number(remun["declaration_id"], remun["natural_person_ordinal"])
            pay[one] = pay.get(one, 0) + (remun["remun_amount"] or 0)
    assert ceiling.schema["above"] == pl.Boolean
    assert ceiling["attestation"].n_unique() == ceiling.height > 0
    for attestation, above in ceiling.select("attestation", "above").iter_rows():
        assert above is (pay.get(attestation, 0) > LIMIT)
    assert "cent" not in (given.files("maribel")["maribel.xml"]).read_text()


def test_the_queue_of_rejects_has_whom_the_fund_does_not_know(given: Given) -> None:
    everybody = persons(given.declared)
    unknown = {one for one, (*_, inss) in everybody.items() if inss not in KNOWN}
    assert set(given.rejects["attestation"]) == unknown
    assert given.rejects.height == len(unknown) > 0
    assert set(given.rejects["extract"]) == {"sickness"}
    assert set(given.rejects["state"]) == {"paper"}
    assert "inss" not in given.rejects.columns
    assert given.deliveries["sickness"].not_integrated == len(unknown)


def test_the_ledger_sums_the_computed_rows_of_the_employer(given: Given) -> None:
    employers = given.declared["employer_declaration"]
    account = given.table("ledger", "account")
    own = employers.filter(pl.col("company_id") == EMPLOYER)
    assert account["noss_registration_nbr"].unique().to_list() == sorted(
        {f"{nbr:09d}" for nbr in own["noss_registration_nbr"]}
    )
    rows = given.table("ledger", "contribution")
    assert set(rows["contribution_worker_code"]) == {"855"}
    assert rows["contributions"].sum() == 2 * own.height
    assert rows["not_computable"].sum() == 0
    assert rows["basis"].sum() == rows["amount"].sum() == account["computed_net"].sum() > 0
    assert given.table("ledger", "deduction")["amount"].sum() == account["computed_deductions"].sum()


def test_no_extract_says_the_number_of_a_person_that_it_does_not_list(given: Given) -> None:
    for name in EVERY:
        listed = {zone for zones in EXTRACTS[name].held().values() for zone in zones}
        if "INSS" not in listed:
            for path in given.files(name).values():
                assert str(CANARY).encode() not in path.read_bytes()


def test_every_column_of_an_own_table_is_described_and_its_tables_have_names_of_their_own() -> None:
    tables = [table for extract in EXTRACTS.values() for table in extract.answer.values()]
    assert len({table.name for table in tables}) == len(tables)
    for table in tables:
        assert table.words
        for column in table.columns:
            zone = column.as_zone()
            assert zone.words
            assert zone.column == column.name
            assert not (column.coded and is_identifier(zone))
        assert {*table.by} <= {column.name for column in table.columns}
