"""`dmfa doctor`: settings, versions, the lake's health."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from dmfa.errors import DmfaError, LakeProblem
from dmfa.lake import Lake, Location, catalog
from dmfa.schema import MESSAGE, releases
from flows import console
from flows.settings import Settings
from flows.stages.reference import rate_files

_PACKAGES = ("dmfa", "polars", "pyarrow", "lxml", "xmlschema", "duckdb", "duckdb-extension-ducklake", "prefect")
_NETWORK_DISKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs"})
_ROOM = 2 * 1024**3


def run(settings: Settings) -> int:
    """Print what this installation is and how the lake does.

    Returns:
        0 if all is well, else the exit code of the worst finding.
    """
    console.table("Versions", ("what", "version"), _versions())
    names = ["lake", "out", "xsd", "proof", "authorisations", "checks", "trust", "received_on", "runner", "scheduler"]
    names += ["pseudonym_keys", "protocol", "environment", "signature", "certificates", "pid"]
    names += ["workers", "lake_wait", "keep_states", "keep_received"]
    console.table("Settings", ("setting", "value"), ((name, getattr(settings, name)) for name in names))
    known = ", ".join(str(release.quarter) for release in releases(MESSAGE, settings.xsd))
    console.say(f"XSD releases of {MESSAGE}: {known}")
    code = 0
    for error in _findings(settings):
        console.complain(error)
        code = max(code, error.exit_code)
    console.say("doctor: all is well" if not code else "doctor: see above")
    return code


def _versions() -> Iterator[tuple[str, str]]:
    yield "Python", platform.python_version()
    for package in _PACKAGES:
        yield package, importlib.metadata.version(package)


def _findings(settings: Settings) -> Iterator[DmfaError]:
    try:
        location = Location.of(settings.lake)
        if isinstance(location.folder, Path):
            yield from _disk(location, location.folder)
        if not catalog.exists(location):
            console.say(f"lake: none at {settings.lake} yet; `dmfa ingest` or `dmfa run` makes it")
            return
        with Lake.open(location) as lake:
            counts = lake.arrow("SELECT state, count(*) AS n FROM lake.received.filing GROUP BY state ORDER BY state")
            states = ", ".join(f"{row['n']:,} {row['state']}" for row in counts.to_pylist()) or "none"
            console.say(f"lake: {settings.lake}, state {lake.snapshot_id()}; filings on the ledger: {states}")
            console.say(f"official rate files in the lake: {rate_files(lake)}")
    except DmfaError as error:
        yield error


def _disk(location: Location, folder: Path) -> Iterator[DmfaError]:
    disk = _disk_kind(folder)
    if disk in _NETWORK_DISKS and location.database is None:
        yield LakeProblem(
            f"the lake {folder} lies on a network disk ({disk}), where its SQLite catalog is not safe",
            "Put the lake on a local disk.",
        )
    free = shutil.disk_usage(_existing(folder)).free
    if free < _ROOM:
        yield LakeProblem(f"only {free >> 20} MB are free where the lake {folder} lies", "Make room before a run.")


def _existing(folder: Path) -> Path:
    path = folder.absolute()
    while not path.exists():
        path = path.parent
    return path


def _disk_kind(folder: Path) -> str:
    """Kind of file system on which a folder lies, empty if the machine does not tell."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return ""
    place = _existing(folder).resolve()
    best, kind = "", ""
    for line in mounts.read_text().splitlines():
        _, point, found, *_ = line.split()
        if place.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, found
    return kind
