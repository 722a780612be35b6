"""Whether a quarter asked for can be worked on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from dmfa.errors import NothingToRead, UnknownQuarter
from dmfa.quarter import Quarter
from dmfa.schema import MESSAGE, release_for, releases
from flows.settings import Settings

if TYPE_CHECKING:
    from dmfa.lake import Lake


def judged(quarter: Quarter, settings: Settings) -> Quarter:
    """The quarter, if a release at hand judges it and it has ended.

    Args:
        quarter: the quarter asked for.
        settings: those of the run, with its day and its folder of releases.

    Raises:
        UnknownQuarter: no release at hand judges it, or it has not ended.
    """
    if release_for(MESSAGE, quarter, settings.xsd) is None:
        oldest = releases(MESSAGE, settings.xsd)[0].quarter
        raise UnknownQuarter(
            f"there is no schema for the quarter {quarter}: the oldest at hand is {oldest}",
            "Ask for a later quarter, or name a folder with its XSD: --xsd DIR.",
        )
    if quarter.last_day >= settings.received_on:
        raise UnknownQuarter(
            f"the quarter {quarter} has not ended on {settings.received_on}", "Ask for a quarter that has ended."
        )
    return quarter


def must_hold(lake: Lake, quarter: Quarter, as_of: datetime | None = None) -> None:
    """Check that a lake holds declarations of a quarter, be they in force or cancelled.

    Args:
        lake: an open lake.
        quarter: the quarter asked for.
        as_of: the moment that the lake is read at, if it is not now.

    Raises:
        NothingToRead: it holds none; the message tells of which quarters it does.
    """
    rows = lake.arrow("SELECT DISTINCT quarter FROM lake.history.employer_declaration ORDER BY quarter")
    held = rows.column(0).to_pylist()
    if quarter.code in held:
        return
    then = f" as of {as_of:%Y-%m-%d %H:%M:%S}" if as_of else ""
    what = f"the lake holds no declaration of {quarter}{then}"
    if not held:
        raise NothingToRead(f"{what}.", "Take some in first: dmfa ingest PATH...")
    known = ", ".join(str(Quarter.from_code(code)) for code in held)
    raise NothingToRead(
        f"{what}; it holds some of {known}.", "Ask for one of these, or take some in first: dmfa ingest PATH..."
    )
