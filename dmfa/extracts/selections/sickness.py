"""Contribution vouchers: what a sickness fund needs to know of a quarter, worker line by worker line."""

from __future__ import annotations

from dmfa.extracts.persons import Frames
from dmfa.extracts.selections.working_time import LINE, PAID, SICK, lines, pay, time, with_sums


def select(frames: Frames) -> Frames:
    """One voucher for each worker line: pay that bears contributions; days and hours paid, of sickness, and others.

    Source: project page of the CBSS on the contribution voucher: derived from the quarterly declaration, with its codes
    of sickness and invalidity.
    """
    sums = (
        pay(frames, LINE),
        time(frames, LINE, "paid_", PAID),
        time(frames, LINE, "sick_", SICK),
        time(frames, LINE, "other_"),
    )
    return {"voucher": with_sums(lines(frames), LINE, *sums)}
