"""Ingest: filings are received, then worked on item by item in a pool, then published all at once."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.sharedctypes import Synchronized
from time import perf_counter
from typing import TYPE_CHECKING

import polars as pl

from contributions import law_fingerprint
from contributions.reference import References
from dmfa.address import Place
from dmfa.errors import NothingToRead
from dmfa.lake import RECEIVED, Lake, Manifest, history_tables, staged
from dmfa.reading.batch import Settings as Reading
from dmfa.reading.keys import filing_id
from dmfa.reading.source import Found, Sources, find_filings
from dmfa.reading.transmissions import Gathered, gather
from dmfa.schema import MESSAGE, lake_tables, releases
from flows import console
from flows.crew import Crew, crew, spool
from flows.settings import Settings
from flows.stages.answers import name_answers, send
from flows.stages.compute import laws_known, remember_law
from flows.stages.corrections import Corrected, take_up
from flows.stages.item import Item, Shared, process, watch
from flows.stages.originals import amend, second_originals
from flows.stages.outcome import Done, Refusal, outcome
from flows.stages.receipt import Receipt, Receiving, receive_some
from flows.stages.reception import new_names, trusted, whole
from flows.stages.reference import REFERENCE, fingerprint, references
from flows.stages.tables import COMPUTED

if TYPE_CHECKING:
    from dmfa.reading.signatures import Trust

ITEM_BYTES = 400 << 20
"""XML that goes into one file per table at most: few large files keep the commit short, and a run that is killed loses
no more of each worker's work."""

SMALL_ITEM_BYTES = 8 << 20
"""Below this, work is not split any further."""

_RECEIVED_AT_ONCE = 512


@dataclass
class Ingested:
    """What an ingest did.

    Attributes:
        sources: what was found.
        gathered: what of it was taken as transmissions, and what has to wait.
        known: filings that stood on the ledger before, byte for byte.
        repeated: names of filings that are byte for byte another one of the same run, with the name of that one.
        conflicts: names that stand on the ledger, or in this run, with other bytes.
        unreadable: filings of which no byte could be had, with the reason.
        warned: filings whose signature is missing or does not hold, with the reason, where that only warns.
        too_late: names of filings that were received before their sender cancelled them.
        states: filings of this run by state: accepted, refused, not_processed.
        counts: declarations, refused, accepted, persons, lines; wages, declared, covered, computed in cents.
        taken_over: filings of this run that an interrupted run had worked on already.
        refusals: the first refusals, by name of the filing.
        corrected: what came of corrections.
        quarters: quarters of the declarations accepted.
        changed: whether the lake has a new state.
        seconds: wall-clock time of each part of the run, by what it does.
    """

    sources: Sources
    gathered: Gathered = field(default_factory=Gathered)
    known: int = 0
    repeated: list[tuple[str, str]] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    warned: list[tuple[str, str]] = field(default_factory=list)
    too_late: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    taken_over: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    corrected: Corrected = field(default_factory=Corrected)
    quarters: list[int] = field(default_factory=list)
    changed: bool = False
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, part: str) -> Iterator[None]:
        """Note how long a part of the run takes."""
        begun = perf_counter()
        yield
        self.seconds[part] = perf_counter() - begun

    @property
    def received(self) -> int:
        """Filings received by this run."""
        return sum(self.states.values())

    @property
    def refused(self) -> int:
        """Filings refused by this run, and corrections of runs before that it refused once their original came."""
        return self.states["refused"] + self.corrected.late["refused"]


def run(paths: Sequence[Place], settings: Settings) -> Ingested:
    """Receive, validate, check, compute and keep the filings at some paths.

    Args:
        paths: files, folders, globs or archives.
        settings: those of the run.

    Raises:
        NothingToRead: no such path, no filing in it, or no byte could be read.
        LakeProblem: the lake is busy, full, damaged, newer than the program or of another environment.
        WrongUsage: the trusted certificates cannot be read.
        Interrupted: Ctrl-C; the lake is as it was.
    """
    trust = trusted(settings)
    with spool(settings) as unpacked:
        sources = find_filings(paths, unpacked)
        gathered = gather(sources, environment=settings.environment, strict=settings.strict)
        result = Ingested(sources, gathered)
        counter = multiprocessing.get_context("spawn").Value("q", 0)
        processes = _processes(gathered.filings, settings)
        with crew(settings, processes, watch=watch, counter=counter, reads=paths) as pool:
            pool.prepare()  # they start while the lake is opened
            with result.timing("opening the lake"):
                opened = _open(settings)
            with opened as lake:
                lake.claim(settings.environment)
                shared = share(settings, references(lake))
                with result.timing("receiving"):
                    received = _settled(_receive(gathered.filings, shared, trust, pool), lake, settings, result)
                    receipts = _fresh(received, lake, result)
                if not receipts and not result.known and not result.repeated and result.unreadable:
                    name, reason = result.unreadable[0]
                    raise NothingToRead(f"nothing could be read: {name}: {reason}", "Check the files and their rights.")
                with result.timing("reading"):
                    lake.sweep()
                    taken, left = _take_over(receipts, shared)
                    result.taken_over = sum(len(done.manifest.inputs) for done in taken)
                    results = taken + _work(_items(left, shared, pool.workers, unpacked), pool, counter)
                with result.timing("publishing"):
                    brought = _publish(results, lake, shared, result, by=pool, spooled=unpacked)
                with result.timing("answering"):
                    digests = {receipt.sha256 for receipt in received} - {receipt.sha256 for receipt in receipts}
                    known = {filing_id(digest) for digest in digests if digest}
                    send(lake, brought, known | result.corrected.filings, settings, pool)
    return result


