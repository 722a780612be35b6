"""What corrections ask, as frames: the new state in the tables of an original, and which unit is to become what.

A correction (DmfAUpdate) names its blocks otherwise than an original does, and tells of each unit what is to be done
with it and which situation it goes out from. Here the two are taken apart: `declared` reads as if it were an original,
`asked` says what to do with each unit of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from dmfa.schema import ordinal, snake_case

Types = Mapping[str, pl.DataType | type[pl.DataType]]

DELETE, CHANGE, CREATE, UNCHANGED = 0, 1, 3, 9
"""What zone 00618 (UpdateAction) says of a unit; a deletion and a line left as it is carry no new state."""

ASKED_TYPES: dict[str, type[pl.DataType]] = {
    "form_id": pl.Int64,
    "unit": pl.String,
    "natural_person_ordinal": pl.Int32,
    "ordinal": pl.Int32,
    "action": pl.Int64,
    "last_key": pl.String,
    "last_version": pl.Int64,
    "natural_person_pid": pl.Int64,
    "declared_person_pid": pl.Int64,
    "justification": pl.String,
}

OCCUPATION_VERSION_TYPES: dict[str, type[pl.DataType]] = {
    "form_id": pl.Int64,
    "occupation_ordinal": pl.Int32,
    "version": pl.Int64,
}


LABELS = {
    "employer_declaration": "EmployerDeclarationUpdate",
    "natural_person": "NaturalPersonUpdate",
    "worker_record": "WorkerRecordUpdateAction",
    "occupation": "OccupationUpdate",
    "company_vehicle": "CompanyVehicleUpdateAction",
    "contribution_unrelated_to_np": "CUNPUpdateAction",
    "employer_compensation": "EmpCompensationUpdateAction",
}
"""By table of an original, the label of the block in a correction whose rows go to it; all others have the same."""


@dataclass(frozen=True)
class _Around:
    """A block that holds a unit before and after: it has no zones of its own.

    Attributes:
        table: its table.
        unit: table of the original that the new state goes to.
        action: table of the correction with the new state; each stands in one block of `table` alone.
        last: table with the situation that it goes out from.
        key: columns that name the unit in there.
        version: column with the version of the unit in there.
    """

    table: str
    unit: str
    action: str
    last: str
    key: tuple[str, ...]
    version: str


_AROUND = (
    _Around(
        "worker_record_update",
        "worker_record",
        "worker_record_update_action",
        "last_situation_wr",
        ("employer_class", "worker_code"),
        "worker_record_version_nbr",
    ),
    _Around(
        "contribution_unrelated_to_np_update",
        "contribution_unrelated_to_np",
        "cunp_update_action",
        "last_situation_cunp",
        ("unrelated_employer_class", "unrelated_worker_code"),
        "cont_unrelated_to_np_version_nbr",
    ),
    _Around(
        "employer_compensation_update",
        "employer_compensation",
        "emp_compensation_update_action",
        "last_situation_emp_compensation",
        ("compensation_code",),
        "emp_compensation_version_nbr",
    ),
)

_SOURCES = {name: snake_case(label) for name, label in LABELS.items()}
"""By table of an original, the table of a correction whose rows go to it."""

_ORDINALS = {ordinal(source): ordinal(name) for name, source in _SOURCES.items()}


@dataclass
class Corrections:
    """What some correction Forms ask.

    Attributes:
        forms: one row per Form, columns of the forms table of originals (declaration_id is the form_id;
            net_owed_amount is null), then employer_declaration_pid and justification.
        declared: by the original's table names, with exactly the original's columns as shredded: declaration_id is
            the form_id, ordinals count within the Form, zones that a correction lacks are null.
        asked: one row per unit that a Form names, columns of `ASKED_TYPES`: persons (action null; last_version is
            their version in the declaration), lines, vehicles, contributions unrelated to persons, compensations.
            `last_key` is '<class>|<code>' or the code of the situation that the unit goes out from, null if none is
            told; `ordinal` is the unit's own in `declared`.
        occupation_versions: form_id, occupation_ordinal, version: the version that the Form tells of an occupation.
    """

    forms: pl.DataFrame
    declared: dict[str, pl.DataFrame]
    asked: pl.DataFrame
    occupation_versions: pl.DataFrame

    def of_forms(self, ids: Iterable[int]) -> Corrections:
        """The part of some Forms.

        Args:
            ids: their form_id; one that is not here adds nothing.
        """
        wanted = pl.Series("form_id", list(ids), dtype=pl.Int64)
        return Corrections(
            self.forms.filter(pl.col("declaration_id").is_in(wanted.implode())),
            {
                name: table.filter(pl.col("declaration_id").is_in(wanted.implode()))
                for name, table in self.declared.items()
            },
            self.asked.filter(pl.col("form_id").is_in(wanted.implode())),
            self.occupation_versions.filter(pl.col("form_id").is_in(wanted.implode())),
        )


def concat(parts: Sequence[Corrections]) -> Corrections:
    """Several parts as one, in their order; at least one must be given."""
    return Corrections(
        pl.concat([part.forms for part in parts]),
        {name: pl.concat([part.declared[name] for part in parts]) for name in parts[0].declared},
        pl.concat([part.asked for part in parts]),
        pl.concat([part.occupation_versions for part in parts]),
    )


def shape(
    forms: pl.DataFrame,
    tables: Mapping[str, pl.DataFrame],
    form_types: Types,
    table_types: Mapping[str, Types],
) -> Corrections:
    """Take shredded corrections apart.

    Args:
        forms: the forms table of corrections.
        tables: their tables by name, as shredding gives them.
        form_types: columns of the forms table of originals.
        table_types: by name, columns of the tables of originals as shredded.
    """
    declared = {name: _declared(tables.get(_SOURCES.get(name, name)), types) for name, types in table_types.items()}
    own: dict[str, type[pl.DataType]] = {"employer_declaration_pid": pl.Int64, "justification": pl.String}
    if tables["employer_declaration_update"].is_empty():
        nothing = (pl.DataFrame(schema=types) for types in (ASKED_TYPES, OCCUPATION_VERSION_TYPES))
        return Corrections(_as(forms, {**form_types, **own}), declared, *nothing)
    occupations = tables["occupation_update"].rename(_ORDINALS, strict=False)
    versions = occupations.filter(pl.col("occupation_version_nbr").is_not_null()).select(
        form_id="declaration_id", occupation_ordinal="occupation_ordinal", version="occupation_version_nbr"
    )
    return Corrections(_as(forms, {**form_types, **own}), declared, _asked(tables), versions)


def _declared(table: pl.DataFrame | None, types: Types) -> pl.DataFrame:
    """The rows of a table as those of the original's."""
    if table is None or table.is_empty():
        return pl.DataFrame(schema=types)
    return _as(table.rename(_ORDINALS, strict=False), types)


