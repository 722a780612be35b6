"""Who may have what: the one place where it is decided, apart from whoever makes or writes an extract.

Default deny. A `Permit` can only be made of an authorisation that is valid on its day; every writer takes one and asks
it before the first byte whether all its columns are listed.

Source: law of 15 January 1990 on the Crossroads Bank for Social Security, art. 15 (access only under a deliberation).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from dmfa.errors import NotAuthorised
from dmfa.schema import ordinal, snake_case

Inscribed = Collection[tuple[str, str]]
"""Sectors and types of institution of which the reference directory holds lines."""

KEYS = ("attestation", "version", "status")
"""Keys that every table given out carries; ordinals of listed blocks come with them."""

MODES = ("raw", "derived", "threshold", "aggregate")
RAW, DERIVED, THRESHOLD, AGGREGATE = MODES
DELIVERIES = ("full", "push", "mutation", "pull")
FULL, PUSH, MUTATION, PULL = DELIVERIES
CHANGES: Mapping[str, tuple[str, ...]] = {
    PUSH: (),
    MUTATION: ("previous_inss", "previous_noss_registration_nbr"),
}
"""Ways of delivery that give what changed alone, to the columns of their table of changes beside keys and number."""

CHANGE_TABLE = "mutation"
"""Table that says what became of each attestation in a delivery of changes."""

FLAG_TABLE = "quality_flag"
"""Table of the open anomalies of attestations; it comes with every extract that is given by attestation."""

FLAG_COLUMNS = ("block", "ordinal", "zone", "code", "class")
"""What it says of an anomaly in mode raw; in others only of which attestations there is any."""

NUMBER = "delivery_nbr"
"""Column with the number of the delivery of changes."""

FORMATS = ("parquet", "xml")
EXAMPLE = "example"
"""Deliberation of an invented authorisation."""

NAME = r"[a-z][a-z0-9-]{1,39}"
"""What the name of a row, an extract or an institution looks like."""

ELEVEN_DIGITS = re.compile(r"\d{11}")
"""What may be a person's number; it stands in no name and no text of the register."""


@dataclass(frozen=True)
class Institution:
    """A recipient or a supplier.

    Attributes:
        name: short name, used in paths and on the command line.
        title: name as people know it.
        sector: sector code of the CBSS network, three digits; None where cbe_number is given.
        institution: number inside the sector.
        cbe_number: enterprise number of ten digits, for an institution outside the network.
    """

    name: str
    title: str
    sector: str | None = None
    institution: str | None = None
    cbe_number: str | None = None


@dataclass(frozen=True)
class Inscription:
    """The line of the reference directory that a person must have to be in an extract.

    Attributes:
        sector: sector code of the CBSS network, three digits.
        qualities: quality codes that are admitted, three digits each.
        institution_type: type of institution, three digits; None for any of the sector.
    """

    sector: str
    qualities: tuple[str, ...]
    institution_type: str | None = None

    def __str__(self) -> str:
        """Whose lines, in words."""
        return f"sector {self.sector}" + (f", type {self.institution_type}," if self.institution_type else "")

    def among(self, inscribed: Inscribed) -> bool:
        """Whether the directory holds lines of this institution."""
        return any(sector == self.sector and self.institution_type in (None, type_) for sector, type_ in inscribed)


@dataclass(frozen=True)
class Research:
    """What is given to a research project, under codes of its own.

    Attributes:
        project: its name: rows of one project give the same codes.
        destroy_by: the last day on which anybody keeps what it was given.
    """

    project: str
    destroy_by: date


