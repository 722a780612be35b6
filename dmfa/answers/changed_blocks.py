"""The blocks of a change notification, written column by column: each as it was known, as declared, as corrected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl
import polars.selectors as cs

from dmfa.answers.columnwise import joined, wrapped, zone
from dmfa.answers.zones import CHANGES, always, blocks_of, kinds, zones_of
from dmfa.corrections.differences import ACTION, REMOVED, STEP
from dmfa.schema import LINE, ordinal, snake_case

_SUBJECTED = "1"

_NAMES: Final = {
    "OccupationUpdateNotification": "occupation",
    "DismissedStatWorkerContAction": "dismissed_statutory_worker_contribution",
    "EarlyRetirementContAction": "early_retirement_contribution",
    "OccupationPSDAction": "occupation_public_service_data",
}
"""Tables of the blocks that are not called as in a declaration with Action behind it."""

_WITH_OCCUPATIONS: Final = ("activation_information", "worker_contribution", "worker_deduction", "deduction_detail")
"""What may stand in a line beside occupations."""

_IN_LINE: Final = (
    "OccupationUpdateNotification",
    "ActivationInformationAction",
    "StudentContributionAction",
    "WorkerContributionAction",
    "WorkerDeductionAction",
    "IndemnityWAPMAction",
    "DismissedStatWorkerContAction",
    "EarlyRetirementContAction",
    "ComplementaryIndemnityAction",
)
"""An order of the blocks in a line that is right whichever of them it has."""

_STEP = ("declaration_id", STEP)
_PERSON = ordinal("natural_person")

Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Part:
    """Which part of a correction is told.

    Attributes:
        number: zone 00481: 1 declared and accepted, 2 corrected by the NSSO.
        quality: who corrected, by annex 39 (zone 00486).
        mode: how it came in (zone 00484).
        decision: what was decided of each unit (zone 00565); None where that is not told.
    """

    number: str
    quality: str
    mode: str
    decision: str | None


OF_SENDER = Part("1", "10", "LO", "A")
OF_NSSO = Part("2", "22", "CS", None)
"""The employer, in a file, accepted; the system. What the letters of the mode stand for is not public."""


def told(compared: Tables) -> dict[str, pl.DataFrame]:
    """Without what no notification can hold: blocks that a line lost which now is one of another kind."""
    key = [*_STEP, ordinal(LINE)]
    lines, occupations = compared[LINE], compared["occupation"]
    # A line that is gone is told with all that it held.
    gone = lines.filter(pl.col(ACTION) == REMOVED).select(key)
    worked = pl.concat([gone, occupations.filter(pl.col(ACTION) != REMOVED).select(key)]).unique()
    found = {}
    for name, rows in compared.items():
        found[name] = rows
        lost = rows.filter(pl.col(ACTION) == REMOVED)
        if lost.height and ordinal(LINE) in rows.columns and name != LINE:
            beside = ordinal("occupation") in rows.columns or name in _WITH_OCCUPATIONS
            lost = lost.join(worked if beside else gone, on=key, how="semi", maintain_order="left")
            found[name] = pl.concat([rows.filter(pl.col(ACTION) != REMOVED), lost])
    return found


@dataclass(frozen=True)
class Writing:
    """Writes the blocks of some notifications, from the innermost outwards.

    Attributes:
        steps: what `dmfa.answers.changes.steps_of` tells of them.
        compared: what the versions did, from `dmfa.corrections.differences.compare`.
        persons: identifiers: declaration_id, natural_person_ordinal, person_pid, declared_pid.
        reasons: declaration_id, step, inss and why: the reasons that are told for a person.
        part: which part of the correction it is.
        declared: what was declared, in the form of `compared`, where the versions correct that; None where they are
            what is declared.
    """

    steps: pl.DataFrame
    compared: Tables
    persons: pl.DataFrame
    reasons: pl.DataFrame
    part: Part
    declared: Tables | None = None

    def declarations(self) -> pl.DataFrame:
        """declaration_id, step and text: the EmployerDeclarationUpdateNotif."""
        own = self.steps.select(*_STEP, "quarter", "pid", "justification")
        rows = self.compared["employer_declaration"].join(own, on=_STEP, how="inner")
        parts = (
            self._persons(),
            self._unit("contribution_unrelated_to_np", "CUNP", "CUNP"),
            self._unit("company_vehicle", "CompanyVehicle", "CompanyVehicle"),
        )
        for number, part in enumerate(parts):
            rows = rows.join(joined(part, _STEP, f"inside_{number}"), on=_STEP, how="left", maintain_order="left")
        registered = pl.col("noss_registration_nbr").fill_null(0) > 0
        given = {
            "Trusteeship": pl.when(registered).then("trusteeship"),
            "CompanyID": pl.col("company_id").fill_null(0),
            "TransmissionMode": pl.lit(self.part.mode),
            "EmployerDeclarationPID": pl.col("pid"),
        }
        group = wrapped(
            "SubGroupInformation",
            zone(CHANGES, "SubGroup", pl.lit(self.part.number)),
            zone(CHANGES, "UserQuality", pl.lit(self.part.quality)),
            zone(CHANGES, "Justification", pl.col("justification")),
        )
        inside = (pl.col(f"inside_{number}").fill_null("") for number in range(len(parts)))
        label = "EmployerDeclarationUpdateNotif"
        return rows.select(*_STEP, text=wrapped(label, *_zones(label, rows, given), group, *inside))

    def _persons(self) -> pl.DataFrame:
        rows = self.compared["natural_person"]
        lines = self._unit(LINE, "WorkerRecord", "WR", _IN_LINE)
        rows = (
            _around(rows, lines, "natural_person", "lines")
            .join(self.persons, on=["declaration_id", _PERSON], how="left", maintain_order="left")
            .join(self.reasons, on=[*_STEP, "inss"], how="left", maintain_order="left")
        )
        given = {"NaturalPersonPID": pl.col("person_pid"), "DeclNaturalPersonPID": pl.col("declared_pid")}
        why = wrapped(
            "NaturalPersonJustification",
            zone(CHANGES, "SubGroup", pl.lit(self.part.number)),
            zone(CHANGES, "Justification", pl.col("why")),
        )
        text = wrapped(
            "NaturalPersonUpdateNotif",
            *_zones("NaturalPersonUpdateNotif", rows, given),
            pl.col("lines").fill_null(""),
            pl.when(pl.col("why").is_not_null()).then(why).otherwise(pl.lit("")),
        )
        return rows.select(*_STEP, text=text)

    def _unit(self, name: str, label: str, short: str, labels: Iterable[str] = ()) -> pl.DataFrame:
        """declaration_id, step, ordinals and text of units: each as it was known, as declared, and as corrected.

        Args:
            name: table of the unit.
            label: what its blocks are called.
            short: the same in the names of their parts.
            labels: the blocks in it, in their order.
        """
        rows, inside = self._with_inside(self.compared, name, labels)
        last = f"LastSituation{short}"
        before = {
            zone_: pl.col("version_before" if zone_.endswith("VersionNbr") else f"{snake_case(zone_)}_before")
            for zone_ in zones_of(CHANGES, last)
        }
        known = wrapped(last, *_zones(last, rows, before))
        was = pl.when(pl.col("version_before").is_not_null()).then(known).otherwise(pl.lit(""))
        part = f"{short}DclPart"
        if self.declared is None:
            decided = {"BlockDecisionIndicator": pl.lit(self.part.decision, pl.String)}
            parts = [was, wrapped(part, *_zones(part, rows, decided), *inside)]
        else:
            own, below = self._with_inside(self.declared, name, labels)
            texts = own.select(*_STEP, ordinal(name), declared=wrapped(part, *_zones(part, own), *below))
            rows = rows.join(texts, on=[*_STEP, ordinal(name)], how="inner", maintain_order="left")
            corrected = f"{short}CorrectedPart"
            parts = [was, pl.col("declared"), wrapped(corrected, *_zones(corrected, rows), *inside)]
        return rows.select(*_STEP, cs.ends_with("_ordinal"), text=wrapped(f"{label}UpdateNotif", *parts))

    def _with_inside(self, tables: Tables, name: str, labels: Iterable[str]) -> tuple[pl.DataFrame, list[pl.Expr]]:
        """Blocks of a table, and the text of the blocks in them."""
        rows = tables[name]
        named = {label: _NAMES.get(label, snake_case(label.removesuffix("Action"))) for label in labels}
        held = {label: inner for label, inner in named.items() if not tables[inner].is_empty()}
        for label, inner in held.items():
            below, parts = self._with_inside(tables, inner, blocks_of(CHANGES, label))
            text = wrapped(label, *_zones(label, below), *parts)
            rows = _around(rows, below.select(*_STEP, cs.ends_with("_ordinal"), text=text), name, label)
        return rows, [pl.col(label).fill_null("") for label in held]


def _around(rows: pl.DataFrame, below: pl.DataFrame, name: str, column: str) -> pl.DataFrame:
    """Blocks of a table with the text of those below them in a column."""
    *around, _ = below.select(cs.ends_with("_ordinal")).columns
    nearer = around[around.index(ordinal(name)) + 1 :]
    if nearer:
        below = below.filter(pl.all_horizontal(pl.col(nearer).is_null()))
    key = (*_STEP, ordinal(name))
    return rows.join(joined(below, key, column), on=key, how="left", maintain_order="left")


def _zones(label: str, rows: pl.DataFrame, given: Mapping[str, pl.Expr] | None = None) -> list[pl.Expr]:
    """The zones of a block, in the order of the XSD."""
    known = {
        "Action": pl.col(ACTION),
        "CodeSubjected": pl.lit(_SUBJECTED),
        **(given or {}),
    }
    told = []
    for name in zones_of(CHANGES, label):
        column = snake_case(name)
        if name in known:
            values = known[name]
        elif name.endswith("VersionNbr"):
            values = pl.col("version" if "New" in name else "version_before")
        elif column in rows.columns:
            values = pl.col(column)
        else:
            continue
        if name in always(CHANGES, label) and not kinds(CHANGES)[name].whole:
            # A text that was declared empty stands there empty.
            values = values.cast(pl.String).fill_null("")
        told.append(zone(CHANGES, name, values))
    return told
