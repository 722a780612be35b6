"""The closed list of outcomes: how what is declared compares with what is computed."""

from __future__ import annotations

from typing import Final

EQUAL: Final = "equal"
ROUNDING: Final = "rounding"
WITHIN: Final = "within bounds"
DIFFERS: Final = "differs"
MISSING: Final = "missing"
SUPERFLUOUS: Final = "superfluous"
NOT_COMPUTED: Final = "not computable"

ALL: Final = (EQUAL, ROUNDING, WITHIN, DIFFERS, MISSING, SUPERFLUOUS, NOT_COMPUTED)
"""Every outcome; those that count as a difference stand side by side."""
