"""Whether a quarter asked for can be worked on."""

from __future__ import annotations

from dmfa.errors import UnknownQuarter
from dmfa.quarter import Quarter
from dmfa.schema import MESSAGE, release_for, releases
from flows.settings import Settings


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
