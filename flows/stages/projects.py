"""Projects that receive data under codes: the keys of their codes, and `dmfa keys`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from dmfa.errors import WrongUsage
from dmfa.extracts import EXTRACTS, Authorisation, Refusal
from dmfa.extracts.keys import FIRST, SETTING, Key, destroy_keys, key_of, new_key, read_keys
from dmfa.extracts.pseudonyms import Pseudonyms
from dmfa.quarter import Quarter
from flows import console
from flows.settings import Settings
from flows.stages.exchange_log import write


def keys_of(settings: Settings) -> list[Key]:
    """The keys at hand; none where no file is named.

    Raises:
        WrongUsage: the file cannot be used.
    """
    return [] if settings.pseudonym_keys is None else read_keys(settings.pseudonym_keys)


def codings(keys: Sequence[Key], quarter: Quarter, rows: Iterable[Authorisation]) -> dict[str, Pseudonyms]:
    """By authorisation, what makes the codes of its project in a quarter; of those alone that have a key."""
    found = {}
    for row in rows:
        key = None if row.research is None else key_of(keys, row.research.project, quarter)
        if key is not None:
            found[row.id] = Pseudonyms(key)
    return found


def without_a_key(keys: Sequence[Key], quarter: Quarter, rows: Iterable[Authorisation]) -> list[Refusal]:
    """The authorisations that need codes of which there is no key, with the reason."""
    coded = [row for row in rows if row.research is not None and EXTRACTS[row.extract].coded]
    made = codings(keys, quarter, coded)
    return [
        Refusal(
            row.extract,
            row.recipient.name,
            f"there is no key for the codes of project {row.research.project} in {quarter} ({SETTING})",
            row,
        )
        for row in coded
        if row.id not in made and row.research is not None
    ]


def make(project: str, settings: Settings, first: Quarter | None) -> int:
    """Make a key for a project, and say where it is."""
    file = _named(settings)
    key = new_key(file, project, first)
    since = "all quarters" if key.first == FIRST else f"the quarters from {key.first} on"
    console.say(f"{project} has key {key.id} for {since}, in {file}")
    return 0


def show(settings: Settings, *, as_json: bool) -> int:
    """List the keys, without the keys themselves."""
    rows = [(key.project, key.id, str(key.first)) for key in sorted(read_keys(_named(settings)), key=_order)]
    if as_json:
        write({"project": project, "key": name, "from": first} for project, name, first in rows)
        return 0
    console.table("Keys", ("project", "key", "from"), rows)
    console.say(f"control: {len(rows)} keys of {len({row[0] for row in rows})} projects")
    return 0


def destroy(project: str, settings: Settings) -> int:
    """Destroy all keys of a project."""
    many = destroy_keys(_named(settings), project)
    console.say(f"{many} keys of {project} are destroyed: its codes can be made and traced back by nobody")
    return 0


def _named(settings: Settings) -> Path:
    if settings.pseudonym_keys is None:
        raise WrongUsage("no file of keys is named.", f"Name it: {SETTING}=FILE, outside of any repository.")
    return settings.pseudonym_keys


def _order(key: Key) -> tuple[str, Quarter]:
    return key.project, key.first
