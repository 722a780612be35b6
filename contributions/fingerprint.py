"""Whether the law as this package knows it has changed since a computation."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final, Literal

from contributions.parameters import Reading

ROOT: Final = Path(__file__).parent
_KINDS: Final = (".csv", ".py", ".yaml")


@cache
def law_fingerprint(trust: Literal["A", "B"] = "B", root: Path = ROOT, *, structural_2025_2: Reading = "") -> str:
    """SHA-256 over every parameter, seed rate and line of code of this package, and what was asked for.

    Two runs with one fingerprint compute the same amounts from the same declarations.

    Args:
        trust: lowest trust that may compute.
        root: folder of the package.
        structural_2025_2: which source is followed where two conflict.
    """
    total = hashlib.sha256(f"{trust}{structural_2025_2}".encode())
    for path in sorted(root.rglob("*"), key=lambda found: found.relative_to(root).as_posix()):
        if path.suffix in _KINDS and path.is_file():
            name = path.relative_to(root).as_posix().encode()
            content = path.read_bytes()
            total.update(b"%d %s %d " % (len(name), name, len(content)))
            total.update(content)
    return total.hexdigest()
