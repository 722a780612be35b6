"""An employer's own account: entries of its declaration, and what is computed, by class, code and type."""

from __future__ import annotations

import polars as pl

from dmfa.extracts.persons import Frames

_ACCOUNT = {
    "version": "entry_nbr",
    "debit_cents": "debit",
    "credit_cents": "credit",
    "declared_contribution_cents": "declared_contributions",
    "computed_contribution_cents": "computed_contributions",
    "declared_deduction_cents": "declared_deductions",
    "computed_deduction_cents": "computed_deductions",
    "declared_compensation_cents": "declared_compensation",
    "declared_net_cents": "declared_net",
    "computed_net_cents": "computed_net",
}


def select(frames: Frames) -> Frames:
    """Entries of the account, contributions and deductions of the recipient's own declarations.

    What could not be computed has no amount and is counted.
    """
    own = frames["employer_declaration"].select("declaration_id")
    account, contributions, deductions = (
        frames[f"computed.{name}"].join(own, on="declaration_id", how="semi")
        for name in ("employer_account", "contribution", "deduction")
    )
    return {
        "account": account.rename(_ACCOUNT).cast({"entry": pl.String, "entry_nbr": pl.Int64}),
        "contribution": _counted(contributions, "contributions").rename(
            {"basis_cents": "basis", "amount_cents": "amount"}
        ),
        "deduction": _counted(deductions, "deductions").rename({"amount_cents": "amount"}),
    }


def _counted(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    lacking = pl.col("status").cast(pl.String) != "computed"
    return rows.with_columns(pl.lit(1, pl.Int64).alias(name), lacking.cast(pl.Int64).alias("not_computable"))
