"""Moments of the lake's own time, as people write them."""

from __future__ import annotations

from datetime import date, datetime, time

from dmfa.errors import WrongUsage

FOLDER = "as-of"
"""Folder in OUT for what is told of states of before, one below it for each moment."""


def moment(text: str | None) -> datetime | None:
    """A moment of the lake's own time, ISO form; a day means its end, and a time without zone the machine's own.

    Raises:
        WrongUsage: it is none, or it has not come: what the lake will hold nobody can know.
    """
    if text is None:
        return None
    try:
        if len(text) <= len("2026-10-31"):
            begun = datetime.combine(date.fromisoformat(text), time.min)
            asked = datetime.combine(begun, time.max)
        else:
            begun = asked = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUsage("--as-of is not a moment", "Write it as 2026-10-31 or '2026-10-31 18:00'.") from None
    if begun > datetime.now(begun.tzinfo):
        raise WrongUsage(
            "--as-of names a moment that has not come: what the lake will hold then cannot be known.",
            "Name one of before, or leave --as-of out for the newest state.",
        )
    return asked


def stamp(as_of: datetime) -> str:
    """A moment as part of a path.

    Examples:
        >>> stamp(datetime(2026, 10, 31, 18, 0))
        '20261031T180000'
    """
    return f"{as_of:%Y%m%dT%H%M%S}"
