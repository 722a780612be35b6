"""`dmfa authorisations`: the register as a list and as a public page."""

from __future__ import annotations

import html
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dmfa.errors import WrongUsage
from dmfa.extracts import EXTRACTS, Extract, load
from dmfa.extracts.own import ABOVE, OwnColumn, OwnTable
from dmfa.extracts.selection import attestations
from flows.report import register
from flows.settings import Settings
from flows.stages import authorisations
from tests.conftest import SAMPLES, dmfa
from tests.unit.extracts.material import DAY, NARROW, row
from tests.unit.extracts.material import register as register_file

REGISTER = SAMPLES / "authorisations.yaml"
ROWS = sum(line.startswith("- id:") for line in REGISTER.read_text(encoding="utf-8").splitlines())
"""Authorisations of the samples, of which one is no longer in force."""


class Text(HTMLParser):
    """What a page says, and what it would fetch."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.fetched: list[tuple[str, str]] = []
        self.feed(page)
        self.said = " ".join(" ".join(self.words).split())

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.fetched += [
            (tag, value or "") for name, value in attributes if name in ("src", "href") and value and value[0] != "#"
        ]


@pytest.fixture(scope="module")
def page() -> str:
    return "".join(register.page(load(REGISTER), DAY))


def test_r4_the_page_tells_every_authorisation_with_its_basis(page: str) -> None:
    said = Text(page).said
    for one in load(REGISTER):
        told = (one.id, one.extract, one.recipient.title, one.supplier.title, one.purpose, one.legal_basis)
        for fact in (*told, f"from {one.valid_from}", one.retention, one.frequency, one.mode):
            assert fact in said
        for block, zones in one.blocks.items():
            for name in (block, *zones):
                assert name in said
    assert f"{ROWS - 1} of {ROWS} are in force on 2026-11-22" in said
    assert "example-study-2025, expired on 2026-11-22" in said
    assert "with WorkerRecord.WorkerCode 015 or 495" in said
    assert "whom the reference directory knows at sector 999, type 005, quality 101, 103" in said
    assert "00024 INSS" in said
    assert "none: an invented example" in said


def test_the_page_needs_no_network_and_names_no_person(page: str) -> None:
    text = Text(page)
    assert text.fetched == []
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"(?<!\d)\d{11}(?!\d)", text.said)


def test_what_the_register_says_cannot_become_markup(tmp_path: Path) -> None:
    purpose = 'Tests <script>alert("x")</script> & more'
    rows = load(register_file(tmp_path, row(purpose=purpose, blocks=NARROW)))
    made = "".join(register.page(rows, DAY))
    assert "<script" not in made
    assert html.escape(purpose, quote=False).replace('"', "&#34;") in made


def test_an_empty_register_is_told_as_such() -> None:
    assert "nobody receives anything" in Text("".join(register.page([], DAY))).said


def test_other_modes_and_deliberations_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = {block: tuple(zones) for block, zones in NARROW.items()}
    above = OwnColumn("above", words="Above", kind=ABOVE)
    ceiling = OwnTable("ceiling", "A person", (OwnColumn("inss", zone="NaturalPerson.INSS"), above))
    zone, jobs = OwnColumn("zone", words="Zone"), OwnColumn("jobs", words="Jobs")
    sums = OwnTable("sums", "A zone", (zone, jobs), by=("zone",))
    for name, mode, own in (("ceilings", "threshold", ceiling), ("sums", "aggregate", sums)):
        made = Extract(name, "Invented", attestations, mode=mode, blocks=blocks, answer={own.name: own})
        monkeypatch.setitem(EXTRACTS, name, made)
    other = {"name": "other", "title": "Other fund", "cbe_number": "0449888671"}
    rows = [
        row(
            extract="ceilings", mode="threshold", blocks=NARROW, answer={"ceiling": ["inss", "above"]},
            limits={"above": 250_000}, deliberation="12/345", deliberation_date=date(2012, 5, 6), recipient=other,
        ),
        row(
            id="sums", extract="sums", mode="aggregate", blocks=NARROW, answer={"sums": ["zone", "jobs"]},
            groups=["zone"], smallest_group=10,
        ),
    ]  # fmt: skip
    said = Text("".join(register.page(load(register_file(tmp_path, *rows)), DAY))).said
    assert "12/345 of 2012-05-06" in said
    assert "enterprise 0449888671" in said
    assert "Answer, ceiling inss, above" in said
    assert "Limit, above above 2,500.00 euro or not" in said
    assert "Groups by zone; of 10 persons or more" in said
    assert "What the answer is made of" in said


def test_the_command_line_lists_and_writes_the_page(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings.gather({"DMFA_RECEIVED_ON": str(DAY)}, authorisations=REGISTER)
    assert authorisations.run(settings, as_page=False) == 0
    said = capsys.readouterr().out
    assert f"control: {ROWS} authorisations, {ROWS - 1} in force on 2026-11-22" in said
    assert "example-family-fund" in said
    done = dmfa("authorisations", "--html", "--authorisations", REGISTER)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == page


def test_without_a_file_it_says_how_to_name_one() -> None:
    with pytest.raises(WrongUsage, match="no file of authorisations is named"):
        authorisations.run(Settings(), as_page=True)
