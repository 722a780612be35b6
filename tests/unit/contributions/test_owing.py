"""What lines owe and do not declare, and what they declare and do not owe."""

import random

import polars as pl
import pytest

from contributions import compute, reasons
from contributions.explain import explain
from contributions.rates.book import RateBook
from contributions.rates.official import read_rate_file
from contributions.reference import EMPLOYERS, Reference
from dmfa.quarter import Quarter
from dmfa.synth.rate_files import rate_files
from tests.declared import Declarations
from tests.oracle_owing import OwingOracle, seed_combinations

QUARTER = Quarter(2026, 3)
WAGE = 900_000


def book(quarter=QUARTER):
    return RateBook.of([read_rate_file(name, data) for name, data in rate_files(quarter).items()])


def employers(known):
    rows = [(number, importance, ffe) for number, (importance, ffe) in known.items()]
    return pl.DataFrame(rows, schema=EMPLOYERS, orient="row")


def one_line(employer_class, worker_code, contributions, wage=WAGE):
    declared = Declarations()
    line = declared.employer().person().line(employer_class, worker_code)
    line.occupation().remun("001", wage)
    for code, kind in contributions:
        line.contribution(code, kind, None, 100)
    return declared.tables()


def told(tables, **known):
    rows = compute(tables, references={QUARTER.code: Reference(**known)} if known else None).difference
    own = rows.filter(pl.col("kind") == "contribution")
    return {row["code"]: (row["type"], row["computed_cents"], row["outcome"], row["reason"]) for row in own.to_dicts()}


def test_what_is_owed_and_not_declared_is_missing_with_its_amount():
    found = told(one_line("007", "024", [("024", 1), ("253", 0), ("810", 0)]))
    # 9,000.00 x 108 % = 9,720.00: 0.02, 0.01 and 0.10 %.
    assert found["255"] == (0, 194, "missing", None)
    assert found["256"] == (0, 97, "missing", None)
    assert found["859"] == (0, 972, "missing", None)
    assert set(found) == {"024", "253", "255", "256", "810", "859"}


def test_of_several_types_nobody_knows_which_one_is_missing():
    found = told(one_line("007", "024", [(code, 0) for code in ("253", "255", "256", "859")] + [("024", 1)]))
    assert found["810"] == (None, None, "missing", reasons.TYPE_OPEN)


def test_what_the_class_does_not_list_is_superfluous():
    found = told(one_line("007", "024", [("024", 1), ("831", 0), ("855", 0)]))
    assert found["831"] == (0, 0, "superfluous", None)
    assert found["855"] == (0, 0, "superfluous", None)
    rows = compute(one_line("007", "024", [("831", 0)])).contribution
    row = rows.row(by_predicate=pl.col("contribution_worker_code") == "831", named=True)
    assert (row["rate_source"], row["trust"], row["status"]) == (
        "not owed: seed owedness 2026/3",
        "A",
        "computed",
    )


def test_without_a_table_of_the_class_nothing_is_said():
    assert told(one_line("000", "495", [("855", 0)]))["855"][2] not in {"superfluous", "missing"}
    assert set(told(one_line("000", "495", [("495", 0)]))) == {"495"}
    assert set(told(one_line("007", "495", [("495", 0)]))) == {"495"}


def test_a_line_without_wage_owes_nothing():
    assert set(told(one_line("007", "024", [("024", 1)], wage=0))) == {"024"}


def test_an_official_file_takes_the_place_of_the_seed_table():
    tables = one_line("010", "495", [("495", 0), ("831", 0)])
    found = told(tables, book=book())
    assert found["831"][2] == "superfluous"
    # 9,000.00 x 0.05, 0.05 and 0.20 % of the invented file.
    assert {code: found[code][1:3] for code in ("255", "256", "859")} == {
        "255": (450, "missing"),
        "256": (450, "missing"),
        "859": (1_800, "missing"),
    }
    assert set(told(one_line("007", "024", [("024", 1)]), book=book())) == {"024"}


def test_trust_of_what_is_missing_is_no_higher_than_that_it_is_due():
    rows = compute(one_line("007", "024", [("024", 1)])).contribution.filter(pl.col("declared_ordinal").is_null())
    trust = dict(rows.select("contribution_worker_code", "trust").iter_rows())
    assert (trust["253"], trust["255"]) == ("A", "B")
    asked = compute(one_line("007", "024", [("024", 1)]), trust="A").contribution
    assert set(asked.filter(pl.col("declared_ordinal").is_null())["contribution_worker_code"]) == {"253"}


@pytest.mark.parametrize(
    ("importance", "ffe", "outcomes"),
    [
        (None, None, {"855": False, "809": False}),
        (2, None, {"855": True, "809": True}),
        (3, None, {"855": False, "809": True}),
        (4, "C", {"855": False, "809": False}),
        (4, "B", {"855": False, "809": True}),
    ],
)
def test_a_type_that_belongs_to_another_size_or_purpose_is_superfluous(importance, ffe, outcomes):
    tables = one_line("000", "495", [("495", 0), ("855", 0), ("809", 5)])
    found = told(tables, employers=employers({100006: (importance, ffe)}))
    assert {code: found[code][2] == "superfluous" for code in outcomes} == outcomes


