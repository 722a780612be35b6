"""One worker's call: some filings opened, judged and shredded together, with what is wrong in each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from dmfa.anomaly import ANOMALY_SCHEMA, Anomaly, anomaly_frame
from dmfa.quarter import Quarter
from dmfa.reading.cells import CellUnfit
from dmfa.reading.forms import FormRows, forms_of, forms_of_giant
from dmfa.reading.keys import declaration_id, filing_id
from dmfa.reading.limits import Limits
from dmfa.reading.opener import Opened, Refusal, open_filing
from dmfa.reading.plan import Plan, make_plan
from dmfa.reading.prover import Finding, find_proved
from dmfa.reading.shredder import Document, Shredded, join
from dmfa.reading.source import Found
from dmfa.reading.tokenizer import SEGMENT_BYTES
from dmfa.reading.tokenizer import tokenize_documents as shred
from dmfa.reading.validator import GIANT_BYTES, Judged, judge, presume, valid_as_presumed
from dmfa.schema import MESSAGE, TOP, releases

BATCH_BYTES = 32 << 20
BATCH_FILINGS = 2_000

JUDGED = "judged"
REFUSED = "refused"
NOT_PROCESSED = "not_processed"
UNREADABLE = "unreadable"

FILING_TYPES = {
    "filing_id": pl.Int64,
    "sha256": pl.String,
    "name": pl.String,
    "size": pl.Int64,
    "kind": pl.String,
    "quarter": pl.Int32,
    "release": pl.String,
    "state": pl.String,
    "well_formed": pl.Boolean,
    "schema_valid": pl.Boolean,
    "declarations": pl.Int32,
    "persons": pl.Int64,
}


@dataclass(frozen=True)
class Settings:
    """What every worker needs to know; small enough to be sent with each batch.

    Attributes:
        plan: how to shred; made once by the caller.
        xsd: a folder with further releases.
        limits: how large a filing may be.
        giant_bytes: size from which a filing is read without a tree.
        proof: whether what can be proved valid from its tags is not given to libxml2.
    """

    plan: Plan
    xsd: Path | None = None
    limits: Limits = field(default_factory=Limits)
    giant_bytes: int = GIANT_BYTES
    proof: bool = True

    @classmethod
    def of(cls, xsd: Path | None = None, *, proof: bool = True) -> Settings:
        """Settings for the releases at hand.

        Raises:
            WrongSchema: a release can not be read.
        """
        return cls(make_plan(xsd), xsd, proof=proof)


@dataclass
class Filing:
    """What reading one filing gave.

    Attributes:
        found: where it was found.
        name: its name for reports.
        sha256: hexadecimal SHA-256, None if it is unreadable.
        filing_id: its key, None if it is unreadable.
        size: bytes, unpacked.
        kind: name of its root element, None if it is no official message.
        quarter: the newest quarter in it.
        release: file name of the release that judged it.
        state: judged (its declarations may still be refused one by one), refused (the whole of it), not_processed (a
            known message that this version does not read) or unreadable (no byte could be had: it is no filing).
        well_formed: whether it is well-formed XML without a DOCTYPE.
        schema_valid: whether its release finds it valid; None without a release.
        declarations: number of Forms.
        persons: number of NaturalPerson elements.
        warnings: plain lines that change no verdict.
        unreadable: why no byte could be had.
    """

    found: Found
    name: str
    sha256: str | None = None
    filing_id: int | None = None
    size: int = 0
    kind: str | None = None
    quarter: int | None = None
    release: str | None = None
    state: str = JUDGED
    well_formed: bool = False
    schema_valid: bool | None = None
    declarations: int = 0
    persons: int = 0
    warnings: tuple[str, ...] = ()
    unreadable: str | None = None


@dataclass
class Batch:
    """What reading some filings gave.

    Attributes:
        filings: one for each found, in the same order.
        shredded: tables of the valid filings; forms of those and of every filing whose Forms could be read. A filing
            that stands twice in the batch, byte for byte, is shredded once.
        anomalies: what is wrong so far, columns of `dmfa.anomaly.ANOMALY_SCHEMA`.
    """

    filings: list[Filing]
    shredded: Shredded
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
        shredded = shred(reader.documents(found), settings.plan)
        if not reader.confirm(shredded):
            reader = _Reader(settings, opening)
            shredded = shred(reader.documents(found), settings.plan)
    except CellUnfit:
        reader, shredded = _one_by_one(found, settings, opening)
    forms = [shredded.forms, reader.forms.frame()]
    shredded.forms = pl.concat([frame for frame in forms if frame.height] or forms[:1])
    anomalies = anomaly_frame(reader.anomalies)
    return Batch(reader.filings, shredded, anomalies.cast(ANOMALY_SCHEMA))  # type: ignore[arg-type]


def _one_by_one(found: Sequence[Found], settings: Settings, opening: Opening) -> tuple[_Reader, Shredded]:
    """Read the filings of a batch each alone, and refuse the one with a cell that no column can hold."""
    reader = _Reader(settings, opening)
    parts: list[Shredded] = []
    for one in found:
        taken = list(reader.documents([one]))
        try:
            parts.append(shred(taken, settings.plan))
        except CellUnfit as unfit:
            reader.refuse_unfit(taken[0], unfit.label)
    return reader, join(parts or [shred([], settings.plan)], settings.plan)


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
        self._presumed: dict[int, Filing] = {}
        self._repeats: list[tuple[Filing, Filing]] = []
        self.filings: list[Filing] = []
        self.forms = FormRows(settings.plan, strict=False)
        self.anomalies: list[Anomaly] = []
        self._seen: dict[str, Filing] = {}

    def documents(self, found: Iterable[Found]) -> Iterator[Document]:
        """Give out each valid filing for shredding."""
        for run in self._runs(found):
            for (one, opened), finding in zip(run, self._findings(run), strict=True):
                document = self._read(one, opened, finding)
                if document is not None:
                    yield document

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

    def confirm(self, shredded: Shredded) -> bool:
        """Complete what is known of the filings that were judged by their first quarter.

        Args:
            shredded: what they hold.

        Returns:
            Whether all declarations of each are of that quarter; if not, all have to be judged anew.
        """
        if not self._presumed:
            return True
        presumed = shredded.forms.filter(pl.col("filing_id").is_in(list(self._presumed)))
        persons = dict(shredded.tables["natural_person"].group_by("filing_id").len().iter_rows())
        held = presumed.group_by("filing_id").agg(pl.len(), pl.col("quarter").unique()).rows()
        for key, forms, quarters in held:
            filing = self._presumed[key]
            filing.declarations, filing.persons = forms, persons.get(key, 0)
            if quarters != [filing.quarter]:
                return False
        for filing, first in self._repeats:
            filing.declarations, filing.persons = first.declarations, first.persons
        return len(held) == len(self._presumed)

    def refuse_unfit(self, document: Document, label: str) -> None:
        """Refuse a filing after the fact: a cell of it is valid but past what the tables hold."""
        filing = self.filings[-1]
        filing.state = REFUSED
        self._refuse(document.filing_id, Refusal("unfit", f"{label} holds a number or date past what can be kept"))
        forms = forms_of(document.root) if document.root is not None else forms_of_giant(document.data)
        for index, form in forms:
            self.forms.add(form, document.filing_id, document.sha256, index)

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
        if judged is not None and (finding.proved or valid_as_presumed(judged, opened.data)):
            judged.schema_valid = True
            self._presumed[key] = filing
        else:
            judged = judge(opened.data, self._settings.xsd, self._settings.giant_bytes)
        self._note(filing, judged)
        if filing.state == JUDGED and judged.schema_valid:
            return Document(key, opened.sha256, opened.data, judged.root, finding.markup, finding.place)
        self._keep_forms(filing, judged, opened.data)
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
        elif filing.kind != MESSAGE:
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
        oldest = releases(MESSAGE, self._settings.xsd)[0].quarter
        for index, quarter in enumerate(quarters):
            if quarter is not None and quarter < oldest and filing.sha256 and filing.filing_id is not None:
                self.anomalies.append(
                    Anomaly(
                        filing.filing_id,
                        "00013-008",
                        f"quarter {quarter} is before {oldest}, the oldest quarter with a schema at hand",
                        declaration_id=declaration_id(filing.sha256, index),
                        block=TOP,
                        block_ordinal=0,
                        zone="Quarter",
                        seen_value=str(quarter.code),
                    )
                )

    def _keep_forms(self, filing: Filing, judged: Judged, data: bytes) -> None:
        """Note the envelopes of a filing whose declarations are not shredded."""
        if filing.kind != MESSAGE or not judged.well_formed or filing.sha256 is None or filing.filing_id is None:
            return
        for index, form in forms_of(judged.root) if judged.root is not None else forms_of_giant(data):
            self.forms.add(form, filing.filing_id, filing.sha256, index)

    def _repeat(self, filing: Filing, first: Filing) -> None:
        """A filing that already stands in this batch, byte for byte: it has the verdict of the first."""
        self._repeats.append((filing, first))
        for name in FILING_TYPES:
            if name != "name":
                setattr(filing, name, getattr(first, name))
        filing.warnings = (*first.warnings, f"it is the same, byte for byte, as {first.name}")

    def _refuse(self, key: int, refusal: Refusal) -> None:
        self.anomalies.append(Anomaly(key, refusal.kind, refusal.message, line=refusal.line))
