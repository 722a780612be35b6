"""The register of authorisations as one public page: who may receive what, for which purpose, on which basis.

HTML and style in a single file that needs no network and no script. It names institutions, never a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dmfa.extracts import EXTRACTS
from dmfa.extracts.authorisations import EXAMPLE, FULL, Authorisation, Institution
from dmfa.extracts.shape import zones_of
from dmfa.money import euro
from dmfa.schema import lake_tables
from flows.report.template import template

_MODES = {
    "raw": "as declared",
    "derived": "derived from what is declared",
    "threshold": "above a limit or not, no amount",
    "aggregate": "sums and counts over groups of persons",
}
_DELIVERIES = {
    "push": "what is new, changed or cancelled since the delivery before",
    "mutation": "what is new, changed or cancelled since the delivery before, to be applied",
    "pull": "what is asked for",
}


@dataclass(frozen=True)
class Entry:
    """One authorisation as the page tells it.

    Attributes:
        row: the authorisation.
        extract: what the extract holds, in words.
        state: in force, expired or not yet valid, on the day of the page.
        facts: what else there is to know, each with its words.
        blocks: blocks with the words of each and their zones: number, label, words.
    """

    row: Authorisation
    extract: str
    state: str
    facts: tuple[tuple[str, str], ...]
    blocks: tuple[tuple[str, str, tuple[tuple[str, str, str], ...]], ...]

    @property
    def persons(self) -> str:
        """Of whom something is given."""
        return dict(self.facts)["Persons"]


def page(rows: Sequence[Authorisation], day: date, xsd: Path | None = None) -> Iterator[str]:
    """The parts of the page.

    Args:
        rows: the register.
        day: the day for which it tells what is in force.
        xsd: folder with further releases, whose blocks and zones the register may name.
    """
    entries = list(_entries(rows, day, xsd))
    recipients = sorted({(row.recipient.title, row.recipient.name) for row in rows})
    institutions = [
        (title, _number(mine[0].row.recipient), mine)
        for title, name in recipients
        if (mine := [one for one in entries if (one.row.recipient.title, one.row.recipient.name) == (title, name)])
    ]
    in_force = sum(one.state == "in force" for one in entries)
    return template("register.html").generate(day=day, entries=entries, in_force=in_force, institutions=institutions)


def state(row: Authorisation, day: date) -> str:
    """Whether an authorisation is in force on a day."""
    if day < row.valid_from:
        return "not yet valid"
    return "in force" if row.valid_to is None or day <= row.valid_to else "expired"


def _entries(rows: Iterable[Authorisation], day: date, xsd: Path | None) -> Iterator[Entry]:
    tables = {table.block.name: table for table in lake_tables(xsd)}
    for row in rows:
        blocks = []
        for label, listed in row.blocks.items():
            zones = zones_of(tables[label])
            told = tuple((zones[name].number, name, zones[name].words) for name in listed)
            blocks.append((label, tables[label].block.words, told))
        extract = EXTRACTS[row.extract].words if row.extract in EXTRACTS else ""
        yield Entry(row, extract, state(row, day), tuple(_facts(row)), tuple(blocks))


def _facts(row: Authorisation) -> Iterator[tuple[str, str]]:
    yield "Deliberation", _deliberation(row)
    yield "Legal basis", row.legal_basis
    yield "Valid", f"from {row.valid_from}" + (f" to {row.valid_to}" if row.valid_to else "")
    yield "Given by", f"{row.supplier.title} ({_number(row.supplier)})"
    yield "Persons", _persons(row)
    yield "Manner", f"{row.mode}: {_MODES[row.mode]}"
    for table, columns in row.answer.items():
        yield f"Answer, {table}", ", ".join(columns)
    for column, limit in row.limits.items():
        yield f"Limit, {column}", f"above {euro(limit)} euro or not"
    if row.groups:
        yield "Groups", f"by {', '.join(row.groups)}; of {row.smallest_group} persons or more"
    if row.research:
        yield "Research", f"project {row.research.project}, under its own codes; destroyed by {row.research.destroy_by}"
    yield "How often", row.frequency
    if row.delivery != FULL:
        yield "Delivery", f"{row.delivery}: {_DELIVERIES[row.delivery]}"
    yield "Form", ", ".join(row.formats) + (", encrypted for the recipient" if row.encrypt_to else "")
    yield "Kept", f"at most {row.retention} from the day of sending, by the recipient and here"


def _persons(row: Authorisation) -> str:
    narrowed = EXTRACTS[row.extract].populations(row) if row.extract in EXTRACTS else [row.population]
    groups = [f"{place} {' or '.join(values)}" for one in narrowed for place, values in one.items()]
    told = f"with {'; '.join(groups)}" if groups else "everybody declared"
    if row.directory is None:
        return told
    of_type = f", type {row.directory.institution_type}" if row.directory.institution_type else ""
    qualities = ", ".join(row.directory.qualities)
    return (
        f"{told}, whom the reference directory knows at sector {row.directory.sector}{of_type}, quality {qualities},"
        " on a day of the quarter"
    )


def _deliberation(row: Authorisation) -> str:
    if row.deliberation == EXAMPLE:
        return "none: an invented example"
    return f"{row.deliberation} of {row.deliberation_date}" if row.deliberation_date else row.deliberation


def _number(institution: Institution) -> str:
    if institution.cbe_number is not None:
        return f"enterprise {institution.cbe_number}"
    return f"sector {institution.sector}, institution {institution.institution}"
