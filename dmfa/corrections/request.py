"""What each Form asks, as plain objects, in the order in which Forms are applied."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from dmfa.corrections.shape import Corrections
from dmfa.corrections.situation import key_of, mark_of
from dmfa.corrections.state import BESIDE, DECLARATION, PERSON
from dmfa.pid import declared_person_pid, person_pid
from dmfa.schema import LINE, ordinal


@dataclass(slots=True)
class Asked:
    """One unit that a Form names.

    Attributes:
        table: its table.
        ordinal: its own in the Form.
        action: what to do, zone 00618; None for a person.
        key: what tells it from its like as it is to be; None if the Form holds no new state of it.
        last_key: the same in the situation that it goes out from; None if the Form tells none.
        last_version: version of that situation.
        mark: plate of a vehicle; None for any other.
        occupations: ordinal in the Form and quoted version of its occupations.
    """

    table: str
    ordinal: int
    action: int | None
    key: str | None
    last_key: str | None
    last_version: int | None
    mark: str | None
    occupations: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class AskedPerson:
    """A person that a Form names.

    Attributes:
        ordinal: the person's in the Form.
        inss: the person's number.
        version: version of the situation that the Form goes out from (zone 00620).
        pid: identifier of the person (zone 00549).
        declared_pid: identifier in the declaration (zone 00548).
        justified: whether the Form says why, for this person (zone 00545).
        given_pid: identifier that the number leads to.
        given_declared_pid: that in this declaration.
        lines: the lines.
    """

    ordinal: int
    inss: int
    version: int | None
    pid: int | None
    declared_pid: int | None
    justified: bool
    given_pid: int
    given_declared_pid: int
    lines: list[Asked] = field(default_factory=list)


@dataclass(slots=True)
class Form:
    """A Form of a correction.

    Attributes:
        form_id: its identifier.
        filing_id: the filing that it came in.
        quarter: yyyyq.
        number: NSSO number of the employer, 0 for none.
        pid: identifier of the declaration to correct.
        justified: whether it says why, for the whole declaration.
        trusteeship: zone 00012.
        system5: zone 00016.
        holiday: zone 00017, HolidayStartingDate.
        received_at: when its filing was received.
        persons: the persons.
        beside: units that belong to no person.
    """

    form_id: int
    filing_id: int
    quarter: int
    number: int
    pid: int
    justified: bool
    trusteeship: int | None
    system5: int | None
    holiday: date | None
    received_at: datetime
    persons: list[AskedPerson] = field(default_factory=list)
    beside: list[Asked] = field(default_factory=list)


def requests(corrections: Corrections, filings: pl.DataFrame) -> list[Form]:
    """The Forms in the order of application: by receipt, name of the filing, place in it.

    Args:
        corrections: what is asked.
        filings: filing_id, name and received_at of the filings that they came in.
    """
    own = corrections.declared[DECLARATION].select("declaration_id", "trusteeship", "system5", "holiday_starting_date")
    rows = (
        corrections.forms.join(
            filings.select("filing_id", "name", "received_at"), on="filing_id", maintain_order="left"
        )
        .join(own, on="declaration_id", how="left", maintain_order="left")
        .sort("received_at", "name", "form_index", maintain_order=True)
        .select(
            "declaration_id",
            "filing_id",
            "quarter",
            pl.col("noss_registration_nbr").fill_null(0),
            "employer_declaration_pid",
            _told("justification"),
            "trusteeship",
            "system5",
            "holiday_starting_date",
            "received_at",
        )
    )
    forms = {row[0]: Form(*row) for row in rows.iter_rows()}
    _add_units(forms, corrections)
    return list(forms.values())


def _add_units(forms: dict[int, Form], corrections: Corrections) -> None:
    """What the Forms ask of persons, lines and units beside them, in their order."""
    asked = corrections.asked.sort("form_id", "ordinal").with_columns(_told("justification"))
    people = asked.filter(pl.col("unit") == PERSON).join(
        corrections.declared[PERSON].select("inss", form_id="declaration_id", ordinal=ordinal(PERSON)),
        on=["form_id", "ordinal"],
        how="left",
        maintain_order="left",
    )
    persons: dict[tuple[int, int], AskedPerson] = {}
    columns = ("ordinal", "inss", "last_version", "natural_person_pid", "declared_person_pid", "justification")
    declaration = corrections.forms.select("employer_declaration_pid", form_id="declaration_id")
    given = people.join(declaration, on="form_id", maintain_order="left").select(
        "form_id",
        *columns,
        person_pid(pl.col("inss")).alias("given_pid"),
        declared_person_pid(pl.col("inss"), pl.col("employer_declaration_pid")).alias("given_declared_pid"),
    )
    for form_id, *facts in given.iter_rows():
        person = persons[form_id, facts[0]] = AskedPerson(*facts)
        forms[form_id].persons.append(person)
    occupations = _occupations(corrections)
    for table in (LINE, *BESIDE):
        keys = corrections.declared[table].select(
            key_of(table).alias("key"), mark_of(table).alias("mark"), form_id="declaration_id", ordinal=ordinal(table)
        )
        units = asked.filter(pl.col("unit") == table).join(
            keys, on=["form_id", "ordinal"], how="left", maintain_order="left"
        )
        for form_id, of_person, *facts in units.select(
            "form_id", "natural_person_ordinal", "unit", "ordinal", "action", "key", "last_key", "last_version", "mark"
        ).iter_rows():
            unit = Asked(*facts)
            if table == LINE:
                unit.occupations = occupations.get((form_id, unit.ordinal), [])
                persons[form_id, of_person].lines.append(unit)
            else:
                forms[form_id].beside.append(unit)


def _occupations(corrections: Corrections) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """By Form and line, the versions that the Form quotes of its occupations."""
    quoted = corrections.occupation_versions.drop_nulls().join(
        corrections.declared["occupation"].select("occupation_ordinal", ordinal(LINE), form_id="declaration_id"),
        on=["form_id", "occupation_ordinal"],
    )
    found: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for form_id, line, own, version in quoted.select(
        "form_id", ordinal(LINE), "occupation_ordinal", "version"
    ).iter_rows():
        found[form_id, line].append((own, version))
    return found


def _told(column: str) -> pl.Expr:
    """Whether a text says anything."""
    return pl.col(column).fill_null("").str.strip_chars().str.len_chars() > 0
