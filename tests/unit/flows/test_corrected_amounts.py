"""Amounts of corrections over a small lake, against hand calculations.

Rates of 2026/3 for class 000: 495 type 0 38.07 %, 855 type 0 1.69 %, 870 (of no person) 13.07 %. A wage of 6,771.00
owes 2,577.72 + 114.43 = 2,692.15; 7,000.00 owes 2,664.90 + 118.30 = 2,783.20; 6,000.00 owes 2,284.20 + 101.40 =
2,385.60; 5,000.00 owes 1,903.50 + 84.50 = 1,988.00; 4,000.00 owes 1,522.80 + 67.60 = 1,590.40. A basis of 10.00
owes 1.31 to code 870, one of 100.00 owes 13.07.
"""

from datetime import datetime

import polars as pl
import pytest

from dmfa.errors import WrongUsage
from dmfa.lake import Lake
from dmfa.quarter import Quarter
from flows.report import queries
from flows.report.page import write_report
from flows.stages.account import entries, title
from flows.stages.compute import compute_quarter
from flows.stages.corrected_amounts import correct_amounts, overviews
from flows.stages.versions import new_versions
from tests.declared import Declarations
from tests.versioned import declare, end, opened, put, put_filing, settings_of

QUARTER = Quarter(2026, 3)
FIRST, OTHER, NEW = 100006, 200012, 300018
AMOUNTS = {677_100: (257_772, 11_443), 700_000: (266_490, 11_830), 600_000: (228_420, 10_140)} | {
    500_000: (190_350, 8_450),
    400_000: (152_280, 6_760),
}
DAYS = {filing: datetime(2026, 11, filing) for filing in (7, 8, 9, 10)}
TOP, PERSON, LINE = ("employer_declaration", 0), ("natural_person", 0), ("worker_record", 0)


def employed(employer, wage):
    line = employer.person().line()
    line.occupation().remun("001", wage).service("001", 6_600)
    for code, amount in zip(("495", "855"), AMOUNTS[wage], strict=True):
        line.contribution(code, 0, wage, amount)


def state(declaration, *wages, unrelated=None, employer=FIRST):
    """The tables of one declaration with persons of some wages."""
    declared = Declarations()
    for number in range(1, declaration + 1):
        own = declared.employer(net=1, number=employer)
        if number == declaration:
            for wage in wages:
                employed(own, wage)
            if unrelated:
                own.unrelated("000", "870", *unrelated)
    return {name: rows.filter(pl.col("declaration_id") == declaration) for name, rows in declared.tables().items()}


@pytest.fixture(scope="module")
def corrected(tmp_path_factory):
    """Two versions of one declaration in one run, another one cancelled whole; then its employer's number replaced."""
    settings = settings_of(tmp_path_factory.mktemp("corrected"))
    originals = Declarations()
    own = originals.employer(net=468_146, number=FIRST)
    employed(own, 677_100)
    employed(own, 500_000)
    own.unrelated("000", "870", 131, 1_000)
    employed(originals.employer(number=OTHER), 400_000)
    with opened(settings, create=True) as lake:
        declare(lake, originals, filing=7, received=DAYS[7])
        with lake.transaction() as publication:
            put_filing(publication, 8, "DmfAUpdate", DAYS[8], QUARTER.code)
            put(publication, state(1, 700_000), 2, status=1, filing=8, received=DAYS[8], wide=10)
            end(publication, 1, [(TOP, 1), (PERSON, 1), (LINE, 1)], by=2)
            put_filing(publication, 9, "DmfAUpdate", DAYS[9], QUARTER.code)
            third = state(1, 600_000, unrelated=(1_307, 10_000))
            put(publication, third, 3, status=1, filing=9, received=DAYS[9], wide=20)
            unrelated = ("contribution_unrelated_to_np", 0)
            end(publication, 1, [(TOP, 2), (PERSON, 2), (LINE, 2), (unrelated, 1)], by=3)
            gone = state(2, 400_000, employer=OTHER)
            gone = {name: gone[name] for name, _ in (TOP, PERSON, LINE)}
            put(publication, gone, 2, status=3, filing=9, received=DAYS[9])
            end(publication, 2, [(TOP, 1), (PERSON, 1), (LINE, 1)], by=2)
            new = new_versions(lake, applied((1, 2), (1, 3), (2, 2), (1, 3)), settings)
            correct_amounts(lake, publication, new, {}, settings)
        with lake.transaction() as publication:
            put_filing(publication, 10, "IDFLUX", DAYS[10], QUARTER.code)
            renumbered = {TOP[0]: state(1, employer=NEW)[TOP[0]]}
            put(publication, renumbered, 4, status=1, filing=10, received=DAYS[10])
            end(publication, 1, [(TOP, 3)], by=4)
            correct_amounts(lake, publication, new_versions(lake, applied((1, 4)), settings), {}, settings)
    return settings


def applied(*versions):
    rows = [(QUARTER.code, *one) for one in versions]
    types = {"quarter": pl.Int32, "declaration_id": pl.Int64, "version": pl.Int16}
    return pl.DataFrame(rows, schema=types, orient="row")