def _open(settings: Settings) -> Lake:
    return Lake.open(
        settings.lake,
        write=True,
        create=True,
        extra_tables=(*COMPUTED, *REFERENCE),
        wait_seconds=settings.lake_wait,
        xsd=settings.xsd,
    )


def _processes(found: Sequence[Found], settings: Settings) -> int:
    """Worker processes that so many filings are worth."""
    return settings.workers if sum(one.size for one in found) > SMALL_ITEM_BYTES else 1


def share(settings: Settings, known: References | None = None) -> Shared:
    """What every worker needs, made once."""
    specs = (*RECEIVED, *history_tables(settings.xsd), *COMPUTED)
    blocks = {table.name: table.block.name for table in lake_tables(settings.xsd)}
    return Shared(settings, Reading.of(settings.xsd, proof=settings.proof), specs, blocks, known or {})


def _receive(found: Sequence[Found], shared: Shared, trust: Trust | None, pool: Crew) -> list[Receipt]:
    """Hash and keep every filing, and check its signature."""
    groups = [tuple(found[start : start + _RECEIVED_AT_ONCE]) for start in range(0, len(found), _RECEIVED_AT_ONCE)]
    tasks = [Receiving(group, shared.settings, shared.reading.limits, trust) for group in groups]
    receipts: dict[int, list[Receipt]] = {}
    with console.progress("receiving", sum(one.size for one in found)) as advance:
        for position, done in pool.run(receive_some, tasks):
            receipts[position] = done
            advance(sum(receipt.found.size for receipt in done))
    return [receipt for position in sorted(receipts) for receipt in receipts[position]]


def _settled(receipts: list[Receipt], lake: Lake, settings: Settings, result: Ingested) -> list[Receipt]:
    """Receipts with what only all of them together, or the ledger, can tell."""
    settled, waiting = whole(receipts)
    result.gathered.waiting += waiting
    if settings.strict:
        settled = new_names(settled, lake)
    if result.gathered.cancelled:
        result.too_late = sorted(lake.names_received(result.gathered.cancelled))
    for receipt in settled:
        if receipt.opened.warning is not None:
            result.warned.append((receipt.found.name, receipt.opened.warning.message))
    return settled


def _fresh(receipts: Iterable[Receipt], lake: Lake, result: Ingested) -> list[Receipt]:
    """The filings that the ledger does not know yet, each once; the first by name stands for its repetitions."""
    receipts = list(receipts)
    digests = {receipt.sha256 for receipt in receipts if receipt.sha256}
    known = lake.known(digests)
    first: dict[str, Receipt] = {}
    for receipt in receipts:
        if receipt.sha256 is None:
            result.unreadable.append((receipt.found.name, receipt.opened.unreadable or "it can not be read"))
        elif receipt.sha256 in known:
            result.known += 1
        elif receipt.sha256 in first:
            result.repeated.append((receipt.found.name, first[receipt.sha256].found.name))
        else:
            first[receipt.sha256] = receipt
    result.conflicts = _conflicts(lake, [receipt for receipt in first.values() if receipt.kept])
    return list(first.values())


def _conflicts(lake: Lake, receipts: list[Receipt]) -> list[str]:
    """Names of new filings that the ledger knows with other bytes, or that stand for two files of this run."""
    names = Counter(receipt.found.name for receipt in receipts)
    return sorted({*lake.known_names(names), *(name for name, times in names.items() if times > 1)})


def _items(receipts: list[Receipt], shared: Shared, workers: int, spooled: Place) -> list[Item]:
    """Share filings out: of one day of receipt, of about equal size, the largest first."""
    days: dict[date, list[Receipt]] = {}
    for receipt in receipts:
        days.setdefault(receipt.received_at.date(), []).append(receipt)
    items = []
    for group in days.values():
        total = sum(receipt.found.size for receipt in group)
        many = _shares(total, workers)
        shares: list[list[Receipt]] = [[] for _ in range(many)]
        sizes = [0] * many
        for receipt in sorted(group, key=lambda receipt: -receipt.found.size):
            lightest = sizes.index(min(sizes))
            shares[lightest].append(receipt)
            sizes[lightest] += receipt.found.size
        items += [Item(_item_id(part, shared), tuple(part), shared, spooled) for part in shares if part]
    return items


