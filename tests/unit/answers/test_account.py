"""The account message: each overview in its zones, signed, and totals that add up."""

from __future__ import annotations

import polars as pl
import pytest
from lxml import etree

from dmfa.answers import ANSWER_SCHEMA, accounts, system_accounts
from dmfa.answers.account import OVERVIEW
from dmfa.answers.changes import steps_of
from dmfa.answers.tickets import account_ticket, changes_ticket, form_ticket
from tests.unit.answers.changing import Case, case, declared
from tests.unit.answers.probing import FILING, parsed

ROWS: list[tuple[object, ...]] = [
    ("contribution", "010", "015", "495", 0, 2, 100_000, 25_000),
    ("contribution", "010", "840", "840", None, 1, -500, -14),
    ("deduction", "010", "015", "3000", None, 1, None, -10_000),
    ("deduction", "010", "027", "1111", None, 1, 5_000, 300),
    ("compensation", None, None, "01", None, 0, None, -7),
    ("contribution", "010", None, "810", None, 0, 1_000, 86),
]
"""Kind, class, worker code, code, type, workers, basis and amount of what one correction changes."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return case(declared(tmp_path_factory.mktemp("account"), release="20223"), justification="counted anew")


def told(made: Case, rows: list[tuple[object, ...]]) -> etree._Element:
    """The account message of a correction with these overviews."""
    key = made.applied.select("declaration_id", "version").row(0)
    overview = pl.DataFrame([(*key, *row) for row in rows], schema=OVERVIEW, orient="row")
    found = accounts(made.filings, made.corrections, made.applied, overview)
    assert found.schema == ANSWER_SCHEMA
    assert found.select("kind", "declaration_id").rows() == [("BEWA", 99)]
    return parsed(found["content"][0])


def zones(block: etree._Element) -> list[str]:
    return [zone.text or "" for zone in block]


def test_each_overview_has_its_block_and_its_zones(made: Case) -> None:
    group = told(made, ROWS).find(".//SubGroupInformation")
    assert group is not None
    assert [(block.tag, zones(block)) for block in group if len(block)] == [
        ("WorkerContAccountingOverview", ["010", "015", "495", "0", "2", "+100000", "+25000"]),
        ("WorkerContAccountingOverview", ["010", "840", "840", "1", "-500", "-14"]),
        ("DeductionAccountingOverview", ["010", "015", "3000", "1", "-10000"]),
        ("DeductionAccountingOverview", ["010", "027", "1111", "1", "+5000", "+300"]),
        ("EmployerCompensationOverview", ["01", "-7"]),
        ("CUNPAccountingOverview", ["010", "810", "+1000", "+86"]),
    ]
    assert [zone.text for zone in group if not len(zone)] == ["1", "10", "counted anew"]


def test_the_overviews_add_up_to_the_totals(made: Case) -> None:
    root = told(made, ROWS)
    # 250.00 - 0.14 - 100.00 + 3.00 - 0.07 + 0.86
    assert root.findtext(".//DmfANotAmount") == root.findtext(".//ContributionTotalAmount") == "+15365"
    signed = [zone.text or "" for zone in root.iter() if str(zone.tag).endswith("Amount") and "Signed" in str(zone.tag)]
    assert sum(map(int, signed)) == 15_365


def test_what_changes_nothing_is_told_as_such(made: Case) -> None:
    root = told(made, [])
    assert root.findtext(".//DmfANotAmount") == "+0"
    assert not list(root.iter("WorkerContAccountingOverview"))


def test_the_tickets_lead_to_the_correction_and_to_its_notification(made: Case) -> None:
    root = told(made, ROWS)
    digest = FILING["sha256"]
    assert root.findtext(".//DmfATicketNbr") == form_ticket(digest, 0)
    assert root.findtext(".//DmfANotTicketNbr") == changes_ticket(digest, 0)
    assert root.findtext(".//Reference/ReferenceNbr") == account_ticket(digest, 0)


def test_what_the_nsso_corrects_comes_from_it(made: Case) -> None:
    steps = steps_of(made.filings, made.corrections, made.applied)
    key = made.applied.select("declaration_id", "version").row(0)
    found = system_accounts(steps, pl.DataFrame([(*key, *ROWS[0])], schema=OVERVIEW, orient="row"))
    root = parsed(found["content"][0])
    told = [
        root.findtext(f".//{label}") for label in ("UserQualityClass", "JustificationCode", "SubGroup", "UserQuality")
    ]
    assert told == ["01", "05", "2", "22"]
    assert root.findtext(".//DmfANotAmount") == "+25000"


def test_another_correction_of_the_declaration_is_not_told(made: Case) -> None:
    key = made.applied["declaration_id"][0]
    overview = pl.DataFrame([(key, 3, *ROWS[0])], schema=OVERVIEW, orient="row")
    found = accounts(made.filings, made.corrections, made.applied, overview)
    assert parsed(found["content"][0]).findtext(".//DmfANotAmount") == "+0"
