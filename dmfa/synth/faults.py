"""Ways in which a good filing goes wrong, each with what a receiver must say to it.

A fault is named once and used by name, in the samples and by share in a generated quarter. The codes are those of the
NSSO's catalogue; a file that cannot be read at all has none, only the fault's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from dmfa.quarter import Quarter
from dmfa.synth.declaration import Contribution, Declaration, Deduction, Lawful, Line
from dmfa.synth.truth import Expected, Filing
from dmfa.synth.xml import Tally, created, document


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
    content = document([declaration], tallies)
    return Filing(file_name, fault.spoil(content) if fault.spoil else content, [declaration], tallies, fault.expected)


def _change(
    name: str, words: str, code: str | None
) -> Callable[[Callable[[Declaration], bool]], Callable[[Declaration], bool]]:
    """Register a change of the declaration; with a code it is refused, without it is accepted and differs."""
    expected = Expected(name, "refused", (code,), refused=(0,)) if code else Expected(name)

    def register(function: Callable[[Declaration], bool]) -> Callable[[Declaration], bool]:
        FAULTS[name] = Fault(name, words, expected, change=function)
        return function

    return register


def _spoil(
    name: str, words: str, *codes: str, well_formed: bool, schema_valid: bool | None
) -> Callable[[Callable[[bytes], bytes]], Callable[[bytes], bytes]]:
    expected = Expected(name, "refused", codes, well_formed, schema_valid)

    def register(function: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        FAULTS[name] = Fault(name, words, expected, spoil=function)
        return function

    return register


# -- what the checks must find ---------------------------------------------------------------------------------------


@_change("double_insz", "the second person has the INSZ of the first", "90017-006")
def _double_insz(declaration: Declaration) -> bool:
    if len(declaration.persons) < 2:
        return False
    declaration.persons[1].insz = declaration.persons[0].insz
    return True


@_change("net_wrong", "the net amount owed is one euro above the sum", "00015-007")
def _net_wrong(declaration: Declaration) -> bool:
    declaration.net_owed += 100
    return True


@_change("insz_check_digits", "check digits of an INSZ are wrong", "00024-004")
def _insz_check_digits(declaration: Declaration) -> bool:
    # The digits for a birth before and from 2000 differ by 68 or 29 modulo 97, so 1 more is wrong for both.
    declaration.persons[0].insz += 1 if declaration.persons[0].insz % 100 < 97 else -1
    return True


@_change("noss_check_digits", "check digits of the NSSO number are wrong", "00011-004")
def _noss_check_digits(declaration: Declaration) -> bool:
    number = declaration.employer.noss_registration_nbr
    declaration.employer = replace(
        declaration.employer, noss_registration_nbr=number - 1 if number % 100 else number + 1
    )
    return True


@_change("enterprise_check_digits", "check digits of the enterprise number are wrong", "00014-004")
def _enterprise_check_digits(declaration: Declaration) -> bool:
    declaration.employer = replace(declaration.employer, company_id=_one_off(declaration.employer.company_id))
    return True


@_change("local_unit_check_digits", "check digits of an establishment's number are wrong", "00042-004")
def _local_unit_check_digits(declaration: Declaration) -> bool:
    for line in _lines(declaration):
        if line.occupations:
            line.occupations[0].local_unit = _one_off(line.occupations[0].local_unit)
            return True
    return False


@_change("quarter_not_ended", "the quarter has not ended on the day of receipt", "00013-008")
def _quarter_not_ended(declaration: Declaration) -> bool:
    declaration.made_on = created(declaration)[0]
    declaration.quarter = declaration.quarter.next
    return True


@_change("quarter_too_old", "the quarter lies before 2022/1, the oldest release at hand", "00013-008")
def _quarter_too_old(declaration: Declaration) -> bool:
    declaration.made_on = created(declaration)[0]
    declaration.quarter = Quarter(2021, 4)
    return True


# No schema judges a quarter before the oldest release, so nothing more is known of the file.
FAULTS["quarter_too_old"] = replace(
    FAULTS["quarter_too_old"], expected=Expected("quarter_too_old", "refused", ("00013-008",), schema_valid=None)
)


def _one_off(number: int) -> int:
    return number - 1 if number % 100 > 1 else number + 1


# -- accepted, but an amount is not what the law says ------------------------------------------------------------------


@_change("contribution_differs", "an ordinary contribution is 12.34 euros too high", None)
def _contribution_differs(declaration: Declaration) -> bool:
    for line in _lines(declaration):
        for item in line.contributions:
            if item.code in ("015", "495"):
                item.amount += 1_234
                declaration.balance()
                return True
    return False


@_change("reduction_cent_off", "a structural reduction is one cent too high", None)
def _reduction_cent_off(declaration: Declaration) -> bool:
    for cut in _structural(declaration):
        cut.amount = (cut.amount or 0) + 1
        declaration.balance()
        return True
    return False


@_change("reduction_missing", "a structural reduction that is due is not declared", None)
def _reduction_missing(declaration: Declaration) -> bool:
    for cut in _structural(declaration):
        cut.amount, cut.declared = None, False
        declaration.balance()
        return True
    return False


@_change("reduction_superfluous", "a structural reduction on a worker code that has no right to it", None)
def _reduction_superfluous(declaration: Declaration) -> bool:
    for line in _lines(declaration):
        if line.worker_code in ("035", "439") and line.contributions:
            no_right = Lawful(0, "B", "this worker code has no right to it")
            line.occupations[0].deductions.append(Deduction("3000", 500, no_right))
            declaration.balance()
            return True
    return False


@_change("rate_unknown", "a contribution to a sector fund (820) for whose rate there is no confirmed figure", None)
def _rate_unknown(declaration: Declaration) -> bool:
    for line in _lines(declaration):
        if line.worker_code == "015" and line.contributions:
            unknown = Lawful(None, "", "no confirmed rate")
            line.contributions.append(Contribution("820", 0, line.contributions[0].basis, 12_345, unknown))
            declaration.balance()
            return True
    return False


def _lines(declaration: Declaration) -> list[Line]:
    return [line for person in declaration.persons for line in person.lines]


def _structural(declaration: Declaration) -> list[Deduction]:
    occupations = [occupation for line in _lines(declaration) for occupation in line.occupations]
    return [cut for occupation in occupations for cut in occupation.deductions if cut.code == "3000"]


# -- files that cannot be read, or that the XSD refuses ----------------------------------------------------------------


@_spoil("truncated", "a file that stops in the middle", well_formed=False, schema_valid=None)
def _truncated(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


@_spoil("doctype", "a document type declaration, which is forbidden", well_formed=False, schema_valid=None)
def _doctype(content: bytes) -> bytes:
    return content.replace(b"<DmfAOriginal", b"<!DOCTYPE DmfAOriginal>\n<DmfAOriginal", 1)


@_spoil("facet", "a day system above what the XSD allows", "00047-008", well_formed=True, schema_valid=False)
def _facet(content: bytes) -> bytes:
    return re.sub(rb"<WorkingDaysSystem>\d+<", b"<WorkingDaysSystem>800<", content, count=1)


@_spoil("order", "worker code before employer class", "00037-091", well_formed=True, schema_valid=False)
def _order(content: bytes) -> bytes:
    pair = rb"(<EmployerClass>\d{3}</EmployerClass>)(\s*)(<WorkerCode>\d{3}</WorkerCode>)"
    return re.sub(pair, rb"\3\2\1", content, count=1)


def _instead(name: str, words: str, content: bytes, *, well_formed: bool) -> None:
    """Register a file whose bytes have nothing of the declaration."""
    expected = Expected(name, "refused", (), well_formed, None)
    FAULTS[name] = Fault(name, words, expected, spoil=lambda _: content)


_instead("empty", "a file of no bytes", b"", well_formed=False)
_instead(
    "not_xml",
    "a table of text, not XML",
    b"employer;worker;wage\n1;1;2500,00\n1;2;2750,00\n",
    well_formed=False,
)
_instead(
    "other_xml",
    "XML of something else",
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Invoice><Number>1</Number><Amount>100.00</Amount></Invoice>\n',
    well_formed=True,
)