@dataclass(frozen=True)
class Authorisation:
    """One row of the register: one extract, one recipient, one purpose.

    Attributes:
        id: identifier of the row.
        extract: the extract it opens.
        recipient: who receives.
        supplier: who gives.
        purpose: what for.
        deliberation: number of the deliberation, or `example`.
        deliberation_date: its day, where known.
        legal_basis: law behind it.
        population: zone (`Block.Zone`) to the values that a person's block must have; empty for everybody.
        directory: the line of the reference directory that a person must have; None where the row asks for none.
        blocks: official label of each block that may be given (in other modes than raw: used), to those of its zones.
        mode: raw, derived, threshold or aggregate.
        answer: in other modes than raw, the tables that may be given, each with its columns.
        limits: of a threshold, each column of the answer that tells only above or not, to its limit in cents.
        groups: of an aggregate, the columns of the answer by which persons are grouped.
        smallest_group: of an aggregate, the least number of persons in a group that is given; 0 in other modes.
        delivery: full (all, each time), push (what changed), mutation (the same, to be applied to what was given
            before) or pull (only what is asked for).
        research: the project that receives it under codes of its own; None for any other use.
        encrypt_to: public key of the recipient (age) for which every file is encrypted; None where none is.
        formats: parquet, xml or both.
        frequency: how often.
        retention: how long the recipient may keep a delivery: `5 years`; then it is removed here too.
        valid_from: first day.
        valid_to: last day, None when open.
    """

    id: str
    extract: str
    recipient: Institution
    supplier: Institution
    purpose: str
    deliberation: str
    legal_basis: str
    blocks: Mapping[str, tuple[str, ...]] = field(hash=False)
    mode: str
    formats: tuple[str, ...]
    frequency: str
    retention: str
    valid_from: date
    valid_to: date | None = None
    population: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    deliberation_date: date | None = None
    directory: Inscription | None = None
    answer: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    limits: Mapping[str, int] = field(default_factory=dict, hash=False)
    groups: tuple[str, ...] = ()
    smallest_group: int = 0
    delivery: str = FULL
    encrypt_to: str | None = None
    research: Research | None = None

    @cached_property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Tables and their columns that may be given, without keys.

        Flags say what is wrong with what is listed: they come with it, and no more of them than of that.
        """
        if self.mode == AGGREGATE or self.research is not None:
            return dict(self.answer)
        if self.mode != RAW:
            return {**self.answer, FLAG_TABLE: (), **self._changes({})}
        listed = {snake_case(block): tuple(map(snake_case, zones)) for block, zones in self.blocks.items()}
        return {**listed, FLAG_TABLE: FLAG_COLUMNS, **self._changes(listed)}

    @property
    def gives_changes(self) -> bool:
        """Whether only what changed since the delivery before is given."""
        return self.delivery in CHANGES

    def _changes(self, listed: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
        """The table of changes; a number that was replaced may be told to whom the number itself is."""
        if not self.gives_changes:
            return {}
        zones = {f"previous_{column}" for columns in listed.values() for column in columns}
        return {CHANGE_TABLE: (NUMBER, *(name for name in CHANGES[self.delivery] if name in zones))}

    def why_not(self, day: date, inscribed: Inscribed = ()) -> str | None:
        """Why the row gives nothing on a day, None if it does.

        Args:
            day: the day.
            inscribed: of which institutions the reference directory holds lines.
        """
        if day < self.valid_from:
            return f"authorisation {self.id} is not valid before {self.valid_from}"
        if self.valid_to is not None and day > self.valid_to:
            return f"authorisation {self.id} expired on {self.valid_to}"
        if self.research is not None and day > self.research.destroy_by:
            return f"the data of project {self.research.project} were to be destroyed by {self.research.destroy_by}"
        if self.directory is not None and not self.directory.among(inscribed):
            return f"authorisation {self.id} asks for persons of {self.directory} in the directory, which holds none"
        return None


@dataclass(frozen=True)
class Refusal:
    """Something asked for and not given; never says of whom.

    Attributes:
        extract: the extract; None if only a recipient was named.
        recipient: the recipient; None if only an extract was named.
        reason: why not.
        authorisation: the row that does not open it; None where no row names it.
    """

    extract: str | None
    recipient: str | None
    reason: str
    authorisation: Authorisation | None = None


class Denied(NotAuthorised):
    """An access that is refused, with what the log has to say of it."""

    def __init__(self, what: str, todo: str = "", refusals: Sequence[Refusal] = ()) -> None:
        super().__init__(what, todo)
        self.refusals = tuple(refusals)

    def __reduce__(self) -> tuple[type[Denied], tuple[str, str, tuple[Refusal, ...]]]:
        """Keep the refusals on the way out of a worker process."""
        return Denied, (self.what, self.todo, self.refusals)


@dataclass(frozen=True)
class Permit:
    """Leave to write one extract for one recipient on one day.

    Attributes:
        authorisation: the row it rests on.
        day: the day.
        inscribed: of which institutions the reference directory holds lines.

    Raises:
        NotAuthorised: the row is not valid on the day, or asks for a directory that is not there.
    """

    authorisation: Authorisation
    day: date
    inscribed: Inscribed = field(default=(), repr=False)

    def __post_init__(self) -> None:
        reason = self.authorisation.why_not(self.day, self.inscribed)
        if reason:
            raise _denied(self.authorisation.extract, self.authorisation.recipient.name, reason, self.authorisation)

    def refuse_beyond(self, given: Mapping[str, Collection[str]], file_format: str) -> None:
        """Let a writer begin only if the row lists its format and every table and column.

        Args:
            given: tables to their columns, keys included.
            file_format: parquet or xml.

        Raises:
            NotAuthorised: anything is not listed.
        """
        row = self.authorisation
        listed = row.columns
        keys = {*KEYS, *map(ordinal, listed)}
        beyond = [
            f"{table}.{column}"
            for table, columns in given.items()
            for column in columns
            if table not in listed or not (column in keys or column in listed[table])
        ]
        beyond += [table for table, columns in given.items() if not columns and table not in listed]
        if file_format not in row.formats:
            beyond.append(f"format {file_format}")
        if beyond:
            reason = f"authorisation {row.id} does not list {', '.join(sorted(beyond))}"
            raise _denied(row.extract, row.recipient.name, reason, row)


def permit(rows: Iterable[Authorisation], extract: str, recipient: str, day: date, inscribed: Inscribed = ()) -> Permit:
    """Leave to give an extract to a recipient on a day.

    Raises:
        NotAuthorised: no row opens it on that day; it says whether a row is missing, expired, not yet valid, or asks
            for a directory that is not there.
    """
    candidates = [row for row in rows if (row.extract, row.recipient.name) == (extract, recipient)]
    reasons = []
    for row in candidates:
        reason = row.why_not(day, inscribed)
        if reason is None:
            return Permit(row, day, inscribed)
        reasons.append(reason)
    raise _denied(extract, recipient, "; ".join(reasons) or "no authorisation names both")


def permits(
    rows: Sequence[Authorisation], day: date, to: Sequence[str] = (), inscribed: Inscribed = ()
) -> list[Permit]:
    """All that may be given on a day, or all of it that some names ask for.

    Args:
        rows: the register.
        day: the day of the run.
        to: names of recipients or extracts; none means everything that is authorised.
        inscribed: of which institutions the reference directory holds lines.

    Raises:
        NotAuthorised: a name asked for has no row that is valid on the day.
    """
    if to:
        refused = {name: found for name in to if (found := refusals(rows, day, [name], inscribed))}
        for name, found in refused.items():
            reasons = "; ".join(one.reason for one in found)
            raise Denied(
                f"no valid authorisation for {shown(name)}: {reasons}.",
                "Add or renew its row in the register, import the directory that it asks for, or leave the name out.",
                [one for each in refused.values() for one in each],
            )
    valid = [row for row in rows if row.why_not(day, inscribed) is None]
    return [Permit(row, day, inscribed) for row in valid if not to or any(name in _names(row) for name in to)]


def refusals(
    rows: Sequence[Authorisation], day: date, to: Sequence[str] = (), inscribed: Inscribed = ()
) -> list[Refusal]:
    """What is not given on a day: the rows that open nothing, or what some names ask for in vain.

    Args:
        rows: the register.
        day: the day of the run.
        to: names of recipients or extracts; none means every row.
        inscribed: of which institutions the reference directory holds lines.
    """
    if not to:
        return [_refusal(row, reason) for row in rows if (reason := row.why_not(day, inscribed)) is not None]
    found = []
    for name in to:
        named = [row for row in rows if name in _names(row)]
        reasons = [row.why_not(day, inscribed) for row in named]
        if None in reasons:
            continue
        found += [_refusal(row, reason or "") for row, reason in zip(named, reasons, strict=True)]
        if not named:
            found.append(Refusal(None, shown(name), "no row names it"))
    return found


def can_be_a_name(text: str) -> bool:
    """Whether a text may be the name of an extract or institution, and so may be repeated: it is no person's number."""
    return re.fullmatch(NAME, text) is not None and ELEVEN_DIGITS.search(text) is None


def shown(name: str) -> str:
    """A name asked for, as messages and the log may repeat it."""
    return name if can_be_a_name(name) else "a name that nothing can have"


def _refusal(row: Authorisation, reason: str) -> Refusal:
    return Refusal(row.extract, row.recipient.name, reason, row)


def _names(row: Authorisation) -> tuple[str, str]:
    return row.extract, row.recipient.name


def _denied(extract: str, recipient: str, reason: str, row: Authorisation | None = None) -> Denied:
    return Denied(
        f"extract {extract} is not given to {recipient}: {reason}.",
        "Nothing was written. Correct or renew the row in the file of authorisations.",
        [Refusal(extract, recipient, reason, row)],
    )
