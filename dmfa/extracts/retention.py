"""How long a delivery is kept: its recipient may keep it until a day, after which it is removed here too.

The time counts from the day of sending and stands in the manifest (`keep_until`). A removal is logged before it is
done, and what was removed is not given again under the same authorisation.
"""

from __future__ import annotations

import json
from calendar import monthrange
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from dmfa.address import Place, below, remove
from dmfa.extracts.exchange import WritableLake, append_log, log_frame, naive, standing
from dmfa.extracts.placing import MANIFEST, alone, border, listed
from dmfa.quarter import Quarter

REMOVED = "removed"
"""Result of a row of the log that tells of a removal."""

# What was given of a state of before (--as-of) lies elsewhere, and keeps nothing from being over.
_REMOVED = """
    WITH last AS (
        SELECT "authorisation", arg_max(ticket, snapshot_id) AS ticket FROM lake.exchange.delivery
        WHERE quarter = ?1 AND run_id NOT LIKE '%-as-of-%' GROUP BY ALL
    )
    SELECT "authorisation", max(reason) AS reason FROM lake.exchange.log JOIN last USING ("authorisation", ticket)
    WHERE quarter = ?1 AND result = ?2 GROUP BY ALL
"""
_LOGGED = "SELECT count(*) FROM lake.exchange.log WHERE ticket = ? AND result = ?"


@dataclass(frozen=True)
class Kept:
    """A delivery that is to be removed.

    Attributes:
        folder: its folder.
        manifest: what its manifest says.
    """

    folder: Place
    manifest: dict[str, Any]

    @property
    def reason(self) -> str:
        """Why it is removed, in words."""
        return f"authorisation {self.manifest['authorisation']} let it be kept until {self.manifest['keep_until']}"


def last_day(first: date, retention: str) -> date:
    """The last day on which something may be kept.

    Args:
        first: day of sending.
        retention: a number of days, months or years, such as `18 months`; a month ends no later than its last day.

    Examples:
        >>> last_day(date(2026, 8, 31), "6 months"), last_day(date(2026, 1, 1), "30 days")
        (datetime.date(2027, 2, 28), datetime.date(2026, 1, 31))
    """
    number, unit = retention.split()
    if unit.startswith("day"):
        return first + timedelta(days=int(number))
    months = first.month - 1 + int(number) * (12 if unit.startswith("year") else 1)
    year, month = first.year + months // 12, months % 12 + 1
    if year > date.max.year:
        return date.max
    return date(year, month, min(first.day, monthrange(year, month)[1]))


def overdue(out: Place, day: date) -> list[Kept]:
    """The deliveries in a folder of results that were kept long enough.

    Raises:
        LakeProblem: the folder cannot be read.
    """
    found = []
    with border(out / "extracts"):
        for folder in _deliveries(out / "extracts"):
            with suppress(FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
                manifest = json.loads((folder / MANIFEST).read_bytes())
                if date.fromisoformat(manifest["keep_until"]) < day:
                    found.append(Kept(folder, manifest))
    return found


def _deliveries(place: Place) -> list[Place]:
    """Folders of deliveries, OUT/extracts/<quarter>/<extract>/<recipient>."""
    folders = [place]
    for _ in range(3):
        inside = [path for folder in folders for path in listed(folder)]
        folders = [path for path in inside if not path.name.startswith(".") and path.is_dir()]
    return folders


def retire(lake: WritableLake, kept: Kept, out: Place, at: datetime, snapshot: int) -> None:
    """Log that a delivery is removed, and remove it.

    Args:
        lake: the lake, open for writing.
        kept: the delivery.
        out: folder for all that is given out.
        at: when, with its zone.
        snapshot: number of the lake's state.

    Raises:
        LakeProblem: the lake cannot be written, or the folder not be removed; the next run goes on.
    """
    told = kept.manifest
    with border(kept.folder), alone(kept.folder):
        if not lake.arrow(_LOGGED, [told["ticket"], REMOVED]).column(0)[0].as_py():
            quarter = Quarter.parse(told["quarter"]).code
            where = standing(lake, f"{quarter}-{snapshot}", at)
            row = {
                "id": where.first,
                "run_id": f"{quarter}-{snapshot}",
                "at": naive(at),
                "flow": told["extract"],
                "authorisation": told["authorisation"],
                "supplier": told["supplier"],
                "recipient": told["recipient"],
                "quarter": quarter,
                "file": below(kept.folder, out / "extracts"),
                "ticket": told["ticket"],
                "result": REMOVED,
                "reason": kept.reason,
            }
            with lake.transaction() as publication:
                append_log(publication, where.chain, [log_frame(pl.DataFrame([row]))])
        remove(kept.folder)


def removed_before(lake: WritableLake, quarter: Quarter) -> dict[str, str]:
    """Authorisations whose last delivery of a quarter was removed, its time being over, each with the reason."""
    rows = lake.arrow(_REMOVED, [quarter.code, REMOVED]).to_pylist()
    return {row["authorisation"]: row["reason"] for row in rows}
