"""The lock files carry hashes and no address; the check that says so can fail."""

import runpy
from pathlib import Path

TOOL = runpy.run_path("tools/check_locks.py")
FAULTS = TOOL["faults"]
PINNED = "polars==2.1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"


def test_the_locks_are_clean() -> None:
    assert [fault for name in TOOL["LOCKS"] for fault in FAULTS(Path(name))] == []


def test_an_address_or_a_missing_hash_is_found(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text(PINNED)
    assert FAULTS(lock) == []
    for line in (
        "--index-url https://example.org/simple\n",
        "--find-links wheels\n",
        "polars==2.1.0\n",
        "x @ file:///x\n",
    ):
        lock.write_text(line + PINNED)
        assert FAULTS(lock) != []
