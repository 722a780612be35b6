"""What may stand once only: sequence numbers, and blocks with the same identifiers, within the block above (kind 006).

Told of the second of them and of each further one. Source: glossaries of zones and blocks, 2022/3, restrictions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from dmfa.checks.registry import rows
from dmfa.schema.identifying import IDENTIFYING

_DECLARATION: Final = "employer_declaration"
_PUBLIC_SERVICE: Final = "occupation_public_service_data"

_NUMBERS: Final = (
    ("00023-006", "natural_person", _DECLARATION, ("natural_person_sequence_nbr",)),
    ("00043-006", "occupation", "worker_record", ("occupation_sequence_nbr",)),
    ("00061-006", "service", "occupation", ("service_sequence_nbr",)),
    ("00066-006", "remun", "occupation", ("remun_sequence_nbr",)),
    ("00142-006", "deduction_detail", "worker_deduction", ("working_regulations_registry_nbr",)),
    ("00780-006", "company_vehicle", _DECLARATION, ("company_vehicle_sequence_nbr",)),
)
"""Sequence numbers: code, table, table of the block within which one may stand once, and its column."""

_BLOCKS: Final = (
    ("90001-006", "worker_contribution", "worker_record"),
    ("90002-006", "contribution_unrelated_to_np", _DECLARATION),
    ("90011-006", "indemnity_wapm", "worker_record"),
    ("90012-006", "worker_record", "natural_person"),
    ("90018-006", "service", "occupation"),
    ("90019-006", "remun", "occupation"),
    ("90042-006", "early_retirement_contribution", "worker_record"),
    ("90108-006", "deduction_detail", "worker_deduction"),
    ("90109-006", "occupation_deduction", "occupation"),
    ("90110-006", "worker_deduction", "worker_record"),
    ("90294-006", "company_vehicle", _DECLARATION),
    ("90336-006", "complementary_indemnity", "worker_record"),
    ("90337-006", "compl_indemnity_contribution", "complementary_indemnity"),
    ("90411-006", _PUBLIC_SERVICE, "occupation"),
    ("90412-006", "scale_salary", _PUBLIC_SERVICE),
    ("90413-006", "additional_scale_salary", "scale_salary"),
    ("90438-006", "reorg_measure_information", "occupation"),
)
"""Blocks that their zones identify: code, table, table of the block within which each may stand once."""

_ONCE: Final = (*_NUMBERS, *((*block, IDENTIFYING[block[1]]) for block in _BLOCKS))
"""Both: code, table, table of the block within which it may stand once, and what identifies it there."""


def _again(parent: str, identifiers: tuple[str, ...]) -> Callable[[], pl.Expr]:
    within = () if parent == _DECLARATION else (f"{parent}_ordinal",)

    def again() -> pl.Expr:
        """The same identifiers stand there already."""
        told = pl.any_horizontal(pl.col(name).is_not_null() for name in identifiers)
        return ~pl.struct("declaration_id", *within, *identifiers).is_first_distinct() & told

    return again


for _code, _table, _parent, _identifiers in _ONCE:
    rows(_code, table=_table)(_again(_parent, _identifiers))
