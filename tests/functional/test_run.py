"""`dmfa run` over the sample quarter, as a user sees it: verdicts, tables, amounts, extracts, a second run."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from dmfa.extracts import EXTRACTS, authorised
from dmfa.lake import Lake, received_bytes
from tests.conftest import SAMPLES, TODAY, SampleRun, dmfa, dmfa_process, run_samples
from tests.oracle_lake import compare
from tests.packed import contents

EXPECTED = json.loads((SAMPLES / "expected.json").read_text())
AUTHORISATIONS, DAY = SAMPLES / "authorisations.yaml", date.fromisoformat(TODAY)


def query(run: SampleRun, sql: str) -> list[dict[str, str]]:
    done = dmfa("sql", sql, "--lake", run.lake, "--format", "csv")
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_ends_with_one_because_filings_were_refused_and_says_where_all_is(sample_run: SampleRun) -> None:
    assert sample_run.done.returncode == 1
    assert sample_run.done.stderr == ""
    output = sample_run.done.stdout
    for words in ("Refused, and why", "Declared against computed, 2026/3", "Not computable, and why", "Extracts"):
        assert words in output
    assert "received.filing WHERE state <> 'accepted'" in output
    assert output.rstrip().splitlines()[-1].startswith("control: ")


def test_the_control_line_adds_up(sample_run: SampleRun) -> None:
    line = sample_run.done.stdout.rstrip().splitlines()[-1]
    # A file that is byte for byte another one is one filing.
    once = Counter(truth["verdict"] for truth in EXPECTED["filings"] if truth["same_bytes_as"] is None)
    assert sample_run.done.stdout.count("is the same, byte for byte, as") == len(EXPECTED["filings"]) - once.total() > 0
    assert line.startswith(
        f"control: {once.total()} filings received = {once['accepted']} accepted + {once['refused']} refused"
        f" + {once['not_processed']} not processed; "
    )


def test_every_filing_has_the_verdict_that_its_maker_foretells(sample_run: SampleRun) -> None:
    found = {row["name"]: row for row in query(sample_run, "SELECT name, state, reason FROM received.filing")}
    for truth in EXPECTED["filings"]:
        name = truth["file"]
        if truth["same_bytes_as"] is not None:
            assert name not in found
            assert f"{name} is the same, byte for byte, as {truth['same_bytes_as']}" in sample_run.done.stdout
            continue
        assert found[name]["state"] == truth["verdict"], name
        assert set(truth["codes"]) <= set(found[name]["reason"].split()), name


def test_the_tables_hold_every_cell_of_the_accepted_declarations_and_no_other(sample_run: SampleRun) -> None:
    declarations, found = compare(sample_run.lake)
    assert found == []
    assert declarations > 30
    rows = query(
        sample_run,
        "SELECT table_name AS name FROM information_schema.tables"
        " WHERE table_schema = 'authentic' AND table_catalog = 'lake'",
    )
    with Lake.open(sample_run.lake) as lake:
        heights = {
            name: frame.height for name, frame in lake.frames("authentic", [row["name"] for row in rows]).items()
        }
    assert {name: height for name, height in heights.items() if height} == EXPECTED["totals"]["rows"]


def test_each_amount_is_that_of_the_exact_fractions(sample_run: SampleRun) -> None:
    """Every difference row against expected_amounts.csv, which dmfa.synth computes without contributions/."""
    with (SAMPLES / "expected_amounts.csv").open(newline="") as file:
        truth = list(csv.DictReader(file))
    rows = query(
        sample_run,
        "SELECT f.name AS file, o.form_index, d.* FROM computed.difference d"
        " JOIN received.form o USING (declaration_id) JOIN received.filing f ON f.filing_id = o.filing_id",
    )
    key = (
        "file",
        "form_index",
        "inss",
        "employer_class",
        "worker_code",
        "occupation_sequence_nbr",
        "kind",
        "code",
        "type",
    )
    lawful: dict[tuple[str, ...], Counter[tuple[str, str]]] = {}
    for row in truth:
        lawful.setdefault(tuple(row[name] for name in key), Counter())[row["declared_cents"], row["lawful_cents"]] += 1
    compared = 0
    for row in rows:
        known = lawful.get(tuple(row[name] for name in key), Counter())
        amounts = {cents for (declared, cents) in known if declared == row["declared_cents"]}
        if row["computed_cents"]:
            assert row["computed_cents"] in amounts, (row["file"], row["code"])
            compared += 1
    assert compared > 1500


def test_nearly_all_that_is_declared_is_computed(sample_run: SampleRun) -> None:
    (row,) = query(
        sample_run,
        "SELECT sum(declared_contribution_cents)::BIGINT AS declared,"
        " sum(covered_contribution_cents)::BIGINT AS covered"
        " FROM computed.employer_account WHERE quarter = 20263",
    )
    assert int(row["covered"]) * 100 >= 95 * int(row["declared"])


def test_a_line_that_cannot_be_computed_says_why_and_has_no_amount(sample_run: SampleRun) -> None:
    rows = query(sample_run, "SELECT status, reason, amount_cents, trust FROM computed.contribution")
    for row in rows:
        computed = row["status"] == "computed"
        assert computed == (row["reason"] == "") == (row["amount_cents"] != "") == (row["trust"] in {"A", "B"})
    assert {row["status"] for row in rows} == {"computed", "not computable"}


def test_a_second_run_changes_nothing(own_run: SampleRun) -> None:
    with Lake.open(own_run.lake) as lake:
        before = lake.snapshot_id()
    given = digests(own_run.out)
    data = digests(own_run.lake / "data")
    done = run_samples(own_run.folder, "--no-prefect")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "control: 0 filings received" in done.stdout
    with Lake.open(own_run.lake) as lake:
        assert lake.snapshot_id() == before
    assert digests(own_run.out) == given
    assert digests(own_run.lake / "data") == data


def test_the_bytes_of_everything_received_are_kept(sample_run: SampleRun) -> None:
    """Unpacked, for a filing is the same however it was packed; of a bad archive there is nothing to keep."""
    kept = {row["sha256"]: row for row in query(sample_run, "SELECT sha256, name, size FROM received.filing")}
    bad = {truth["file"] for truth in EXPECTED["filings"] if truth["fault"] == "bad_archive"}
    compared = 0
    for name, data in contents(SAMPLES / "inbox").items():
        if name in bad or name.partition("/")[0] in bad:
            continue
        digest = hashlib.sha256(data).hexdigest()
        assert digest in kept, name
        assert received_bytes(sample_run.lake, digest) == data
        compared += 1
    assert compared == len(EXPECTED["filings"]) - len(bad)


def test_what_comes_later_is_judged_by_what_is_there(own_run: SampleRun) -> None:
    done = dmfa("ingest", SAMPLES / "later", "--lake", own_run.lake, "--out", own_run.out)
    assert done.returncode == 1, done.stdout + done.stderr
    rows = query(own_run, "SELECT name, sha256, state, reason, quarter FROM received.filing")
    found = {(row["name"], row["sha256"]): row for row in rows}
    for truth in EXPECTED["later"]:
        name = truth["file"]
        data = (SAMPLES / "later" / name).read_bytes()
        row = found[name, hashlib.sha256(data).hexdigest()]
        assert row["state"] == truth["verdict"], name
        assert set(truth["codes"]) <= set(row["reason"].split()), name
        assert int(row["quarter"]) == truth["quarter"]
        known = truth["name_known"] and truth["same_bytes_as"] is None
        assert (f"conflict: {name} stands on the ledger with other bytes" in done.stdout) is known
    new = [truth for truth in EXPECTED["later"] if truth["same_bytes_as"] is None]
    assert len(found) == sum(EXPECTED["totals"]["filings"].values()) + len(new)
    assert done.stdout.rstrip().splitlines()[-1].startswith(f"control: {len(new)} filings received = ")
    (held,) = query(own_run, "SELECT count(*) AS n FROM authentic.employer_declaration")
    accepted = sum(truth["declarations"] - truth["refused"] for truth in new if "declarations" in truth)
    assert int(held["n"]) == EXPECTED["totals"]["kept"] + accepted
    assert "corrections: 3 = 1 applied + 1 refused + 1 waiting for their original" in done.stdout
    (corrected,) = [truth["corrected"] for truth in new if "corrected" in truth and truth["verdict"] == "accepted"]
    (entry,) = query(own_run, "SELECT entry, summed_net_cents FROM computed.employer_account WHERE version > 1")
    assert entry == {"entry": "correction", "summed_net_cents": str(corrected["cents"])}


def test_computing_anew_gives_what_ingest_computed(own_run: SampleRun) -> None:
    done = dmfa("compute", "2026/3", "--lake", own_run.lake)
    assert done.returncode == 0, done.stderr
    assert "the amounts in the lake were the same already" in done.stdout
    (row,) = query(
        own_run, "SELECT min(noss_registration_nbr) AS n FROM authentic.employer_declaration WHERE quarter = 20263"
    )
    done = dmfa("compute", "2026/3", "--employer", row["n"], "--lake", own_run.lake)
    assert done.returncode == 0, done.stderr
    assert "the same already" in done.stdout


def test_trust_a_computes_less_and_says_so(own_run: SampleRun) -> None:
    done = dmfa("compute", "2026/3", "--trust", "A", "--lake", own_run.lake)
    assert done.returncode == 0, done.stderr
    assert "the amounts in the lake are new" in done.stdout
    trusts = query(own_run, "SELECT DISTINCT trust FROM computed.deduction WHERE quarter = 20263 AND trust IS NOT NULL")
    assert "B" not in {row["trust"] for row in trusts}


def test_the_log_has_one_row_per_person_given(sample_run: SampleRun) -> None:
    (row,) = query(
        sample_run,
        "SELECT count(*) AS n, count(DISTINCT (recipient, attestation)) AS d FROM exchange.log WHERE result = 'given'",
    )
    manifests = [json.loads(path.read_text()) for path in sample_run.out.rglob("manifest.json")]
    # Codes need a key of the project's own, which the sample run does not have.
    allowed = {one for one in authorised(AUTHORISATIONS, DAY) if not EXTRACTS[one[0]].coded}
    assert {(one["extract"], one["recipient"]) for one in manifests} == allowed
    assert len(manifests) == len(allowed) > 10
    assert int(row["n"]) == int(row["d"]) == sum(manifest["attestations"] for manifest in manifests) > 0


def test_the_end_tells_what_was_given_to_whom(sample_run: SampleRun) -> None:
    told = sample_run.done.stdout.partition("\nExtracts\n")[2].partition("\nWhere it is\n")[0]
    rows = {tuple(line.split()[:5]) for line in told.splitlines() if line.endswith("delivered ")}
    manifests = [json.loads(path.read_text()) for path in sample_run.out.rglob("manifest.json")]
    facts = ("extract", "recipient", "authorisation")
    assert rows == {(*(one[name] for name in facts), f"{one['attestations']:,}", "delivered") for one in manifests}
    assert "attestation is not given to example-study: authorisation example-study-2025 expired on 2025-12-31" in told


def test_the_end_tells_anomalies_by_code(sample_run: SampleRun) -> None:
    told = sample_run.done.stdout.partition("\nAnomalies by code")[2].partition("\nDeclared against")[0]
    found = {line.split()[0]: line.split()[-2:] for line in told.splitlines()[4:] if line.strip()}
    rows = query(
        sample_run,
        "SELECT code, count(*) AS n, count(DISTINCT filing_id) AS filings FROM received.anomaly"
        " JOIN received.filing f USING (filing_id) WHERE f.quarter = 20263 OR f.quarter IS NULL GROUP BY code",
    )
    assert len(rows) > 20
    assert found == {row["code"]: [row["n"], row["filings"]] for row in rows}


def test_what_a_run_leaves_out_is_logged_once(own_run: SampleRun) -> None:
    sql = (
        'SELECT flow, recipient, "authorisation", supplier, quarter, result, reason, inss, attestation, version'
        " FROM exchange.log WHERE result <> 'given' AND flow <> 'labour-market' ORDER BY recipient"
    )
    *without, row = query(own_run, sql)
    funds = ("child-fund", "family-fund", "health-fund", "job-service", "social-fund")
    assert [one["recipient"] for one in without] == [f"example-{name}" for name in funds]
    for one in without:
        assert one["result"] == "refused"
        assert re.search(r"of sector 999, type \d{3}, in the directory, which holds none", one["reason"])
    assert list(row.values()) == [
        "attestation", "example-study", "example-study-2025", "example-supplier", "20263", "refused",
        "authorisation example-study-2025 expired on 2025-12-31", "", "", "",
    ]  # fmt: skip
    register = ("--authorisations", SAMPLES / "authorisations.yaml")
    assert dmfa("extract", "2026/3", *register, "--lake", own_run.lake, "--out", own_run.out).returncode == 0
    assert len(query(own_run, sql)) == 6


@pytest.mark.services
def test_the_same_as_a_prefect_flow(sample_run: SampleRun, tmp_path: Path) -> None:
    done = dmfa_process(
        "run",
        "2026/3",
        "--inbox",
        SAMPLES / "inbox",
        "--authorisations",
        SAMPLES / "authorisations.yaml",
        cwd=tmp_path,
        PREFECT_HOME=str(tmp_path / "prefect"),
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    assert done.stdout == sample_run.done.stdout


def persons_of(names: Iterable[str]) -> set[tuple[int, int, int]]:
    """Quarter, NSSO number and number of the person of everybody whom plain files of the inbox declare."""
    found = set()
    for name in names:
        for declaration in etree.parse(SAMPLES / "inbox" / name).iter("EmployerDeclaration"):
            quarter, employer = (int(declaration.findtext(label, "0")) for label in ("Quarter", "NOSSRegistrationNbr"))
            found |= {(quarter, employer, int(inss.text or 0)) for inss in declaration.iterfind("NaturalPerson/INSS")}
    return found


def test_r18_only_persons_of_accepted_declarations_are_given(sample_run: SampleRun) -> None:
    plain = [one for one in EXPECTED["filings"] if one["well_formed"] and (SAMPLES / "inbox" / one["file"]).is_file()]
    accepted = persons_of(one["file"] for one in plain if one["verdict"] == "accepted" and not one.get("refused"))
    refused = persons_of(
        one["file"] for one in plain if one["verdict"] == "refused" and one.get("refused") == one.get("declarations")
    )
    folder = sample_run.out / "extracts" / "2026-3" / "attestation" / "example-career-fund"
    persons = pl.read_parquet(folder / "natural_person.parquet").join(
        pl.read_parquet(folder / "employer_declaration.parquet"), on="attestation"
    )
    given = set(persons.select(pl.col("quarter", "noss_registration_nbr", "inss").cast(pl.Int64)).iter_rows())
    assert {one for one in accepted if one[0] == 20263} <= given
    assert {one for one in refused - accepted if one[0] == 20263}
    assert not given & (refused - accepted)
