"""The zones that make up what a declaration owes, by their columns."""

OWED = (
    "contribution_amount",
    "unrelated_amount",
    "student_contribution_amount",
    "early_retirement_contribution_amount",
    "gross_ref_remun_contribution_amount",
)
"""Columns that add to the net amount, in whatever table they stand."""

GRANTED = ("deduction_amount", "compensation_amount")
"""Columns that reduce it."""
