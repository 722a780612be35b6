"""Deductions of occupations other than the structural one: target groups, computed where their figures are known."""

from __future__ import annotations

import csv
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from contributions import reasons, refusals
from contributions.categories import STRUCTURAL, categories
from contributions.columns import COMPUTED, NOT_COMPUTABLE
from contributions.inputs import Declared
from contributions.judging import judged, staged
from contributions.law import Law
from contributions.parameters import Parameters, ParameterUnknown
from contributions.places import columns_at, filled, rows_at, spread, taken
from contributions.rates.ceilings import KEYS, OTHER_CODES, ceiling_grid
from contributions.reductions import reserved
from contributions.reference import NOTHING, Reference
from contributions.rules.target_group_rights import LIMITED
from contributions.rules.target_groups import OF_RULES, TARGET_GROUPS
from contributions.trust import lowest
from dmfa.quarter import Quarter

SUBJECT: Final = "target group"
REDUCTION: Final = "target_group_reduction"
CODES: Final = Path(__file__).parent / "codes" / "deductions.csv"
FIRST: Final = Quarter(2022, 1)
"""First quarter of the list of codes."""

OF_PERSONS: Final = ("3510", "6321")
"""Codes whose right is that of one worker; all others whose quarters are counted are the employer's."""

_FACTS: Final = {"code_level": pl.String, "code_in_force": pl.Boolean, "code_regions": pl.String, "lacking": pl.String}
_DETAIL: Final = (
    "working_regulations_starting_date",
    "average_working_time_before_reduction",
    "average_working_time_after_reduction",
)


@cache
def codes() -> tuple[dict[str, str], ...]:
    """The deduction codes valid since 2022/1: level, regions, quarters, and what is missing where none is computed."""
    with CODES.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def name_of(code: str) -> str:
    """What a deduction code stands for, in words; empty for a code that is not in the list."""
    return next((f"{row['name']}." for row in codes() if row["code"] == code), "")


@lru_cache(maxsize=64)
def code_facts(quarter: Quarter) -> pl.DataFrame:
    """Every deduction_code of the list with code_level, code_in_force, code_regions, lacking and by_rules."""
    found: dict[str, dict[str, object]] = {}
    for row in codes():
        in_force = Quarter.parse(row["from_quarter"]) <= quarter <= Quarter.parse(row["to_quarter"])
        if in_force or row["code"] not in found:
            found[row["code"]] = {
                "deduction_code": row["code"],
                "code_level": row["level"],
                # The list begins with its first quarter, and says nothing about those before.
                "code_in_force": in_force if quarter >= FIRST else None,
                "code_regions": row["regions"],
                "lacking": (row["lacking"] or None) if in_force else None,
                "by_rules": f"{TARGET_GROUPS}/{row['code']}" in OF_RULES and not (in_force and row["lacking"]),
            }
    schema = {"deduction_code": pl.String, **_FACTS, "by_rules": pl.Boolean}
    return pl.DataFrame(list(found.values()), schema=schema)


def target_groups(
    occupations: pl.DataFrame, declared: Declared, lines: pl.DataFrame, rules: Law, reference: Reference = NOTHING
) -> pl.DataFrame:
    """Every declared deduction of an occupation but the structural reduction.

    What is not declared is not due: the employer chooses. What no declaration tells is taken as declared.

    Args:
        occupations: what `deductions.structural` returns.
        declared: the declared tables.
        lines: the worker lines with their totals and pieces.
        rules: the law of their quarter.
        reference: what is known of the quarter beside the declarations.

    Returns:
        The deductions in their order: `row`, their place among the rows of occupation_deduction, every piece of the
        calculation, amount_cents, trust, status, reason, refusal and reservation.
    """
    deductions = declared.placed("occupation_deduction")
    place = (deductions["deduction_code"] != STRUCTURAL).arg_true()
    rows = rows_at(deductions, place)
    if rows.is_empty():
        return rows
    frame = _with_facts(rows.with_columns(place.alias("row")), occupations, declared, lines, rules)
    nothing = pl.lit(None, dtype=pl.String)
    frame = staged(
        frame.with_columns(_used_quarters(frame, reference), refusal=nothing, reason=nothing),
        rules,
        "deduction",
        TARGET_GROUPS,
    )
    return _told(_one_each(_by_code(judged(frame, SUBJECT, (TARGET_GROUPS, REDUCTION), rules), rules)))


