"""Shapes of extracts for tests of what is below deliveries."""

from __future__ import annotations

from dmfa.extracts import EXTRACTS, Permit
from dmfa.extracts.shape import Shape


def shape_of(permit: Permit) -> Shape:
    """The shape that a permit leaves of its extract."""
    return EXTRACTS[permit.authorisation.extract].shape(permit)
