"""The report as a page: one file that needs nothing else, with the lake's own numbers and nobody's name."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from lxml import html

from dmfa.money import euro
from tests.conftest import SAMPLES, SampleRun, dmfa, run_samples


@pytest.fixture(scope="module")
def reported(sample_run: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """A second run over the sample lake that writes the report."""
    folder = tmp_path_factory.mktemp("reported")
    done = run_samples(folder, "--no-prefect", "--report", "--lake", str(sample_run.lake))
    assert done.returncode == 0, done.stderr
    return SampleRun(folder, done)


def text_of(run: SampleRun) -> str:
    return (run.out / "report-2026-3.html").read_text()


def cells(page: html.HtmlElement, section: str) -> list[list[str]]:
    rows = page.xpath(f"//section[@id='{section}']//tr")
    return [[" ".join(cell.text_content().split()) for cell in row.xpath("td")] for row in rows]


def query(lake: Path, sql: str) -> list[dict[str, str]]:
    done = dmfa("sql", sql, "--lake", lake, "--format", "csv")
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_the_run_says_where_it_is(reported: SampleRun) -> None:
    assert "out/report-2026-3.html" in reported.done.stdout
    assert reported.done.stdout.rstrip().splitlines()[-1].startswith("control: ")


def test_it_needs_no_network_and_no_script(reported: SampleRun) -> None:
    text = text_of(reported)
    assert "://" not in text
    assert not re.search(r"<(script|link|img|iframe|object|embed|base|form)\b|@import|url\(|\son\w+=", text)
    page = html.fromstring(text)
    assert all(link.startswith("#") for link in page.xpath("//@href"))
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'")
    anchors = {link[1:] for link in page.xpath("//nav//@href")}
    assert anchors == set(page.xpath("//section/@id"))


def test_it_is_made_for_screens_by_day_and_night_and_for_paper(reported: SampleRun) -> None:
    text = text_of(reported)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    page = html.fromstring(text)
    assert len(page.xpath("//svg[@role='img' and @aria-label]")) == len(page.xpath("//svg")) >= 5


def test_its_amounts_are_those_of_the_lake(reported: SampleRun, sample_run: SampleRun) -> None:
    shown = {row[0]: row for row in cells(html.fromstring(text_of(reported)), "amounts") if row}
    rows = query(
        sample_run.lake,
        "SELECT code || coalesce('/' || type, '') AS label, sum(declared_cents)::BIGINT AS declared,"
        " count(*) FILTER (WHERE outcome = 'equal') AS equal,"
        " count(*) FILTER (WHERE outcome = 'not computable') AS none,"
        " sum(if(outcome = 'within bounds', declared_cents, computed_cents))::BIGINT AS computed"
        " FROM computed.difference WHERE quarter = 20263 GROUP BY 1",
    )
    assert {row["label"] for row in rows} == set(shown)
    for row in rows:
        found = shown[row["label"]]
        assert found[2] == euro(int(row["declared"] or 0))
        assert found[4] == (euro(int(row["computed"])) if row["computed"] else "–")
        assert found[6] == (row["equal"] if row["equal"] != "0" else "–")
        assert found[9] == (row["none"] if row["none"] != "0" else "–")


def test_it_tells_what_was_wrong_and_what_was_given(reported: SampleRun, sample_run: SampleRun) -> None:
    page = html.fromstring(text_of(reported))
    codes = query(
        sample_run.lake,
        "SELECT DISTINCT code FROM received.anomaly a JOIN received.filing f USING (filing_id)"
        " WHERE f.quarter = 20263 OR f.quarter IS NULL",
    )
    shown = [row for row in cells(page, "received") if row]
    assert {row[0] for row in shown} == {row["code"] for row in codes}
    assert all(row[1] for row in shown)
    given = {row[1]: row for row in cells(page, "given") if row}
    people = query(
        sample_run.lake,
        "SELECT recipient, count(DISTINCT attestation) AS n FROM exchange.log WHERE result = 'given' GROUP BY 1",
    )
    assert {*given} >= {"example-career-fund", "example-pension-service"}
    told = {name: row[3].replace(",", "") for name, row in given.items()}
    assert told == {row["recipient"]: row["n"] for row in people}
    assert "expired on 2025-12-31" in text_of(reported)


def test_its_control_totals_agree(reported: SampleRun) -> None:
    rows = [row for row in cells(html.fromstring(text_of(reported)), "control") if len(row) == 4]
    assert len(rows) >= 4
    for row in rows:
        assert row[1] == row[2]
        assert row[3] == "equal"


def test_nobody_and_no_employer_is_named(reported: SampleRun, sample_run: SampleRun) -> None:
    text = text_of(reported)
    people = query(sample_run.lake, "SELECT DISTINCT inss FROM authentic.natural_person")
    employers = query(
        sample_run.lake, "SELECT noss_registration_nbr AS a, company_id AS b FROM authentic.employer_declaration"
    )
    numbers = {f"{int(row['inss']):011d}" for row in people} | {row["a"] for row in employers if row["a"] != "0"}
    numbers |= {f"{int(row['b']):010d}" for row in employers if row["b"]}
    assert len(numbers) > 350
    assert not [number for number in numbers if number in text]


def test_the_same_lake_gives_the_same_bytes(reported: SampleRun, sample_run: SampleRun) -> None:
    before = (reported.out / "report-2026-3.html").read_bytes()
    run_samples(reported.folder, "--no-prefect", "--report", "--lake", str(sample_run.lake))
    assert (reported.out / "report-2026-3.html").read_bytes() == before
    assert [path.name for path in reported.out.glob("*report*")] == ["report-2026-3.html"]


def test_a_quarter_without_declarations_has_a_page_too(sample_run: SampleRun, tmp_path: Path) -> None:
    done = dmfa(
        "run",
        "2025/4",
        "--no-prefect",
        "--report",
        "--lake",
        sample_run.lake,
        "--inbox",
        SAMPLES / "inbox",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out" / "report-2025-4.html").read_text()
    assert "no declaration of this quarter is in force" in text


def test_a_folder_that_cannot_be_written_is_told_plainly(sample_run: SampleRun, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    done = dmfa(
        "run",
        "2025/4",
        "--no-prefect",
        "--report",
        "--lake",
        sample_run.lake,
        "--inbox",
        SAMPLES / "inbox",
        cwd=tmp_path,
    )
    assert done.returncode == 13
    assert len(done.stderr.splitlines()) == 2
    assert done.stderr.startswith("dmfa: ")
