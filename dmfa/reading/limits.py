"""How large one filing may be, packed and unpacked, before it is refused instead of read."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds that keep a hostile or broken file from filling memory or disk.

    Attributes:
        filing_bytes: largest filing, unpacked; a declaration of 50,000 workers takes 170 to 230 MB.
        expansion: how many times larger than packed a filing or archive may be; real ones stay below 50.
        free_bytes: below this unpacked size the expansion does not matter.
        archive_bytes: largest archive, unpacked; a whole national quarter takes 14 to 19 GB.
        members: most members of one archive.
    """

    filing_bytes: int = 1024 * MIB
    expansion: int = 200
    free_bytes: int = 8 * MIB
    archive_bytes: int = 64 * 1024 * MIB
    members: int = 1_000_000

    def expands_too_far(self, packed: int, unpacked: int) -> bool:
        """Whether something packed grows more than a real filing does."""
        return unpacked > self.free_bytes and unpacked > self.expansion * max(packed, 1)
