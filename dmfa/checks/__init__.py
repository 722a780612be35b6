"""Anomalies: one small function per official code over a whole batch, and the verdict that follows from them."""

from dmfa.checks.registry import Check, Context, RowCheck, anomaly, checks, row_checks, rows
from dmfa.checks.relatives import above, any_below, count_below, sum_below
from dmfa.checks.run import Checked, check, run_checks
from dmfa.checks.verdict import Verdict, verdict

__all__ = [
    "Check",
    "Checked",
    "Context",
    "RowCheck",
    "Verdict",
    "above",
    "anomaly",
    "any_below",
    "check",
    "checks",
    "count_below",
    "row_checks",
    "rows",
    "run_checks",
    "sum_below",
    "verdict",
]
