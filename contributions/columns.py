"""Columns of the five frames that a computation returns: types, and one sentence each.

Texts of a closed list are kept as numbers of that list: they repeat on every row, and are never made for one.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from contributions import entries, outcomes, reasons, refusals
from contributions import trust as trusts

COMPUTED: Final = "computed"
NOT_COMPUTABLE: Final = "not computable"

DECLARED_TABLE: Final = pl.Categorical(pl.Categories("declared_table", "dmfa"))
BASIS_KIND: Final = pl.Categorical(pl.Categories("basis_kind", "dmfa"))
RATE_SOURCE: Final = pl.Categorical(pl.Categories("rate_source", "dmfa"))
TRUST: Final = pl.Enum(trusts.COMPUTING)
STATUS: Final = pl.Enum((COMPUTED, NOT_COMPUTABLE))
REASON: Final = pl.Enum(reasons.ALL)
REFUSAL: Final = pl.Enum(refusals.ALL)
RESERVATION: Final = pl.Enum(refusals.RESERVATIONS)
OUTCOME: Final = pl.Enum(outcomes.ALL)
KIND: Final = pl.Enum(("contribution", "deduction"))
ENTRY: Final = pl.Enum(entries.ALL)

_DECLARATION: Final = {"declaration_id": pl.Int64(), "filing_id": pl.Int64(), "version": pl.Int16()}
_LINE: Final = {"natural_person_ordinal": pl.Int32(), "worker_record_ordinal": pl.Int32()}

KEYS: Final = {
    **_DECLARATION,
    **_LINE,
    "occupation_ordinal": pl.Int32(),
    "declared_table": DECLARED_TABLE,
    "declared_ordinal": pl.Int32(),
}
_WHO: Final = {
    "quarter": pl.Int32(),
    "noss_registration_nbr": pl.Int64(),
    "inss": pl.Int64(),
    "employer_class": pl.String(),
    "worker_code": pl.String(),
}
_RESULT: Final = {"trust": TRUST, "status": STATUS, "reason": REASON}

BASIS: Final = pl.Schema(
    {
        **_DECLARATION,
        **_LINE,
        **_WHO,
        "basis_kind": BASIS_KIND,
        "share_percent": pl.Int64(),
        "wage_cents": pl.Int64(),
        "basis_cents": pl.Int64(),
        "contributions": pl.Int64(),
        "declared_lowest_cents": pl.Int64(),
        "declared_highest_cents": pl.Int64(),
        "outcome": OUTCOME,
    }
)
CONTRIBUTION: Final = pl.Schema(
    {
        **KEYS,
        **_WHO,
        "contribution_worker_code": pl.String(),
        "contribution_type": pl.Int64(),
        "basis_cents": pl.Int64(),
        "amount_cents": pl.Int64(),
        "rate_source": RATE_SOURCE,
        **_RESULT,
    }
)
DEDUCTION: Final = pl.Schema(
    {
        **KEYS,
        **_WHO,
        "occupation_sequence_nbr": pl.Int64(),
        "deduction_code": pl.String(),
        "amount_cents": pl.Int64(),
        **_RESULT,
        "refusal": REFUSAL,
        "reservation": RESERVATION,
        "lowest_cents": pl.Int64(),
        "highest_cents": pl.Int64(),
    }
)
DIFFERENCE: Final = pl.Schema(
    {
        **KEYS,
        **_WHO,
        "occupation_sequence_nbr": pl.Int64(),
        "kind": KIND,
        "code": pl.String(),
        "type": pl.Int64(),
        "declared_cents": pl.Int64(),
        "computed_cents": pl.Int64(),
        "outcome": OUTCOME,
        "trust": TRUST,
        "reason": REASON,
    }
)
EMPLOYER_ACCOUNT: Final = pl.Schema(
    {
        **_DECLARATION,
        "entry": ENTRY,
        "quarter": pl.Int32(),
        "noss_registration_nbr": pl.Int64(),
        "contributions": pl.Int64(),
        "contributions_not_computable": pl.Int64(),
        "deductions": pl.Int64(),
        "deductions_not_computable": pl.Int64(),
        "declared_contribution_cents": pl.Int64(),
        "covered_contribution_cents": pl.Int64(),
        "computed_contribution_cents": pl.Int64(),
        "declared_deduction_cents": pl.Int64(),
        "covered_deduction_cents": pl.Int64(),
        "computed_deduction_cents": pl.Int64(),
        "declared_compensation_cents": pl.Int64(),
        "declared_net_cents": pl.Int64(),
        "summed_net_cents": pl.Int64(),
        "computed_net_cents": pl.Int64(),
        "debit_cents": pl.Int64(),
        "credit_cents": pl.Int64(),
        "differences": pl.Int64(),
    }
)

SCHEMAS: Final[dict[str, pl.Schema]] = {
    "basis": BASIS,
    "contribution": CONTRIBUTION,
    "deduction": DEDUCTION,
    "difference": DIFFERENCE,
    "employer_account": EMPLOYER_ACCOUNT,
}
"""Name of each frame -> its columns and types; the lake makes its tables of schema `computed` from it."""

TABLE_WORDS: Final = {
    "basis": "Basis of a worker line, computed from its remuneration, beside the declared one: a row per line, share.",
    "contribution": "Each contribution, declared or only owed, with its amount computed anew, or why it has none.",
    "deduction": "Each deduction, declared or only computed, with its computed amount or the reason why it has none.",
    "difference": "Declared against computed, one row per contribution and deduction.",
    "employer_account": "Account of a declaration: its totals as first declared, then what each correction changes.",
}

COLUMN_WORDS: Final = {
    "declaration_id": "Identifies the declaration: 63 bits of SHA-256 over its file's SHA-256 and its place in it.",
    "filing_id": "Identifies the file that it came in: first 63 bits of the file's SHA-256.",
    "version": "Version of the declaration that brought the row, 1 for the original.",
    "entry": "'original', else what changed it, and then all sums are changes: 'correction', 'system correction' or "
    "'replacement' of a number.",
    "natural_person_ordinal": "Number of the person in the declaration, from 0; null where the row has none.",
    "worker_record_ordinal": "Number of the worker line in the declaration, from 0; null where the row has none.",
    "occupation_ordinal": "Number of the occupation in the declaration, from 0; null where the row has none.",
    "declared_table": "Table of the declared row that this row answers; null where nothing is declared.",
    "declared_ordinal": "Number of that declared row in the declaration, from 0.",
    "quarter": "Quarter of the declaration in its official form, 20263 for 2026/3.",
    "noss_registration_nbr": "NSSO number of the employer (zone 00011).",
    "inss": "Person's number (zone 00024); null where the declared block has none.",
    "employer_class": "Employer class (zone 00036, or 00019 for contributions unrelated to a person).",
    "worker_code": "Worker code of the line (zone 00037); null where the declared block has none.",
    "occupation_sequence_nbr": "Number of the occupation as declared (zone 00043).",
    "contribution_worker_code": "Contribution code (zone 00082; 00020 unrelated to a person; else the line's code).",
    "contribution_type": "Contribution type (zone 00083); null where the declared block has none.",
    "deduction_code": "Deduction code (zone 00086).",
    "basis_kind": "Kind of basis: 'ordinary', 'flexi' or 'mobility', by the remuneration that it is computed from.",
    "share_percent": "Share of the wage that is the basis, in percent: 108 under the private holiday scheme, else 100.",
    "wage_cents": "Wage of the line at 100 %, in cents.",
    "basis_cents": "Basis that was used, in cents: from the remuneration, else as declared; null where not computed.",
    "declared_lowest_cents": "Lowest basis declared by the line's contributions on it, in cents (zone 00084).",
    "declared_highest_cents": "Highest basis declared among them, in cents.",
    "amount_cents": "Amount computed, in cents; null where not computable.",
    "lowest_cents": "Least that it can be, in cents, where the quarter does not tell the months; null if exact.",
    "highest_cents": "Most that it can be, in cents, where the quarter does not tell the months; null if exact.",
    "rate_source": "Official file that the rate comes from, or seed table and its row; or why nothing is owed.",
    "trust": "Trust of the result, A or B: the lowest among its figures; null where not computable.",
    "status": "'computed' or 'not computable'.",
    "reason": "Why there is no amount, from a closed list; null where computed.",
    "refusal": "Condition of the right that is not met, from a closed list; the amount is then 0.",
    "reservation": "What the amount leaves out because no declaration tells it, from a closed list.",
    "kind": "'contribution' or 'deduction'.",
    "code": "Contribution or deduction code.",
    "type": "Contribution type; null for deductions.",
    "declared_cents": "Amount declared, in cents; null where nothing is declared.",
    "computed_cents": "Amount computed, in cents; null where not computable.",
    "outcome": "'equal', 'rounding' (a cent), 'within bounds', 'differs', 'missing', 'superfluous', 'not computable'.",
    "contributions": "Number of contributions declared.",
    "contributions_not_computable": "How many of them could not be computed.",
    "deductions": "Number of deductions declared.",
    "deductions_not_computable": "How many of them could not be computed.",
    "declared_contribution_cents": "Sum of the contributions declared, in cents.",
    "covered_contribution_cents": "Part of that sum whose rows were computed, in cents as declared.",
    "computed_contribution_cents": "Sum of the contributions computed, in cents.",
    "declared_deduction_cents": "Sum of the deductions declared, in cents.",
    "covered_deduction_cents": "Part of that sum whose rows were computed, in cents as declared.",
    "computed_deduction_cents": "Sum of the declared deductions computed, in cents.",
    "declared_compensation_cents": "Compensation of the employer as declared, in cents (zone 01251).",
    "declared_net_cents": "Net amount owed as declared, in cents (zone 00015).",
    "summed_net_cents": "Contributions less deductions and compensation as declared, in cents.",
    "computed_net_cents": "The same with every amount that could be computed in place of the declared one, in cents.",
    "debit_cents": "What the entry has the employer owe more as declared, in cents; 0 where it owes less.",
    "credit_cents": "What the entry has the employer owe less as declared, in cents; 0 where it owes more.",
    "differences": "Rows of difference that differ, are missing or superfluous.",
}
"""Column -> one sentence with its unit or zone, for the comments of the lake and the data dictionary."""
