"""Contribution rates and employer classes: the seed tables and their look-up."""

from __future__ import annotations

from contributions.rates.categories import structural_classes, structural_exceptions
from contributions.rates.lookup import OTHER_CLASS, contribution_rates, known_classes

__all__ = ["OTHER_CLASS", "contribution_rates", "known_classes", "structural_classes", "structural_exceptions"]
