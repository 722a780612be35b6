"""Maintenance: few large files in place of many small ones, and nothing kept longer than it has to be.

The content of the tables stays as it is. What a reader may still be reading stays on the disk for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from duckdb import DuckDBPyConnection

from dmfa.address import Place
from dmfa.lake import ledger
from dmfa.lake.border import disk, engine
from dmfa.lake.location import Location

GRACE = timedelta(days=1)
"""How long a file that no state needs any more stays for those who are reading it."""


@dataclass(frozen=True)
class Maintained:
    """What a maintenance did.

    Attributes:
        before: files that the tables held.
        after: files that they hold now.
        states: states of the lake that can no longer be asked for.
        removed: Parquet files removed from the disk.
        received: files received whose bytes are no longer kept.
    """

    before: int
    after: int
    states: int
    removed: int
    received: int


def tidy_tables(connection: DuckDBPyConnection, location: Location) -> tuple[int, int]:
    """Rewrite the files with deleted rows, then merge small files of one table and quarter.

    Merging alone leaves files with deleted rows as they are. Older states of the lake can still be asked for.

    Returns:
        Files that the tables held before, and hold now.

    Raises:
        LakeProblem: the disk is full or cannot be written; the tables are as they were.
    """
    with engine(location, "tidying"):
        before = _files(connection)
        connection.execute("CALL ducklake_rewrite_data_files('lake', delete_threshold => 0.0)")
        connection.execute("CALL ducklake_merge_adjacent_files('lake')")
        return before, _files(connection)


def expire(connection: DuckDBPyConnection, location: Location, older_than: datetime) -> int:
    """Forget the states of the lake before a moment; the newest state always stays.

    Args:
        connection: with the lake attached for writing.
        location: the lake.
        older_than: a moment of the lake's own time; without zone the machine's local time.

    Returns:
        Number of states forgotten.

    Raises:
        LakeProblem: the lake cannot be written.
    """
    return _called(connection, location, "ducklake_expire_snapshots", older_than)


def clean(connection: DuckDBPyConnection, location: Location, grace: timedelta = GRACE) -> int:
    """Remove from the disk the files that no state has needed for a while.

    Returns:
        Number of files removed.

    Raises:
        LakeProblem: the lake cannot be written.
    """
    return _called(connection, location, "ducklake_cleanup_old_files", datetime.now(UTC) - grace)


def _called(connection: DuckDBPyConnection, location: Location, procedure: str, older_than: datetime) -> int:
    """Let DuckLake tidy up what is older than a moment; how much it was."""
    with engine(location, "tidying"):
        call = f"CALL {procedure}('lake', older_than => ?::TIMESTAMPTZ)"
        return len(connection.execute(call, [_moment(older_than)]).fetchall())


def clear_spool(location: Location, grace: timedelta = GRACE) -> int:
    """Remove what killed runs on a cluster have left unpacked; what is younger may still be read.

    Returns:
        Number of files removed.

    Raises:
        LakeProblem: the folder cannot be written.
    """
    oldest = (datetime.now(UTC) - grace).timestamp()
    with disk(location, "tidying"):
        old = [path for path in location.spool.rglob("*.tar") if path.stat().st_mtime < oldest]
        for path in old:
            path.unlink()
    return len(old)


def drop_received(connection: DuckDBPyConnection, location: Location, received_before: datetime) -> int:
    """Remove the kept bytes of files received before a moment; their rows stay on the ledger for ever.

    A correction that waits for its original keeps its bytes: it is read again when that comes.

    Kept bytes that no row of the ledger claims, of what was turned away at reception, go by the day they were written.

    Args:
        connection: with the lake attached.
        location: the lake.
        received_before: a moment of receipt, UTC without zone as on the ledger.

    Returns:
        Number of files removed.

    Raises:
        LakeProblem: the lake cannot be read or written.
    """
    with engine(location, "reading"):
        rows = connection.execute(
            """
            SELECT DISTINCT sha256 FROM lake.received.filing WHERE received_at < ? AND filing_id NOT IN
                (SELECT filing_id FROM lake.received.correction WHERE state = 'waiting')
            """,
            [received_before],
        ).fetchall()
    old = {digest for (digest,) in rows}
    before = received_before.replace(tzinfo=UTC).timestamp()
    with disk(location, "tidying"):
        kept: list[Place] = [*location.received.glob("*.zst")]
        written_before = [path for path in kept if path.stem not in old and path.stat().st_mtime < before]
    claimed = ledger.known(connection, location, (path.stem for path in written_before))
    gone = [path for path in kept if path.stem in old]
    gone += [path for path in written_before if path.stem not in claimed]
    with disk(location, "tidying"):
        for path in gone:
            path.unlink()
    return len(gone)


def _files(connection: DuckDBPyConnection) -> int:
    sql = """
        SELECT (SELECT count(*) FROM __ducklake_metadata_lake.ducklake_data_file WHERE end_snapshot IS NULL)
            + (SELECT count(*) FROM __ducklake_metadata_lake.ducklake_delete_file WHERE end_snapshot IS NULL)
    """
    return int(connection.execute(sql).fetchall()[0][0])


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00"
