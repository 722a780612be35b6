"""The identifiers that the NSSO gives to what it accepted (PID): of a declaration, a person, a person in a declaration.

Each is a number from 1 to 99,999,999,977 that follows from what it identifies, so it needs no register: the same in
every run and every lake, and the same again after a correction or when the same declaration is sent anew. The way there
is a permutation, so two declarations, or two persons, never share one. It hides nothing: a PID is as personal as the
number that it was made from.

Source: NSSO glossaries of zones 00534, 00548, 00549 (eleven digits). How the NSSO itself makes them is not public.
"""

from __future__ import annotations

import polars as pl

PRIME = 99_999_999_977
"""The largest prime below the highest PID: times any smaller number, modulo it, every number goes to another one."""

_DECLARATION, _PERSON, _DECLARED = 61_803_398_875, 70_710_678_119, 57_721_566_491
"""Multipliers without a meaning, one for each kind."""

_CUT = 1_000_000
_ENTERPRISES = 2_000_000
"""Employers without a number of the NSSO are counted from here: such a number has seven digits before the check."""

_EMPLOYERS = 22_000_000
_FIRST_YEAR = 2003


def declaration_pid(noss_registration_nbr: pl.Expr, company_id: pl.Expr, quarter: pl.Expr) -> pl.Expr:
    """Identifier of the declaration of an employer for a quarter (zone 00534).

    Args:
        noss_registration_nbr: the employer's number at the NSSO; 0 or null where there is none yet.
        company_id: the enterprise number, which counts then.
        quarter: as in the lake, 20263.
    """
    known = noss_registration_nbr.fill_null(0)
    enterprise = _ENTERPRISES + company_id.fill_null(0) // 100
    employer = pl.when(known > 0).then(known // 100).otherwise(enterprise)
    numbered = (quarter.cast(pl.Int64) // 10 - _FIRST_YEAR) * 4 + quarter % 10
    return _times(employer + _EMPLOYERS * numbered, _DECLARATION) + 1


def person_pid(inss: pl.Expr) -> pl.Expr:
    """Identifier of a person, the same in every declaration (zone 00549)."""
    return _times(inss, _PERSON) + 1


def declared_person_pid(inss: pl.Expr, declaration: pl.Expr) -> pl.Expr:
    """Identifier of a person in one declaration (zone 00548); no other person of that declaration has it.

    Args:
        inss: the person's number.
        declaration: the identifier of the declaration.
    """
    return (_times(inss, _DECLARED) + declaration) % PRIME + 1


def _times(number: pl.Expr, factor: int) -> pl.Expr:
    """A number below the prime times another one, modulo the prime, without leaving 64 bits."""
    high, low = number // _CUT, number % _CUT
    return (high * factor % PRIME * _CUT + low * factor) % PRIME
