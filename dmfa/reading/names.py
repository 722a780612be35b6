"""Names of the files of the exchange: what each part of such a name says.

`FI.DMFA.700001.20261003.00001.R.4.1` is a declaration: subject, number of the sender, day, sequence, environment, how
many parts, and which of them. FS with the same parts is the signature of it; GO and TD, which name no part, start and
cancel all parts together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

DECLARATION, SIGNATURE, GO, CANCEL = "FI", "FS", "GO", "TD"
PRODUCTION = "R"
ENVIRONMENTS = (PRODUCTION, "T", "S")
"""Production, test and simulation."""

SHAPE = "FI.DMFA.<sender>.<yyyymmdd>.<sequence>.<R, T or S>.<parts>.<part>"

_PREFIXES = tuple(f"{kind}." for kind in (DECLARATION, SIGNATURE, GO, CANCEL))
_NAME = re.compile(
    r"(?P<kind>FI|FS|GO|TD)\.(?P<transmission>(?P<subject>[A-Z]{4})\.(?P<sender>[0-9]{6})\.(?P<day>[0-9]{8})"
    r"\.(?P<sequence>[0-9A-Z]{5})\.(?P<environment>[RTS]))(?:\.(?P<parts>[0-9]{1,3})(?:\.(?P<part>[0-9]{1,3}))?)?(?:\.xml)?(?:\.gz)?"
)


@dataclass(frozen=True, slots=True)
class FileName:
    """The name of a file of the exchange, taken apart.

    Attributes:
        kind: FI, FS, GO or TD.
        subject: what is sent, such as DMFA.
        sender: number of the sender, six digits.
        day: the day on which the sender made it.
        sequence: five digits or letters that the sender chose, anew each day.
        environment: R, T or S.
        parts: how many parts the transmission has; 1 where the name does not tell.
        part: which of them this is; None where the name tells none, as of GO and TD.
        transmission: what all files of one transmission share: subject, sender, day, sequence and environment.
    """

    kind: str
    subject: str
    sender: str
    day: date
    sequence: str
    environment: str
    parts: int
    part: int | None
    transmission: str

    @classmethod
    def of(cls, name: str) -> FileName | None:
        """Take a name apart; None if it is not one of the exchange.

        Args:
            name: with or without the folders or the archive before it; `.xml` and `.gz` behind it say nothing.

        Examples:
            >>> FileName.of("in/FI.DMFA.700001.20261003.00001.R.4.1").transmission
            'DMFA.700001.20261003.00001.R'
            >>> FileName.of("wages.xml") is None
            True
        """
        match = _NAME.fullmatch(name.rsplit("/", 1)[-1])
        if match is None:
            return None
        digits = match["day"]
        try:
            day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            return None
        part = int(match["part"]) if match["part"] else None
        if part is None and match["kind"] in {DECLARATION, SIGNATURE} and not match["parts"]:
            part = 1
        told = (match["kind"], match["subject"], match["sender"], day, match["sequence"], match["environment"])
        return cls(*told, int(match["parts"] or 1), part, match["transmission"])

    def others(self) -> list[str]:
        """Names of all files that its transmission may hold, this one included."""
        numbered = [f"{self.transmission}.{self.parts}.{part}" for part in range(1, self.parts + 1)]
        whole = [self.transmission, f"{self.transmission}.{self.parts}"]
        return [f"{kind}.{rest}" for kind in (DECLARATION, SIGNATURE) for rest in (*whole[:1], *numbered)] + [
            f"{kind}.{rest}" for kind in (GO, CANCEL) for rest in whole
        ]


def companion(name: str) -> bool:
    """Whether a file only accompanies a declaration: its signature, go file or cancellation.

    Examples:
        >>> companion("GO.DMFA.700001.20261003.00001.R.1"), companion("FI.DMFA.700001.20261003.00001.R.1.1")
        (True, False)
    """
    return name.startswith(_PREFIXES[1:])


def declaration(name: str) -> bool:
    """Whether a file means to be a declaration of the exchange, whatever the rest of its name."""
    return name.startswith(_PREFIXES[0])
