"""How each amount came about: from the amount down to declared rows, rate and parameters, with their sources.

The explanation is made from the very pieces that compute: the rules of the quarter, what each of them reads, and the
figures that it used. It names a worker line by its place, class and code, never by a person's number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from contributions import accounts, inputs, outcomes, reductions
from contributions.bearing import bearing
from contributions.categories import SCOPE, STRUCTURAL
from contributions.engine import WorkedOut, worked_out
from contributions.inputs import Declared, Tables
from contributions.law import Key, Law, Piece, law
from contributions.parameters import Reading, Value
from contributions.rows import PLACE
from contributions.trust import Trust
from dmfa.quarter import Quarter

Row = dict[str, Any]
Explained = dict[str, Any]

_ROWS: Final = {
    "remun": ("remun_code", "remun_amount"),
    "service": ("service_code", "service_nbr_days", "service_nbr_hours"),
    "contribution": ("contribution_worker_code", "contribution_type"),
}
"""Table -> what is told of each of its rows that adds to a total."""

_RATE: Final = ("rate_source", "rate_personal", "rate_base", "rate_moderation", "rate_trust", "rate_words")


def explain(tables: Tables, *, trust: Trust = "B", structural_2025_2: Reading = "") -> Iterator[Explained]:
    """Explain every contribution and structural reduction of some declarations.

    Args:
        tables: the declared tables by name, as `contributions.compute` takes them: whole persons.
        trust: lowest trust of a figure that may compute.
        structural_2025_2: which source is followed where two conflict.

    Yields:
        One object per amount, in the order of the declared rows: quarter, line (its place, class and code), kind, code,
        type, occupation, declared_cents, computed_cents, outcome, trust, reason, and tree. A node of the tree has name,
        words, value, trust, and where they apply rule (the name of the function), parameters (name, value, since,
        source, trust, conflict), rate, rows, premium (which premium is added to them) and from (the nodes that it
        reads). A node told before in the same tree has name and value alone. A reduction to which there is no right
        says so under nothing_due.
    """
    for code in sorted(inputs.read(tables, "employer_declaration")["quarter"].unique().to_list()):
        declared = Declared(inputs.of_quarter(tables, code))
        rules = law(Quarter.from_code(code), trust, structural_2025_2)
        yield from _Quarter(declared, rules, worked_out(declared, rules)).amounts()


@dataclass(slots=True)
class _Quarter:
    """What explains the amounts of one quarter."""

    declared: Declared
    rules: Law
    found: WorkedOut

    def amounts(self) -> Iterator[Explained]:
        lines = self.found.lines.to_dicts()
        levies = self.found.levies.to_dicts()
        for row in self.found.contributions.iter_rows(named=True):
            yield self._contribution({**lines[row["worker_record"]], **levies[row["levy"]], **row})
        for place, row in enumerate(self.found.occupations.iter_rows(named=True)):
            if row["wanted"]:
                yield self._reduction({**lines[row["worker_record"]], **row}, place)

    def _contribution(self, row: Row) -> Explained:
        rates = bearing(self.rules.quarter, self.rules.asked, self.rules.reading)
        rate = rates.rates.row(row["rate_row"], named=True) if row["rate_row"] < rates.rates.height else None
        figures = {name: rate[name] for name in ("rate", "rate_share")} if rate else {}
        tree = _Tree(self, row | figures, {"line": row["worker_record"]}, rate)
        node = tree.node((rate["basis_kind"] if rate else "", "amount_cents"))
        return {
            **self._told(row, "contribution", row["contribution_amount"]),
            "code": row["contribution_worker_code"],
            "type": row["contribution_type"],
            "declared_basis_cents": row["contribution_calculation_basis"],
            "tree": node,
        }

    def _reduction(self, row: Row, place: int) -> Explained:
        tree = _Tree(self, row, {"line": row["worker_record"], "occupation": place}, None)
        due_nothing = [rule for rule in self.rules.of_subject(STRUCTURAL) if rule.kind == "nothing due"]
        holds = [
            (rule.function.__doc__ or "").partition("\n")[0]
            for rule in due_nothing
            if row.get("case") == 0
            and self.found.occupations[[place]].select(self.rules.pieces["", rule.name].expression).item()
        ]
        return {
            **self._told(row, "deduction", row["declared_cents"]),
            **({"nothing_due": holds} if holds else {}),
            "code": STRUCTURAL,
            "type": None,
            "occupation": {"ordinal": row["occupation_ordinal"], "sequence": row["occupation_sequence_nbr"]},
            "tree": tree.node((row[SCOPE] or "", "structural_reduction")),
        }

    def _told(self, row: Row, kind: str, declared: int | None) -> Explained:
        computed = row["amount_cents"]
        outcome = accounts.compared(
            np.array([accounts.UNDECLARED if declared is None else declared]),
            np.array([accounts.UNKNOWN if computed is None else computed]),
        )
        return {
            "quarter": str(self.rules.quarter),
            "line": {
                "person": row["natural_person_ordinal"],
                "line": row["worker_record_ordinal"],
                "employer_class": row["employer_class"],
                "worker_code": row["worker_code"],
            },
            "kind": kind,
            "declared_cents": declared,
            "computed_cents": computed,
            "outcome": outcomes.ALL[outcome[0]],
            "trust": row["trust"],
            "reason": row["reason"],
        }


class _Tree:
    """The nodes below one amount; each is told in full once."""

    def __init__(self, quarter: _Quarter, row: Row, places: Mapping[str, int], rate: Row | None) -> None:
        self._quarter = quarter
        self._row = row
        self._places = places
        self._rate = rate
        self._told: set[str] = set()

    def node(self, key: Key) -> Explained:
        """The node of a rule's column, or of a declared one."""
        scope, name = key
        rules = self._quarter.rules
        rule = rules.rules.get(key)
        node: Explained = {"name": name, "value": self._row.get(name)}
        if rule is not None and rule.kind == "reduction":
            node["value"] = self._row["amount_cents"]
        if name in self._told:
            return node
        self._told.add(name)
        if name == "rate" and self._rate:
            return {**node, "words": "Total rate, in ten-thousandths.", "rate": {k: self._rate[k] for k in _RATE}}
        if rule is None:
            return node
        node |= {"words": (rule.function.__doc__ or "").partition("\n")[0], "rule": rule.function.__name__}
        piece = rules.pieces.get(key)
        if piece is None:
            return node | {"missing": rules.missing[key]}
        node |= {"trust": piece.trust, "parameters": [_parameter(*one) for one in piece.figures.items()]}
        if rule.kind == "total":
            rows = self._rows(rule.table, PLACE[rule.level], self._places[rule.level], piece)
            # Where a fund pays the end-of-year premium, the wage is more than the declared rows add up to.
            premiums = [one for one in reductions.ALTERNATIVES if name == "wage_cents" and ("", one) in rules.pieces]
            raised = premiums and node["value"] != sum(row["adds"] for row in rows)
            return node | {"rows": rows} | ({"premium": premiums[0]} if raised else {})
        return node | {"from": [self.node(self._source(scope, read)) for read in sorted(piece.reads)]}

    def _source(self, scope: str, name: str) -> Key:
        return (scope, name) if (scope, name) in self._quarter.rules.rules else ("", name)

    def _rows(self, table: str, above: str, place: int, piece: Piece) -> list[Row]:
        """The declared rows that add to a total, each with what it adds."""
        found = self._quarter.found
        rows = (found.contributions if table == "contribution" else self._quarter.declared.placed(table)).filter(
            pl.col(above) == place
        )
        adds = rows.with_columns(adds=piece.expression.cast(pl.Int64)).filter(pl.col("adds") != 0)
        return adds.select(pl.col(*_ROWS[table]), "adds").to_dicts()


def _parameter(name: str, value: Value) -> Row:
    told = {"name": name, "value": value.text, "since": value.since.isoformat(), "source": value.source}
    return {**told, "trust": value.trust, **({"conflict": value.conflict} if value.conflict else {})}
