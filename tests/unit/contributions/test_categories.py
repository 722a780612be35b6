"""Which structural category a worker line has, and what its result would say."""

import polars as pl
import pytest

from contributions import reasons, refusals
from contributions.categories import categories
from contributions.law import law
from dmfa.quarter import Quarter

LAST = Quarter(2026, 3)


def category(employer_class, worker_code, quarter=LAST):
    known = categories(law(quarter))
    lines = pl.DataFrame(
        {"employer_class": [employer_class], "worker_code": [worker_code]},
        schema={"employer_class": pl.String, "worker_code": pl.String},
    )
    return known.rows["structural_category"][known.of_lines(lines)].item()


@pytest.mark.parametrize(
    ("employer_class", "worker_code", "found"),
    [
        ("010", "015", "1"),
        ("073", "012", "3bis"),
        ("073", "015", "3"),
        ("073", None, "3"),
        ("010", "012", "1"),
        ("zzz", "012", None),
        (None, "015", None),
    ],
)
def test_a_worker_code_may_have_a_category_of_its_own(employer_class, worker_code, found):
    assert category(employer_class, worker_code) == found


def test_outside_the_tables_no_class_has_a_category():
    assert category("010", "015", Quarter(2026, 4)) is None


def test_every_row_and_case_has_its_texts():
    known = categories(law(LAST))
    assert known.texts.height == known.rows.height + known.premium + 1
    assert known.texts.row(known.rows.height + known.premium, named=True) == {
        "trust": None,
        "reason": reasons.PREMIUM_NOT_DECLARED,
        "refusal": None,
        "status": "not computable",
    }
    for case, why in enumerate((refusals.NOT_FOR_WORKER, refusals.EXCLUDING_PAY, refusals.NO_COUNTED_TIME)):
        told = known.texts.row(known.rows.height + case, named=True)
        assert told == {"trust": "B", "reason": None, "refusal": why, "status": "computed"}


def test_a_disputed_quarter_says_so_with_every_category():
    known = categories(law(Quarter(2025, 2)))
    told = known.texts.head(known.rows.height).filter(known.rows["structural_category"] == "1")["reason"]
    assert told.unique().to_list() == [reasons.SOURCES_CONFLICT]
