"""Official rates before seed rates: figures, their trust and source, the basis they are levied on, ceilings."""

import pickle

import polars as pl
import pytest

from contributions import compute, reasons
from contributions.rates import OTHER_CLASS, contribution_rates, structural_exceptions
from contributions.rates.book import RateBook
from contributions.rates.comparison import against_seed, changes, together
from contributions.rates.official import read_rate_file
from contributions.reference import Reference
from dmfa.quarter import Quarter
from dmfa.synth.rate_files import markup, rate_files
from tests.declared import Declarations

QUARTER = Quarter(2026, 3)


def rate(employer_class, code, kind, total, **others):
    shares = {"PersonalRate": "0.00", "EmployerRate": total, "SalaryModerationRate": "0.00", "TotalRate": total}
    own = {"EmployerClass": employer_class, "ContributionWorkerCode": code, "ContributionType": str(kind)}
    return {**own, **shares, "IsFlatRate": "0", **others}


def book(*rows, fictitious=False, quarter=QUARTER):
    data = markup("x", "ContributionRate", quarter, [row.items() for row in rows])
    if not fictitious:
        data = data.replace(b"<Fictitious>1</Fictitious>", b"")
    return RateBook.of([read_rate_file(f"NOSSContributionRate_{quarter.year}_{quarter.number}.xml", data)])


def found(official, employer_class, code, kind, asked="B", quarter=QUARTER):
    rows = contribution_rates(quarter, asked, official).filter(
        pl.col("employer_class") == employer_class,
        pl.col("contribution_worker_code") == code,
        pl.col("contribution_type") == kind,
    )
    assert rows.height <= 1
    return rows.row(0, named=True) if rows.height else None


def test_the_official_rate_wins_and_says_so():
    own = found(book(rate("000", "495", 0, "30.00")), "000", "495", 0)
    assert (own["rate"], own["rate_trust"], own["rate_reason"]) == (3_000, "A", None)
    assert own["rate_source"] == "official file NOSSContributionRate_2026_3.xml"
    assert own["rate_words"].startswith("SHA-256 ")
    assert (own["basis_kind"], own["rate_share"]) == ("ordinary", 10_000)
    assert found(None, "000", "495", 0)["rate"] == 3_807


def test_an_invented_rate_says_so_and_never_has_trust_a():
    official = book(rate("000", "495", 0, "30.00"), fictitious=True)
    own = found(official, "000", "495", 0)
    assert (own["rate_source"], own["rate_trust"]) == ("invented file NOSSContributionRate_2026_3.xml", "B")
    assert found(official, "000", "495", 0, asked="A")["rate_reason"] == reasons.RATE_BELOW_TRUST


def test_of_a_class_and_code_the_file_alone_tells_the_types():
    official = book(rate("000", "809", 0, "9.00"))
    assert found(official, "000", "809", 0)["rate"] == 900
    assert found(official, "000", "809", 5) is None
    assert found(official, "010", "809", 5)["rate_source"].startswith("seed ")
    assert found(official, "000", "495", 0)["rate_source"].startswith("seed ")


@pytest.mark.parametrize(
    ("employer_class", "code", "kind", "basis"),
    [
        ("000", "015", 1, ("ordinary", 10_800)),
        ("069", "495", 0, ("ordinary", 10_000)),  # a class without any seed rate of its own
        ("027", "015", 0, ("indemnity", 10_000)),  # a class of Fedris
        ("000", "255", 0, ("line", None)),
        ("000", "820", 5, ("ordinary", 10_800)),  # another type of a supplementary code
        ("777", "495", 0, ("ordinary", 10_000)),  # a class that no seed table names
        ("000", "807", 0, ("unknown", None)),
        ("000", "043", 1, ("unknown", None)),
    ],
)
def test_the_basis_is_that_of_the_seed_tables(employer_class, code, kind, basis):
    own = found(book(rate(employer_class, code, kind, "1.00")), employer_class, code, kind)
    assert (own["basis_kind"], own["rate_share"]) == basis


def test_a_class_that_only_the_file_names_keeps_the_rates_for_all():
    official = book(rate("777", "495", 0, "1.00"))
    assert found(official, "777", "256", 0)["rate"] == found(official, OTHER_CLASS, "256", 0)["rate"]


def test_a_flat_rate_is_not_multiplied_with_a_wage():
    official = book(rate("000", "831", 0, "12.50", IsFlatRate="1"))
    assert found(official, "000", "831", 0)["basis_kind"] == "flat"


def test_a_code_of_lines_comes_before_that_of_block_90002():
    unrelated = rate("000", "817", 0, "2.00")
    unrelated["UnrelatedWorkerCode"] = unrelated.pop("ContributionWorkerCode")
    assert found(book(unrelated, rate("000", "817", 0, "3.00")), "000", "817", 0)["rate"] == 300
    assert found(book(unrelated), "000", "817", 0)["rate"] == 200


def test_the_file_counts_in_a_quarter_without_seed_rates():
    later = Quarter(2026, 4)
    own = found(book(rate("000", "495", 0, "30.00"), quarter=later), "000", "495", 0, quarter=later)
    assert (own["rate"], own["rate_share"], own["rate_reason"]) == (3_000, 10_000, None)


