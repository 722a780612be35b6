"""The closed list of entries in the account of a declaration: what brought an amount into it."""

from __future__ import annotations

from typing import Final

ORIGINAL: Final = "original"
CORRECTION: Final = "correction"
SYSTEM_CORRECTION: Final = "system correction"
REPLACEMENT: Final = "replacement"

ALL: Final = (ORIGINAL, CORRECTION, SYSTEM_CORRECTION, REPLACEMENT)
"""The declaration itself; then a correction by its sender, one by the institution, and another number of somebody."""
