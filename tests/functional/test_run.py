"""`dmfa run` over the sample quarter, as a user sees it: verdicts, tables, amounts, extracts, a second run."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from dmfa.lake import Lake, received_bytes
from tests.conftest import SAMPLES, SampleRun, dmfa, run_samples
from tests.oracle_xml import differences, plain

EXPECTED = json.loads((SAMPLES / "expected.json").read_text())


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
    totals = EXPECTED["totals"]["filings"]
    # A file that is byte for byte another one is one filing.
    twice = sample_run.done.stdout.count("is the same, byte for byte, as")
    received = sum(totals.values()) - twice
    assert twice > 0
    assert line.startswith(
        f"control: {received} filings received = {totals['accepted'] - twice} accepted + {totals['refused']} refused"
        f" + {totals['not_processed']} not processed; "
    )


def test_every_filing_has_the_verdict_that_its_maker_foretells(sample_run: SampleRun) -> None:
    found = {row["name"]: row for row in query(sample_run, "SELECT name, state, reason FROM received.filing")}
    for name, truth in EXPECTED["files"].items():
        if name not in found:
            assert f"{name} is the same, byte for byte, as" in sample_run.done.stdout
            continue
        assert found[name]["state"] == truth["verdict"], name
        if truth.get("code"):
            assert truth["code"] in found[name]["reason"].split(), name


def test_the_tables_hold_every_cell_of_the_accepted_declarations_and_no_other(sample_run: SampleRun) -> None:
    with Lake.open(sample_run.lake) as lake:
        forms = pl.DataFrame(lake.arrow("SELECT * FROM lake.received.form WHERE state = 'accepted'"))
        ledger = pl.DataFrame(lake.arrow("SELECT filing_id, sha256 FROM lake.received.filing"))
        names = lake.arrow(
            "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'lake' AND table_schema = 'authentic'"
        )
        tables = lake.frames("authentic", [str(name) for name in names.column(0).to_pylist()])
    assert forms.height == EXPECTED["totals"]["kept"]
    assert {name: frame.height for name, frame in tables.items() if frame.height} == EXPECTED["totals"]["rows"]
    whole = forms.join(ledger, on="filing_id").sort("filing_id", "form_index")
    # A filing whose declarations are not all accepted is left to the test of its verdict.
    counted = Counter(whole["filing_id"])
    assert len(counted) > 30
    checked = 0
    for sha256, group in whole.group_by("sha256", maintain_order=True):
        data = received_bytes(sample_run.lake, str(sha256[0]))
        if data.count(b"<Form>") != group.height:
            continue
        order = {key: place for place, key in enumerate(group["declaration_id"])}
        mine = {}
        for name, frame in tables.items():
            own = [column for column in frame.columns if plain(column) == plain(f"{name}_ordinal")]
            rows = frame.filter(pl.col("declaration_id").is_in(list(order)))
            place = rows["declaration_id"].replace_strict(order, return_dtype=pl.Int64).alias("place")
            mine[name] = rows.with_columns(place).sort("place", *own).drop("place")
        assert differences([data], mine) == []
        checked += group.height
    assert checked >= EXPECTED["totals"]["kept"] - 1


def test_each_amount_is_that_of_the_exact_fractions(sample_run: SampleRun) -> None:
    """Every difference row against expected_amounts.csv, which dmfa.synth computes without contributions/."""
    with (SAMPLES / "expected_amounts.csv").open(newline="") as file:
        truth = list(csv.DictReader(file))
    rows = query(
        sample_run,
        "SELECT f.name AS file, o.form_index, d.* FROM computed.difference d"
        " JOIN received.form o USING (declaration_id) JOIN received.filing f ON f.filing_id = o.filing_id",
    )
    key = ("file", "form_index", "inss", "employer_class", "worker_code", "occupation_sequence_nbr", "kind", "code", "type")
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
        "SELECT sum(declared_contribution_cents)::BIGINT AS declared, sum(covered_contribution_cents)::BIGINT AS covered"
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
    kept = {row["sha256"]: row for row in query(sample_run, "SELECT sha256, name, size FROM received.filing")}
    for path in sorted((SAMPLES / "inbox").iterdir()):
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        assert digest in kept, path.name
        assert received_bytes(sample_run.lake, digest) == data


def test_computing_anew_gives_what_ingest_computed(own_run: SampleRun) -> None:
    done = dmfa("compute", "2026/3", "--lake", own_run.lake)
    assert done.returncode == 0, done.stderr
    assert "the amounts in the lake were the same already" in done.stdout
    (row,) = query(own_run, "SELECT min(noss_registration_nbr) AS n FROM authentic.employer_declaration WHERE quarter = 20263")
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
    (row,) = query(sample_run, "SELECT count(*) AS n, count(DISTINCT (recipient, attestation)) AS d FROM exchange.log")
    manifests = [json.loads(path.read_text()) for path in sample_run.out.rglob("manifest.json")]
    assert len(manifests) == 2
    assert int(row["n"]) == int(row["d"]) == sum(manifest["attestations"] for manifest in manifests) > 0


@pytest.mark.prefect
def test_the_same_as_a_prefect_flow(sample_run: SampleRun, tmp_path: Path) -> None:
    done = dmfa(
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
