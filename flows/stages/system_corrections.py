"""System corrections: amounts that the computation contradicts, proposed, approved and applied.

What rests on figures of trust A alone is reliable and may be applied as it is; all else waits for somebody's approval.
Only amounts of contributions and deductions are ever corrected, and each correction is a version of its declaration
with an entry in the ledger. What is applied is kept as a filing, by its digest, like all that brings a version.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from dmfa.corrections.applied import Applied
from dmfa.corrections.state import state_of_lines
from dmfa.corrections.system import RELIABLE, system_correction
from dmfa.errors import NothingToRead, WrongUsage
from dmfa.lake import Lake
from dmfa.money import euro
from dmfa.quarter import Quarter
from dmfa.schema import lake_tables
from flows import console
from flows.settings import Settings
from flows.stages.answers import next_number, put_answers
from flows.stages.asked import must_hold
from flows.stages.compute import compute_quarter
from flows.stages.own_corrections import bring
from flows.stages.own_filing import own_filing, publishing, put_filing
from flows.stages.reference import REFERENCE, references
from flows.stages.tables import COMPUTED
from flows.stages.versions import SYSTEM, frame

DECLARATIONS_AT_ONCE: Final = 10_000
"""Declarations of which corrections are made at a time: a bound on memory."""

SHOWN: Final = 40
"""Codes told on a terminal; --json gives every proposal."""

_PROPOSALS = """
SELECT declaration_id || '/' || declared_table || '/' || declared_ordinal AS proposal, declaration_id, quarter,
    noss_registration_nbr AS employer, natural_person_ordinal, worker_record_ordinal, employer_class, worker_code,
    declared_table, declared_ordinal, kind, code, type, declared_cents, computed_cents, trust, outcome
FROM lake.computed.difference
WHERE quarter = ? AND outcome = 'differs' AND declared_ordinal IS NOT NULL AND computed_cents IS NOT NULL
ORDER BY declaration_id, declared_table, declared_ordinal
"""


@dataclass(frozen=True)
class Corrected:
    """What became of the proposals of a quarter.

    Attributes:
        quarter: the quarter.
        proposals: one row each: proposal (its name), employer, places, codes, amounts, trust; `applied`.
        declarations: declarations that have a new version.
    """

    quarter: Quarter
    proposals: pl.DataFrame
    declarations: int = 0


def propose(lake: Lake, quarter: Quarter) -> pl.DataFrame:
    """Every amount declared that differs from the one computed, as a proposal to correct it; none is applied."""
    return frame(lake.arrow(_PROPOSALS, [quarter.code])).with_columns(applied=pl.lit(False))


def approved(path: Path) -> frozenset[str]:
    """The proposals that somebody has approved.

    Args:
        path: lines as `dmfa correct --json` writes them, those that are not approved left out; or names of proposals.

    Raises:
        NothingToRead: the file cannot be read.
        WrongUsage: a line names no proposal.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as trouble:
        why = (trouble.strerror if isinstance(trouble, OSError) else None) or "it is no text in UTF-8"
        raise NothingToRead(f"{path} cannot be read: {why.lower()}.", "Name a list of approved proposals.") from None
    return frozenset(_name(path, number, line) for number, line in enumerate(lines, 1) if line.strip())


def _name(path: Path, number: int, line: str) -> str:
    name: Any = line.strip()
    if name.startswith("{"):
        try:
            name = json.loads(name).get("proposal")
        except ValueError:
            name = None
    if not isinstance(name, str) or name.count("/") != 2:
        raise WrongUsage(
            f"{path}, line {number}: it names no proposal.", "Keep lines of `dmfa correct QUARTER --json` as they are."
        )
    return name


def run(quarter: Quarter, settings: Settings, *, apply: bool = False, approvals: Path | None = None) -> Corrected:
    """Propose the system corrections of a quarter, and apply those that may be.

    Args:
        quarter: the quarter.
        settings: those of the run.
        apply: whether the reliable ones are applied.
        approvals: file of approved proposals, which are applied too.

    Raises:
        NothingToRead: the lake holds no declaration of the quarter, or the file of approvals cannot be read.
        WrongUsage: it names something that is no proposal of the quarter any more; nothing is applied then.
        LakeProblem: there is no lake, or it is busy, full or damaged.
    """
    if not apply and approvals is None:
        with Lake.open(settings.lake) as lake:
            must_hold(lake, quarter)
            return Corrected(quarter, propose(lake, quarter))
    names = approved(approvals) if approvals else frozenset()
    tables = (*COMPUTED, *REFERENCE)
    with Lake.open(
        settings.lake, write=True, extra_tables=tables, wait_seconds=settings.lake_wait, xsd=settings.xsd
    ) as lake:
        must_hold(lake, quarter)
        # What is applied has to be what the law gives as it is known now.
        compute_quarter(lake, quarter, settings, stale_only=True)
        return correct(lake, quarter, settings, reliable=apply, names=names)


