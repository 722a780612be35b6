"""How each amount came about: from the amount down to declared rows, rate and parameters, with their sources.

The explanation is made from the very pieces that compute: the rules of the quarter, what each of them reads, and the
figures that it used. It names a worker line by its place, class and code, never by a person's number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
import polars.selectors as cs

from contributions import accounts, explain_personal, inputs, outcomes, owing, reductions
from contributions.arrays import Numbers
from contributions.bearing import LINES, bearing
from contributions.categories import SCOPE, STRUCTURAL
from contributions.engine import WorkedOut, worked_out
from contributions.explain_personal import Leaves
from contributions.inputs import Declared, Tables
from contributions.law import Key, Law, Piece, law
from contributions.owing import NOT_OWED
from contributions.parameters import Reading, Value
from contributions.reference import NOTHING, References
from contributions.rows import PLACE
from contributions.rules.registry import Level
from contributions.rules.target_groups import TARGET_GROUPS
from contributions.rules.wage_limit import WAGE_LIMIT
from contributions.special import Special
from contributions.target_groups import REDUCTION, name_of
from contributions.trust import Trust
from dmfa.quarter import Quarter

Row = dict[str, Any]
Explained = dict[str, Any]

_ROWS: Final = {
    "remun": ("remun_code", "remun_amount"),
    "service": ("service_code", "service_nbr_days", "service_nbr_hours"),
    "contribution": ("contribution_worker_code", "contribution_type"),
    "line": ("employer_class", "worker_code", "ordinary_wage_cents", "line_share"),
    "company_vehicle": ("fuel", "co2_grams_per_km", "ordered_on", "months", "month_cents"),
}
"""Table -> what is told of each of its rows that adds to a total."""

_BESIDE: Final = ("lowest_cents", "highest_cents", "refusal", "reservation")
"""What is told of an amount where it has it."""

_RATE: Final = ("rate_source", "rate_personal", "rate_base", "rate_moderation", "rate_trust", "rate_words")


def explain(
    tables: Tables, *, trust: Trust = "B", structural_2025_2: Reading = "", references: References | None = None
) -> Iterator[Explained]:
    """Explain every contribution, structural reduction and reduction above the wage limit of some declarations.

    Args:
        tables: the declared tables by name, as `contributions.compute` takes them: whole persons.
        trust: lowest trust of a figure that may compute.
        structural_2025_2: which source is followed where two conflict.
        references: official rate files and employers, by quarter.

    Yields:
        One object per amount, in the order of the declared rows: quarter, line (its place, class and code; no place for
        what belongs to no person), block (table of the declared row), kind, code, type, occupation, declared_cents,
        computed_cents, outcome, trust, reason, and tree. A node of the tree has name, words, value, trust, and where
        they apply rule (the name of the function), parameters (name, value, since, source, trust, conflict), rate,
        rows, premium (which premium is added to them) and from (the nodes that it reads). A node told before in the
        same tree has name and value alone. A reduction to which there is no right says so under nothing_due, a
        contribution that is not owed under not_owed; one that is owed without being declared has no block.
    """
    for code in sorted(inputs.read(tables, "employer_declaration")["quarter"].unique().to_list()):
        declared = Declared(inputs.of_quarter(tables, code))
        known = (references or {}).get(code, NOTHING)
        rules = law(Quarter.from_code(code), trust, structural_2025_2, known.book)
        yield from _Quarter(declared, rules, worked_out(declared, rules, known)).amounts()


@dataclass(slots=True)
class _Quarter:
    """What explains the amounts of one quarter."""

    declared: Declared
    rules: Law
    found: WorkedOut

    def amounts(self) -> Iterator[Explained]:
        found = self.found
        lines = found.lines.to_dicts()
        levies = found.levies.to_dicts()
        special = _by_row(found.specials, 0)
        for number, row in enumerate(found.contributions.iter_rows(named=True)):
            line = lines[row["worker_record"]]
            told = {"declared_cents": row["contribution_amount"], "declared_table": LINES}
            told["declared_basis_cents"] = row["contribution_calculation_basis"]
            yield self._contribution({**line, **levies[row["levy"]], **special.get(number, {}), **row, **told})
        yield from map(self._missing, found.missing.iter_rows(named=True))
        for part, rows in enumerate(found.blocks, start=1):
            special = _by_row(found.specials, part)
            for number, row in enumerate(rows.iter_rows(named=True)):
                line = {} if row.get("worker_record") is None else lines[row["worker_record"]]
                yield self._contribution({**line, **special.get(number, {}), **row})
        for place, row in enumerate(found.occupations.iter_rows(named=True)):
            if row["wanted"]:
                yield self._reduction({**lines[row["worker_record"]], **row}, place)
        for row in found.target_groups.iter_rows(named=True):
            occupation = found.occupations.row(row["occupation"], named=True)
            yield self._target_group({**lines[row["worker_record"]], **occupation, **row})
        for row in found.limited.iter_rows(named=True):
            yield self._limited({**lines[row["worker_record"]], **row})
        for row in found.personal.deductions.iter_rows(named=True):
            line = {} if row["worker_record"] is None else lines[row["worker_record"]]
            yield self._personal({"employer_class": None, **line, **row})

    def _contribution(self, row: Row) -> Explained:
        rates = bearing(self.rules)
        rate = rates.rates.row(row["rate_row"], named=True) if row["rate_row"] < rates.rates.height else None
        figures = {name: rate[name] for name in ("rate", "rate_share")} if rate else {}
        tree = _Tree(self, row | figures, _places(row), rate)
        node = tree.node((rate["basis_kind"] if rate else "", "amount_cents"))
        return {
            **self._told(row, "contribution", row["declared_cents"]),
            **({"not_owed": row["rate_source"]} if str(row["rate_source"]).startswith(NOT_OWED) else {}),
            "block": row["declared_table"],
            "code": row["contribution_worker_code"],
            "type": row["contribution_type"],
            "declared_basis_cents": row["declared_basis_cents"],
            "tree": node,
        }

    def _missing(self, row: Row) -> Explained:
        """A contribution that is owed and not declared: its amount, basis and rate, without the rows behind them."""
        below: list[Explained] = [{"name": "basis_cents", "value": row["basis_cents"]}]
        rate = owing.rate_of(row, self.rules) if row["rate_source"] else None
        if rate:
            told = {name: rate[name] for name in _RATE}
            words = "Total rate, in ten-thousandths."
            below.append({"name": "rate", "value": rate["rate"], "words": words, "rate": told})
        node = {"name": "amount_cents", "value": row["amount_cents"], "words": "Owed by the line, and not declared."}
        return {
            **self._told(row, "contribution", None),
            "block": None,
            "code": row["contribution_worker_code"],
            "type": row["contribution_type"],
            "declared_basis_cents": None,
            "tree": {**node, "trust": row["trust"], "from": below},
        }

    def _limited(self, row: Row) -> Explained:
        tree = _Tree(self, row, _places(row), None)
        return {
            **self._told(row, "deduction", row["deduction_amount"]),
            "block": "worker_deduction",
            "code": WAGE_LIMIT,
            "type": None,
            "tree": tree.node((WAGE_LIMIT, "above_the_limit_cents")),
        }

    def _personal(self, row: Row) -> Explained:
        def grow(row: Row, key: Key, leaves: Leaves, months: Callable[[Key], list[Explained]]) -> Explained:
            return _Tree(self, row, {}, None, leaves=leaves, months=months).node(key)

        return {
            **self._told(row, "deduction", row["deduction_amount"]),
            "block": "worker_deduction",
            "code": row["deduction_code"],
            "type": None,
            "tree": explain_personal.tree(row, self.found.personal, self.declared, self.rules, grow),
        }

    def _reduction(self, row: Row, place: int) -> Explained:
        tree = _Tree(self, row, {"line": row["worker_record"], "occupation": place}, None)
        due_nothing = [rule for rule in self.rules.of_subject(STRUCTURAL) if rule.kind == "nothing due"]
        holds = [
            (rule.function.__doc__ or "").partition("\n")[0]
            for rule in due_nothing
            if row["refusal"] is not None
            and self.found.occupations[[place]].select(self.rules.pieces["", rule.name].expression).item()
        ]
        return {
            **self._told(row, "deduction", row["declared_cents"]),
            **({"nothing_due": holds} if holds else {}),
            "block": "occupation_deduction",
            "code": STRUCTURAL,
            "type": None,
            "occupation": {"ordinal": row["occupation_ordinal"], "sequence": row["occupation_sequence_nbr"]},
            "tree": tree.node((row[SCOPE] or "", "structural_reduction")),
        }

    def _target_group(self, row: Row) -> Explained:
        tree = _Tree(self, row, {"line": row["worker_record"], "occupation": row["occupation"]}, None)
        scope = f"{TARGET_GROUPS}/{row['deduction_code']}"
        why = self.rules.told_by(row["refusal"] or row["reason"], "deduction", scope)
        below = [{**tree.node(why), "value": True}] if why else []
        node: Explained = {"name": REDUCTION, "value": row["amount_cents"], "words": name_of(row["deduction_code"])}
        if row["by_rules"] and not row["refusal"]:
            computed = tree.node((scope, REDUCTION))
            node |= {**computed, "from": [*below, *computed.get("from", ())]}
        elif below:
            node["from"] = below
        return {
            **self._told(row, "deduction", row["deduction_amount"]),
            "block": "occupation_deduction",
            "code": row["deduction_code"],
            "type": None,
            "occupation": {"ordinal": row["occupation_ordinal"], "sequence": row["occupation_sequence_nbr"]},
            "tree": node,
        }

    def _told(self, row: Row, kind: str, declared: int | None) -> Explained:
        computed = row["amount_cents"]
        outcome = accounts.compared(
            np.array([accounts.UNDECLARED if declared is None else declared]),
            np.array([accounts.UNKNOWN if computed is None else computed]),
            _bounds(row),
        )
        return {
            "quarter": str(self.rules.quarter),
            "line": {
                "person": row.get("natural_person_ordinal"),
                "line": row.get("worker_record_ordinal"),
                "employer_class": row["employer_class"],
                "worker_code": row.get("worker_code"),
            },
            "kind": kind,
            "declared_cents": declared,
            "computed_cents": computed,
            "outcome": outcomes.ALL[outcome[0]],
            "trust": row["trust"],
            "reason": row["reason"],
            **{name: row[name] for name in _BESIDE if row.get(name) is not None},
        }


def _by_row(specials: list[Special], part: int) -> dict[int, Row]:
    """Every piece of the calculation of rows of special kinds, by their row in one frame."""
    return {row["row"]: row for one in specials for row in one.rows.iter_rows(named=True) if row["part"] == part}


def _places(row: Row) -> dict[str, int]:
    """Level -> the place of a row there, for each that it belongs to."""
    found = {
        "line": row.get("worker_record"),
        "person": row.get("person"),
        "declaration": row.get("employer_declaration"),
    }
    return {level: place for level, place in found.items() if place is not None}


def _bounds(row: Row) -> tuple[Numbers, Numbers] | None:
    """Least and most of an amount, where it has bounds."""
    if row.get("lowest_cents") is None:
        return None
    return np.array([row["lowest_cents"]]), np.array([row["highest_cents"]])


class _Tree:
    """The nodes below one amount; each is told in full once."""

    def __init__(
        self,
        quarter: _Quarter,
        row: Row,
        places: Mapping[str, int],
        rate: Row | None,
        *,
        leaves: Leaves | None = None,
        months: Callable[[Key], list[Explained]] | None = None,
    ) -> None:
        self._leaves = leaves or {}
        self._months = months
        self._quarter = quarter
        # The number of a person is never told, though an age comes from it.
        self._row = {**row, "inss": None}
        self._places = places
        self._rate = rate
        self._told: set[str] = set()

    def node(self, key: Key) -> Explained:
        """The node of a rule's column, or of a declared one."""
        name = key[1]
        rules = self._quarter.rules
        rule = rules.rules.get(key)
        value = self._row.get(name)
        node: Explained = {"name": name, "value": value.isoformat() if isinstance(value, date) else value}
        if rule is not None and rule.kind == "reduction":
            node["value"] = self._row["amount_cents"]
        if name in self._told:
            return node
        self._told.add(name)
        if name == "rate" and self._rate:
            return {**node, "words": "Total rate, in ten-thousandths.", "rate": {k: self._rate[k] for k in _RATE}}
        if rule is None:
            return node | self._leaves.get(name, {})
        node |= {"words": (rule.function.__doc__ or "").partition("\n")[0], "rule": rule.function.__name__}
        piece = rules.pieces.get(key)
        if piece is None:
            return node | {"missing": rules.missing[key]}
        node |= {"trust": piece.trust, "parameters": [_parameter(*one) for one in piece.figures.items()]}
        if rule.kind == "total":
            return node | self._added(key, piece, node["value"])
        return node | {"from": [self.node(rules.source(key, read)) for read in sorted(piece.reads)]}

    def _added(self, key: Key, piece: Piece, value: int | None) -> Explained:
        """What a total adds up: the months, or declared rows."""
        if self._months:
            return {"from": self._months(key)}
        rows = self._rows(piece.rule.table, piece.rule.level, self._places[piece.rule.level], piece)
        # Where a fund pays the end-of-year premium, the wage is more than the declared rows add up to.
        known = self._quarter.rules.pieces
        premiums = [one for one in reductions.ALTERNATIVES if key[1] == "wage_cents" and ("", one) in known]
        raised = premiums and value != sum(row["adds"] for row in rows)
        return {"rows": rows} | ({"premium": premiums[0]} if raised else {})

    def _rows(self, table: str, level: Level, place: int, piece: Piece) -> list[Row]:
        """The declared rows that add to a total, each with what it adds."""
        above = "person" if level == "person" else PLACE[level]
        rows = self._table(table).filter(pl.col(above) == place)
        adds = rows.with_columns(adds=piece.expression.cast(pl.Int64)).filter(pl.col("adds") != 0)
        return adds.select(pl.col(*_ROWS[table]), "adds").with_columns(cs.date().cast(pl.String)).to_dicts()

    def _table(self, name: str) -> pl.DataFrame:
        """A table that totals read, with what it is computed to have."""
        found = self._quarter.found
        if name in ("contribution", "line"):
            return found.contributions if name == "contribution" else found.lines
        rows = self._quarter.declared.placed(name)
        if name == "company_vehicle":
            for stage in self._quarter.rules.stages("vehicle"):
                rows = rows.with_columns(stage)
        return rows


def _parameter(name: str, value: Value) -> Row:
    told = {"name": name, "value": value.text, "since": value.since.isoformat(), "source": value.source}
    return {**told, "trust": value.trust, **({"conflict": value.conflict} if value.conflict else {})}
