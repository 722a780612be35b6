"""The links over the exchange log: what they hold, and that no change of it goes unseen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import polars as pl
import pytest

from dmfa.extracts.chain import ORIGIN, Chain, Link, broken, digest

AT = datetime(2026, 11, 22, 9, 30)


def rows(first: int = 0, many: int = 3, ticket: str = "t1") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": range(first, first + many),
            "run_id": "run-1",
            "at": AT,
            "quarter": pl.Series([20263] * many, dtype=pl.Int32),
            "inss": [None, *range(1, many)],
            "ticket": ticket,
            "result": ["given"] * (many - 1) + ["refused"],
            "reason": pl.Series([None] * many, dtype=pl.String),
        }
    )


def links(*parts: pl.DataFrame) -> list[Link]:
    chain = Chain(AT)
    assert [part.height for part in chain.over(parts)] == [part.height for part in parts]
    return chain.links


def test_the_digest_is_the_one_that_its_words_tell() -> None:
    made = sha256()
    for name, values in (("id", [4, 5]), ("inss", [0, 7])):
        told: dict[str, object] = {"column": name, "rows": 2}
        if name == "inss":
            told["empty"] = [[1, True], [1, False]]
        made.update(json.dumps(told).encode() + b"\n" + b"".join(value.to_bytes(8, "little") for value in values))
    made.update(json.dumps({"column": "quarter", "rows": 2, "number": 20263}).encode() + b"\n")
    made.update(json.dumps({"column": "result", "rows": 2, "texts": [[2, "given"]]}).encode() + b"\n")
    frame = pl.DataFrame(
        {"id": [4, 5], "inss": [None, 7], "quarter": 20263, "result": ["given", "given"], "file": [None, None]}
    )
    assert digest(frame) == made.hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        pl.lit("refused").alias("result"),
        pl.col("inss").reverse(),
        pl.col("inss").fill_null(0),
        pl.col("id") + 1,
        pl.lit(AT.replace(microsecond=1)).alias("at"),
        pl.Series("reason", [None, "x", None]),
        pl.Series("ticket", ["t1", "t1", None]),
    ],
)
def test_any_change_of_a_row_changes_the_digest(change: pl.Expr) -> None:
    assert digest(rows().with_columns(change)) != digest(rows())


def test_neither_chunks_nor_the_order_of_columns_change_it() -> None:
    whole = rows(many=4)
    assert digest(pl.concat([whole[:1], whole[1:]], rechunk=False)) == digest(whole)
    assert digest(whole.select(reversed(whole.columns))) == digest(whole)


def test_each_link_follows_from_the_one_before() -> None:
    first, second = links(rows(), rows().clear(), rows(3, ticket="t2"))
    assert (first.number, first.first_id, first.rows, first.ticket) == (0, 0, 3, "t1")
    assert (second.number, second.first_id, second.rows, second.ticket) == (1, 3, 3, "t2")
    assert (first.previous_sha256, second.previous_sha256) == (ORIGIN, first.sha256)
    assert first.place == "run run-1, ticket t1, rows 0 to 2"
    assert not list(broken([first, second]))


def test_rows_with_tickets_of_their_own_have_a_link_without_one() -> None:
    (link,) = links(rows().with_columns(pl.Series("ticket", ["a", "b", "c"])))
    assert link.ticket is None
    assert link.place == "run run-1, rows 0 to 2"


def test_a_link_that_was_changed_taken_away_or_made_anew_is_found() -> None:
    first, second, third = links(rows(), rows(3), rows(6))
    assert [(link.number, what) for link, what in broken([first, replace(second, rows=2), third])] == [
        (1, "it was changed")
    ]
    assert [(link.number, what) for link, what in broken([first, third])] == [(2, "link 1 is missing before it")]
    anew = replace(second, content_sha256=sha256(b"other").hexdigest())
    anew = replace(anew, sha256=anew.own_digest)
    assert [(link.number, what) for link, what in broken([first, anew, third])] == [
        (2, "it does not follow from the link before")
    ]
    assert [link.number for link, _ in broken([second, third])] == [1]
