"""Ordinary pay of a person at an employer in the quarter: only whether it is above a limit goes out."""

from __future__ import annotations

from dmfa.extracts.persons import Frames
from dmfa.extracts.selections.working_time import PERSON, pay, with_sums

ORDINARY = ("001",)


def select(frames: Frames) -> Frames:
    """One row per person with the amount, which `dmfa.extracts` turns into an answer before anything is written."""
    persons = frames["natural_person"].join(frames["employer_declaration"], on=PERSON[0], how="inner")
    amounts = pay(frames, PERSON, ORDINARY).rename({"pay": "above"})
    return {"ceiling": with_sums(persons, PERSON, amounts)}
