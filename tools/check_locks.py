"""Check that the lock files carry hashes and no address."""

from __future__ import annotations

import re
import sys
from pathlib import Path

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-services.lock")
ADDRESS = re.compile(r"https?://|--(extra-)?index-url|--trusted-host|--find-links|\bfile:/", re.IGNORECASE)


def faults(path: Path) -> list[str]:
    """What is wrong with a lock file: lines that name an address, requirements without a hash."""
    text = path.read_text(encoding="utf-8")
    found = [f"{path}: names an address: {line}" for line in text.splitlines() if ADDRESS.search(line)]
    logical = text.replace("\\\n", " ").splitlines()
    unpinned = (line for line in logical if line.strip() and not line.startswith("#"))
    return found + [
        f"{path}: not pinned with a hash: {line.split()[0]}"
        for line in unpinned
        if "==" not in line or "--hash=sha256:" not in line
    ]


if __name__ == "__main__":
    wrong = [fault for name in LOCKS for fault in faults(Path(name))]
    print("\n".join(wrong) or "locks: pinned with hashes, no address")
    sys.exit(1 if wrong else 0)