def misplaced(declared: Declared) -> pl.DataFrame:
    """Deductions declared on a worker line whose codes belong to occupations: `row`, and their result."""
    code = declared.rows("worker_deduction")["deduction_code"]
    wrong = code.is_in(_OF_OCCUPATIONS).arg_true()
    return pl.DataFrame([wrong.alias("row")]).with_columns(
        amount_cents=pl.lit(0, dtype=pl.Int64),
        trust=pl.lit("A"),
        status=pl.lit(COMPUTED),
        refusal=pl.lit(refusals.WRONG_LEVEL),
    )


_OF_OCCUPATIONS: Final = sorted({row["code"] for row in codes() if row["level"] == "occupation"})


def _with_facts(
    rows: pl.DataFrame, occupations: pl.DataFrame, declared: Declared, lines: pl.DataFrame, rules: Law
) -> pl.DataFrame:
    """Deductions with what their rules read of occupation, line, code, official file and detail block."""
    reads = rules.reads("deduction")
    of_occupation = [name for name in occupations.columns if name in (reads | _ALWAYS) and name not in rows.columns]
    told = {"amount_cents": "structural_cents", "trust": "structural_trust"}
    frame = rows.hstack(
        [
            *columns_at(occupations, of_occupation, rows["occupation"]),
            *(column.alias(told[column.name]) for column in columns_at(occupations, told, rows["occupation"])),
        ]
    )
    of_line = [name for name in lines.columns if name in (reads | _ALWAYS) and name not in frame.columns]
    unit = taken(declared.rows("worker_record")["local_unit_id"], rows["worker_record"])
    trust = taken(categories(rules).rows["category_trust"], frame["category_row"])
    frame = frame.hstack([*columns_at(lines, of_line, rows["worker_record"]), unit.alias("line_local_unit_id"), trust])
    frame = frame.join(code_facts(rules.quarter), on="deduction_code", how="left", maintain_order="left")
    return _with_detail(_with_ceiling(frame.with_columns(pl.col("by_rules").fill_null(False)), rules), declared)


_ALWAYS: Final = frozenset(
    ("employer_class", "worker_code", "inss", "noss_registration_nbr", "category_row", "under_maribel", "mu_pct")
)


def _with_ceiling(frame: pl.DataFrame, rules: Law) -> pl.DataFrame:
    known = ceiling_grid(rules.book, rules.asked)
    if known is None:
        names = {"official_ceiling": pl.Int64(), "target_right": pl.Boolean(), "official_trust": pl.String()}
        return frame.hstack([filled(None, kind, frame.height, name) for name, kind in names.items()])
    grid, told = known
    numbers = [grid.numbers(frame[key], key, otherwise=OTHER_CODES if key == "worker_code" else None) for key in KEYS]
    return frame.hstack(told[grid.rows(sum(numbers[1:], numbers[0]))].get_columns())


def _with_detail(frame: pl.DataFrame, declared: Declared) -> pl.DataFrame:
    """The first detail block of each deduction, and whether there is one."""
    keys = ["declaration_id", "occupation_deduction_ordinal"]
    details = declared.rows("occupation_deduction_detail").join(frame.select(keys), on=keys, how="semi")
    in_order = details.sort("occupation_deduction_detail_ordinal").select(*keys, *_DETAIL, has_detail=pl.lit(True))
    first = in_order.unique(keys, keep="first", maintain_order=True)
    return frame.join(first, on=keys, how="left", maintain_order="left").with_columns(
        pl.col("has_detail").fill_null(False)
    )


def allowed_quarters(quarter: Quarter) -> dict[str, int]:
    """Deduction code -> for how many quarters its right may be used, where earlier declarations are counted."""
    found = {}
    for scope in LIMITED:
        try:
            found[scope.rpartition("/")[2]] = Parameters(quarter, scope=scope).number("quarters")
        except ParameterUnknown:
            continue
    return found


def _used_quarters(frame: pl.DataFrame, reference: Reference) -> pl.Series:
    """In how many quarters the right was declared before, where that is known to be all of them."""
    used = reference.used
    if used.is_empty():
        return filled(None, pl.Int64(), frame.height, "used_quarters")
    keys = ["noss_registration_nbr", "deduction_code", "inss", "right_start"]
    whose = pl.when(pl.col("deduction_code").is_in(OF_PERSONS)).then("inss")
    wanted = frame.select(keys[0], keys[1], inss=whose, right_start="deduction_right_starting_date")
    found = wanted.join(used, on=keys, how="left", nulls_equal=True, maintain_order="left", validate="m:1")
    return found["quarters"].alias("used_quarters")


