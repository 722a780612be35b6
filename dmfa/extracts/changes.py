"""Deliveries of changes: what became of each attestation since its recipient was last given it.

What was given stands in the exchange log, with a digest of all that was said; what is given now is held against it.
An attestation that says anything else is given whole. One that is no longer there, or no longer for this recipient
(its population, its line of the directory), is told as cancelled, without content.

Source: project page of the Crossroads Bank for Social Security on DmfA; status of an attestation: zone 100003.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from dmfa.address import Place
from dmfa.extracts.authorisations import CHANGE_TABLE, FLAG_TABLE, KEYS, NUMBER, Authorisation
from dmfa.extracts.persons import DECLARATION, Frames
from dmfa.extracts.rows import ReadableLake
from dmfa.extracts.selection import numbered
from dmfa.extracts.shape import Shape
from dmfa.identifiers import insz_text_expr, noss_registration_text_expr
from dmfa.quarter import Quarter

NEW: Final = 0
CHANGED: Final = 1
CANCELLED: Final = 3
REACTIVATED: Final = 4

CONTENT: Final = "content"
"""Column of the log with the digest of what was given."""

_BEFORE = """
    SELECT count(DISTINCT ticket) AS number, arg_max(ticket, snapshot_id) AS ticket,
        coalesce(max(snapshot_id), 0) AS snapshot
    FROM lake.exchange.delivery WHERE quarter = ? AND "authorisation" = ?
"""
_BEGUN = """
    SELECT DISTINCT quarter, "authorisation" FROM lake.exchange.delivery
    WHERE "authorisation" IN (SELECT unnest(string_split(?, chr(10))))
"""
_GIVEN = """
    SELECT attestation, last.* FROM (
        SELECT attestation, arg_max({'version_before': version, 'status_before': coalesce(status, 0),
            'content_before': content, 'inss_before': inss}, snapshot_id) AS last
        FROM lake.exchange.log
        WHERE quarter = ? AND "authorisation" = ? AND result = 'given' AND attestation IS NOT NULL GROUP BY attestation
    )
"""
_CANCELLED = """
    SELECT declaration_id, natural_person_ordinal, max(version) AS version, arg_max(status, version) AS status,
        arg_max(inss, version) AS inss
    FROM lake.history.natural_person WHERE quarter = ? GROUP BY ALL HAVING status = ?
"""
# A row of history is never changed: those that were there when something was given tell what was given.
_RENUMBERED = """
    SELECT declaration_id, number_before FROM (
        SELECT declaration_id, arg_max(noss_registration_nbr, version) AS number,
            arg_max(noss_registration_nbr, version) FILTER (WHERE snapshot_id <= ?) AS number_before
        FROM lake.history.employer_declaration WHERE quarter = ? GROUP BY declaration_id HAVING count(*) > 1
    ) WHERE number_before <> number
"""

_FIELDS: Final = {
    NUMBER: pa.field(NUMBER, pa.int32(), False, {"words": "Number of the delivery: the higher one is the later one"}),
    "previous_inss": pa.field(
        "previous_inss", pa.string(), True, {"zone": "100074", "words": "Number of the person as given before"}
    ),
    "previous_noss_registration_nbr": pa.field(
        "previous_noss_registration_nbr",
        pa.string(),
        True,
        {"zone": "100073", "words": "Registration number of the employer as given before"},
    ),
}


@dataclass(frozen=True)
class Before:
    """What stands recorded of a row and a quarter.

    Attributes:
        number: how many deliveries there were.
        ticket: ticket of the last one; empty if there was none.
        snapshot: state of the lake in which that was recorded.
    """

    number: int = 0
    ticket: str = ""
    snapshot: int = 0


@dataclass(frozen=True)
class Known:
    """What a recipient was given so far; it travels to worker processes as it is.

    Attributes:
        number: number of the delivery to be made.
        given: file with the last that was said of each attestation.
        cancelled: attestations that the lake no longer holds, each with its last version.
        renumbered: declarations whose employer has another number since, with the one before.
    """

    number: int
    given: Place
    cancelled: pl.DataFrame = field(repr=False)
    renumbered: pl.DataFrame = field(repr=False)


@dataclass(frozen=True)
class ChangePart:
    """The table that says what became of each attestation, as writers take it.

    Attributes:
        columns: its columns, keys included.
    """

    columns: tuple[str, ...]
    name: str = CHANGE_TABLE
    ordinals: tuple[str, ...] = ()
    zones: tuple[()] = ()

    @classmethod
    def of(cls, row: Authorisation) -> ChangePart | None:
        """The table under a row; None where the row does not ask for changes."""
        return cls((*KEYS, *row.columns[CHANGE_TABLE])) if row.gives_changes else None

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """Columns with their types and words."""
        keys = (
            pa.field(KEYS[0], pa.int64(), False, {"words": "Number of the attestation"}),
            pa.field(KEYS[1], pa.int16(), False, {"words": "Version of the attestation"}),
            pa.field(
                KEYS[2],
                pa.int8(),
                False,
                {"zone": "100003", "words": "For its recipient: 0 new, 1 changed, 3 cancelled, 4 reactivated"},
            ),
        )
        return pa.schema([*keys, *(_FIELDS[name] for name in self.columns if name not in KEYS)])


def tables_of(shape: Shape, row: Authorisation) -> dict[str, tuple[str, ...]]:
    """All tables of a delivery under a row with their columns, that of changes among them."""
    part = ChangePart.of(row)
    return shape.columns | ({part.name: part.columns} if part else {})


def before(lake: ReadableLake, quarter: Quarter, row: Authorisation) -> Before:
    """What stands recorded of a row and a quarter.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    (found,) = lake.arrow(_BEFORE, [quarter.code, row.id]).to_pylist()
    return Before(found["number"], found["ticket"] or "", found["snapshot"])


