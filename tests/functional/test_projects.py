"""Research projects: data under codes of a project, from making its key to destroying what it was given."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from dmfa.errors import NotAuthorised, WrongUsage
from dmfa.extracts import EXTRACTS, Delivery, load
from dmfa.extracts.keys import new_key, read_keys
from dmfa.extracts.own import declared
from dmfa.identifiers import insz_text
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from flows.settings import Settings
from flows.stages import extract, local_units
from flows.stages.extract import Extracted
from flows.stages.projects import codings
from tests.conftest import SAMPLES, SampleRun, dmfa

REGISTER = SAMPLES / "authorisations.yaml"
QUARTER = Quarter(2026, 3)
CODE = re.compile(r"[0-9a-f]{32}")


def settings_of(
    run: SampleRun, keys: Path | None, register: Path = REGISTER, day: date = date(2026, 11, 22)
) -> Settings:
    return Settings(
        lake=str(run.lake), out=run.folder / "given", authorisations=register, received_on=day, pseudonym_keys=keys
    )


def two_projects(folder: Path) -> Path:
    """The example's project, and another one that receives the same."""
    text = REGISTER.read_text(encoding="utf-8")
    begin = text.index("- id: example-panel")
    row = text[begin : text.index("\n\n", begin)]
    other = row.replace("example-panel", "other-panel").replace("example-research-group", "other-group")
    file = folder / "two.yaml"
    file.write_text(f"{row}\n\n{other}\n", encoding="utf-8")
    return file


@dataclass(frozen=True)
class Given:
    """Two projects, each given the same two quarters."""

    run: SampleRun
    keys: Path
    deliveries: dict[tuple[str, Quarter], Delivery]

    def table(self, recipient: str, quarter: Quarter, name: str) -> pl.DataFrame:
        return pl.read_parquet(Path(str(self.deliveries[recipient, quarter].folder)) / f"{name}.parquet")

    def codes(self, recipient: str, quarter: Quarter, column: str = "person") -> set[str]:
        return set(self.table(recipient, quarter, "dmfa")[column].drop_nulls())


