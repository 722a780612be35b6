"""The chain of the exchange log: each link holds the digest of some rows of the log, and that of the link before.

The digest of rows is made of what they say, not of the bytes of their file: maintenance may write the files anew. A
row that is changed, added or taken away no longer agrees with its link; a link that is changed no longer agrees with
the next. Who cuts off the end of the log together with its links is found by the digest of the last link, if somebody
has kept it elsewhere: `dmfa log check` prints it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import polars as pl

LINK_ROWS: Final = 122_880
"""Rows of the log that a link covers at most: those of a row group, so that a check reads no row group twice."""

ORIGIN: Final = "0" * 64
"""What stands for the digest before the first link."""


@dataclass(frozen=True)
class Link:
    """One row of exchange.chain.

    Attributes:
        number: its number, from 0.
        at: when it was made, UTC without zone.
        run_id: run whose rows it covers.
        quarter: quarter of these rows.
        ticket: ticket of the communication; None where each row has its own, as refusals have.
        first_id: number of the first row in the run.
        rows: how many rows it covers.
        content_sha256: digest of the rows.
        previous_sha256: digest of the link before, ORIGIN for the first.
        sha256: digest of all of this.
    """

    number: int
    at: datetime
    run_id: str
    quarter: int
    ticket: str | None
    first_id: int
    rows: int
    content_sha256: str
    previous_sha256: str
    sha256: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Link:
        """A link as the lake keeps it."""
        return cls(**row)

    @property
    def own_digest(self) -> str:
        """The digest that it must have."""
        facts = {name: value for name, value in vars(self).items() if name != "sha256"}
        return sha256(json.dumps(facts, default=datetime.isoformat, sort_keys=True).encode()).hexdigest()

    @property
    def place(self) -> str:
        """Where its rows are, as people are told."""
        last = self.first_id + self.rows - 1
        said = f" ticket {self.ticket}," if self.ticket else ""
        return f"run {self.run_id},{said} rows {self.first_id} to {last}"


@dataclass
class Chain:
    """Makes links behind the last one that stands.

    Attributes:
        at: when.
        number: number of the next link.
        previous: digest of the last one.
        links: those made.
    """

    at: datetime
    number: int = 0
    previous: str = ORIGIN
    links: list[Link] = field(default_factory=list)

    def over(self, parts: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The same rows, a link made for each part; all rows of a part are of one run and quarter, in order of id."""
        for rows in parts:
            if rows.height:
                self._add(rows)
            yield rows

    def _add(self, rows: pl.DataFrame) -> None:
        first = rows.row(0, named=True)
        ticket = first["ticket"] if rows["ticket"].n_unique() == 1 else None
        link = Link(
            self.number,
            self.at,
            first["run_id"],
            first["quarter"],
            ticket,
            first["id"],
            rows.height,
            digest(rows),
            self.previous,
        )
        link = Link(**{**vars(link), "sha256": link.own_digest})
        self.links.append(link)
        self.number, self.previous = self.number + 1, link.sha256


def digest(rows: pl.DataFrame) -> str:
    """SHA-256 of what rows say, in their order, hexadecimal.

    Texts go in as runs of the same text, for they repeat; numbers and times as one number where all are the same, else
    as 64 bits each. A column without any value adds nothing, so that a column that the log gets later does not change
    the digest of what was written before.

    Examples:
        >>> one = pl.DataFrame({"id": [0, 1], "flow": ["pensions", "pensions"]})
        >>> digest(one) == digest(one.with_columns(reason=pl.lit(None, pl.String)))
        True
        >>> digest(one) == digest(one.reverse())
        False
    """
    made = sha256()
    for name in sorted(rows.columns):
        column = rows[name]
        empty = column.null_count()
        if empty == column.len():
            continue
        told: dict[str, object] = {"column": name, "rows": column.len()}
        if empty:
            told["empty"] = _runs(column.is_null())
        numbers = b""
        if column.dtype == pl.String:
            told["texts"] = _runs(column)
        else:
            whole = column.to_physical().cast(pl.Int64)
            if _same(whole):
                told["number"] = whole[0]
            else:
                numbers = whole.fill_null(0).to_numpy().astype("<i8").tobytes()
        made.update(json.dumps(told).encode() + b"\n")
        made.update(numbers)
    return made.hexdigest()


def _runs(column: pl.Series) -> list[list[object]]:
    if _same(column):  # sooner found out than runs are
        return [[column.len(), column[0]]]
    runs = column.rle().struct.unnest()
    return [list(run) for run in zip(runs["len"].to_list(), runs["value"].to_list(), strict=True)]


def _same(column: pl.Series) -> bool:
    """Whether every row has the same value, as most columns of a delivery have."""
    return not column.null_count() and bool((column == column[0]).all())


def broken(links: Iterable[Link]) -> Iterator[tuple[Link, str]]:
    """The links that are not what they must be, each with what is wrong; links come in the order of their numbers."""
    number, previous = 0, ORIGIN
    for link in links:
        if link.sha256 != link.own_digest:
            yield link, "it was changed"
        elif link.number != number:
            yield link, f"link {number} is missing before it"
        elif link.previous_sha256 != previous:
            yield link, "it does not follow from the link before"
        number, previous = link.number + 1, link.sha256
