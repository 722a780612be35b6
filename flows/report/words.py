"""Plain words for official codes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from dmfa.checks.registry import checks
from dmfa.checks.words import told_of
from flows.report.queries import Amounts, Anomalies


@cache
def _words() -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text())
    return known


def amount_words(one: Amounts) -> str:
    """What a contribution or deduction is; empty where no words are known."""
    return code_words(one.kind, one.code)


def code_words(kind: str, code: str) -> str:
    """What the code of a contribution or deduction means; empty where no words are known."""
    return _words()[f"{kind}s"].get(code, "")


def anomaly_words(one: Anomalies) -> str:
    """What an anomaly is, without any value seen.

    Examples:
        >>> anomaly_words(Anomalies("00040-093", "B", "Border", "WorkerRecord", 1, 1))
        'Border has the wrong length'
    """
    return _checks().get(one.code) or told_of(one.code, one.zone or one.block)


@cache
def _checks() -> dict[str, str]:
    """What the checks of whole tables say of themselves; what a check of single rows tells, the XSD may tell too."""
    return {check.code: check.words for check in checks()}