def quarters_begun(lake: ReadableLake, rows: Sequence[Authorisation]) -> dict[Quarter, set[str]]:
    """The quarters of which something was given under some rows, to those of the rows.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    found: dict[Quarter, set[str]] = {}
    for line in lake.arrow(_BEGUN, ["\n".join(row.id for row in rows)]).to_pylist() if rows else []:
        found.setdefault(Quarter.from_code(line["quarter"]), set()).add(line["authorisation"])
    return found


def known(lake: ReadableLake, quarter: Quarter, row: Authorisation, last: Before, folder: Place) -> Known:
    """What a recipient was given of a quarter under a row.

    Args:
        lake: the lake.
        quarter: the quarter.
        row: the row.
        last: what stands recorded of both.
        folder: where a file of it may be written, private and for a while.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    given = folder / f"given-{row.id}.parquet"
    lines = lake.arrow(_GIVEN, [quarter.code, row.id])
    with given.open("wb") as file:
        pq.write_table(lines, file, compression="lz4")
    cancelled = pl.DataFrame(lake.arrow(_CANCELLED, [quarter.code, CANCELLED]))
    renumbered = pl.DataFrame(lake.arrow(_RENUMBERED, [last.snapshot, quarter.code]))
    return Known(last.number + 1, given, numbered(cancelled).select(KEYS[0], KEYS[1]), renumbered)


