"""One worker's call: some filings opened, judged and shredded together, with what is wrong in each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import polars as pl
from lxml import etree

from dmfa.anomaly import ANOMALY_SCHEMA, Anomaly, anomaly_frame
from dmfa.corrections.shape import Corrections, shape
from dmfa.quarter import Quarter
from dmfa.reading.cells import CellUnfit
from dmfa.reading.filing import FILING_TYPES, JUDGED, NOT_PROCESSED, REFUSED, UNREADABLE, Filing
from dmfa.reading.forms import FormRows, forms_of, forms_of_giant
from dmfa.reading.keys import declaration_id, filing_id
from dmfa.reading.limits import Limits
from dmfa.reading.opener import Opened, Refusal, open_filing
from dmfa.reading.plan import Plan, make_plan
from dmfa.reading.prover import Finding, find_proved
from dmfa.reading.shredder import Document, Shredded, form_types, join, table_types
from dmfa.reading.source import Found
from dmfa.reading.tokenizer import SEGMENT_BYTES
from dmfa.reading.tokenizer import tokenize_documents as shred
from dmfa.reading.validator import GIANT_BYTES, Judged, judge, presume, valid_as_presumed
from dmfa.schema import MESSAGES, ORIGINAL, UPDATE, Message, releases, snake_case

BATCH_BYTES = 32 << 20
BATCH_FILINGS = 2_000


@dataclass(frozen=True)
class Settings:
    """What every worker needs to know; small enough to be sent with each batch.

    Attributes:
        plan: how to shred originals; made once by the caller.
        update_plan: how to shred corrections.
        xsd: a folder with further releases.
        limits: how large a filing may be.
        giant_bytes: size from which a filing is read without a tree.
        proof: whether what can be proved valid from its tags is not given to libxml2.
        judged: whether all were found valid before, so that libxml2 need not judge them once more.
    """

    plan: Plan
    update_plan: Plan
    xsd: Path | None = None
    limits: Limits = field(default_factory=Limits)
    giant_bytes: int = GIANT_BYTES
    proof: bool = True
    judged: bool = False

    @property
    def plans(self) -> dict[Message, Plan]:
        """The plans by what they shred, originals first."""
        return {plan.message: plan for plan in (self.plan, self.update_plan)}

    @classmethod
    def of(cls, xsd: Path | None = None, *, proof: bool = True) -> Settings:
        """Settings for the releases at hand.

        Raises:
            WrongSchema: a release can not be read.
        """
        return cls(make_plan(xsd), make_plan(xsd, UPDATE), xsd, proof=proof)


@dataclass
class Batch:
    """What reading some filings gave.

    Attributes:
        filings: one for each found, in the same order.
        shredded: tables of the valid originals; forms of those and of every original whose Forms could be read. A
            filing that stands twice in the batch, byte for byte, is shredded once.
        corrections: the same of corrections.
        anomalies: what is wrong so far, columns of `dmfa.anomaly.ANOMALY_SCHEMA`.
    """

    filings: list[Filing]
    shredded: Shredded
    corrections: Corrections
    anomalies: pl.DataFrame

    def filing_frame(self) -> pl.DataFrame:
        """The filings that could be read, one row each, columns of `FILING_TYPES`."""
        rows = [{name: getattr(filing, name) for name in FILING_TYPES} for filing in self.filings if filing.sha256]
        return pl.DataFrame(rows, schema=FILING_TYPES)


def plan_batches(found: Iterable[Found], most_bytes: int = BATCH_BYTES) -> list[list[Found]]:
    """Group filings into batches of about 24 MB, in their order; a larger one is a batch of its own."""
    batches: list[list[Found]] = []
    held = 0
    for one in found:
        if not batches or held + one.size > most_bytes or len(batches[-1]) >= BATCH_FILINGS:
            batches.append([])
            held = 0
        batches[-1].append(one)
        held += one.size
    return batches


Opening = Callable[[Found], Opened]

Read = dict[Message, Shredded]
"""What filings hold, by the message that they are."""


def read_batch(found: Sequence[Found], settings: Settings, opening: Opening | None = None) -> Batch:
    """Open, judge and shred filings; one that is bad never stops the others.

    Args:
        found: the filings.
        settings: how they are read.
        opening: opens one of them; where they were found unless told.
    """
    opening = opening or partial(open_filing, limits=settings.limits)
    reader = _Reader(settings, opening, quick=True)
    try:
        read = reader.shred(found)
        if not reader.confirm(read):
            reader = _Reader(settings, opening)
            read = reader.shred(found)
    except CellUnfit:
        reader, read = _one_by_one(found, settings, opening)
    for message, shredded in read.items():
        forms = [shredded.forms, reader.forms[message].frame()]
        shredded.forms = pl.concat([frame for frame in forms if frame.height] or forms[:1])
    corrections = shape(
        read[UPDATE].forms,
        read[UPDATE].tables,
        form_types(settings.plan),
        {table.name: table_types(table) for table in settings.plan.tables},
    )
    anomalies = anomaly_frame(reader.anomalies)
    return Batch(reader.filings, read[ORIGINAL], corrections, anomalies.cast(ANOMALY_SCHEMA))  # type: ignore[arg-type]


def _one_by_one(found: Sequence[Found], settings: Settings, opening: Opening) -> tuple[_Reader, Read]:
    """Read the filings of a batch each alone, and refuse the one with a cell that no column can hold."""
    reader = _Reader(settings, opening)
    parts: list[Read] = []
    for one in found:
        try:
            parts.append(reader.shred([one]))
        except CellUnfit as unfit:
            reader.refuse_unfit(unfit.label)
    plans = settings.plans
    return reader, {
        message: join([part[message] for part in parts] or [shred([], plan)], plan) for message, plan in plans.items()
    }


class _Reader:
    """Opens and judges filings one by one and keeps what it learns.

    Args:
        settings: how to read.
        opening: opens a filing.
        quick: judge ordinary filings by the first quarter in them; `confirm` tells afterwards if that was right.
    """

    def __init__(self, settings: Settings, opening: Opening, *, quick: bool = False) -> None:
        self._settings = settings
        self._opening = opening
        self._quick = quick
        self._last: Document | None = None
        self._presumed: dict[int, Filing] = {}
        self._repeats: list[tuple[Filing, Filing]] = []
        self.filings: list[Filing] = []
        self.forms = {message: FormRows(plan, strict=False) for message, plan in settings.plans.items()}
        self.anomalies: list[Anomaly] = []
        self._seen: dict[str, Filing] = {}

    def shred(self, found: Iterable[Found]) -> Read:
        """Read filings and shred those that are valid.

        Raises:
            CellUnfit: a valid cell of one of them does not fit its column.
        """
        corrections: list[Document] = []
        originals = shred(self._originals(found, corrections), self._settings.plan)
        return {ORIGINAL: originals, UPDATE: shred(corrections, self._settings.update_plan)}

    def _originals(self, found: Iterable[Found], corrections: list[Document]) -> Iterator[Document]:
        """Give out each valid original for shredding; valid corrections are put aside until all are read."""
        for run in self._runs(found):
            for (one, opened), finding in zip(run, self._findings(run), strict=True):
                self._last = self._read(one, opened, finding)
                if self._last is None:
                    continue
                if self.filings[-1].kind == UPDATE.name:
                    # Without its tree, which would have to be held as long, at six times the bytes.
                    corrections.append(replace(self._last, root=None))
                else:
                    yield self._last

    def _runs(self, found: Iterable[Found]) -> Iterator[list[tuple[Found, Opened]]]:
        """Open filings, as many at a time as are shredded together."""
        run: list[tuple[Found, Opened]] = []
        held = 0
        for one in found:
            opened = self._opening(one)
            if run and held + opened.size > SEGMENT_BYTES:
                yield run
                run, held = [], 0
            run.append((one, opened))
            held += opened.size
        if run:
            yield run

    def _findings(self, run: Sequence[tuple[Found, Opened]]) -> list[Finding]:
        """What is known of filings before libxml2 is asked."""
        ordinary = [
            opened.data if opened.refusal is None and opened.size < self._settings.giant_bytes else None
            for _, opened in run
        ]
        if not self._quick:
            return [Finding() for _ in run]
        if not self._settings.proof:
            return [Finding(presume(data, self._settings.xsd) if data else None) for data in ordinary]
        return find_proved(ordinary, self._settings.plan, self._settings.xsd)

    def confirm(self, read: Read) -> bool:
        """Complete what is known of the filings that were judged by their first quarter.

        Args:
            read: what they hold.

        Returns:
            Whether all declarations of each are of that quarter; if not, all have to be judged anew.
        """
        if not self._presumed:
            return True
        persons: dict[int, int] = {}
        held: list[tuple[int, int, list[int]]] = []
        for message, shredded in read.items():
            presumed = shredded.forms.filter(pl.col("filing_id").is_in(list(self._presumed)))
            persons |= dict(shredded.tables[snake_case(message.person)].group_by("filing_id").len().iter_rows())
            held += presumed.group_by("filing_id").agg(pl.len(), pl.col("quarter").unique()).rows()
        for key, forms, quarters in held:
            filing = self._presumed[key]
            filing.declarations, filing.persons = forms, persons.get(key, 0)
            if quarters != [filing.quarter]:
                return False
        for filing, first in self._repeats:
            filing.declarations, filing.persons = first.declarations, first.persons
        return len(held) == len(self._presumed)

    def refuse_unfit(self, label: str) -> None:
        """Refuse the filing read last after the fact: a cell of it is valid but past what the tables hold."""
        filing, document = self.filings[-1], self._last
        if document is None:
            return
        filing.state = REFUSED
        self._refuse(document.filing_id, Refusal("unfit", f"{label} holds a number or date past what can be kept"))
        self._keep_forms(filing, document.root, document.data)

    def _read(self, found: Found, opened: Opened, finding: Finding) -> Document | None:
        filing = Filing(found, found.name, opened.sha256, size=opened.size)
        self.filings.append(filing)
        if opened.sha256 is None:
            filing.state, filing.unreadable = UNREADABLE, opened.unreadable
            return None
        first = self._seen.setdefault(opened.sha256, filing)
        if first is not filing:
            self._repeat(filing, first)
            return None
        key = filing.filing_id = filing_id(opened.sha256)
        if opened.warning is not None:
            self.anomalies.append(Anomaly(key, opened.warning.kind, opened.warning.message, severity="W"))
        if opened.refusal is not None or opened.data is None:
            filing.state = REFUSED
            self._refuse(key, opened.refusal or Refusal("empty", "it has no content"))
            return None
        judged = finding.presumed
        if judged is not None and (finding.proved or self._settings.judged or valid_as_presumed(judged, opened.data)):
            judged.schema_valid = True
            self._presumed[key] = filing
        else:
            judged = judge(opened.data, self._settings.xsd, self._settings.giant_bytes)
        self._note(filing, judged)
        if filing.state == JUDGED and judged.schema_valid:
            return Document(key, opened.sha256, opened.data, judged.root, finding.markup, finding.place)
        if judged.well_formed:
            self._keep_forms(filing, judged.root, opened.data)
        return None

    def _note(self, filing: Filing, judged: Judged) -> None:
        """Write down what the validator says."""
        filing.well_formed, filing.schema_valid, filing.kind = judged.well_formed, judged.schema_valid, judged.kind
        filing.warnings = tuple(judged.warnings)
        filing.release = judged.release.name if judged.release else None
        outline = judged.outline
        if outline is not None:
            filing.declarations, filing.persons = len(outline.quarters), outline.persons
            quarters = [quarter for quarter in outline.quarters if quarter is not None]
            filing.quarter = max(quarters).code if quarters else None
        key = filing.filing_id or 0
        if judged.refusal is not None:
            filing.state = REFUSED
            self._refuse(key, judged.refusal)
        elif filing.kind not in MESSAGES:
            filing.state = NOT_PROCESSED
        elif judged.schema_valid is False:
            filing.state = REFUSED
            self.anomalies.extend(
                Anomaly(
                    key,
                    fault.code,
                    fault.message,
                    block=fault.block,
                    zone=fault.zone,
                    seen_value=fault.seen,
                    path=fault.path,
                    line=fault.line,
                )
                for fault in judged.faults
            )
        if filing.state == JUDGED and outline is not None:
            self._too_old(filing, outline.quarters)

    def _too_old(self, filing: Filing, quarters: list[Quarter | None]) -> None:
        """Refuse each declaration of a quarter that no release at hand reaches back to."""
        message = MESSAGES[filing.kind or ORIGINAL.name]
        oldest = releases(message.name, self._settings.xsd)[0].quarter
        for index, quarter in enumerate(quarters):
            if quarter is not None and quarter < oldest and filing.sha256 and filing.filing_id is not None:
                self.anomalies.append(
                    Anomaly(
                        filing.filing_id,
                        "00013-008",
                        f"quarter {quarter} is before {oldest}, the oldest quarter with a schema at hand",
                        declaration_id=declaration_id(filing.sha256, index),
                        block=message.top,
                        block_ordinal=0,
                        zone="Quarter",
                        seen_value=str(quarter.code),
                    )
                )

    def _keep_forms(self, filing: Filing, root: etree._Element | None, data: bytes) -> None:
        """Note the envelopes of a filing whose declarations are not shredded.

        Args:
            filing: the filing.
            root: its tree; None for a giant.
            data: its bytes.
        """
        message = MESSAGES.get(filing.kind or "")
        if message is None or filing.sha256 is None or filing.filing_id is None:
            return
        for index, form in forms_of(root) if root is not None else forms_of_giant(data):
            self.forms[message].add(form, filing.filing_id, filing.sha256, index)

    def _repeat(self, filing: Filing, first: Filing) -> None:
        """A filing that already stands in this batch, byte for byte: it has the verdict of the first."""
        self._repeats.append((filing, first))
        for name in FILING_TYPES:
            if name != "name":
                setattr(filing, name, getattr(first, name))
        filing.warnings = (*first.warnings, f"it is the same, byte for byte, as {first.name}")

    def _refuse(self, key: int, refusal: Refusal) -> None:
        self.anomalies.append(Anomaly(key, refusal.kind, refusal.message, line=refusal.line))
