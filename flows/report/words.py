"""Plain words for official codes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from dmfa.checks.registry import checks
from flows.report.queries import Amounts, Anomalies


@cache
def _words() -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text())
    return known


def amount_words(one: Amounts) -> str:
    """What a contribution or deduction is; empty where no words are known."""
    return _words()[f"{one.kind}s"].get(one.code, "")


def anomaly_words(one: Anomalies) -> str:
    """What an anomaly is, without any value seen.

    Examples:
        >>> anomaly_words(Anomalies("00040-008", "B", "Border", "WorkerRecord", 1, 1))
        'Border has a value that is not allowed'
    """
    known = _words()["anomalies"] | {check.code: check.words for check in checks()}
    where = one.zone or one.block or "The file"
    return known.get(one.code) or f"{where} {_words()['kinds'].get(one.code[-3:], 'is not valid')}"
