"""The rules: one module per contribution or reduction, each rule a small function found by its decorator."""

from __future__ import annotations

from contributions.rules import (
    activation,
    basis,
    caps,
    company_vehicles,
    ordinary,
    own_bases,
    personal_reductions,
    special_contribution,
    structural,
    target_group_rights,
    target_groups,
    wage_limit,
    work_bonus,
    working_time,
)
from contributions.rules.registry import Rule, registered

__all__ = ["Rule", "all_rules"]

_MODULES = (
    basis,
    caps,
    ordinary,
    own_bases,
    activation,
    special_contribution,
    company_vehicles,
    structural,
    target_groups,
    target_group_rights,
    working_time,
    wage_limit,
    work_bonus,
    personal_reductions,
)


def all_rules() -> tuple[Rule, ...]:
    """Every rule of every module, in the order in which the modules write them."""
    names = [module.__name__ for module in _MODULES]
    return tuple(rule for name in names for rule in registered() if rule.function.__module__ == name)
