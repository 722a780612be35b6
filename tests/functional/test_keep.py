"""The lake and its ledger as a user meets them: conflicts, late filings, the list, a newer XSD, maintenance."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dmfa.errors import WrongUsage
from dmfa.lake import Lake, received_bytes
from dmfa.quarter import Quarter
from dmfa.schema import home
from dmfa.synth import Options, make_quarter
from tests.conftest import SampleRun, dmfa
from tests.keeping import content, left_over


@pytest.fixture(scope="module")
def invented(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Declarations of two employers over three quarters: `<quarter>_<employer>.xml`."""
    folder = tmp_path_factory.mktemp("invented")
    for quarter in ("2026/3", "2026/1", "2023/1"):
        make_quarter(Quarter.parse(quarter), 2, 5, folder / quarter.replace("/", "-"), Options(largest=3))
    return {path.name: path.read_bytes() for path in folder.glob("*/*.xml")}


def put(folder: Path, **files: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / f"{name}.xml").write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, invented: dict[str, bytes]) -> Path:
    """A lake after three runs: one quarter, then earlier ones, one filing refused."""
    folder = tmp_path_factory.mktemp("three")
    broken = invented["20261_000001.xml"][:-30]
    for number, files in enumerate(
        (
            {"new": invented["20263_000000.xml"]},
            {"late": invented["20261_000000.xml"], "oldest": invented["20231_000000.xml"]},
            {"broken": broken, "again": invented["20261_000001.xml"]},
        )
    ):
        done = dmfa("ingest", put(folder / str(number), **files), cwd=folder)
        assert done.returncode == (number == 2), done.stderr
    return folder


def test_late_filings_go_where_they_belong(three: Path, invented: dict[str, bytes]) -> None:
    with Lake.open(three / "lake") as lake:
        rows = lake.arrow(
            "SELECT f.name, d.quarter FROM lake.authentic.employer_declaration d JOIN lake.received.filing f"
            " USING (filing_id) ORDER BY d.quarter, f.name"
        ).to_pylist()
    quarters = [(row["name"], row["quarter"]) for row in rows]
    assert quarters == [("oldest.xml", 20231), ("again.xml", 20261), ("late.xml", 20261), ("new.xml", 20263)]
    folders = {path.name for path in (three / "lake" / "data" / "history" / "natural_person").iterdir()}
    assert folders == {"quarter=20231", "quarter=20261", "quarter=20263"}


def test_a_run_that_is_asked_tells_how_long_its_parts_took(tmp_path: Path, invented: dict[str, bytes]) -> None:
    inbox = put(tmp_path / "inbox", one=invented["20263_000000.xml"])
    told = dmfa("ingest", "-v", inbox, cwd=tmp_path).stdout.splitlines()[-1]
    parts = ("opening the lake", "receiving", "reading", "publishing", "answering")
    assert re.fullmatch("seconds: " + ", ".join(rf"{part} \d+\.\d\d" for part in parts), told)
    assert "seconds" not in dmfa("ingest", inbox, cwd=tmp_path).stdout


def test_the_ledger_is_listed(three: Path, invented: dict[str, bytes]) -> None:
    done = dmfa("filings", "--json", cwd=three)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(row["name"] for row in rows) == ["again.xml", "broken.xml", "late.xml", "new.xml", "oldest.xml"]
    (broken,) = [row for row in rows if row["state"] == "refused"]
    assert (broken["name"], broken["reason"]) == ("broken.xml", "not_well_formed")
    (new,) = [row for row in rows if row["name"] == "new.xml"]
    assert re.fullmatch(r"[A-Z2-7]{13}", new["ticket"])
    assert (new["kind"], new["quarter"], new["schema"]) == ("DmfAOriginal", 20263, "DmfAOriginal_20231.xsd")
    assert (new["declarations"], new["refused"], new["received"]) == (1, 0, "2026-11-22 12:00:00")
    persons = set(re.findall(rb"<INSS>0*(\d+)</INSS>", b"".join(invented.values())))
    assert new["persons"] == invented["20263_000000.xml"].count(b"<NaturalPerson>")
    assert persons
    assert not any(number.decode() in done.stdout for number in persons)