def test_books_of_the_same_files_are_one_also_in_another_process():
    one, other = book(rate("000", "495", 0, "30.00")), book(rate("000", "495", 0, "31.00"))
    again = pickle.loads(pickle.dumps(one))
    assert (again, hash(again)) == (one, hash(one))
    assert one != other
    assert Reference(one).digest == Reference(again).digest != Reference(other).digest
    assert Reference().digest == ""


def test_amounts_follow_the_file_of_their_own_quarter():
    declared = Declarations()
    for quarter in (20263, 20262):
        line = declared.employer(quarter).person().line("000", "495")
        line.occupation().remun("001", 900_000)
        line.contribution("495", 0, 900_000, 270_000)
    references = {20263: Reference(book(rate("000", "495", 0, "30.00")))}
    rows = compute(declared.tables(), references=references).contribution.sort("quarter")
    # 9,000.00 x 38.07 % and x 30.00 %
    assert rows["amount_cents"].to_list() == [342_630, 270_000]
    assert rows["rate_source"].to_list()[1] == "official file NOSSContributionRate_2026_3.xml"


def test_ceilings_of_the_file_come_first():
    official = RateBook.of([read_rate_file(name, data) for name, data in rate_files(QUARTER).items()])
    rows = structural_exceptions(QUARTER, "B", official)
    own = rows.row(by_predicate=(pl.col("employer_class") == "010") & (pl.col("worker_code") == "495"), named=True)
    # 20.00 + 5.12 of the invented file, beside the category of the class
    assert (own["own_ceiling"], own["own_category"], own["named_with_class"]) == (2_512, "1", None)
    before = structural_exceptions(QUARTER)
    keys = ["employer_class", "worker_code"]
    assert rows.join(before, on=keys, how="semi").select(before.columns).sort(keys).equals(before.sort(keys))
    assert structural_exceptions(QUARTER, "A", official).height == before.height


def test_changes_are_told_by_key():
    before = book(rate("000", "495", 0, "30.00"), rate("010", "495", 0, "30.00"), rate("000", "831", 0, "1.00"))
    after = book(rate("000", "495", 0, "31.00"), rate("010", "495", 0, "31.00"), rate("000", "878", 0, "1.00"))
    found = changes("contribution_rate", before.contribution_rate, after.contribution_rate)
    assert found.select("contribution_worker_code", "employer_class", "change").rows() == [
        ("495", "000", "changed"),
        ("495", "010", "changed"),
        ("831", "000", "gone"),
        ("878", "000", "new"),
    ]
    alike = together("contribution_rate", found).rows(named=True)
    assert [(row["change"], row["rows"], row["classes"]) for row in alike] == [
        ("changed", 2, "000 010"),
        ("gone", 1, "000"),
        ("new", 1, "000"),
    ]
    assert alike[0]["before"] == "30.00 (0.00 + 30.00 + 0.00)"
    assert changes("contribution_rate", after.contribution_rate, after.contribution_rate).is_empty()


def test_seed_rates_of_the_quarter_are_set_beside_the_file():
    official = book(rate("000", "495", 0, "38.07"), rate("000", "484", 0, "1.00"), rate("000", "807", 0, "1.00"))
    rows = against_seed(official.contribution_rate, QUARTER).filter(pl.col("employer_class") == "000")
    figures = {row["contribution_worker_code"]: (row["total_rate"], row["rate"]) for row in rows.to_dicts()}
    assert figures["495"] == (3_807, 3_807)
    assert figures["484"] == (100, 3_807)
    assert figures["807"] == (100, None)
    assert figures["256"] == (None, 1)


@pytest.mark.parametrize(
    ("code", "kind", "others", "reason"),
    [
        ("807", 0, {}, reasons.BASIS_NOT_IN_VERSION),
        ("831", 0, {"IsFlatRate": "1"}, reasons.BASIS_NOT_IN_VERSION),
        ("831", 4, {}, reasons.NO_RATE),
    ],
)
def test_what_the_file_does_not_settle_is_not_computable(code, kind, others, reason):
    declared = Declarations()
    line = declared.employer().person().line("000", "495")
    line.occupation().remun("001", 900_000)
    line.contribution(code, kind, 900_000, 1_000)
    official = book(rate("000", code, 0, "1.00", **others))
    (row,) = compute(declared.tables(), references={20263: Reference(official)}).contribution.to_dicts()
    assert (row["amount_cents"], row["status"], row["reason"]) == (None, "not computable", reason)


def test_changes_of_ceilings_and_combinations():
    before, after = (
        RateBook.of([read_rate_file(name, data) for name, data in rate_files(QUARTER, employer_rate=own).items()])
        for own in (2000, 2100)
    )
    ceilings = changes("deduction_rate", before.deduction_rate, after.deduction_rate)
    assert {row["before"] for row in ceilings.to_dicts()} == {"25.12"}
    # 21.00 + 4.27 + 4.27 % x 21.00 = 26.1667
    assert {row["after"] for row in ceilings.to_dicts()} == {"26.17"}
    assert together("deduction_rate", ceilings)["rows"].to_list() == [4]
    fewer = after.owedness.filter(pl.col("contribution_worker_code") != "868")
    more = pl.concat([fewer, fewer.head(1).with_columns(owedness_code=pl.lit(1, dtype=pl.Int64))])
    found = changes("owedness", before.owedness, more)
    assert found.filter(pl.col("change") == "changed").select("before", "after").rows() == [("0", "0 1")]
    assert set(found.filter(pl.col("change") == "gone")["contribution_worker_code"]) == {"868"}
