"""What the lake holds of what corrections are about, read once for all who apply them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from dmfa.answers import ANSWER_SCHEMA
from dmfa.answers.acknowledgement import KIND as RECEIPT
from dmfa.answers.notification import KIND as NOTIFICATION
from dmfa.corrections.places import flagged
from dmfa.corrections.shape import Corrections
from dmfa.corrections.state import concerned, state_of
from dmfa.lake import Lake
from dmfa.schema import Table, lake_tables
from flows.stages.corrected_amounts import standing
from flows.stages.correcting import Share
from flows.stages.item import Shared

if TYPE_CHECKING:
    from dmfa.corrections.state import History

_PERSON = "natural_person_ordinal"


class _Held:
    """The history of units that were read whole; what was not is asked for.

    Args:
        history: the lake's.
        rows: by table, all rows of the units.
        tables: the tables of the lake.
    """

    def __init__(self, history: History, rows: Mapping[str, pl.DataFrame], tables: tuple[Table, ...]) -> None:
        self._history, self._rows = history, rows
        self._schemas = {table.name: table.arrow_schema for table in tables}

    def rows(self, table: str, columns: Sequence[str] | None, keys: pl.DataFrame) -> pl.DataFrame:
        """Rows of those units, by key."""
        held = self._rows[table] if table in self._rows else pl.DataFrame(self._schemas[table].empty_table())
        own = held.join(keys, on=keys.columns, how="semi", maintain_order="left")
        return own if columns is None else own.select(columns)

    def highest(self, columns: Mapping[str, str], keys: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Highest value of a column of some tables by declaration, over all their rows."""
        return self._history.highest(columns, keys)


def share_of(lake: Lake, corrections: Corrections, forms: pl.DataFrame, shared: Shared) -> Share:
    """Some corrections with all that is known of what they are about.

    Args:
        lake: in the transaction that applies them.
        corrections: what is asked.
        forms: form_id, and filing_id, sha256, name, received_at and declarations of the filings that they came in.
        shared: what every item needs.

    Raises:
        LakeProblem: the lake cannot be read.
    """
    tables = lake_tables(shared.settings.xsd)
    history, received = lake.keyed("history"), lake.keyed("received")
    filings = forms.select("filing_id", "sha256", "name", "received_at", "declarations").unique(maintain_order=True)
    answers = received.rows("answer", ["filing_id", "kind", "name"], filings.select("filing_id"))
    receipts = answers.filter(kind=RECEIPT).select("filing_id", receipt="name")
    own_forms = forms.select(declaration_id="form_id")
    notified = received.rows("answer", list(ANSWER_SCHEMA), own_forms)
    anomalies = received.rows("anomaly", ["declaration_id", "severity"], own_forms)
    about = concerned(corrections, history)
    of_none = about.keys.with_columns(pl.lit(None, pl.Int32).alias(_PERSON))
    units = pl.concat([about.persons, of_none.select(about.persons.columns)])
    held, before = None, []
    for quarter in corrections.forms["quarter"].unique().sort():
        own = units.filter(pl.col("quarter") == quarter)
        rows = lake.histories(quarter, own)
        held = rows if held is None else held.then(rows.rows, rows.replaced)
        before.append(standing(lake, quarter, own))
    if held is None:
        raise ValueError("no Form is there")
    return Share(
        corrections,
        filings.join(receipts, on="filing_id", how="left", maintain_order="left"),
        state_of(corrections, filings, _Held(history, held.rows, tables), tables, about),
        held,
        pl.concat(before),
        notified.filter(kind=NOTIFICATION),
        flagged(anomalies),
        shared,
    )
