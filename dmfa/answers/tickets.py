"""Tickets: 13 letters and digits under which a filing or a declaration is known to its sender."""

from __future__ import annotations

import hashlib

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = tuple(first + second for first in _LETTERS for second in _LETTERS)


def filing_ticket(sha256: str) -> str:
    """The ticket given to a filing; it follows from its content.

    Args:
        sha256: hexadecimal SHA-256 of the filing.

    Examples:
        >>> len(filing_ticket("0" * 64)), filing_ticket("0" * 64) == filing_ticket("1" * 64)
        (13, False)
    """
    return _ticket(f"ticket {sha256}")


def form_ticket(sha256: str, form_index: int) -> str:
    """The ticket given to a declaration; it follows from its filing's content and its place.

    Args:
        sha256: hexadecimal SHA-256 of the filing.
        form_index: number of the Form in the filing, from 0.

    Examples:
        >>> len(form_ticket("0" * 64, 0)), form_ticket("0" * 64, 0) == form_ticket("0" * 64, 1)
        (13, False)
    """
    return _ticket(f"ticket {sha256} {form_index}")


def identification_ticket(sha256: str, form_index: int) -> str:
    """The ticket of the message that tells a declaration's identifiers.

    Args:
        sha256: hexadecimal SHA-256 of the filing.
        form_index: number of the Form in the filing, from 0.
    """
    return _ticket(f"identification {sha256} {form_index}")


def changes_ticket(sha256: str, form_index: int) -> str:
    """The ticket of the message that tells what came of a correction.

    Args:
        sha256: hexadecimal SHA-256 of the filing.
        form_index: number of the Form in the filing, from 0.
    """
    return _ticket(f"changes {sha256} {form_index}")


def account_ticket(sha256: str, form_index: int) -> str:
    """The ticket of the message that tells what a correction changes in the account.

    Args:
        sha256: hexadecimal SHA-256 of the filing.
        form_index: number of the Form in the filing, from 0.
    """
    return _ticket(f"account {sha256} {form_index}")


def replacement_ticket(sha256: str, place: int) -> str:
    """The ticket of the message that tells an employer of a number that changed.

    Args:
        sha256: hexadecimal SHA-256 of the file of replacements.
        place: number of the message among those of the file, from 0.
    """
    return _ticket(f"replacement {sha256} {place}")


def suspicion_ticket(report: str) -> str:
    """The ticket given to a suspected error; it follows from what the recipient reports.

    Args:
        report: the report, written always in the same way.
    """
    return _ticket(f"suspicion {report}")


def _ticket(words: str) -> str:
    """The first 65 bits of the words' SHA-256 in base 32 (RFC 4648)."""
    bits = int.from_bytes(hashlib.sha256(words.encode()).digest()[:9]) >> 7
    pairs = [_PAIRS[bits >> place & 1023] for place in range(55, 0, -10)]
    return "".join(pairs) + _LETTERS[bits & 31]
