"""What the law says about an invented amount."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Lawful:
    """What the law says about an amount.

    Attributes:
        amount: cents by the law, or None where no confirmed figure gives it.
        trust: `A` or `B`, trust in the figures used; empty without amount.
        note: why there is no amount.
    """

    amount: int | None = None
    trust: str = ""
    note: str = ""


def unconfirmed() -> Lawful:
    """The law's word on an amount that only the payroll names: no confirmed figure gives it."""
    return Lawful(None, "", "no confirmed rate")
