"""How filings are shared out to workers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from dmfa.reading.opener import Opened
from dmfa.reading.source import Found
from flows.settings import Settings
from flows.stages import ingest
from flows.stages.receipt import Receipt

MB = 1 << 20


@pytest.mark.parametrize(
    ("sizes", "workers", "items"),
    [
        ([1], 2, 1),
        ([5, 5], 2, 2),
        ([40] * 10, 2, 2),
        ([40] * 10, 4, 4),
        ([40] * 40, 2, 4),
        ([40] * 40, 4, 4),
        ([40] * 80, 4, 8),
        ([40] * 40, 1, 4),
    ],
)
def test_every_worker_has_as_many_items_of_one_size(sizes: list[int], workers: int, items: int, tmp_path: Path) -> None:
    shared = ingest.share(Settings(lake=str(tmp_path), workers=workers))
    receipts = [
        Receipt(
            Found(str(number), tmp_path / str(number), size=size * MB),
            Opened(sha256=f"{number:064x}"),
            True,
            datetime(2026, 11, 22, 12),
        )
        for number, size in enumerate(sizes)
    ]
    shares = ingest._items(receipts, shared, workers, Path("spool"))
    assert len(shares) == items
    assert sorted(receipt.found.name for item in shares for receipt in item.receipts) == sorted(
        receipt.found.name for receipt in receipts
    )
    assert max(item.size for item in shares) - min(item.size for item in shares) <= 40 * MB
    assert max(item.size for item in shares) <= ingest.ITEM_BYTES + 40 * MB
