"""Employment: one row per job, with its groups and what it counts for; cubes are made of them elsewhere."""

from __future__ import annotations

import polars as pl

from dmfa.extracts.persons import Frames
from dmfa.extracts.selections.classes import at_the_end, sex, size_class, with_places, with_volume, worker_status
from dmfa.extracts.selections.working_time import PERSON, occupations

_GROUPS = ("quarter", "nace_division", "region", "worker_status", "size_class", "sex")


def select(frames: Frames) -> Frames:
    """The groups of each job, which is a person at an employer, however many occupations there are.

    A job counts where one of its occupations is in force on the last day of the quarter. Its groups are those of its
    main occupation: one in force then before others, then the one with the most work, then the first.

    Source: statistics pages of the NSSO: one worker at one employer is one job; persons and jobs at the end of the
    quarter, volume of work over the quarter.
    """
    jobs = with_volume(with_places(occupations(frames), frames), frames).with_columns(
        jobs=at_the_end().cast(pl.Int64), worker_status=worker_status(), sex=sex()
    )
    counted = pl.col("natural_person_ordinal").filter(pl.col("jobs") == 1).n_unique().over(PERSON[0])
    jobs = jobs.with_columns(size_class=size_class(counted)).sort(
        *PERSON, "jobs", "fte", "occupation_ordinal", descending=[False, False, True, True, False], nulls_last=True
    )
    volume = pl.when(pl.col("fte").is_not_null().any()).then(pl.col("fte").sum()).alias("fte")
    one = jobs.group_by(PERSON, maintain_order=True).agg(pl.col(_GROUPS).first(), pl.col("jobs").first(), volume)
    return {"employment": one.with_columns(persons=pl.col("jobs"))}
