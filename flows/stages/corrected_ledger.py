"""What the ledger says of corrections that were decided: rows of schema received."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

import polars as pl

from dmfa.corrections.applied import APPLIED, REFUSED, WAITING
from dmfa.lake import RECEIVED, ItemWriter, Lake, Publication, StagedFile
from dmfa.states import OPEN_CLASSES, WAITS, State, step
from flows.stages.item import anomaly_rows
from flows.stages.outcome import SHOWN, Refusal

_TABLES: Final = {spec.name: spec for spec in RECEIVED}
_KEYS: Final = {"correction": "form_id", "form": "declaration_id", "filing": "filing_id"}
"""Tables of which rows are replaced, and by which of their columns."""


@dataclass(frozen=True)
class Decided:
    """What became of some Forms.

    Attributes:
        outcomes: columns of `dmfa.corrections.applied.OUTCOME_TYPES`.
        anomalies: what applying them found, columns of `dmfa.anomaly.ANOMALY_SCHEMA`.
        answers: their answers, staged rows of received.answer.
        notified: declaration_id of the answers that take the place of others.
    """

    outcomes: pl.DataFrame
    anomalies: pl.DataFrame
    answers: tuple[StagedFile, ...]
    notified: pl.Series


@dataclass
class Settled:
    """What the ledger says now.

    Attributes:
        states: filings of the run by state, without those that were refused before for another Form in them.
        refusals: the first refusals, by name of the filing.
    """

    states: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)


def settle(
    lake: Lake,
    publication: Publication,
    forms: pl.DataFrame,
    decided: Sequence[Decided],
    *,
    run: pl.Series,
    when: datetime,
) -> Settled:
    """Write down what became of corrections.

    Args:
        lake: in the transaction.
        publication: the transaction.
        forms: form_id, filing_id, form_index, sha256 and name of the Forms that could have been decided.
        decided: what became of them, at least some.
        run: filing_id of the filings of this run.
        when: the moment of the decision, UTC.

    Raises:
        LakeProblem: the lake's disk is full or cannot be written.
    """
    ledger = _Ledger(lake, forms, decided, when)
    rows = {
        "correction": ledger.corrections(),
        "form": ledger.forms,
        "filing": ledger.filings,
        "filing_state": pl.concat([ledger.steps(run), ledger.steps_of_corrected()]),
        "anomaly": ledger.anomalies(),
    }
    with ItemWriter(lake.location, "corrections", RECEIVED) as writer:
        for name, frame in rows.items():
            writer.append(f"received.{name}", frame)
        files = writer.close(()).files
    for name, key in _KEYS.items():
        own = [file for file in files if file.table == name]
        publication.replace(_TABLES[name], own, among=(key, rows[name][key].unique().to_list()), differing=True)
    notified = pl.concat([one.notified for one in decided]).to_list()
    own = [file for one in decided for file in one.answers]
    publication.replace(_TABLES["answer"], own, among=("declaration_id", notified), differing=True)
    publication.append_files([file for file in files if file.table in ("filing_state", "anomaly")])
    mine = ledger.filings.filter(pl.col("filing_id").is_in(run.implode()))
    return Settled(Counter(mine.join(ledger.undecided, on="filing_id", how="semi")["state"]), ledger.refusals())


class _Ledger:
    """The rows of schema received that change with a decision."""

    def __init__(self, lake: Lake, forms: pl.DataFrame, decided: Sequence[Decided], when: datetime) -> None:
        self._received, self._asked, self._when = lake.keyed("received"), forms, when
        self._outcomes = pl.concat([one.outcomes for one in decided])
        self._found = pl.concat([one.anomalies for one in decided])
        self.forms = self._forms()
        standing = self._received.rows("filing", None, forms.select("filing_id").unique())
        self.undecided = standing.filter(state="not_processed").select("filing_id")
        self.filings = self._filings(standing)

    def corrections(self) -> pl.DataFrame:
        """Rows of received.correction."""
        applied = pl.col("state") == APPLIED
        return self._outcomes.with_columns(applied_at=pl.when(applied).then(pl.lit(self._when, pl.Datetime("us"))))

    def _forms(self) -> pl.DataFrame:
        """Rows of received.form with the state that they have now."""
        outcomes = self._outcomes.select("state", declaration_id="form_id")
        rows = self._received.rows("form", None, self._asked.select(declaration_id="form_id"))
        return rows.update(outcomes, on="declaration_id", maintain_order="left")

    def _filings(self, standing: pl.DataFrame) -> pl.DataFrame:
        """Rows of received.filing with the state that follows from all Forms in them."""
        all_forms = self._received.rows("form", ["filing_id", "declaration_id", "state"], standing.select("filing_id"))
        forms = all_forms.update(self.forms.select("declaration_id", "state"), on="declaration_id")
        told = self._outcomes.filter(state=REFUSED).group_by("filing_id").agg(pl.col("codes").str.join(" "))
        counted = forms.group_by("filing_id").agg(
            more=(pl.col("state") == REFUSED).sum().cast(pl.Int32), waits=(pl.col("state") == WAITING).any()
        )
        codes = pl.concat_str(pl.col("reason").replace(WAITS, None), "codes", separator=" ", ignore_nulls=True)
        each = codes.replace("", None).str.split(" ").list.unique().list.sort().list.join(" ")
        return (
            standing.join(counted, on="filing_id", how="left", maintain_order="left")
            .join(told, on="filing_id", how="left", maintain_order="left")
            .with_columns(
                state=pl.when(pl.col("more") > 0)
                .then(pl.lit("refused"))
                .when("waits")
                .then(pl.lit("not_processed"))
                .otherwise(pl.lit("accepted")),
                reason=pl.when((pl.col("more") == 0) & pl.col("waits")).then(pl.lit(WAITS)).otherwise(each),
                refused=pl.col("more"),
                processed_at=pl.lit(self._when, pl.Datetime("us")),
            )
            .drop("more", "waits", "codes")
        )

    def steps(self, run: pl.Series) -> pl.DataFrame:
        """Steps of the Forms: those that are decided, and those of this run that wait."""
        before = self._last_steps(self._asked["form_id"])
        own = self.forms.join(before, on="declaration_id", how="left", maintain_order="left")
        own = own.filter((pl.col("state") != WAITING) | pl.col("filing_id").is_in(run.implode()))
        left_open = self._found.filter(pl.col("severity").is_in(OPEN_CLASSES))["declaration_id"].unique()
        state = (
            pl.when(pl.col("state") == REFUSED)
            .then(pl.lit("refused"))
            .when(pl.col("state") == WAITING)
            .then(pl.lit("not_processed"))
            .when(pl.col("declaration_id").is_in(left_open.implode()))
            .then(pl.lit("accepted_open"))
            .otherwise(pl.lit("accepted"))
        )
        return _stepped(own.with_columns(state=state), pl.lit("acknowledged"), self._when)

    def steps_of_corrected(self) -> pl.DataFrame:
        """Steps of the declarations: each version that a correction made, with the ticket of the correction."""
        tickets = self.forms.select("ticket", form_id="declaration_id")
        made = self._outcomes.filter(pl.col("state") == APPLIED).join(tickets, on="form_id", maintain_order="left")
        before = self._last_steps(made["declaration_id"])
        own = (
            made.drop("filing_id", "state")
            .join(before.rename({"of": "filing_id"}), on="declaration_id", maintain_order="left")
            .with_columns(state=pl.lit("corrected"))
            .with_columns(pl.int_range(pl.len(), dtype=pl.Int16).over("declaration_id").alias("later"))
        )
        return _stepped(own, pl.lit("accepted"), self._when)

    def anomalies(self) -> pl.DataFrame:
        """Rows of received.anomaly."""
        quarters = self._outcomes.select("quarter", declaration_id="form_id")
        return anomaly_rows(self._found, self._asked.select("filing_id", "sha256"), quarters)

    def refusals(self) -> list[Refusal]:
        """The first refusals."""
        names = self._asked.select("filing_id", "name").unique(maintain_order=True)
        blocking = self._found.filter(pl.col("severity") == "B").head(SHOWN)
        rows = blocking.join(names, on="filing_id", maintain_order="left").select("name", "code", "message")
        return [Refusal(*row) for row in rows.iter_rows()]

    def _last_steps(self, declarations: pl.Series) -> pl.DataFrame:
        """declaration_id, and of its last step the filing (of), number (last) and state (before)."""
        keys = pl.DataFrame({"declaration_id": declarations.unique()})
        steps = self._received.rows("filing_state", ["declaration_id", "filing_id", "step", "state"], keys)
        last = steps.sort("step").unique("declaration_id", keep="last")
        return last.rename({"filing_id": "of", "step": "last", "state": "before"})


def _stepped(rows: pl.DataFrame, otherwise: pl.Expr, when: datetime) -> pl.DataFrame:
    """Rows of received.filing_state, one step on from the last one.

    Args:
        rows: filing_id, declaration_id, ticket and state, and of the last step last and before.
        otherwise: the state before, of what has no step of its own yet: it came with its filing.
        when: the moment.
    """
    for before, after in rows.select(pl.coalesce("before", otherwise), "state").unique().iter_rows():
        step(cast("State", before), cast("State", after))
    later = pl.col("later") if "later" in rows.columns else pl.lit(0, pl.Int16)
    return rows.select(
        "filing_id",
        "declaration_id",
        step=(pl.col("last").fill_null(1) + 1 + later).cast(pl.Int16),
        state="state",
        ticket="ticket",
        reached_at=pl.lit(when, pl.Datetime("us")),
    )