def test_size_settles_what_is_due_and_its_type():
    tables = one_line("010", "495", [("495", 0)])
    found = told(tables, book=book(), employers=employers({100006: (4, "C")}))
    # 9,000.00 x 0.63 %: 0.60 and its moderation, the type from twenty workers on; 1.59 %: 1.50 and its moderation.
    assert found["809"] == (5, 5_670, "missing", None)
    assert found["855"] == (0, 14_310, "missing", None)


def test_accounts_leave_out_what_is_not_declared():
    account = compute(one_line("007", "024", [("024", 1)])).employer_account.row(0, named=True)
    assert (account["contributions"], account["declared_contribution_cents"]) == (1, 100)
    assert account["computed_contribution_cents"] == 370_040
    assert account["differences"] == 6


def test_explanations_tell_what_is_missing_and_what_is_not_owed():
    found = {one["code"]: one for one in explain(one_line("007", "024", [("831", 0)]))}
    assert found["831"]["not_owed"] == "not owed: seed owedness 2026/3"
    assert found["831"]["outcome"] == "superfluous"
    assert (found["024"]["outcome"], found["024"]["declared_cents"]) == ("missing", None)
    assert found["024"]["tree"]["value"] == 370_040
    assert [node["name"] for node in found["024"]["tree"]["from"]] == ["basis_cents", "rate"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("official", [False, True])
def test_lines_agree_with_the_oracle(seed, official):
    draw = random.Random(seed)
    known = {
        number: (draw.choice([None, 1, 2, 3, 4, 5]), draw.choice([None, "C", "B", "N", "O"]))
        for number in (100006, 100105, 100204)
    }
    declared = Declarations()
    for number in (*known, 100303) * 3:
        employer = declared.employer(number=number)
        for _ in range(8):
            line = employer.person().line(
                draw.choice(["007", "224", "223", "000", "010"]),
                draw.choice(["024", "027", "035", "495", "840", "015"]),
            )
            line.occupation().remun("001", draw.choice([0, WAGE]))
            line.occupation().remun("002", draw.choice([0, 1]) * WAGE)
            own = [line.all.rows["worker_record"][-1]["worker_code"]] * draw.choice([0, 1, 1])
            codes = ["253", "255", "256", "809", "810", "811", "820", "831", "855", "857", "859"]
            for code in own + draw.sample(codes, draw.randrange(8)):
                kind = draw.choice([0, 5, 2, 4]) if code in {"809", "820"} else int(code in {"024", "027", "015"})
                line.contribution(code, kind, None, draw.randrange(1, 5_000))
    tables = declared.tables()
    combinations = seed_combinations("2026/3")
    rates = book() if official else None
    if rates is not None:
        combinations = list(rates.owedness.drop("further").iter_rows())
    oracle = OwingOracle(tables, combinations, known)
    references = {QUARTER.code: Reference(rates, employers(known))}
    rows = compute(tables, references=references).contribution
    not_owed = rows.filter(pl.col("rate_source").cast(pl.String).str.starts_with("not owed"))
    assert set(not_owed.select("declaration_id", "declared_ordinal").iter_rows()) == oracle.superfluous
    assert not_owed["amount_cents"].to_list() == [0] * len(oracle.superfluous)
    missing = rows.filter(pl.col("declared_table").is_null())
    keys = ("declaration_id", "worker_record_ordinal", "contribution_worker_code")
    assert sorted(missing.select(keys).iter_rows()) == sorted(oracle.missing)
    assert len(oracle.missing) > 10
    assert len(oracle.superfluous) > 10


def test_a_line_that_declares_nothing_lacks_all_it_owes():
    assert {code: one[2] for code, one in told(one_line("007", "024", [])).items()} == dict.fromkeys(
        ["024", "253", "255", "256", "810", "859"], "missing"
    )


def test_contributions_without_a_line_or_with_a_code_that_is_none_harm_nobody():
    tables = one_line("007", "024", [("024", 1), ("24", 0), ("253", 0)])
    lost = (
        tables["worker_contribution"]
        .tail(1)
        .with_columns(
            worker_record_ordinal=pl.lit(9, dtype=pl.Int32), worker_contribution_ordinal=pl.lit(3, dtype=pl.Int32)
        )
    )
    tables["worker_contribution"] = pl.concat([tables["worker_contribution"], lost])
    known = {QUARTER.code: Reference(employers=employers({100006: (4, "C")}))}
    rows = compute(tables, references=known).contribution
    of_declared = dict(
        rows.drop_nulls("declared_ordinal")
        .select("declared_ordinal", pl.col("rate_source").cast(pl.String))
        .iter_rows()
    )
    assert of_declared[1] == "not owed: seed owedness 2026/3"
    assert not (of_declared[3] or "").startswith("not owed")
