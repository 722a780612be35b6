"""Faults of what is declared: what the checks must find, and amounts that are not what the law says."""

from __future__ import annotations

from dataclasses import replace

from dmfa.quarter import Quarter
from dmfa.synth.declaration import Contribution, Declaration, Deduction, Line
from dmfa.synth.fault_registry import FAULTS, change
from dmfa.synth.lawful import Lawful, unconfirmed
from dmfa.synth.truth import Expected
from dmfa.synth.writer import created

# -- what the checks must find ---------------------------------------------------------------------------------------


@change("double_insz", "the second person has the INSZ of the first", "90017-006")
def _double_insz(declaration: Declaration) -> bool:
    if len(declaration.persons) < 2:
        return False
    declaration.persons[1].insz = declaration.persons[0].insz
    return True


@change("net_wrong", "the net amount owed is one euro above the sum", "00015-007")
def _net_wrong(declaration: Declaration) -> bool:
    declaration.net_owed += 100
    return True


@change("insz_check_digits", "check digits of an INSZ are wrong", "00024-004")
def _insz_check_digits(declaration: Declaration) -> bool:
    # The digits for a birth before and from 2000 differ by 68 or 29 modulo 97, so 1 more is wrong for both.
    declaration.persons[0].insz += 1 if declaration.persons[0].insz % 100 < 97 else -1
    return True


@change("noss_check_digits", "check digits of the NSSO number are wrong", "00011-004")
def _noss_check_digits(declaration: Declaration) -> bool:
    number = declaration.employer.noss_registration_nbr
    declaration.employer = replace(
        declaration.employer, noss_registration_nbr=number - 1 if number % 100 else number + 1
    )
    return True


@change("enterprise_check_digits", "check digits of the enterprise number are wrong", "00014-004")
def _enterprise_check_digits(declaration: Declaration) -> bool:
    declaration.employer = replace(declaration.employer, company_id=_one_off(declaration.employer.company_id))
    return True


@change("local_unit_check_digits", "check digits of an establishment's number are wrong", "00042-004")
def _local_unit_check_digits(declaration: Declaration) -> bool:
    for line in _lines(declaration):
        if line.occupations:
            line.occupations[0].local_unit = _one_off(line.occupations[0].local_unit)
            return True
    return False


@change("user_check_digits", "check digits of the enterprise number of an agency worker's user are wrong", "00131-004")
def _user_check_digits(declaration: Declaration) -> bool:
    for line in _lines(declaration):
        for occupation in line.occupations:
            if occupation.user and occupation.user.company_id:
                occupation.user = replace(occupation.user, company_id=_one_off(occupation.user.company_id))
                return True
    return False


@change("substitute_check_digits", "check digits of the INSZ of a substitute are wrong", "00749-004")
def _substitute_check_digits(declaration: Declaration) -> bool:
    for line in _lines(declaration):
        for complement in line.complements:
            if complement.substitute:
                complement.substitute += 1 if complement.substitute % 100 < 97 else -1
                return True
    return False


@change("quarter_not_ended", "the quarter has not ended on the day of receipt", "00013-008")
def _quarter_not_ended(declaration: Declaration) -> bool:
    declaration.made_on = created(declaration)[0]
    declaration.quarter = declaration.quarter.next
    return True


@change("quarter_too_old", "the quarter lies before 2022/1, the oldest release at hand", "00013-008")
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


@change("contribution_differs", "an ordinary contribution is 12.34 euros too high", None)
def _contribution_differs(declaration: Declaration) -> bool:
    for line in _lines(declaration):
        for item in line.contributions:
            if item.code in ("015", "495"):
                item.amount += 1_234
                declaration.balance()
                return True
    return False


@change("reduction_cent_off", "a structural reduction is one cent too high", None)
def _reduction_cent_off(declaration: Declaration) -> bool:
    for cut in _structural(declaration):
        cut.amount = (cut.amount or 0) + 1
        declaration.balance()
        return True
    return False


@change("reduction_missing", "a structural reduction that is due is not declared", None)
def _reduction_missing(declaration: Declaration) -> bool:
    for cut in _structural(declaration):
        cut.amount, cut.declared = None, False
        declaration.balance()
        return True
    return False


@change("reduction_superfluous", "a structural reduction on a worker code that has no right to it", None)
def _reduction_superfluous(declaration: Declaration) -> bool:
    for line in _lines(declaration):
        if line.worker_code in ("035", "439") and line.contributions:
            no_right = Lawful(0, "B", "this worker code has no right to it")
            line.occupations[0].deductions.append(Deduction("3000", 500, no_right))
            declaration.balance()
            return True
    return False


@change("rate_unknown", "a contribution to a sector fund (820) for whose rate there is no confirmed figure", None)
def _rate_unknown(declaration: Declaration) -> bool:
    for line in _lines(declaration):
        if line.worker_code == "015" and line.contributions:
            unknown = unconfirmed()
            line.contributions.append(Contribution("820", 0, line.contributions[0].basis, 12_345, unknown))
            declaration.balance()
            return True
    return False


def _lines(declaration: Declaration) -> list[Line]:
    return [line for person in declaration.persons for line in person.lines]


def _structural(declaration: Declaration) -> list[Deduction]:
    occupations = [occupation for line in _lines(declaration) for occupation in line.occupations]
    return [cut for occupation in occupations for cut in occupation.deductions if cut.code == "3000"]
