"""The check of the exchange log: against its chain, the deliveries recorded, and the manifests of those in place.

It reads every row of the log once, a link at a time, and every file in place. What it finds is told by link, ticket or
file; no person is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from dmfa.address import Place
from dmfa.errors import LakeProblem
from dmfa.extracts.chain import Link, broken, digest
from dmfa.extracts.exchange import GIVEN
from dmfa.extracts.placing import MANIFEST, border, manifest_in
from dmfa.extracts.placing import digest as file_digest
from dmfa.extracts.rows import ReadableLake

_COUNTS = "SELECT run_id, quarter, count(*) AS n FROM lake.exchange.log GROUP BY ALL ORDER BY ALL"
_LINKS = "SELECT * FROM lake.exchange.chain ORDER BY number"
_ROWS = "SELECT * FROM lake.exchange.log WHERE run_id = ? AND quarter = ? AND id BETWEEN ? AND ?"
_FILES = """
    SELECT ticket, "file", sha256, attestations FROM lake.exchange.delivery WHERE ticket IS NOT NULL ORDER BY ALL
"""


@dataclass(frozen=True)
class Finding:
    """Something that does not agree.

    Attributes:
        where: link, communication, run or file.
        what: what is wrong there.
    """

    where: str
    what: str


@dataclass(frozen=True)
class Audit:
    """What a check found.

    Attributes:
        links: links of the chain.
        rows: rows of the log that they cover.
        head: digest of the last link; to be kept outside the lake. Empty when there is none.
        communications: communications recorded as deliveries.
        manifests: deliveries in place that were compared.
        findings: what does not agree.
    """

    links: int
    rows: int
    head: str
    communications: int
    manifests: int
    findings: tuple[Finding, ...]


@dataclass
class _Read:
    """What was read of the log: attestations given, by ticket."""

    given: Counter[str] = field(default_factory=Counter)


def audit(lake: ReadableLake, out: Place | None = None, *, head: str = "") -> Audit:
    """Check the log.

    Args:
        lake: an open lake.
        out: folder of results, whose deliveries are compared; none if not given.
        head: digest of a link that must stand in the chain, as an earlier check told it; none if empty.

    Raises:
        LakeProblem: the chain itself, or the record of deliveries, cannot be read.
    """
    read, findings = _Read(), list[Finding]()
    counted = _counted(lake, findings)  # before the links: a run meanwhile adds rows and links, never rows alone
    links = [Link.of(row) for row in lake.arrow(_LINKS).to_pylist()]
    findings += [Finding(f"link {link.number} ({link.place})", what) for link, what in broken(links)]
    if head and head not in {link.sha256 for link in links}:
        findings.append(Finding("the chain", "the link told with --head is not in it: the end of the log is gone"))
    for link in links:
        what = _differing(lake, link, read)
        if what:
            findings.append(Finding(f"link {link.number} ({link.place})", what))
    findings += _uncovered(counted, links)
    recorded = _recorded(lake)
    findings += _unbalanced(recorded, read)
    manifests = [] if out is None else list(_manifests(out / "extracts"))
    for folder in manifests:
        findings += _unlike(folder, recorded)
    return Audit(
        len(links),
        sum(link.rows for link in links),
        links[-1].sha256 if links else "",
        len(recorded),
        len(manifests),
        tuple(findings),
    )


def _counted(lake: ReadableLake, findings: list[Finding]) -> Counter[tuple[str, int]]:
    """Rows of the log by run and quarter; none when a file of it is gone, which the links tell of."""
    try:
        return Counter({(row["run_id"], row["quarter"]): row["n"] for row in lake.arrow(_COUNTS).to_pylist()})
    except LakeProblem as problem:
        findings.append(Finding("the log", f"not all of it can be read: {problem.what}"))
        return Counter()


def _differing(lake: ReadableLake, link: Link, read: _Read) -> str | None:
    """What is wrong with the rows of a link."""
    last = link.first_id + link.rows - 1
    try:
        rows = pl.DataFrame(lake.arrow(_ROWS, [link.run_id, link.quarter, link.first_id, last]))
    except LakeProblem as problem:
        return f"its rows cannot be read: {problem.what}"
    if not rows["id"].is_sorted():  # they seldom are not, and to sort their texts takes long
        rows = rows.sort("id")
    tickets = rows.filter(pl.col("result") == GIVEN).group_by("ticket").len()
    read.given.update(dict(tickets.iter_rows()))
    if rows.height != link.rows:
        return f"{link.rows:,} rows were written, {rows.height:,} are there"
    if digest(rows) != link.content_sha256:
        return "a row of it was changed"
    return None


def _uncovered(counted: Counter[tuple[str, int]], links: Iterable[Link]) -> Iterator[Finding]:
    covered = Counter[tuple[str, int]]()
    for link in links:
        covered[link.run_id, link.quarter] += link.rows
    for (run, quarter), rows in counted.items():
        if rows > covered[run, quarter]:
            more = rows - covered[run, quarter]
            yield Finding(f"run {run}", f"{more:,} rows that no link covers, of quarter {quarter}")


@dataclass
class _Recorded:
    """A communication by its rows in exchange.delivery."""

    attestations: int
    files: dict[str, str] = field(default_factory=dict)


def _recorded(lake: ReadableLake) -> dict[str, _Recorded]:
    found: dict[str, _Recorded] = {}
    for row in lake.arrow(_FILES).to_pylist():
        found.setdefault(row["ticket"], _Recorded(row["attestations"])).files[row["file"]] = row["sha256"]
    return found


def _unbalanced(recorded: Mapping[str, _Recorded], read: _Read) -> Iterator[Finding]:
    """Communications whose attestations are not as many as their rows in the log."""
    for ticket in sorted(recorded.keys() | read.given.keys()):
        if ticket not in recorded:
            yield Finding(f"ticket {ticket}", f"{read.given[ticket]:,} rows in the log, and no delivery recorded")
        elif recorded[ticket].attestations != read.given[ticket]:
            delivered = recorded[ticket].attestations
            yield Finding(
                f"ticket {ticket}", f"{delivered:,} attestations delivered, {read.given[ticket]:,} in the log"
            )


def _manifests(extracts: Place) -> Iterator[Place]:
    """Folders of the deliveries in place."""
    found: list[Place] = [*extracts.rglob(MANIFEST)]
    for path in sorted(found, key=str):
        if not path.parent.name.startswith("."):
            yield path.parent


def _unlike(folder: Place, recorded: Mapping[str, _Recorded]) -> Iterator[Finding]:
    """What is wrong with a delivery in place."""
    where = str(folder)
    with border(folder):
        manifest: dict[str, Any] = manifest_in(folder)
        if not manifest:
            yield Finding(where, "its manifest cannot be read")
            return
        known = recorded.get(manifest["ticket"])
        if known is None:
            yield Finding(where, f"its communication, ticket {manifest['ticket']}, is not recorded in this lake")
            return
        if known.attestations != manifest["attestations"]:
            said = f"{manifest['attestations']:,} attestations by its manifest, {known.attestations:,} recorded"
            yield Finding(where, said)
        digests = {file.rpartition("/")[2]: sha256 for file, sha256 in known.files.items()}
        for name in sorted(digests.keys() | manifest["files"].keys()):
            path = folder / name
            facts = manifest["files"].get(name, {})
            if name not in digests or digests[name] != facts.get("plain", facts).get("sha256"):
                yield Finding(f"{path}", "the manifest has not the digest that was recorded")
            elif not path.exists():
                yield Finding(f"{path}", "it is not there")
            elif file_digest(path) != facts["sha256"]:
                yield Finding(f"{path}", "it is not the file that was recorded")
