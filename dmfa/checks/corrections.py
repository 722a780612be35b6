"""What is wrong in corrections by themselves, before the declarations that they are about are looked at.

The new states that a correction asks for are checked as if they were originals: units that are deleted or left as they
are have none. What a correction says beside that has checks of its own here. Both are told by the blocks and codes of
DmfAUpdate; what its catalogue does not know of an original, such as the net amount owed, is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import polars as pl

from dmfa.anomaly import ANOMALY_SCHEMA, anomaly_frame
from dmfa.checks.registry import Context
from dmfa.checks.run import ORDER, Checked, check
from dmfa.corrections.shape import CHANGE, CREATE, DELETE, LABELS, UNCHANGED, Corrections
from dmfa.schema import LINE, ORIGINAL, UPDATE, Block, load, newest, ordinal, unit_of
from dmfa.schema.catalogue import catalogue

NOT_ALLOWED: Final = "00618-174"
NO_DATA: Final = "90225-134"
FORBIDDEN: Final = "146"
"""Kind of what may not stand below a line that is deleted."""

UNTOLD: Final = {
    LINE: ("90221-001", "WorkerRecordUpdate", ""),
    "company_vehicle": ("00782-001", LABELS["company_vehicle"], "CompanyVehicleVersionNbr"),
    "contribution_unrelated_to_np": ("90222-001", "ContributionUnrelatedToNPUpdate", ""),
    "employer_compensation": ("01253-001", "EmployerCompensationUpdate", "EmpCompensationVersionNbr"),
}
"""By unit, the code of a last situation that is missing, the block that lacks it, and the zone."""

NEEDED: Final = {
    "noss_quarter_starting_date": ("00038-001", "NOSSQuarterStartingDate"),
    "noss_quarter_ending_date": ("00039-001", "NOSSQuarterEndingDate"),
    "border": ("00040-001", "Border"),
}
"""Zones that every line has; the structure lets them be absent because a deleted one needs none."""

IDENTIFIED: Final = {
    "natural_person_pid": ("00549-001", "NaturalPersonPID"),
    "declared_person_pid": ("00548-001", "DeclNaturalPersonPID"),
    "last_version": ("00620-001", "DeclNaturalPersonVersionNbr"),
}
"""What tells a person who is declared already."""

ONCE: Final = {
    "natural_person_pid": ("00549-006", "NaturalPersonPID"),
    "declared_person_pid": ("00548-006", "DeclNaturalPersonPID"),
}
"""What no two persons of a Form share."""

_PERSON: Final = "natural_person"
_UNIT: Final = ("form_id", "unit", "ordinal")


def codes() -> frozenset[str]:
    """The codes that are told here alone."""
    named = (*UNTOLD.values(), *NEEDED.values(), *IDENTIFIED.values(), *ONCE.values())
    below = {f"{block.number}-{FORBIDDEN}" for block in _below_a_line().values()}
    return frozenset({NOT_ALLOWED, NO_DATA, *(one[0] for one in named), *below})


def correction_anomalies(corrections: Corrections, context: Context) -> Checked:
    """What is wrong in corrections by themselves.

    Args:
        corrections: as read; all Forms of a filing together.
        context: what else the checks may know.

    Returns:
        Anomalies with the blocks, ordinals and zones of DmfAUpdate; declaration_id is the form_id.
    """
    if corrections.declared["employer_declaration"].is_empty():
        return Checked(anomaly_frame(), {})
    tables, places = _stated(corrections)
    # Forms of a filing are decided one after the other: the next may quote what the one before made of a person.
    by_form = tables["natural_person"].with_columns(filing_id="declaration_id")
    checked = check({**tables, "natural_person": by_form}, context)
    found = _as_updates(checked.anomalies, places, context.blocks)
    if not context.validator_only:
        found = pl.concat([found, _own(corrections)])
    found = _of_update(found, corrections.forms)
    return Checked(found.sort(ORDER, nulls_last=True), checked.not_verifiable)


def refusing(tables: Mapping[str, pl.DataFrame], context: Context) -> frozenset[tuple[object, ...]]:
    """What would refuse declarations, or persons in them, if a correction stated them as they are here.

    Args:
        tables: every table by name, rows in document order; their ordinals may have gaps.
        context: what else the checks may know.

    Returns:
        Code, block, number of the block among those here, and zone of each anomaly that blocks.
    """
    places = _places(tables)
    found = check({name: _counted(table, places) for name, table in tables.items()}, context).anomalies
    told = _of_update(_as_updates(found, {}, context.blocks), tables["employer_declaration"])
    blocking = told.filter(pl.col("severity") == "B")
    return frozenset(blocking.select("code", "block", "block_ordinal", "zone").iter_rows())


@cache
def _numbers() -> Mapping[str, str]:
    """By number of a block of an original, the number of the block that stands for it in a correction."""
    original, update = (newest(message.name) for message in (ORIGINAL, UPDATE))
    if original is None or update is None:
        return {}
    of_update = load(update).blocks
    blocks = load(original).blocks.values()
    return {block.number: of_update[LABELS[block.table]].number for block in blocks if block.table in LABELS}


def update_code(code: str) -> str:
    """A code of an original as a correction has it.

    Examples:
        >>> update_code("90012-006"), update_code("00037-008")
        ('90225-006', '00037-008')
    """
    return _numbers().get(code[:5], code[:5]) + code[5:]


def _stated(corrections: Corrections) -> tuple[dict[str, pl.DataFrame], Mapping[str, pl.DataFrame]]:
    """The new states alone, with ordinals that count them; and for each table the ordinals as they are in the Form.

    The checks take an ordinal for a row's place among those of its declaration.
    """
    gone = corrections.asked.filter(pl.col("action").is_in([DELETE, UNCHANGED])).select(_UNIT)
    if gone.is_empty():
        return corrections.declared, {}
    kept = {}
    for name, table in corrections.declared.items():
        unit, column = unit_of(table.columns)
        keys = gone.filter(pl.col("unit") == unit).select(declaration_id="form_id", **{column or "": "ordinal"})
        is_left = column is not None and table.height and keys.height
        on = list(keys.columns)
        kept[name] = table.join(keys, on=on, how="anti", maintain_order="left") if is_left else table
    places = _places(kept)
    return {name: _counted(table, places) for name, table in kept.items()}, places


def _places(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Of each table the place of each block among those of its declaration, beside its ordinal."""
    return {
        name: table.select(
            "declaration_id", ordinal(name), place=pl.int_range(pl.len(), dtype=pl.Int32).over("declaration_id")
        )
        for name, table in tables.items()
        if ordinal(name) in table.columns
    }