@lru_cache(maxsize=1024)
def _trust(rules: Law, scope: str) -> str:
    """The lowest trust among the figures of a code."""
    pieces = [piece.trust for (where, _), piece in rules.pieces.items() if where in (scope, TARGET_GROUPS)]
    return lowest(*pieces)


def _by_code(frame: pl.DataFrame, rules: Law) -> pl.DataFrame:
    """The same with the pieces and conditions of each code; one that has no rules says what is lacking.

    The rules of a code run over its rows and over the columns that they read, which are few of all.
    """
    code = frame["deduction_code"]
    ruled = frame["by_rules"]
    parts = [pl.DataFrame(schema=_OF_CODE)]
    for one in code.filter(ruled).unique(maintain_order=True):
        scope = f"{TARGET_GROUPS}/{one}"
        place = (ruled & (code == one)).arg_true()
        reads = rules.reads("deduction", scope)
        own = frame[[name for name in frame.columns if name in reads or name in _JUDGED]][place]
        told = judged(staged(own, rules, "deduction", scope), SUBJECT, (scope, REDUCTION), rules)
        of_code = [told[name] for name in _OF_CODE if name in told.columns]
        trust = filled(_trust(rules, scope), pl.String(), len(place), "law_trust")
        parts.append(pl.DataFrame([place.alias("place"), *of_code, trust]))
    found = pl.concat(parts, how="diagonal", rechunk=True)
    of_codes = spread(found.drop("place"), found["place"], frame.height)
    lacking = pl.when(pl.col("refusal").is_null()).then(pl.coalesce("lacking", pl.lit(reasons.RULE_NOT_IN_VERSION)))
    rest = frame.select("refusal", lacking.alias("reason"))
    names = set(of_codes.columns)
    return frame.drop(names, strict=False).hstack(
        [
            of_codes["refusal"].zip_with(ruled, rest["refusal"]),
            of_codes["reason"].zip_with(ruled, rest["reason"]),
            of_codes["law_trust"].fill_null(_trust(rules, TARGET_GROUPS)),
            *(of_codes[name] for name in ("amount_cents", *_PIECES)),
        ]
    )


_PIECES: Final = ("target_amount_cents", "theoretical_target_cents")
_JUDGED: Final = ("refusal", "reason")
_OF_CODE: Final = {
    "place": pl.UInt32,
    "refusal": pl.String,
    "reason": pl.String,
    "amount_cents": pl.Int64,
    **dict.fromkeys(_PIECES, pl.Int64),
    "law_trust": pl.String,
}


def _one_each(found: pl.DataFrame) -> pl.DataFrame:
    """An occupation has one target group: the first that is not refused; the others fall to it."""
    counts = pl.col("refusal").is_null() & ~pl.col("deduction_code").str.starts_with("1")
    if not found.filter(counts)["occupation"].is_duplicated().any():
        return found
    before = counts.cast(pl.UInt32).cum_sum().over("occupation") - counts.cast(pl.UInt32)
    computed = pl.col("reason").filter(counts).first().over("occupation").is_null()
    later = counts & (before > 0)
    return (
        found.sort("occupation", "occupation_deduction_ordinal")
        .with_columns(
            refusal=pl.when(later & computed).then(pl.lit(refusals.ANOTHER_CHOSEN)).otherwise("refusal"),
            reason=pl.when(later & ~computed).then(pl.lit(reasons.EXCLUSIVE_TOGETHER)).otherwise("reason"),
        )
        .sort("row")
    )


def _told(found: pl.DataFrame) -> pl.DataFrame:
    """Amount, trust, status and reservation of each row by its reason and refusal."""
    refused = pl.col("refusal").is_not_null()
    unclear = ~refused & pl.col("reason").is_not_null()
    of_facts = pl.max_horizontal(
        "law_trust", "official_trust", "category_trust", pl.col("structural_trust").cast(pl.String)
    )
    told = found.with_columns(
        amount_cents=pl.when(refused).then(0).when(~unclear).then("amount_cents").cast(pl.Int64),
        reason=pl.when(unclear).then("reason"),
        trust=pl.when(refused).then("law_trust").when(~unclear).then(of_facts),
        status=pl.when(unclear).then(pl.lit(NOT_COMPUTABLE)).otherwise(pl.lit(COMPUTED)),
    )
    return told.with_columns(reserved(told["under_maribel"].cast(pl.Boolean) & (told["amount_cents"] > 0)))
