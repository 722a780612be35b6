"""The official anomalies: which codes each message and version knows, of which block or zone, how severe.

anomalies.csv holds the facts of the NSSO's glossaries. A code is the number of a zone or block, a hyphen, and the kind
of anomaly. Severities: B blocks, P is counted in percent, NP is not, W warns, D concerns a right to a reduction, I asks
for investigation.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from dmfa.quarter import Quarter
from dmfa.schema.tables import MESSAGE

BLOCKS = "90"
"""How the number of a block begins."""


@dataclass(frozen=True)
class Official:
    """One official code.

    Attributes:
        code: number of the zone or block, hyphen, kind.
        element: official label of the zone or block.
        severities: severity by version; a version that lacks it does not know the code.
    """

    code: str
    element: str
    severities: dict[Quarter, str]

    @property
    def number(self) -> str:
        """Number of the zone or block."""
        return self.code[:5]

    @property
    def kind(self) -> str:
        """Kind of anomaly, three digits."""
        return self.code[6:]

    @property
    def of_block(self) -> bool:
        """Whether it is of a block; else of a zone."""
        return self.number.startswith(BLOCKS)


@dataclass(frozen=True)
class Catalogue:
    """The codes of one message.

    Attributes:
        message: name of the message.
        versions: those at hand, oldest first.
        codes: every code of any version.
    """

    message: str
    versions: tuple[Quarter, ...]
    codes: dict[str, Official]

    def version(self, quarter: int) -> Quarter:
        """The version that judges a quarter, given as yyyyq: the newest not later, else the oldest."""
        return next((one for one in reversed(self.versions) if one.code <= quarter), self.versions[0])

    def severity(self, code: str, quarter: int) -> str | None:
        """Severity of a code in a quarter, given as yyyyq; None where its version does not know the code."""
        known = self.codes.get(code)
        return None if known is None else known.severities.get(self.version(quarter))

    @cached_property
    def kinds(self) -> dict[str, frozenset[str]]:
        """By number of a zone or block, the kinds that the newest version knows."""
        found: dict[str, set[str]] = {}
        for one in self.codes.values():
            if self.versions[-1] in one.severities:
                found.setdefault(one.number, set()).add(one.kind)
        return {number: frozenset(kinds) for number, kinds in found.items()}


@cache
def catalogues() -> dict[str, Catalogue]:
    """The catalogue of each message, by its name."""
    text = (files("dmfa.schema") / "anomalies.csv").read_text(encoding="utf-8")
    header, *rows = csv.reader(text.splitlines())
    columns = [(name.split()[0], Quarter.parse(name.split()[1])) for name in header[2:]]
    found: dict[str, Catalogue] = {}
    for message in dict.fromkeys(message for message, _ in columns):
        versions = tuple(version for name, version in columns if name == message)
        places = [place for place, (name, _) in enumerate(columns) if name == message]
        codes = {}
        for code, element, *severities in rows:
            own = {columns[place][1]: severities[place] for place in places if severities[place]}
            if own:
                codes[code] = Official(code, element, own)
        found[message] = Catalogue(message, versions, codes)
    return found


def catalogue(message: str = MESSAGE) -> Catalogue:
    """The catalogue of a message."""
    return catalogues()[message]