def test_the_list_is_of_a_quarter_or_a_state(three: Path) -> None:
    done = dmfa("filings", "--quarter", "2026/1", "--state", "accepted", cwd=three)
    assert (done.returncode, done.stderr) == (0, "")
    assert "late.xml" in done.stdout
    assert "again.xml" in done.stdout
    assert "new.xml" not in done.stdout
    assert done.stdout.rstrip().endswith("control: 2 filings = 2 accepted + 0 refused + 0 not processed")
    wrong = dmfa("filings", "--state", "lost", cwd=three)
    assert wrong.returncode == 2
    assert "not_processed" in wrong.stderr


def test_one_name_with_other_bytes_is_a_conflict_and_both_are_kept(tmp_path: Path, invented: dict[str, bytes]) -> None:
    first, second = invented["20263_000000.xml"], invented["20263_000001.xml"]
    assert dmfa("ingest", put(tmp_path / "monday", x=first), cwd=tmp_path).returncode == 0
    done = dmfa("ingest", put(tmp_path / "tuesday", x=second), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "conflict: x.xml stands on the ledger with other bytes; both are kept" in done.stdout
    # The same bytes once more are no conflict, and change nothing.
    before = content(tmp_path / "lake")
    again = dmfa("ingest", tmp_path / "monday", tmp_path / "tuesday", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "conflict" not in again.stdout
    assert content(tmp_path / "lake") == before
    with Lake.open(tmp_path / "lake") as lake:
        rows = lake.arrow("SELECT name, state, sha256 FROM lake.received.filing").to_pylist()
    assert [(row["name"], row["state"]) for row in rows] == [("x.xml", "accepted")] * 2
    assert {received_bytes(tmp_path / "lake", row["sha256"]) for row in rows} == {first, second}


def newer_release(folder: Path) -> Path:
    """A made-up release of 2026/1: one more zone of a person, and a block of its own inside it."""
    text = (home() / "DmfAOriginal_20231.xsd").read_text()
    record = '      <xs:element name="WorkerRecord" type="WorkerRecord" maxOccurs="unbounded"/>\n'
    assert text.count(record) == 1
    zone = '<xs:simpleType name="{0}"><xs:annotation><xs:documentation>{1}</xs:documentation></xs:annotation>{2}'
    whole = '<xs:restriction base="xs:integer"><xs:totalDigits value="9"/></xs:restriction></xs:simpleType>\n'
    block = (
        '<xs:complexType name="Telework"><xs:annotation><xs:documentation>90999 Made-up block: days at home'
        '</xs:documentation></xs:annotation><xs:sequence><xs:element name="TeleworkDays" type="TeleworkDays"/>'
        "</xs:sequence></xs:complexType>\n"
    )
    text = text.replace(
        record,
        '      <xs:element name="Badge" type="Badge" minOccurs="0"/>\n'
        '      <xs:element name="Telework" type="Telework" minOccurs="0" maxOccurs="unbounded"/>\n' + record,
    )
    added = block + zone.format("Badge", "09998 Made-up zone", whole) + zone.format("TeleworkDays", "09999 Days", whole)
    folder.mkdir()
    (folder / "DmfAOriginal_20261.xsd").write_text(text.replace("</xs:schema>", f"{added}</xs:schema>"))
    return folder


def test_a_newer_release_adds_tables_and_columns(tmp_path: Path, invented: dict[str, bytes]) -> None:
    old = dmfa("ingest", put(tmp_path / "old", old=invented["20263_000000.xml"]), cwd=tmp_path)
    assert old.returncode == 0, old.stderr
    xsd = newer_release(tmp_path / "xsd")
    record = b"<WorkerRecord>"
    more = b"<Badge>7</Badge><Telework><TeleworkDays>3</TeleworkDays></Telework>"
    data = invented["20263_000001.xml"].replace(record, more + record, 1)
    done = dmfa("ingest", put(tmp_path / "new", new=data), "--xsd", xsd, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    query = (
        "SELECT f.name, p.badge, t.telework_days FROM natural_person p JOIN received.filing f USING (filing_id)"
        " LEFT JOIN telework t USING (declaration_id, natural_person_ordinal)"
        " WHERE p.natural_person_ordinal = 0 ORDER BY f.name"
    )
    asked = dmfa("sql", query, "--format", "csv", cwd=tmp_path)
    assert asked.stdout.splitlines() == ["name,badge,telework_days", "new.xml,7,3", "old.xml,,"], asked.stderr
    # Whoever does not name the release again finds a lake that holds more than what is sent now.
    late = dmfa("ingest", put(tmp_path / "late", late=invented["20231_000000.xml"]), cwd=tmp_path)
    assert late.returncode == 0, late.stdout + late.stderr
    asked = dmfa("sql", query, "--format", "csv", cwd=tmp_path)
    assert asked.stdout.splitlines()[1:] == ["late.xml,,", "new.xml,7,3", "old.xml,,"], asked.stderr


def test_maintenance_changes_no_content(three: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(three / "lake", lake)
    with Lake.open(lake) as opened:
        moments = opened.arrow("SELECT snapshot_time FROM ducklake_snapshots('lake') ORDER BY 1").column(0).to_pylist()
    before, first = content(lake), moments[-3]
    digests = {path.name for path in (lake / "received").iterdir()}
    done = dmfa("maintain", "--lake", lake, DMFA_KEEP_STATES="30", DMFA_KEEP_RECEIVED="30")
    assert (done.returncode, done.stderr) == (0, "")
    many, few = map(int, re.findall(r"files in tables: (\d+) before, (\d+) now", done.stdout)[0])
    assert few < many
    assert content(lake) == before
    assert left_over(lake) == []
    # Nothing is older than a month yet: every state can be asked for, and all bytes are kept.
    with Lake.open(lake, as_of=first) as then:
        assert then.arrow("SELECT name FROM lake.received.filing").column(0).to_pylist() == ["new.xml"]
    assert {path.name for path in (lake / "received").iterdir()} == digests
    # A second time there is nothing to do, and no new state.
    with Lake.open(lake) as opened:
        state = opened.snapshot_id()
    assert dmfa("maintain", "--lake", lake).returncode == 0
    with Lake.open(lake) as opened:
        assert opened.snapshot_id() == state


def test_what_is_not_processed_says_why(sample_run: SampleRun) -> None:
    done = dmfa("filings", "--state", "not_processed", "--json", "--lake", sample_run.lake)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(row["kind"], row["reason"]) for row in rows} == {("DMFAPPLUpdate", "this version does not read its kind")}


def test_what_is_kept_long_enough_goes(three: Path, tmp_path: Path, invented: dict[str, bytes]) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(three / "lake", lake)
    before = content(lake)
    with Lake.open(lake) as opened:
        first = opened.arrow("SELECT min(snapshot_time) AS t FROM ducklake_snapshots('lake')").column(0)[0].as_py()
    done = dmfa("maintain", "--lake", lake, DMFA_KEEP_RECEIVED="30", DMFA_RECEIVED_ON="2026-12-24")
    assert "received files: 5 dropped, older than 30 days" in done.stdout, done.stderr
    assert list((lake / "received").iterdir()) == []
    with Lake.open(lake, write=True) as opened:
        done = opened.maintain(states_before=datetime.now(UTC))
        assert done.states > 3
    assert content(lake) == before
    with pytest.raises(WrongUsage, match="its oldest is of"):
        Lake.open(lake, as_of=first)
    # The ledger stays for ever: what was received is known, though its bytes are gone.
    again = dmfa("ingest", put(tmp_path / "again", new=invented["20263_000000.xml"]), "--lake", lake, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "control: 0 filings received" in again.stdout
    assert content(lake) == before


def test_a_lake_of_a_newer_format_is_told_and_stays_as_it_is(three: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(three / "lake", lake)
    with Lake.open(lake, write=True) as opened:
        opened.arrow("UPDATE lake.received.meta SET value = '99' WHERE key = 'format'")
    for words in (("ingest", three / "0"), ("filings",), ("maintain",)):
        done = dmfa(*words, "--lake", lake, cwd=tmp_path)
        assert done.returncode == 13
        assert done.stderr.startswith(f"dmfa: the lake {lake} has format 99; this program knows formats up to ")


def test_a_damaged_catalog_is_told_and_stays_as_it_is(three: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(three / "lake", lake)
    with sqlite3.connect(lake / "catalog.sqlite") as database:
        database.execute("DROP TABLE ducklake_data_file")
    database.close()
    before = (lake / "catalog.sqlite").read_bytes()
    for words in (("ingest", three / "0"), ("filings",)):
        done = dmfa(*words, "--lake", lake, cwd=tmp_path)
        assert done.returncode == 13
        assert len(done.stderr.splitlines()) == 2
        assert "backup" in done.stderr
    assert (lake / "catalog.sqlite").read_bytes() == before
