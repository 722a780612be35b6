"""Degree of employment: the hours of a worker in those of a full-time one, occupation by occupation."""

from __future__ import annotations

import polars as pl

from dmfa.extracts.persons import Frames
from dmfa.extracts.selections.working_time import occupations
from dmfa.money import half_up_expr

_WHOLE = 10_000


def select(frames: Frames) -> Frames:
    """The zones 00048, 00049 and 00050 of each occupation, and the ratio of the first two.

    Source: circulars of the child-benefit sector on DmfA, by which these three zones are essential.
    """
    hours, reference = pl.col("mean_working_hours"), pl.col("ref_mean_working_hours")
    degree = pl.when(reference > 0).then(half_up_expr(_WHOLE * hours, pl.when(reference > 0).then(reference)))
    return {"employment_degree": occupations(frames).with_columns(degree.alias("degree"))}
