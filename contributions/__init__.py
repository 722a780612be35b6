"""Belgian social contributions and reductions as data and small functions: frames in, frames out.

>>> from contributions import compute
>>> compute({}).contribution.height
0
"""

from __future__ import annotations

from contributions.columns import COLUMN_WORDS, SCHEMAS, TABLE_WORDS
from contributions.engine import ComputationFailed, Computed, compute
from contributions.fingerprint import law_fingerprint
from contributions.inputs import TABLES

__all__ = [
    "COLUMN_WORDS",
    "SCHEMAS",
    "TABLES",
    "TABLE_WORDS",
    "ComputationFailed",
    "Computed",
    "compute",
    "law_fingerprint",
]