@pytest.fixture(scope="module")
def given(sample_run: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> Given:
    folder = tmp_path_factory.mktemp("projects")
    shutil.copytree(sample_run.lake, folder / "lake")
    run = SampleRun(folder, sample_run.done)
    keys = folder / "secret" / "keys"
    for project in ("example-panel", "other-panel"):
        new_key(keys, project)
    settings = settings_of(run, keys, two_projects(folder))
    done = {
        (delivery.recipient, quarter): delivery
        for quarter in (QUARTER.before, QUARTER)
        for delivery in extract.run(quarter, settings).deliveries
    }
    return Given(run, keys, done)


def numbers(run: SampleRun, quarter: Quarter) -> set[int]:
    """Numbers of the persons with an occupation: students declared by days alone have none."""
    with Lake.open(run.lake) as lake:
        sql = """
            SELECT DISTINCT inss FROM lake.authentic.natural_person WHERE quarter = ? AND (declaration_id,
            natural_person_ordinal) IN (SELECT declaration_id, natural_person_ordinal FROM lake.authentic.occupation)
        """
        return set(lake.arrow(sql, [quarter.code]).column(0).to_pylist())


def test_r22_the_recipient_sees_codes_and_no_number_of_a_person_employer_or_declaration(given: Given) -> None:
    with Lake.open(given.run.lake) as lake:
        employers = lake.arrow("SELECT DISTINCT noss_registration_nbr FROM lake.authentic.employer_declaration")
    secret = {insz_text(number) for number in numbers(given.run, QUARTER)}
    secret |= {f"{number:09d}" for number in employers.column(0).to_pylist()}
    folder = Path(str(given.deliveries["example-research-group", QUARTER].folder))
    tables = {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}
    assert tables.keys() == {"dmfa", "plus", "d"}
    for rows in tables.values():
        told = {str(value) for column in rows.columns for value in rows[column].drop_nulls()}
        assert not told & secret
        assert not {"attestation", "version", "status", "inss", "declaration_id"} & {*rows.columns}
    assert all(CODE.fullmatch(code) for code in given.codes("example-research-group", QUARTER))
    assert len(given.codes("example-research-group", QUARTER)) == len(numbers(given.run, QUARTER))
    assert not secret & {*re.findall(r"\d{9,11}", (folder / "manifest.json").read_text())}


def test_r22_the_supplier_sees_no_code_and_nobody_sees_a_key(given: Given) -> None:
    codes = given.codes("example-research-group", QUARTER) | given.codes("other-group", QUARTER.before)
    keys = [line.split()[3] for line in given.keys.read_text().splitlines() if not line.startswith("#")]
    assert len(keys) == 2
    with Lake.open(given.run.lake) as lake:
        for name in ("log", "delivery", "authorisation", "reject"):
            rows = json.dumps(lake.arrow(f"SELECT * FROM lake.exchange.{name}").to_pylist(), default=str)
            assert not codes & {*CODE.findall(rows)}
            assert not [key for key in keys if key in rows]
    for delivery in given.deliveries.values():
        manifest = (Path(str(delivery.folder)) / "manifest.json").read_text()
        assert not [text for text in (*codes, *keys) if text in manifest]
    everything = [*given.run.lake.rglob("*"), *(given.run.folder / "given").rglob("*")]
    held = b"".join(path.read_bytes() for path in everything if path.is_file())
    assert not [key for key in keys if key.encode() in held or bytes.fromhex(key) in held]


def test_r22_two_projects_cannot_be_joined(given: Given) -> None:
    for column in ("person", "employer", "line"):
        one, other = (given.codes(name, QUARTER, column) for name in ("example-research-group", "other-group"))
        assert len(one) == len(other) > 0
        assert not one & other
    one, other = (
        given.table(name, QUARTER, "dmfa").drop("person", "employer", "line")
        for name in ("example-research-group", "other-group")
    )
    # The same rows, and their order joins nothing either.
    assert one.sort(one.columns).equals(other.sort(other.columns))
    assert not one.equals(other)


def test_r22_a_person_keeps_the_code_over_quarters(given: Given) -> None:
    staying = numbers(given.run, QUARTER) & numbers(given.run, QUARTER.before)
    for recipient in ("example-research-group", "other-group"):
        both = given.codes(recipient, QUARTER) & given.codes(recipient, QUARTER.before)
        assert len(both) == len(staying) > 0
    manifest = given.deliveries["example-research-group", QUARTER].manifest
    assert manifest["codes"] == {"project": "example-panel", "key": "1"}


def test_r23_classes_stand_in_place_of_exact_values(given: Given) -> None:
    rows = given.table("example-research-group", QUARTER, "dmfa")
    assert not {"pay", "occupation_starting_date", "joint_commission_nbr"} & {*rows.columns}
    assert set(rows["sex"]) <= {"male", "female", "unknown"}
    assert rows["age_class"].n_unique() > 5
    assert set(rows["worker_status"]) <= {"manual", "white-collar", "civil servant", "other"}


def test_r23_research_and_statistics_hold_no_name_address_ticket_or_pid() -> None:
    named = re.compile(r"Name|Street|Address|ZIPCode|Municipality|House|Box|UserReference|Ticket|Reference|PID|Company")
    for name in ("labour-market", "statistics"):
        found = EXTRACTS[name]
        columns = [column for table in found.answer.values() for column in table.columns]
        zones = [place for column in columns if (place := column.zone)]
        made_of = [f"{block}.{zone}" for block, listed in found.held().items() for zone in listed]
        assert zones
        for place in (*zones, *made_of):
            assert not named.search(place.partition(".")[2]), place
        for column in columns:
            if column.zone:
                assert not declared(column.zone)[0].personal
        assert {column.coded for column in columns} <= {"", "person", "employer", "line", "place"}


def test_r22_a_new_key_codes_from_its_quarter_on_and_the_old_codes_stay(given: Given, own_run: SampleRun) -> None:
    keys = own_run.folder / "keys"
    keys.write_bytes(given.keys.read_bytes())
    keys.chmod(0o600)
    new_key(keys, "example-panel", QUARTER)
    settings = settings_of(own_run, keys)
    made = _panel(extract.run(QUARTER, settings, names=["labour-market"]))
    assert made.manifest["codes"]["key"] == "2"
    now = set(pl.read_parquet(Path(str(made.folder)) / "dmfa.parquet")["person"])
    assert not now & given.codes("example-research-group", QUARTER)
    assert len(now) == len(given.codes("example-research-group", QUARTER))
    rows = load(REGISTER)
    for quarter, file in ((QUARTER.before, given.keys), (QUARTER, keys)):
        assert codings(read_keys(keys), quarter, rows) == codings(read_keys(file), quarter, rows)


def test_r24_what_a_project_was_given_is_removed_when_its_time_is_over(given: Given, own_run: SampleRun) -> None:
    """Its end comes before the five years of its retention."""
    text = two_projects(own_run.folder).read_text(encoding="utf-8").replace("2031-12-31", "2026-12-31", 1)
    register = own_run.folder / "ending.yaml"
    register.write_text(text, encoding="utf-8")
    settings = settings_of(own_run, given.keys, register)
    done = {delivery.recipient: delivery for delivery in extract.run(QUARTER, settings).deliveries}
    folder = Path(str(done["example-research-group"].folder))
    assert done["example-research-group"].manifest["keep_until"] == "2026-12-31"
    assert done["other-group"].manifest["keep_until"] > "2031-01-01"
    last = extract.run(QUARTER, replace(settings, received_on=date(2026, 12, 31)))
    assert folder.exists()
    assert len(last.deliveries) == 2
    after = extract.run(QUARTER, replace(settings, received_on=date(2027, 1, 1)))
    assert not folder.exists()
    assert [delivery.recipient for delivery in after.deliveries] == ["other-group"]
    assert any("the data of project example-panel were to be destroyed by 2026-12-31" in one for one in after.notices)


def test_without_a_key_the_others_are_given_and_the_project_is_told(own_run: SampleRun, tmp_path: Path) -> None:
    told = "labour-market is not given to example-research-group: there is no key for the codes of project"
    other = tmp_path / "keys"
    new_key(other, "example-panel", Quarter(2026, 4))
    new_key(other, "other-panel")
    some = extract.run(QUARTER, settings_of(own_run, other, two_projects(tmp_path)))
    assert [one for one in some.notices if one.startswith(f"{told} example-panel in 2026/3")]
    assert [delivery.recipient for delivery in some.deliveries] == ["other-group"]
    with Lake.open(own_run.lake) as lake:
        refused = lake.arrow("SELECT recipient, inss FROM lake.exchange.log WHERE reason LIKE 'there is no key for%'")
    assert {"recipient": "example-research-group", "inss": None} in refused.to_pylist()
    with pytest.raises(NotAuthorised, match=f"{told} example-panel in 2026/3"):
        extract.run(QUARTER, settings_of(own_run, None), names=["labour-market"])
    other.chmod(0o644)
    with pytest.raises(WrongUsage, match="can be read or written by others"):
        extract.must_be_readable(settings_of(own_run, other))


def test_a_key_as_a_user_makes_it(tmp_path: Path) -> None:
    keys = str(tmp_path / "keys")
    made = dmfa("keys", "new", "example-panel", cwd=tmp_path, DMFA_PSEUDONYM_KEYS=keys)
    assert (made.returncode, made.stdout) == (0, f"example-panel has key 1 for all quarters, in {keys}\n")
    listed = dmfa("keys", "list", "--json", cwd=tmp_path, DMFA_PSEUDONYM_KEYS=keys)
    assert json.loads(listed.stdout) == {"project": "example-panel", "key": "1", "from": "2003/1"}


def test_the_file_of_local_units_gives_regions(own_run: SampleRun, tmp_path: Path) -> None:
    settings = settings_of(own_run, None)
    with Lake.open(own_run.lake) as lake:
        sql = "SELECT DISTINCT local_unit_id FROM lake.authentic.occupation WHERE local_unit_id IS NOT NULL ORDER BY 1"
        units = [number for number in lake.arrow(sql).column(0).to_pylist() if number < 8_999_999_000]
    before = extract.run(QUARTER, settings, names=["statistics"]).deliveries[0]
    file = tmp_path / "units.csv"
    file.write_text("local_unit_id,region,nace\n" + "".join(f"{unit},Wallonia,62010\n" for unit in units))
    assert local_units.run(file, settings).changed
    assert not local_units.run(file, settings).changed
    after = extract.run(QUARTER, settings, names=["statistics"]).deliveries[0]
    assert after.changed
    assert before.ticket != after.ticket
    regions = pl.read_parquet(Path(str(after.folder)) / "employment.parquet")["region"]
    assert "Wallonia" in set(regions)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("local_unit_id,region\n2000000141,Flanders\n", "has no column nace"),
        ("local_unit_id,region,nace\n2000000142,Flanders,\n", "line 2: local_unit_id is not what it should be"),
        ("local_unit_id,region,nace\n2000000141,Elsewhere,\n", "line 2: region is not what it should be"),
        ("local_unit_id,region,nace\n2000000141,,6201\n", "line 2: nace is not what it should be"),
        ("local_unit_id,region,nace\n2000000141,,\n2000000141,,\n", "holds a local unit twice"),
    ],
)
def test_a_file_of_local_units_is_read_strictly(tmp_path: Path, lines: str, said: str) -> None:
    file = tmp_path / "units.csv"
    file.write_text(lines)
    with pytest.raises(WrongUsage, match=said):
        local_units.run(file, Settings(lake=str(tmp_path / "lake")))
    assert not (tmp_path / "lake").exists()


def test_r24_the_example_says_who_destroys_what_and_when() -> None:
    (row,) = [row for row in load(REGISTER) if row.research]
    assert row.research is not None
    assert (row.research.project, row.research.destroy_by, row.deliberation) == (
        "example-panel",
        date(2031, 12, 31),
        "example",
    )


def _panel(done: Extracted) -> Delivery:
    return next(delivery for delivery in done.deliveries if delivery.extract == "labour-market")
