"""R9, R10, R11: the exchange log says what was given and refused, and nobody changes it unseen."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from dmfa.extracts import Refusal, exchange, record_refusals
from dmfa.extracts.audit import Audit, audit
from dmfa.extracts.communications import about, communications
from dmfa.lake import Lake
from tests.unit.extracts.material import CANARY, NARROW, QUARTER, RUN, given, new_lake, permit_of

Place = tuple[Path, Path]
Spoil = Callable[..., list[tuple[str, str]]]
LINKS_OF_RUN_2 = {3: "0 to 3", 4: "4 to 7", 5: "8 to 8"}
LATER = datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A lake out of which two extracts were given and one refused, links of four rows; and the folder of results."""
    folder = tmp_path_factory.mktemp("audit")
    lake, out = new_lake(folder), folder / "out"
    other = {"name": "other-fund", "title": "Invented", "sector": "999", "institution": "2"}
    refused = [Refusal("pensions", "no-fund", "no row names it"), Refusal(None, "some-fund", "expired")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange, "LINK_ROWS", 4)
        given(lake, permit_of(folder, blocks=NARROW), out)
        given(lake, permit_of(folder, id="narrow", recipient=other, blocks=NARROW), out, run=replace(RUN, id="run-2"))
        with Lake.open(lake, write=True, wait_seconds=0) as opened:
            record_refusals(opened, QUARTER, "run-3", LATER, refused, asked=True)
    return lake, out


@pytest.fixture(scope="module")
def opened(made: Place) -> Iterator[Lake]:
    """The lake, open for writing; what a test changes it takes back."""
    with Lake.open(made[0], write=True, wait_seconds=0) as lake:
        yield lake


@pytest.fixture
def spoil(opened: Lake, made: Place) -> Iterator[Spoil]:
    """Change the lake by some SQL and tell what a check then finds."""
    opened._connection.execute("BEGIN TRANSACTION")

    def spoilt(*statements: str, head: str = "") -> list[tuple[str, str]]:
        for sql in statements:
            opened._connection.execute(sql)
        return told(opened, made[1], head)

    yield spoilt
    opened._connection.execute("ROLLBACK")


@pytest.fixture
def out(made: Place, tmp_path: Path) -> Path:
    """A copy of the folder of results."""
    return Path(shutil.copytree(made[1], tmp_path / "out"))


def told(lake: Lake, out: Path | None = None, head: str = "") -> list[tuple[str, str]]:
    return [(one.where, one.what) for one in audit(lake, out, head=head).findings]


def ticket(out: Path, recipient: str) -> str:
    manifest = json.loads((out / "extracts/2026-3/attestation" / recipient / "manifest.json").read_text())
    return str(manifest["ticket"])


def test_r10_the_log_agrees_with_what_was_given(opened: Lake, made: Place) -> None:
    found = audit(opened, made[1])
    assert found.findings == ()
    # 9 attestations to each of two recipients, under three links each, and two refusals under one.
    assert (found.rows, found.links, found.communications, found.manifests) == (20, 7, 2, 2)
    links = opened.arrow("SELECT * FROM lake.exchange.chain ORDER BY number").to_pylist()
    log = pl.DataFrame(opened.arrow("SELECT * FROM lake.exchange.log ORDER BY run_id, id"))
    assert found.head == links[-1]["sha256"]
    assert [(link["run_id"], link["first_id"], link["rows"]) for link in links] == [
        ("run-1", 0, 4), ("run-1", 4, 4), ("run-1", 8, 1), ("run-2", 0, 4), ("run-2", 4, 4), ("run-2", 8, 1),
        ("run-3", 0, 2),
    ]  # fmt: skip
    per_flow = Counter(zip(log["recipient"], log["result"], strict=True))
    assert per_flow[("some-fund", "given")] == per_flow[("other-fund", "given")] == 9
    assert log["ticket"].to_list()[:9] == [links[0]["ticket"]] * 9
    assert links[6]["ticket"] is None


def test_r9_rows_lie_in_the_order_of_persons(opened: Lake) -> None:
    log = pl.DataFrame(opened.arrow("SELECT run_id, id, inss FROM lake.exchange.log WHERE result = 'given'"))
    for _, rows in log.sort("run_id", "id").group_by("run_id"):
        assert rows["inss"].is_sorted()


def test_r9_who_got_what_about_a_person_between_two_days(opened: Lake) -> None:
    sql = 'SELECT "at", recipient, attestation, version FROM lake.exchange.log WHERE inss = ?'
    wanted = opened.arrow(sql, [CANARY]).to_pylist()
    assert {row["recipient"] for row in wanted} == {"some-fund", "other-fund"}
    day = date(2026, 11, 22)
    found = about(opened, CANARY, day, day)
    assert sorted(({name: row[name] for name in wanted[0]} for row in found), key=str) == sorted(wanted, key=str)
    assert about(opened, CANARY, date(2026, 11, 23)) == about(opened, CANARY, until=date(2026, 11, 21)) == []
    assert about(opened, 77101500172) == []
    (facts,) = {(row["purpose"], row["legal_basis"], row["deliberation"], row["quarter"]) for row in found}
    assert facts == ("Tests", "None", "example", 20263)
    assert str(CANARY) not in json.dumps(found, default=str)


