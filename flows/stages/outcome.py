"""What came of a work item, read from its staged tables: the same whether it was done now or taken over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from dmfa.lake import Manifest, staged_rows
from dmfa.schema import UPDATE
from dmfa.states import WAITS

if TYPE_CHECKING:
    from dmfa.corrections.shape import Corrections
    from flows.stages.handing import HandedOver

SHOWN = 1_000
"""Refusals of which an item tells; the ledger holds all."""

_ACCOUNTS = "computed.employer_account"
_SUMS = ("declared", "covered", "computed")


@dataclass(frozen=True)
class Refusal:
    """Why a filing, or a declaration in it, was refused.

    Attributes:
        name: name of the filing.
        code: official code, or kind of refusal.
        message: plain words without a person's number or name.
    """

    name: str
    code: str
    message: str


@dataclass(frozen=True)
class Asked:
    """Corrections that were read, on their way to who applies them.

    Attributes:
        filings: filing_id of those that they came in.
        handed: what they ask.
    """

    filings: frozenset[int]
    handed: HandedOver[Corrections]


@dataclass
class Done:
    """What came of an item.

    Attributes:
        manifest: its staged files.
        states: filings by state; of a filing whose corrections are still to be applied it is not known yet.
        counts: declarations, refused, accepted, persons, lines, and in cents wages, declared, covered and computed
            contributions, of originals; corrections_refused, for what they hold by themselves.
        refusals: the first of them.
        originals: accepted declarations: declaration_id, filing_id, quarter, employer, name, form_index.
        asked: corrections that were read now; of an item that is taken over they have to be read again.
    """

    manifest: Manifest
    states: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    originals: pl.DataFrame = field(default_factory=pl.DataFrame)
    asked: tuple[Asked, ...] = ()


def outcome(lake: str, manifest: Manifest, asked: Iterable[Asked] = ()) -> Done:
    """Read what came of an item.

    Args:
        lake: where the lake is.
        manifest: the finished item.
        asked: corrections in it that were read now.

    Raises:
        LakeProblem: a staged file cannot be read.
    """
    done = Done(manifest, asked=tuple(asked))
    filings = staged_rows(lake, manifest, "received.filing")
    if filings is None:  # of every filing in it no byte could be had
        return done
    done.states.update(filings.filter(pl.col("reason").ne_missing(WAITS))["state"])
    originals = filings.filter(pl.col("kind").ne_missing(UPDATE.name))
    done.counts.update(
        declarations=int(originals["declarations"].sum()),
        refused=int(originals["refused"].sum()),
        accepted=manifest.rows("history.employer_declaration"),
        corrections_refused=_corrections_refused(lake, manifest),
        persons=manifest.rows("history.natural_person"),
        lines=manifest.rows("history.worker_record"),
        wages=_total(lake, manifest, "history.remun", "remun_amount"),
        **{name: _total(lake, manifest, _ACCOUNTS, f"{name}_contribution_cents") for name in _SUMS},
    )
    names = filings.select("filing_id", "name")
    done.refusals = _refusals(lake, manifest, names)
    forms = staged_rows(lake, manifest, "received.form")
    if forms is not None:
        done.originals = _originals(forms.filter(pl.col("state") == "accepted").join(names, on="filing_id"))
    return done


def _total(lake: str, manifest: Manifest, key: str, column: str) -> int:
    rows = staged_rows(lake, manifest, key, [column])
    return 0 if rows is None else int(rows[column].sum())


def _corrections_refused(lake: str, manifest: Manifest) -> int:
    rows = staged_rows(lake, manifest, "received.correction", ["state"])
    return 0 if rows is None else rows.filter(state="refused").height


def _refusals(lake: str, manifest: Manifest, names: pl.DataFrame) -> list[Refusal]:
    columns = ["filing_id", "declaration_id", "code", "severity", "message"]
    anomalies = staged_rows(lake, manifest, "received.anomaly", columns)
    forms = staged_rows(lake, manifest, "received.form", ["declaration_id", "state"])
    if anomalies is None:
        return []
    blocks = pl.col("severity") == "B"
    if forms is not None:
        of_whole = anomalies.filter(blocks)["declaration_id"].drop_nulls()
        counted_out = forms.filter(pl.col("state") == "refused", ~pl.col("declaration_id").is_in(of_whole.implode()))
        out = counted_out["declaration_id"].implode()
        blocks |= (pl.col("severity") == "P") & pl.col("declaration_id").is_in(out)
    blocking = anomalies.filter(blocks).head(SHOWN)
    rows = blocking.join(names, on="filing_id", maintain_order="left").select("name", "code", "message")
    return [Refusal(*row) for row in rows.iter_rows()]


def _originals(accepted: pl.DataFrame) -> pl.DataFrame:
    """What a second original of an employer is told by: its NSSO number, or minus its enterprise number without one."""
    number = pl.col("noss_registration_nbr")
    employer = pl.when(number > 0).then(number).otherwise(-pl.col("company_id"))
    return accepted.select("declaration_id", "filing_id", "quarter", employer.alias("employer"), "name", "form_index")
