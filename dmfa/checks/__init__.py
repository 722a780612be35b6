"""Anomalies: one small function per official code over a whole batch, and the verdict that follows from them."""

from dmfa.checks.registry import Check, Context, anomaly, checks, run_checks
from dmfa.checks.verdict import Verdict, verdict

__all__ = ["Check", "Context", "Verdict", "anomaly", "checks", "run_checks", "verdict"]
