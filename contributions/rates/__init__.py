"""Contribution rates, employer classes and who owes what: the official files of a quarter, the seed tables, look-ups.

`official` and `markup` read the files, `book` puts those of a quarter together, `comparison` and `moderation` check
them; `lookup`, `categories` and `owedness` answer from the book first and from the seed tables else.
"""

from __future__ import annotations

from contributions.rates.categories import structural_classes, structural_exceptions
from contributions.rates.lookup import OTHER_CLASS, contribution_rates, known_classes

__all__ = ["OTHER_CLASS", "contribution_rates", "known_classes", "structural_classes", "structural_exceptions"]