ACCOUNT = [
    # declaration, version, entry, filing, employer, contributions, declared, computed, net declared, debit, credit
    (1, 1, "original", 7, FIRST, 5, 468_146, 468_146, 468_146, 468_146, 0),
    (1, 2, "correction", 8, FIRST, 0, 9_105, 9_105, 0, 9_105, 0),
    (1, 3, "correction", 9, FIRST, 0, -38_584, -38_584, 0, 0, 38_584),
    (1, 4, "replacement", 10, NEW, 0, 0, 0, 0, 0, 0),
    (2, 1, "original", 7, OTHER, 2, 159_040, 159_040, 0, 159_040, 0),
    (2, 2, "correction", 9, OTHER, -2, -159_040, -159_040, 0, 0, 159_040),
]


def account(lake):
    columns = "declaration_id, version, entry, filing_id, noss_registration_nbr, contributions"
    sums = "declared_contribution_cents, computed_contribution_cents, declared_net_cents, debit_cents, credit_cents"
    rows = lake.arrow(f"SELECT {columns}, {sums} FROM lake.computed.employer_account ORDER BY declaration_id, version")
    return [tuple(row.values()) for row in rows.to_pylist()]


def test_each_version_has_its_entry(corrected):
    with Lake.open(corrected.lake) as lake:
        assert account(lake) == ACCOUNT


def test_the_rows_are_those_of_the_state_in_force(corrected):
    with Lake.open(corrected.lake) as lake:
        rows = lake.arrow(
            "SELECT declaration_id, natural_person_ordinal, noss_registration_nbr, code, declared_cents,"
            " computed_cents, version, filing_id FROM lake.computed.difference WHERE kind = 'contribution' ORDER BY ALL"
        ).to_pylist()
        assert [tuple(row.values()) for row in rows] == [
            (1, 0, NEW, "495", 228_420, 228_420, 3, 9),
            (1, 0, NEW, "855", 10_140, 10_140, 3, 9),
            (1, 1, NEW, "495", 190_350, 190_350, 1, 7),
            (1, 1, NEW, "855", 8_450, 8_450, 1, 7),
            (1, None, NEW, "870", 1_307, 1_307, 3, 9),
        ]
        bases = lake.arrow("SELECT wage_cents, version FROM lake.computed.basis ORDER BY ALL").to_pylist()
        assert [tuple(row.values()) for row in bases] == [(500_000, 1), (600_000, 3)]


def test_one_employer_computed_anew_is_as_before(corrected):
    with opened(corrected) as lake:
        assert not compute_quarter(lake, QUARTER, corrected, employer=NEW).changed
        with pytest.raises(WrongUsage, match="no accepted declaration"):
            compute_quarter(lake, QUARTER, corrected, employer=FIRST)


def test_what_is_lost_comes_back_by_computing_anew(corrected):
    with opened(corrected) as lake:
        before = lake.frames("computed", ["difference", "employer_account"])
        with lake.transaction() as publication:
            publication._connection.execute("DELETE FROM lake.computed.employer_account")
            publication._connection.execute("DELETE FROM lake.computed.difference WHERE version > 1")
        assert compute_quarter(lake, QUARTER, corrected).changed
        for name, rows in lake.frames("computed", before).items():
            assert rows.sort(pl.all()).equals(before[name].sort(pl.all())), name


def test_an_overview_adds_up_to_its_entry(corrected):
    with Lake.open(corrected.lake) as lake:
        told = overviews(new_versions(lake, applied((1, 2), (1, 3), (1, 4), (2, 2)), corrected))
    named = ("version", "kind", "worker_code", "code", "type", "workers", "basis_cents", "amount_cents")
    assert told.filter(declaration_id=1).select(named).rows() == [
        (2, "contribution", "495", "495", 0, 1, 22_900, 8_718),
        (2, "contribution", "495", "855", 0, 1, 22_900, 387),
        (3, "contribution", None, "870", None, 0, 9_000, 1_176),
        (3, "contribution", "495", "495", 0, 1, -100_000, -38_070),
        (3, "contribution", "495", "855", 0, 1, -100_000, -1_690),
    ]
    assert told.filter(declaration_id=2)["amount_cents"].sum() == -159_040


def test_the_report_tells_what_corrections_changed(corrected):
    with Lake.open(corrected.lake) as lake:
        told = [(one.entry, one.entries, one.debit, one.credit) for one in queries.entries(lake, QUARTER)]
        totals = queries.totals(lake, QUARTER)
    assert told == [("original", 2, 627_186, 0), ("correction", 3, 9_105, 197_624), ("replacement", 1, 0, 0)]
    # 2,385.60 + 1,988.00 + 13.07, the state in force.
    assert (totals.declared, totals.computed, totals.net) == (438_667, 438_667, 468_146)


def test_the_page_tells_it_too(corrected):
    page = write_report(QUARTER, corrected).read_text()
    told = page[page.index('id="account"') :].partition("</section>")[0]
    assert [told.count(words) for words in ("<td>correction</td>", "91.05", "1,976.24", "-1,885.19")] == [1, 1, 1, 2]
    assert "4,386.67" in page


def test_explain_tells_the_entries_of_an_employer(corrected):
    with Lake.open(corrected.lake) as lake:
        assert [title(one) for one in entries(lake, QUARTER, NEW)] == [
            "2026/3 account, version 1: original of 2026-11-07 00:00:00: owes 4,681.46 as declared",
            "2026/3 account, version 2: correction of 2026-11-08 00:00:00: changes what is owed as declared by 91.05",
            "2026/3 account, version 3: correction of 2026-11-09 00:00:00: changes what is owed as declared by -385.84",
            "2026/3 account, version 4: replacement of 2026-11-10 00:00:00: changes what is owed as declared by 0.00",
        ]
        assert entries(lake, QUARTER, FIRST) == []