def correct(
    lake: Lake, quarter: Quarter, settings: Settings, *, reliable: bool, names: Collection[str] = ()
) -> Corrected:
    """Apply proposals of a quarter whose amounts are of the law as it is known now.

    Args:
        lake: open for writing.
        quarter: the quarter.
        settings: those of the run.
        reliable: whether those of trust A are applied.
        names: proposals that are applied whatever their trust.

    Raises:
        WrongUsage: a name is that of no proposal.
        LakeProblem: the lake's disk is full or cannot be written.
    """
    proposals = propose(lake, quarter)
    if unknown := len(set(names).difference(proposals["proposal"])):
        raise WrongUsage(
            f"{unknown:,} of the proposals approved are none of {quarter} any more; nothing was applied.",
            "List them anew: `dmfa correct QUARTER --json`.",
        )
    chosen = pl.col("proposal").is_in(list(names)) | (pl.lit(reliable) & (pl.col("trust") == RELIABLE))
    proposals = proposals.with_columns(applied=chosen)
    wanted = proposals.filter("applied")
    if wanted.is_empty():
        return Corrected(quarter, proposals)
    data = "".join(_lines(wanted)).encode()
    filing = own_filing(f"system-corrections-{quarter.first_day.year}-{quarter.number}.jsonl", data, SYSTEM, settings)
    declarations = 0
    with publishing(lake, filing, data) as publication:
        put_filing(publication, filing, quarter.code)
        number = next_number(filing["received_at"].date(), lake)
        known = references(lake, [quarter.code])
        ids = wanted["declaration_id"].unique(maintain_order=True).to_list()
        for start in range(0, len(ids), DECLARATIONS_AT_ONCE):
            these = pl.col("declaration_id").is_in(ids[start : start + DECLARATIONS_AT_ONCE])
            made = _made(lake, wanted.filter(these), filing, settings)
            place = (number, declarations, len(ids))
            declarations += bring(lake, publication, made, filing, settings, known=known, place=place)
    put_answers(lake, filing["filing_id"], settings)
    return Corrected(quarter, proposals, declarations)


def _made(lake: Lake, chosen: pl.DataFrame, filing: Mapping[str, Any], settings: Settings) -> Applied:
    """The new versions of some declarations."""
    lines = chosen.select("declaration_id", "quarter", "natural_person_ordinal", "worker_record_ordinal")
    state = state_of_lines(lines, lake.keyed("history"), lake_tables(settings.xsd))
    # Whoever chose them vouches for those of a lower trust.
    sure = chosen.with_columns(trust=pl.lit(RELIABLE))
    return system_correction(state, sure, filing["filing_id"], filing["received_at"]).applied


def _lines(proposals: pl.DataFrame) -> Iterator[str]:
    """Each proposal as a line of JSON; persons by their ordinal in the declaration, never by their number."""
    for row in proposals.iter_rows(named=True):
        told = {
            "proposal": row["proposal"],
            "quarter": str(Quarter.from_code(row["quarter"])),
            "employer": row["employer"],
            "person": row["natural_person_ordinal"],
            "line": row["worker_record_ordinal"],
            **{name: row[name] for name in _TOLD},
            "reliable": row["trust"] == RELIABLE,
            "applied": row["applied"],
        }
        yield json.dumps(told, ensure_ascii=False) + "\n"


_TOLD: Final = (
    "employer_class",
    "worker_code",
    "kind",
    "code",
    "type",
    "declared_cents",
    "computed_cents",
    "trust",
)


def show(found: Corrected, *, as_json: bool = False) -> None:
    """Report the proposals: each as one JSON object a line, or by code."""
    if as_json:
        sys.stdout.writelines(_lines(found.proposals))
        return
    by = ("kind", "code", "type", "trust", "applied")
    codes = (
        found.proposals.group_by(by)
        .agg(pl.len(), pl.col("declared_cents", "computed_cents").sum())
        .sort(by, nulls_last=True)
    )
    console.table(
        f"System corrections, {found.quarter}: amounts declared that differ from those computed, in euro",
        ("code", "trust", "state", "amounts", "declared", "computed", "difference"),
        [
            (
                row["code"] if row["type"] is None else f"{row['code']}/{row['type']}",
                row["trust"],
                "applied" if row["applied"] else "reliable" if row["trust"] == RELIABLE else "for approval",
                f"{row['len']:,}",
                *(euro(row[name]) for name in ("declared_cents", "computed_cents")),
                euro(row["computed_cents"] - row["declared_cents"]),
            )
            for row in codes.head(SHOWN).iter_rows(named=True)
        ],
        right=range(3, 7),
    )
    if codes.height > SHOWN:
        console.say(f"... and {codes.height - SHOWN:,} more: --json tells every one")
    reliable = found.proposals.select((~pl.col("applied") & (pl.col("trust") == RELIABLE)).sum()).item()
    applied = found.proposals["applied"].sum()
    waiting = found.proposals.height - applied - reliable
    if reliable:
        console.say("reliable: --apply applies them; they rest on figures of trust A alone")
    if waiting:
        console.say(
            f"for approval: dmfa correct {found.quarter} --json > FILE, take out the lines that are not approved, then"
            f" dmfa correct {found.quarter} --approve FILE"
        )
    console.say(
        f"control: {found.proposals.height:,} proposals of {found.quarter} = {applied:,} applied in"
        f" {found.declarations:,} declarations + {reliable:,} reliable, not applied + {waiting:,} for approval"
    )