def _as(table: pl.DataFrame, types: Types) -> pl.DataFrame:
    """A table with some columns and no others; one that it lacks is null."""
    return table.select(
        pl.col(name) if name in table.columns else pl.lit(None, dtype=kind).alias(name) for name, kind in types.items()
    )


def _asked(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What is asked of each unit: persons first, then lines, vehicles, contributions, compensations."""
    persons = tables["natural_person_update"].with_columns(
        unit=pl.lit("natural_person"),
        natural_person_ordinal="natural_person_update_ordinal",
        ordinal="natural_person_update_ordinal",
        last_version="decl_natural_person_version_nbr",
        declared_person_pid="decl_natural_person_pid",
    )
    vehicles = tables["company_vehicle_update_action"].with_columns(
        unit=pl.lit("company_vehicle"),
        ordinal="company_vehicle_update_action_ordinal",
        action="update_action",
        # It stands in no block of a last situation: an example that the NSSO publishes creates a vehicle with one.
        last_version=pl.when(pl.col("update_action") != CREATE).then("company_vehicle_version_nbr"),
    )
    lines, unrelated, compensations = (_before_and_after(tables, around) for around in _AROUND)
    parts = (persons, lines, vehicles, unrelated, compensations)
    return pl.concat([_as(part.with_columns(form_id="declaration_id"), ASKED_TYPES) for part in parts])


def _before_and_after(tables: Mapping[str, pl.DataFrame], around: _Around) -> pl.DataFrame:
    """The new states of units, each beside the situation that it goes out from."""
    inside = ["declaration_id", ordinal(around.table)]
    last = tables[around.last].select(
        *inside, last_key=pl.concat_str(around.key, separator="|"), last_version=around.version
    )
    return (
        tables[around.action]
        .rename(_ORDINALS, strict=False)
        .join(last, on=inside, how="left", maintain_order="left")
        .with_columns(unit=pl.lit(around.unit), ordinal=ordinal(around.unit), action="update_action")
    )
