"""Ways in which a good filing goes wrong, each with what a receiver must say to it.

A fault is named once and used by name, in the samples and by share in a generated quarter. The codes are those of the
NSSO's catalogue; a file that cannot be read at all has none, only the fault's name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dmfa.synth.declaration import Declaration
from dmfa.synth.tally import Tally
from dmfa.synth.truth import Expected, Filing
from dmfa.synth.xml import document


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong.

    Attributes:
        name: used in options and truth.
        words: what is wrong, for people.
        expected: what a receiver must make of it; its fault is this one's name.
        change: changes the declaration before it is written, and says whether it could.
        spoil: changes the bytes after.
    """

    name: str
    words: str
    expected: Expected
    change: Callable[[Declaration], bool] | None = None
    spoil: Callable[[bytes], bytes] | None = None


FAULTS: Final[dict[str, Fault]] = {}
"""All faults by name; the modules `faulty_declarations` and `faulty_files` fill it."""


def apply(name: str, declaration: Declaration, file_name: str) -> Filing | None:
    """A filing with this fault, or None where the declaration has nothing that could go wrong this way.

    Args:
        name: one of `FAULTS`.
        declaration: a good declaration; it is changed.
        file_name: name of the file.

    Raises:
        KeyError: no fault has this name.
    """
    fault = FAULTS[name]
    if fault.change and not fault.change(declaration):
        return None
    tallies = [Tally()]
    good = document([declaration], tallies)
    content = fault.spoil(good) if fault.spoil else good
    if fault.spoil and content == good:
        return None
    return Filing(file_name, content, [declaration], tallies, fault.expected)


def change(
    name: str, words: str, code: str | None
) -> Callable[[Callable[[Declaration], bool]], Callable[[Declaration], bool]]:
    """Register a change of the declaration: with a code it is refused, without it is accepted and differs."""
    expected = Expected(name, "refused", (code,), refused=(0,)) if code else Expected(name)

    def register(function: Callable[[Declaration], bool]) -> Callable[[Declaration], bool]:
        FAULTS[name] = Fault(name, words, expected, change=function)
        return function

    return register


def spoil(
    name: str, words: str, *codes: str, well_formed: bool, schema_valid: bool | None
) -> Callable[[Callable[[bytes], bytes]], Callable[[bytes], bytes]]:
    """Register a change of the bytes; the file is refused."""
    expected = Expected(name, "refused", codes, well_formed, schema_valid)

    def register(function: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        FAULTS[name] = Fault(name, words, expected, spoil=function)
        return function

    return register


def instead(name: str, words: str, content: bytes, *, well_formed: bool) -> None:
    """Register a file whose bytes have nothing of the declaration."""
    expected = Expected(name, "refused", (), well_formed, None)
    FAULTS[name] = Fault(name, words, expected, spoil=lambda _: content)
