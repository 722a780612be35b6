"""What the checks make of right declarations of many kinds, and of codes that no list at hand knows."""

from __future__ import annotations

import polars as pl
import pytest

from dmfa.checks import Context, check, checks, row_checks
from dmfa.quarter import Quarter
from dmfa.reading.plan import make_plan
from dmfa.reading.shredder import Document
from dmfa.reading.tokenizer import tokenize_documents as shred
from dmfa.synth import Figures, Law, document, employer, prepare
from dmfa.synth.trades import TRADES
from tests.making import to_bytes
from tests.spoiling import RECEIVED, blocking, told, valid, zone
from tests.unit.checks import test_blocks, test_clashes, test_domains, test_lists_and_dates
from tests.unit.checks.test_checks import IDENTIFIERS

QUARTERS = [Quarter(year, number) for year in range(2022, 2027) for number in (1, 2, 3, 4)][:-1]
STAFF = 40
TABLES = (test_blocks, test_clashes, test_domains, test_lists_and_dates)
# Told of random declarations, or by what is not there.
ELSEWHERE = {code for code, *_ in IDENTIFIERS} | {"00013-008", "00013-313", "00015-007", "90017-006"}


def checked(quarter):
    law = Law(Figures.of(quarter))
    documents = []
    for index, trade in enumerate(TRADES):
        who = employer(7, index, trade=trade.name, exact_size=STAFF)
        content = document([prepare(7, who, quarter, law, STAFF)])
        documents.append(Document(index, f"{index:064x}", content, None))
    for index in range(100, 130):
        content = document([prepare(7, employer(7, index, 12), quarter, law)])
        documents.append(Document(index, f"{index:064x}", content, None))
    blocks = {table.name: table.label for table in make_plan().tables}
    return check(shred(documents, make_plan()).tables, Context(RECEIVED, blocks))


@pytest.mark.parametrize("quarter", QUARTERS, ids=str)
def test_right_declarations_have_no_anomaly(quarter):
    found = checked(quarter)
    assert found.anomalies.filter(pl.col("code") != "00013-313").select("code", "message").rows() == []
    assert dict(found.not_verifiable) == {}


def test_every_check_has_a_faulty_declaration():
    cases = [code for table in TABLES for code in table.CASES]
    assert len(cases) == len(set(cases))
    assert {one.code for one in checks()} | {one.code for one in row_checks()} == set(cases) | ELSEWHERE


@pytest.mark.parametrize(
    ("quarter", "codes"),
    [("2022/1", {"00036-008"}), ("2022/2", set()), ("2026/3", set())],
)
def test_a_list_is_asked_no_further_than_it_is_known(quarter, codes):
    root = valid("services", quarter)
    zone("NaturalPerson/WorkerRecord", EmployerClass="003")(root)
    (found,) = told([root])
    assert blocking(found) == codes


def test_what_a_list_lacks_later_is_counted():
    root = valid("services", "2026/3")
    zone("NaturalPerson/WorkerRecord[Occupation]/Occupation/Service", ServiceCode="099")(root)
    zone("NaturalPerson/WorkerRecord", EmployerClass="003")(root)
    tables = shred([Document(1, "0" * 64, to_bytes(root), root)], make_plan()).tables
    found = check(tables, Context(RECEIVED, {table.name: table.label for table in make_plan().tables}))
    assert found.anomalies.is_empty()
    assert dict(found.not_verifiable) == {"00036-008": 1, "00062-008": 1}