def contents(persons: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.Series:
    """A digest of all that is given of each attestation: the first 63 bits of a SHA-256 over names, keys and values.

    The same for the same data in any version of the program: else a new one would give everything anew. So flags are
    in it only where there are any.

    Args:
        persons: the attestations.
        tables: all their rows, in document order.
    """
    texts = persons.select(KEYS[0])
    head = sha256()
    flagged = tables.get(FLAG_TABLE)
    told = {name: tables[name] for name in sorted(tables) if name != FLAG_TABLE}
    if flagged is not None and flagged.height:
        told[FLAG_TABLE] = flagged
    for name, frame in told.items():
        if name != FLAG_TABLE:
            head.update("\x1f".join((name, *frame.columns, "")).encode())
        # None of these signs can stand in a text that came as XML.
        row = pl.concat_str(
            [pl.col(column).cast(pl.String).fill_null("\x00") for column in frame.columns], separator="\x1f"
        )
        rows = frame.select(KEYS[0], row.alias(name)).group_by(KEYS[0], maintain_order=True)
        texts = texts.join(rows.agg(pl.col(name).str.join("\x1e")), on=KEYS[0], how="left", maintain_order="left")
    whole = pl.concat_str(pl.col([name for name in told if name != FLAG_TABLE]).fill_null(""), separator="\x1d")
    if FLAG_TABLE in told:
        whole = pl.concat_str(whole, pl.concat_str(pl.lit("\x1d\x1d"), FLAG_TABLE).fill_null(""))
    digests = []
    for text in texts.select(whole.alias(CONTENT))[CONTENT].to_list():
        made = head.copy()
        made.update(text.encode())
        digests.append(int.from_bytes(made.digest()[:8]) >> 1)
    return pl.Series(CONTENT, digests, dtype=pl.Int64)


class Changes:
    """Holds what is given now against what was given, shard by shard.

    Args:
        known: what was given.
        part: the table of changes to make.
    """

    def __init__(self, known: Known, part: ChangePart) -> None:
        self._known, self._part = known, part
        with known.given.open("rb") as file:
            self._given = pl.DataFrame(pq.read_table(file))
        self._seen: list[pl.Series] = []
        self._gone: list[pl.DataFrame] = []

    def of(self, everybody: pl.DataFrame, persons: pl.DataFrame, tables: Frames) -> tuple[pl.DataFrame, Frames]:
        """What is new or changed in a shard.

        Args:
            everybody: all persons of the shard: declaration_id, natural_person_ordinal, version.
            persons: those that the recipient may have: attestation, version, status, inss.
            tables: all that is given of these.

        Returns:
            The persons of whom something is given, with status for the recipient and digest; the tables of these, and
            that of changes.
        """
        all_ = numbered(everybody)
        self._seen.append(all_[KEYS[0]])
        held = all_.select(KEYS[0], KEYS[1]).join(persons, on=KEYS[0], how="anti")
        gone = held.join(self._given.filter(pl.col("status_before") != CANCELLED), on=KEYS[0], how="inner")
        self._gone.append(gone.select(KEYS[0], KEYS[1], pl.col("inss_before").alias("inss")))
        told = (
            persons.with_columns(contents(persons, tables))
            .join(self._given, on=KEYS[0], how="left", maintain_order="left")
            .with_columns(_status().alias(KEYS[2]))
            .drop_nulls(KEYS[2])
            .join(all_.select(KEYS[0], DECLARATION), on=KEYS[0], how="left", maintain_order="left")
            .join(self._known.renumbered, on=DECLARATION, how="left", maintain_order="left")
        )
        kept = {name: rows.join(told, on=KEYS[0], how="semi", maintain_order="left") for name, rows in tables.items()}
        return told, kept | {CHANGE_TABLE: self._table(told)}

    def cancelled(self, shape: Shape) -> tuple[pl.DataFrame, Frames]:
        """What is no longer there for the recipient, once all shards were seen: persons, and a table of changes alone.

        Args:
            shape: the other tables, of which there is no row.
        """
        seen = pl.concat([pl.Series(KEYS[0], [], dtype=pl.Int64), *self._seen]).to_frame()
        rest = self._given.filter(pl.col("status_before") != CANCELLED).join(seen, on=KEYS[0], how="anti")
        version = pl.max_horizontal("version_before", KEYS[1]).alias(KEYS[1])
        lost = rest.join(self._known.cancelled, on=KEYS[0], how="left").select(
            KEYS[0], version, pl.col("inss_before").alias("inss")
        )
        told = (
            pl.concat([lost, *self._gone], how="vertical_relaxed")
            .sort(KEYS[0])
            .with_columns(
                pl.lit(CANCELLED, pl.Int8).alias(KEYS[2]),
                pl.lit(None, pl.Int64).alias(CONTENT),
                pl.lit(None, pl.Int64).alias("inss_before"),
                pl.lit(None, pl.Int64).alias("number_before"),
            )
        )
        empty = {part.name: pl.DataFrame(part.arrow_schema.empty_table()) for part in shape.sheets}
        return told, empty | {CHANGE_TABLE: self._table(told)}

    def _table(self, told: pl.DataFrame) -> pl.DataFrame:
        again = pl.col(KEYS[2]) != NEW
        values = {
            NUMBER: pl.lit(self._known.number, pl.Int32),
            "previous_inss": pl.when(again & (pl.col("inss_before") != pl.col("inss"))).then(
                insz_text_expr(pl.col("inss_before"))
            ),
            "previous_noss_registration_nbr": pl.when(again).then(noss_registration_text_expr(pl.col("number_before"))),
        }
        return told.select(*KEYS, *(values[name].alias(name) for name in self._part.columns if name in values))


def _status() -> pl.Expr:
    """What became of an attestation for its recipient; null if nothing did."""
    same = (pl.col(CONTENT) == pl.col("content_before")).fill_null(value=False)
    return (
        pl.when(pl.col("version_before").is_null())
        .then(pl.lit(NEW, pl.Int8))
        .when(pl.col("status_before") == CANCELLED)
        .then(pl.lit(REACTIVATED, pl.Int8))
        .when(~same)
        .then(pl.lit(CHANGED, pl.Int8))
    )


def counts(statuses: Sequence[int]) -> dict[str, int]:
    """How many attestations are new, changed, cancelled and reactivated, in words."""
    words = {NEW: "new", CHANGED: "changed", CANCELLED: "cancelled", REACTIVATED: "reactivated"}
    return {name: sum(status == code for status in statuses) for code, name in words.items()}
