import polars as pl
import pytest

from contributions import reasons
from contributions.rates import (
    OTHER_CLASS,
    contribution_rates,
    known_classes,
    seed,
    structural_classes,
    structural_exceptions,
)
from dmfa.quarter import Quarter

LAST = Quarter(2026, 3)


def found(employer_class, code, kind, quarter=LAST, asked="B"):
    rows = contribution_rates(quarter, asked).filter(
        pl.col("employer_class") == employer_class,
        pl.col("contribution_worker_code") == code,
        pl.col("contribution_type") == kind,
    )
    assert rows.height <= 1
    return rows.row(0, named=True) if rows.height else None


def test_the_class_itself_comes_first():
    # class 180 is of group profit, which has no 675; class 010 has its own 809/5 in 2025/1
    assert found("180", "675", 0)["rate"] == 1329
    one = found("010", "809", 5, Quarter(2025, 1))
    assert (one["rate"], one["rate_source"], one["rate_reason"]) == (18, "seed class_010 2025/1-2025/1", None)


def test_the_group_comes_before_the_sector_and_all():
    assert found("122", "495", 0)["rate"] == 4547
    assert found("000", "495", 0)["rate"] == 3807


def test_the_private_sector_comes_before_all():
    assert found("000", "859", 0)["rate_source"] == "seed private 2026/3-2026/3"
    assert found("001", "859", 0) is None


def test_every_other_class_has_the_rates_for_all_alone():
    assert "999" not in known_classes()
    assert found(OTHER_CLASS, "810", 0)["rate"] == 10
    assert found(OTHER_CLASS, "859", 0) is None


def test_the_first_level_with_a_row_decides_even_if_it_may_not_compute():
    # class 221 has a doubtful row for 015; its group profit has 38.07
    assert found("221", "015", 1)["rate_reason"] == reasons.RATE_BELOW_TRUST
    # for all, 809/5 is doubtful in 2025/1
    assert found("000", "809", 5, Quarter(2025, 1))["rate_reason"] == reasons.RATE_BELOW_TRUST


def test_a_rate_without_total_is_incomplete():
    assert found("068", "013", 1)["rate_reason"] == reasons.RATE_INCOMPLETE


def test_the_group_of_a_class_lowers_the_trust_of_its_rate():
    assert found("000", "495", 0)["rate_trust"] == "A"
    assert found("010", "495", 0)["rate_trust"] == "B"  # its group is a default
    assert found("000", "495", 0, Quarter(2026, 2))["rate_trust"] == "B"  # the group was read in 2026/3
    assert found("010", "495", 0, asked="A")["rate_reason"] == reasons.RATE_BELOW_TRUST


def test_shares_of_the_wage():
    assert found("000", "015", 1)["rate_share"] == 10_800
    assert found("750", "015", 0)["rate_share"] == 10_000
    assert found("000", "255", 0)["rate_share"] is None
    assert found("000", "253", 0)["rate_share"] == 10_800


@pytest.mark.parametrize("quarter", [Quarter(2021, 4), Quarter(2026, 4)])
def test_outside_the_tables_there_is_no_rate(quarter):
    assert contribution_rates(quarter).is_empty()
    assert structural_classes(quarter).is_empty()
    assert structural_exceptions(quarter).is_empty()


def test_intervals_of_one_key_do_not_overlap():
    keys = ["contribution_code", "contribution_type", "employer_group"]
    rows = seed.table("contribution_rates").sort(*keys, "from_quarter")
    overlap = rows.filter(pl.col("to_quarter").shift(1).over(keys) >= pl.col("from_quarter"))
    assert overlap.is_empty()


def test_shares_of_a_rate_add_up_to_its_total():
    parts = ["personal", "base", "moderation"]
    rows = seed.table("contribution_rates").drop_nulls([*parts, "total"])
    number = {name: seed.ten_thousandths(pl.col(name)) for name in [*parts, "total"]}
    sums = rows.select(given=number["total"], added=number["personal"] + number["base"] + number["moderation"])
    assert sums.height > 200
    assert sums["given"].equals(sums["added"].alias("given"))


def test_every_class_and_group_of_a_rate_is_known():
    groups = set(seed.table("category_groups")["employer_group"]) | {"private", "all"}
    groups |= {f"class_{code}" for code in known_classes()}
    assert set(seed.table("contribution_rates")["employer_group"]) <= groups


def test_percentages_become_ten_thousandths():
    frame = pl.DataFrame({"p": ["38.07", "0.1", "100", "108", None]})
    assert frame.select(seed.ten_thousandths(pl.col("p"))).to_series().to_list() == [3807, 10, 10_000, 10_800, None]


def test_structural_categories():
    rows = {row["employer_class"]: row for row in structural_classes(LAST).to_dicts()}
    assert (rows["000"]["class_category"], rows["000"]["class_ceiling"]) == ("1", 2500)
    assert (rows["122"]["class_category"], rows["122"]["class_ceiling"]) == ("2", 3240)
    assert rows["073"]["class_category"] == "3"
    assert rows["006"]["class_ceiling"] is None
    assert structural_classes(LAST, "A")["class_category"].null_count() == len(known_classes())


def test_target_workers_of_class_373_have_their_category_since_2023():
    def category(quarter):
        rows = structural_exceptions(quarter).filter(pl.col("employer_class") == "373", pl.col("worker_code") == "485")
        return rows["own_category"].to_list()

    assert category(Quarter(2022, 4)) == [None]
    assert category(Quarter(2023, 1)) == ["3bis"]