def _counted(table: pl.DataFrame, places: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """A table with the place of each block among those that are left as its ordinal."""
    for name, place in places.items():
        own = ordinal(name)
        if own in table.columns and table.height:
            counted = table.join(place, on=["declaration_id", own], how="left", maintain_order="left")
            table = counted.with_columns(pl.col("place").alias(own)).drop("place")
    return table


def _as_updates(found: pl.DataFrame, places: Mapping[str, pl.DataFrame], blocks: Mapping[str, str]) -> pl.DataFrame:
    """Anomalies of originals by the blocks and codes of corrections."""
    if found.is_empty():
        return found
    tables = {label: name for name, label in blocks.items()}
    as_read = pl.concat(
        [
            pl.DataFrame(schema={"declaration_id": pl.Int64, "block": pl.String, "place": pl.Int32, "own": pl.Int32}),
            *(
                place.select("declaration_id", pl.lit(blocks[name]).alias("block"), "place", own=ordinal(name))
                for name, place in places.items()
            ),
        ]
    )
    renumbered = {code: update_code(code) for code in found["code"].unique()}
    labels = {label: LABELS.get(name, label) for label, name in tables.items()}
    return (
        found.join(
            as_read, left_on=["declaration_id", "block", "block_ordinal"], right_on=as_read.columns[:3], how="left"
        )
        .with_columns(
            pl.coalesce("own", "block_ordinal").alias("block_ordinal"),
            pl.col("block").replace(labels),
            pl.col("code").replace(renumbered),
        )
        .select(list(ANOMALY_SCHEMA))
    )


def _of_update(found: pl.DataFrame, forms: pl.DataFrame) -> pl.DataFrame:
    """Anomalies without those that the catalogue of DmfAUpdate does not know in the quarter of their Form."""
    known = catalogue(UPDATE.name)
    quarters = dict(forms.select("declaration_id", "quarter").iter_rows())
    official = [
        known.severity(code, quarters[form]) for code, form in found.select("code", "declaration_id").iter_rows()
    ]
    return found.filter(pl.Series(official, dtype=pl.String).is_not_null())


def _own(corrections: Corrections) -> pl.DataFrame:
    """What the checks of this module find, columns of `ANOMALY_SCHEMA`."""
    parts = [*_actions(corrections.asked), *_lines(corrections), *_persons(corrections.asked)]
    filings = corrections.forms.select("declaration_id", "filing_id")
    found = pl.concat(parts).join(filings, on="declaration_id")
    return found.select(
        (pl.col(name) if name in found.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in ANOMALY_SCHEMA.items()
    )


def _told(hits: pl.DataFrame, code: str, place: tuple[str, str], words: str, seen: str | None = None) -> pl.DataFrame:
    """Units at fault as told; every code that is told here blocks.

    Args:
        hits: form_id and ordinal of each.
        code: official code.
        place: labels of the block, and of the zone, empty if it is the block.
        words: what is wrong.
        seen: column with the value seen.
    """
    block, zone = place
    return hits.select(
        declaration_id="form_id",
        block_ordinal="ordinal",
        block=pl.lit(block),
        zone=pl.lit(zone or None, dtype=pl.String),
        code=pl.lit(code),
        severity=pl.lit("B"),
        seen_value=pl.lit(None, dtype=pl.String) if seen is None else pl.col(seen).cast(pl.String),
        message=pl.lit(words),
    )


def _actions(asked: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Actions that do not go with what is told of the last situation, or with the unit.

    Source: NSSO glossary of DmfAUpdate, zone 00618 and blocks 90221, 90222, 90312, 90597.
    """
    told = pl.col("last_version").is_not_null()
    action = pl.col("action")
    for unit, (code, block, zone) in UNTOLD.items():
        own = asked.filter(pl.col("unit") == unit)
        of_action = (NOT_ALLOWED, (LABELS[unit], "UpdateAction"))
        created = own.filter(told & (action == CREATE))
        yield _told(created, *of_action, "UpdateAction creates what has a last situation", "action")
        if unit != LINE:
            left = own.filter(action == UNCHANGED)
            yield _told(left, *of_action, "UpdateAction: only a worker line can be left as it is", "action")
        untold = own.filter(~told & (action != CREATE))
        yield _told(untold, code, (block, zone), f"{catalogue(UPDATE.name).codes[code].element} is missing")


def _lines(corrections: Corrections) -> Iterator[pl.DataFrame]:
    """Lines whose new state is missing or not whole; what stands below a line that is deleted."""
    lines = corrections.declared[LINE].rename({"declaration_id": "form_id", ordinal(LINE): "ordinal"})
    lines = lines.join(
        corrections.asked.filter(pl.col("unit") == LINE).select("form_id", "ordinal", "action"),
        on=["form_id", "ordinal"],
    )
    stated = lines.filter(pl.col("action").is_in([CHANGE, CREATE]))
    for column, (code, zone) in NEEDED.items():
        yield _told(stated.filter(pl.col(column).is_null()), code, (LABELS[LINE], zone), f"{zone} is missing")
    deleted = lines.filter(pl.col("action") == DELETE).select("form_id", line="ordinal")
    empty = stated
    for name, block in _below_a_line().items():
        below = corrections.declared[name].select(form_id="declaration_id", line=ordinal(LINE), ordinal=ordinal(name))
        empty = empty.join(below, left_on=["form_id", "ordinal"], right_on=["form_id", "line"], how="anti")
        standing = below.join(deleted, on=["form_id", "line"], how="semi")
        words = f"{block.name} stands below a line that is deleted"
        yield _told(standing, f"{block.number}-{FORBIDDEN}", (block.name, ""), words)
    yield _told(empty, NO_DATA, (LABELS[LINE], ""), "a line is to be created or changed, and its new state is missing")


def _persons(asked: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Persons who are declared already without what tells them, and identifiers that two persons share.

    Somebody is declared already whose line is to be deleted, changed or left, or of whom a version is told.

    Source: NSSO glossary of DmfAUpdate, zones 00548, 00549, 00620, which are there on condition.
    """
    persons = asked.filter(pl.col("unit") == _PERSON)
    known = asked.filter((pl.col("unit") == LINE) & (pl.col("action") != CREATE)).select(
        "form_id", ordinal="natural_person_ordinal", declared=pl.lit(value=True)
    )
    declared = persons.join(known.unique(), on=["form_id", "ordinal"], how="left").filter(
        pl.any_horizontal("declared", pl.col("declared_person_pid", "last_version").is_not_null())
    )
    for column, (code, zone) in IDENTIFIED.items():
        words = f"{zone} is missing; the person is declared already"
        yield _told(declared.filter(pl.col(column).is_null()), code, (LABELS[_PERSON], zone), words)
    for column, (code, zone) in ONCE.items():
        again = ~pl.struct("form_id", column).is_first_distinct() & pl.col(column).is_not_null()
        words = f"{zone} is that of another person of the Form"
        yield _told(persons.filter(again), code, (LABELS[_PERSON], zone), words)


@cache
def _below_a_line() -> Mapping[str, Block]:
    """By table of an original, the blocks that stand right below a line of a correction."""
    release = newest(UPDATE.name)
    tables = {label: name for name, label in LABELS.items()}
    children = load(release).blocks[LABELS[LINE]].children if release is not None else ()
    return {tables.get(block.name, block.table): block for block in children}