def test_r11_refusals_stand_among_the_communications(opened: Lake) -> None:
    refused = communications(opened, date(2026, 11, 25))
    assert [(row["result"], row["flow"], row["recipient"], row["reason"], row["persons"]) for row in refused] == [
        ("refused", "pensions", "no-fund", "no row names it", 0),
        ("refused", None, "some-fund", "expired", 0),
    ]
    assert [row["persons"] for row in communications(opened, until=date(2026, 11, 24))] == [9, 9]


@pytest.mark.parametrize(
    ("sql", "where", "what"),
    [
        (
            "UPDATE lake.exchange.log SET inss = inss + 97 WHERE run_id = 'run-1' AND id = 5",
            1,
            "a row of it was changed",
        ),
        ("UPDATE lake.exchange.log SET \"at\" = '2026-01-01' WHERE run_id = 'run-3' AND id = 1", 6, "was changed"),
        ("UPDATE lake.exchange.log SET reason = 'x' WHERE run_id = 'run-2' AND id = 8", 5, "a row of it was changed"),
        ("DELETE FROM lake.exchange.log WHERE run_id = 'run-2' AND id = 4", 4, "4 rows were written, 3 are there"),
        ("DELETE FROM lake.exchange.log WHERE run_id = 'run-1'", 0, "4 rows were written, 0 are there"),
        ("UPDATE lake.exchange.chain SET rows = 3 WHERE number = 2", 2, "it was changed"),
        ("DELETE FROM lake.exchange.chain WHERE number = 3", 4, "link 3 is missing before it"),
    ],
)
def test_r9_tampering_is_found_and_told_where(spoil: Spoil, sql: str, where: int, what: str) -> None:
    first, *_ = spoil(sql)
    assert first[0].startswith(f"link {where} (run run-")
    assert what in first[1]


def test_r9_a_row_added_to_the_log_is_found(spoil: Spoil) -> None:
    found = spoil("INSERT INTO lake.exchange.log (id, run_id, quarter) VALUES (99, 'run-2', 20263)")
    assert found == [("run run-2", "1 rows that no link covers, of quarter 20263")]


def test_r9_an_end_cut_off_with_its_links_is_found_by_the_head(spoil: Spoil, opened: Lake) -> None:
    head = audit(opened).head
    assert spoil(head=head) == []
    cut = ("DELETE FROM lake.exchange.chain WHERE number = 6", "DELETE FROM lake.exchange.log WHERE run_id = 'run-3'")
    assert spoil(*cut) == []
    assert spoil(head=head) == [("the chain", "the link told with --head is not in it: the end of the log is gone")]


def test_r10_a_communication_without_its_rows_or_its_delivery_is_found(spoil: Spoil, made: Place) -> None:
    found = spoil(
        "DELETE FROM lake.exchange.chain WHERE number >= 3", "DELETE FROM lake.exchange.log WHERE run_id <> 'run-1'"
    )
    assert found == [(f"ticket {ticket(made[1], 'other-fund')}", "9 attestations delivered, 0 in the log")]
    found = spoil("DELETE FROM lake.exchange.delivery WHERE run_id = 'run-1'")
    place = f"ticket {ticket(made[1], 'some-fund')}"
    assert (place, "9 rows in the log, and no delivery recorded") in found


def test_r9_a_file_that_is_dropped_is_found(made: Place, tmp_path: Path) -> None:
    lake = shutil.copytree(made[0], tmp_path / "lake")
    with Lake.open(lake) as opened:
        files = opened.arrow("SELECT DISTINCT filename FROM lake.exchange.log WHERE run_id = 'run-2'").column(0)
    (name,) = {Path(file.as_py()).name for file in files}
    (file,) = lake.rglob(name)
    file.unlink()
    number = ticket(made[1], "other-fund")
    with Lake.open(lake) as opened:
        found = dict(told(opened))
    where = [f"link {link} (run run-2, ticket {number}, rows {rows})" for link, rows in LINKS_OF_RUN_2.items()]
    assert found.keys() == {"the log", *where, f"ticket {number}"}
    assert all("cannot be read" in found[place] for place in where)


def test_r10_a_delivery_in_place_that_is_not_the_one_recorded_is_found(opened: Lake, out: Path) -> None:
    folder = out / "extracts/2026-3/attestation/some-fund"
    (folder / "remun.parquet").write_bytes(b"other")
    (folder / "occupation.parquet").unlink()
    assert told(opened, out) == [
        (str(folder / "occupation.parquet"), "it is not there"),
        (str(folder / "remun.parquet"), "it is not the file that was recorded"),
    ]
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "attestations": 8, "files": {}}))
    found = told(opened, out)
    assert found[0] == (str(folder), "8 attestations by its manifest, 9 recorded")
    assert {what for _, what in found[1:]} == {"the manifest has not the digest that was recorded"}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "ticket": "another"}))
    assert told(opened, out) == [(str(folder), "its communication, ticket another, is not recorded in this lake")]
    (folder / "manifest.json").write_text("{}")
    assert told(opened, out) == [(str(folder), "its manifest cannot be read")]


def test_maintenance_leaves_the_chain_whole(made: Place, tmp_path: Path) -> None:
    with Lake.open(shutil.copytree(made[0], tmp_path / "lake"), write=True, wait_seconds=0) as lake:
        done = lake.maintain()
        assert done.after < done.before
        assert told(lake, made[1]) == []


def test_an_empty_log_agrees(tmp_path: Path) -> None:
    with Lake.open(tmp_path / "lake", write=True, create=True) as lake:
        assert audit(lake, tmp_path / "out") == Audit(0, 0, "", 0, 0, ())