def _shares(total: int, workers: int) -> int:
    """Items that so many bytes are shared out to: as many for each worker, so that all are done at the same time."""
    many = -(-total // ITEM_BYTES)
    if many > workers:
        return -(-many // workers) * workers
    return max(many, min(workers, -(-total // SMALL_ITEM_BYTES)), 1)


def _item_id(receipts: Iterable[Receipt], shared: Shared) -> str:
    """Name of an item: what is in it, and everything that its verdicts and amounts depend on."""
    settings = shared.settings
    judged_by = [settings.checks, str(settings.lenient_identifiers), settings.prescription, settings.trust]
    judged_by += [str(settings.limitation_years), str(settings.p_threshold), str(settings.pid)]
    judged_by.append(law_fingerprint(**settings.law))
    judged_by += [f"{quarter} {known.digest}" for quarter, known in sorted(shared.references.items())]
    judged_by += [f"{release.name} {release.path.stat().st_size}" for release in releases(MESSAGE, settings.xsd)]
    inputs = sorted(
        f"{receipt.sha256} {receipt.found.name} {receipt.received_at} {receipt.opened.warning}" for receipt in receipts
    )
    return hashlib.sha256("\n".join([*judged_by, *inputs]).encode()).hexdigest()[:32]


def _take_over(receipts: list[Receipt], shared: Shared) -> tuple[list[Done], list[Receipt]]:
    """What an interrupted run has finished: items of these very filings, judged as this run would judge them.

    Returns:
        What came of those items, and the filings that no such item holds.
    """
    by_digest = {str(receipt.sha256): receipt for receipt in receipts}
    taken = []
    for manifest in staged(shared.settings.lake):
        inputs = [by_digest[digest] for digest in manifest.inputs if digest in by_digest]
        if len(inputs) == len(manifest.inputs) and _item_id(inputs, shared) == manifest.item_id:
            taken.append(outcome(shared.settings.lake, manifest))
            for digest in manifest.inputs:
                del by_digest[digest]
    return taken, list(by_digest.values())


def _work(items: list[Item], pool: Crew, counter: Synchronized[int]) -> list[Done]:
    """Work on the items in the pool and return what came of them, in their order."""
    total = sum(item.size for item in items)
    with console.progress("reading", total) as advance, console.following(counter, advance):
        results = dict(pool.run(process, items, weight=lambda item: item.size))
    return [results[position] for position in sorted(results)]


def _publish(
    results: list[Done], lake: Lake, shared: Shared, result: Ingested, *, by: Crew, spooled: Place
) -> list[str]:
    """Settle competing originals, then publish everything in one transaction.

    Returns:
        Paths of the files with answers that it added to the lake.
    """
    brought: list[str] = []
    results, in_place_of = _settle(results, lake, shared)
    quarters = set[int]()
    for done in results:
        result.states.update(done.states)
        result.counts.update(done.counts)
        result.refusals += done.refusals
        quarters.update(done.originals["quarter"] if done.originals.height else ())
    result.quarters = sorted(quarters)
    offered = [done.manifest for done in results if done.manifest.inputs]
    if offered:
        known = laws_known(lake)
        new = {
            quarter: fingerprint(shared.settings, shared.references.get(quarter))
            for quarter in result.quarters
            if quarter not in known
        }
        named = name_answers(offered, lake, shared)
        with lake.transaction() as publication:
            result.changed = bool(publication.add(named, in_place_of=[*in_place_of, *offered]).items)
            run = {filing_id(digest) for manifest in offered for digest in manifest.inputs}
            asked = [one for done in results for one in done.asked]
            result.corrected = take_up(lake, publication, run, shared, asked, by=by, spool=spooled)
            remember_law(lake, publication, new)
            brought = publication.added.get(("received", "answer"), [])
    result.states.update(result.corrected.states)
    result.corrected.counts["refused"] += result.counts["corrections_refused"]
    result.refusals = sorted([*result.refusals, *result.corrected.refusals], key=lambda refusal: refusal.name)
    return brought


def _settle(results: list[Done], lake: Lake, shared: Shared) -> tuple[list[Done], list[Manifest]]:
    """Refuse the declarations of a run that come second.

    Returns:
        What came of the items then, and those items that have got another form.
    """
    found = [done.originals for done in results if done.originals.height]
    losers = second_originals(pl.concat(found), lake) if found else pl.DataFrame()
    if losers.is_empty():
        return results, []
    settled, in_place_of = [], []
    for done in results:
        manifest = amend(done.manifest, losers, shared)
        if manifest is done.manifest:
            settled.append(done)
        else:
            settled.append(outcome(shared.settings.lake, manifest, done.asked))
            in_place_of.append(done.manifest)
    return settled, in_place_of
