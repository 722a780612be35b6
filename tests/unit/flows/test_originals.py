"""Which of several originals of an employer is the first; parts of one transmission are one."""

from __future__ import annotations

from typing import cast

import polars as pl
import pyarrow as pa

from dmfa.lake import Lake
from flows.stages.originals import second_originals

KEY = "FI.DMFA.700001.20261003"


class Ledger:
    """A lake that holds originals of some employers."""

    def __init__(self, *employers: int) -> None:
        self.employers = employers

    def arrow(self, sql: str, values: object) -> pa.Table:
        rows = {"quarter": [20263] * len(self.employers), "employer": list(self.employers)}
        return pa.table(rows, schema=pa.schema([("quarter", pa.int32()), ("employer", pa.int64())]))


def second(*accepted: tuple[str, int, int], known: tuple[int, ...] = ()) -> list[int]:
    """Of accepted declarations, each a name, index of the Form and employer, those that come second."""
    rows = pl.DataFrame(
        [(number, number * 10, 20263, employer, name, form) for number, (name, form, employer) in enumerate(accepted)],
        schema={
            "declaration_id": pl.Int64,
            "filing_id": pl.Int64,
            "quarter": pl.Int32,
            "employer": pl.Int64,
            "name": pl.String,
            "form_index": pl.Int32,
        },
        orient="row",
    )
    return sorted(second_originals(rows, cast(Lake, Ledger(*known)))["declaration_id"])


def test_the_first_by_name_then_by_form_wins() -> None:
    assert second(("b.xml", 0, 7), ("a.xml", 1, 7), ("a.xml", 0, 7), ("c.xml", 0, 8)) == [0, 1]


def test_what_the_lake_holds_came_first() -> None:
    assert second(("a.xml", 0, 7), ("b.xml", 0, 8), known=(7,)) == [0]


def test_parts_of_one_transmission_are_one_original() -> None:
    parts = [(f"{KEY}.00001.R.3.{part}", 0, 7) for part in (1, 2, 3)]
    assert second(*parts) == []
    assert second(*parts, known=(7,)) == [0, 1, 2]
    other = [(f"{KEY}.00002.R.2.{part}", 0, 7) for part in (1, 2)]
    assert second(*parts, *other) == [3, 4]
    assert second(*other, (f"{KEY}.00001.R.1.1", 0, 7)) == [0, 1]


def test_parts_of_one_name_in_two_folders_are_two_originals() -> None:
    assert second((f"a/{KEY}.00001.R.2.1", 0, 7), (f"b/{KEY}.00001.R.2.2", 0, 7)) == [1]


def test_two_forms_of_one_file_are_two_originals() -> None:
    assert second((f"{KEY}.00001.R.1.1", 0, 7), (f"{KEY}.00001.R.1.1", 1, 7)) == [1]
