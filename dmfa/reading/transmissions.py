"""Which of the files found are whole transmissions: with all parts, told to start, of the environment asked for.

A transmission is what one sender sent under one subject, day, sequence and environment, into one folder or archive: one
FI for each part, with FS if it is signed, and GO, which says that all is there. TD instead cancels it. A single FI with
none of these beside it, and any file without a name of the exchange, is taken as it lies, unless the protocol is
strict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from dmfa.reading.names import CANCEL, GO, PRODUCTION, SHAPE, SIGNATURE, FileName, declaration
from dmfa.reading.source import Found, Problem, Sources, put_in_order

PARTS_MISSING = "ACRF-120"
SIGNATURE_MISSING = "ACRF-122"
NUMBERING_WRONG = "ACRF-123"
SIGNATURE_WRONG = "ACRF-125"
NAME_USED = "ACRF-133"
"""Reception codes of annex 30 for what can be wrong with a transmission."""

NAME_WRONG = "name"
"""What the exchange has against a name that is none of its own; the number of this check is not known here."""


@dataclass
class Gathered:
    """What was found, as transmissions.

    Attributes:
        filings: those to be received, each with its signature and what its transmission is refused for.
        waiting: names of declarations whose go file is not there yet.
        cancelled: names of declarations that their sender cancelled.
        elsewhere: declarations of another environment, by environment.
        alone: signatures, go files and cancellations without a declaration.
    """

    filings: list[Found] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    elsewhere: Counter[str] = field(default_factory=Counter)
    alone: int = 0


@dataclass
class _Transmission:
    declarations: list[tuple[FileName, Found]] = field(default_factory=list)
    signatures: dict[tuple[int, int | None], Found] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)

    def goes_by_protocol(self) -> bool:
        """Whether anything but a lone file of one part was sent."""
        return bool(self.kinds) or any(name.parts > 1 for name, _ in self.declarations)

    def fault(self) -> Problem | None:
        """What is wrong with its parts."""
        names = [name for name, _ in self.declarations]
        numbers = {name.part for name in names}
        parts = names[0].parts
        numbered = all(name.parts == parts and name.part and name.part <= parts for name in names)
        if not numbered or len(numbers) < len(names):
            return Problem(NUMBERING_WRONG, "the numbers of its parts contradict one another, or one came twice")
        if len(numbers) < parts:
            return Problem(PARTS_MISSING, f"{len(numbers)} of its {parts} parts are there, and the go file too")
        return None


def gather(sources: Sources, *, environment: str = PRODUCTION, strict: bool = False) -> Gathered:
    """Put the files found together as transmissions.

    Args:
        sources: what was found.
        environment: R, T or S: what names another one is left aside; a file whose name tells none is of this one.
        strict: whether every FI waits for its go file, and a name that starts with FI. must be one of the exchange.
    """
    gathered = Gathered()
    accompanied = {name.transmission for name in (FileName.of(found.name) for found in sources.companions) if name}
    transmissions: dict[tuple[str, str, str], _Transmission] = {}
    for found in sources.filings:
        name = FileName.of(found.name)
        if name is None:
            wrong = strict and declaration(found.name.rsplit("/", 1)[-1])
            fault = Problem(NAME_WRONG, f"its name is not {SHAPE}") if wrong else None
            gathered.filings.append(replace(found, fault=fault) if fault else found)
        elif name.environment != environment:
            gathered.elsewhere[name.environment] += 1
        elif not strict and name.parts == 1 and name.transmission not in accompanied:
            gathered.filings.append(found)
        else:
            transmissions.setdefault(home(found, name), _Transmission()).declarations.append((name, found))
    _accompany(sources.companions, transmissions, environment, gathered)
    for transmission in transmissions.values():
        names = [found.name for _, found in transmission.declarations]
        if transmission.kinds[CANCEL]:
            gathered.cancelled += names
        elif (strict or transmission.goes_by_protocol()) and not transmission.kinds[GO]:
            gathered.waiting += names
        else:
            fault = transmission.fault()
            gathered.filings += [
                replace(found, signature=transmission.signatures.get((name.parts, name.part)), fault=fault)
                if fault or transmission.signatures
                else found
                for name, found in transmission.declarations
            ]
    put_in_order(gathered.filings)
    return gathered


def _accompany(
    companions: Iterable[Found],
    transmissions: dict[tuple[str, str, str], _Transmission],
    environment: str,
    gathered: Gathered,
) -> None:
    """Put signatures, go files and cancellations to their declarations."""
    for found in companions:
        name = FileName.of(found.name)
        transmission = transmissions.get(home(found, name)) if name else None
        if name is None or transmission is None:
            gathered.alone += name is None or name.environment == environment
            continue
        transmission.kinds[name.kind] += 1
        if name.kind == SIGNATURE:
            transmission.signatures[name.parts, name.part] = found


def home(found: Found, name: FileName) -> tuple[str, str, str]:
    """What holds the files of a transmission, folder or archive, and what they share in name."""
    inside = str(PurePosixPath(found.member.name).parent) if found.member else ""
    return str(found.path if found.member else found.path.parent), inside, name.transmission
