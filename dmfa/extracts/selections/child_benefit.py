"""Degree of employment: the hours of a worker in those of a full-time one, occupation by occupation."""

from __future__ import annotations

import polars as pl

from dmfa.extracts.persons import Frames
from dmfa.extracts.selections.working_time import occupations
from dmfa.money import half_up_expr

_WHOLE = 10_000
_FULL_TIME = 0


def select(frames: Frames) -> Frames:
    """The zones 00048, 00049 and 00050 of each occupation, and the degree that they tell.

    It is the hours (00048) in those of the reference (00049). Hours are declared for part-time work and for some other
    situations, such as a career break; of a full-time contract (00050 = 0) without hours and without a measure (00051)
    the degree is the whole. What is declared goes first: a full-time contract on full leave has no hours in 38.

    Source: circulars of the child-benefit sector on DmfA, by which these three zones are essential; the glossary of
    DmfA, zones 00048 to 00051.
    """
    hours, reference = pl.col("mean_working_hours"), pl.col("ref_mean_working_hours")
    full = (pl.col("contract_type") == _FULL_TIME) & pl.col("reorganisation_measure").is_null()
    ratio = half_up_expr(_WHOLE * hours, pl.when(reference > 0).then(reference))
    degree = pl.when(hours.is_null() & full).then(_WHOLE).otherwise(ratio)
    return {"employment_degree": occupations(frames).with_columns(degree.alias("degree"))}
