"""A catalog in a PostgreSQL database: whether there is one, and the lock of its one writer.

Everything else about it is DuckLake's own. What libpq says of a failure may hold the words that it was told, so it is
replaced by plain ones.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dmfa.errors import LakeBusy, LakeProblem, WrongUsage

if TYPE_CHECKING:
    from dmfa.lake.location import Location

_LOCK = 0x646D6661
"""Key of the advisory lock; a database holds one lake."""

_CONNECT_SECONDS = 10
_MADE = """
    SELECT count(*) FROM information_schema.tables
    WHERE table_name = 'ducklake_table' AND table_schema = ANY (current_schemas(false))
"""
_WHOLE = "SELECT count(*) FROM ducklake_table WHERE table_name = 'meta'"
_NOT_AVAILABLE = "55P03"
_SAID = (
    (("password authentication", "no password supplied", "pg_hba.conf"), "refuses this user or its password"),
    (("does not exist",), "has no such database or user"),
    (("permission denied",), "does not let this user read the catalog"),
    (("too many", "remaining connection slots"), "has no connection left"),
    (("server does not support ssl", "certificate", "ssl error"), "cannot be spoken to by TLS as it is asked to"),
)


def exists(location: Location) -> bool:
    """Whether the database holds a whole catalog: one that was only begun is begun anew.

    Raises:
        LakeProblem: the database cannot be reached.
    """
    with _connected(location) as connection:
        made = connection.execute(_MADE).fetchone()[0]
        return bool(made and connection.execute(_WHOLE).fetchone()[0])


class WritersLock:
    """The lock of the one writer, held by a connection of its own: whoever dies lets it go.

    Args:
        location: the lake.
        wait_seconds: how long to wait for another writer.

    Raises:
        LakeBusy: another program is writing.
        LakeProblem: the database cannot be reached.
    """

    def __init__(self, location: Location, wait_seconds: float) -> None:
        import psycopg

        self._location = location
        self._connection = _connected(location)
        try:
            # No timeout is 0 to PostgreSQL, which would wait for ever.
            self._connection.execute(f"SET lock_timeout = {max(1, round(wait_seconds * 1000))}")
            self._connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        except psycopg.Error as trouble:
            self.release()
            if trouble.sqlstate != _NOT_AVAILABLE:
                raise _problem(location, str(trouble)) from None
            raise LakeBusy(
                f"the lake {location} is in use: another program is writing to it.",
                "Run again when it is done, or wait longer with DMFA_LAKE_WAIT=SECONDS.",
            ) from None
        except BaseException:
            self.release()
            raise

    def must_hold(self) -> None:
        """Check that the lock is still held: a connection may break, and another writer then begin.

        Raises:
            LakeBusy: it is not.
        """
        import psycopg

        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            raise LakeBusy(
                f"the connection to the catalog {self._location.catalog_name} broke, and with it the writer's place.",
                "Nothing was published. Run again: finished work is taken over.",
            ) from None

    def release(self) -> None:
        """Let it go; a second call does nothing."""
        with suppress(Exception):  # a connection that is broken holds nothing
            self._connection.close()


def _connected(location: Location) -> Any:
    try:
        import psycopg  # only who names such a lake needs it
    except ImportError:
        raise WrongUsage(
            "a catalog in PostgreSQL needs what is not installed here.", "Install it: pip install 'dmfa[cluster]'."
        ) from None
    words = location.database or ""
    if "connect_timeout" not in words:
        words += f" connect_timeout={_CONNECT_SECONDS}"
    try:
        return psycopg.connect(words, autocommit=True, application_name="dmfa")
    except psycopg.Error as trouble:
        raise _problem(location, str(trouble)) from None


def _problem(location: Location, said: str) -> LakeProblem:
    low = said.lower()
    what = next((words for signs, words in _SAID if any(sign in low for sign in signs)), "cannot be reached")
    return LakeProblem(
        f"the catalog {location.catalog_name} {what}.",
        "Check host, port, dbname and user in --lake, PGPASSWORD or PGPASSFILE, and that the server is up.",
    )
