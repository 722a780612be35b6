"""One extract: what it may hold and of whom, what an authorisation of it may ask for, and what it reads.

It is a declaration; how tables are made and written stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from dmfa.errors import WrongUsage
from dmfa.extracts.authorisations import (
    AGGREGATE,
    EXAMPLE,
    FULL,
    RAW,
    THRESHOLD,
    Authorisation,
    Denied,
    Permit,
    Refusal,
)
from dmfa.extracts.own import ABOVE, OwnTable
from dmfa.extracts.persons import DECLARATION, PERSON_TABLE, Frames, Population
from dmfa.extracts.shape import Coding, Shape, ordinals_of, person_tables, zones_of
from dmfa.schema import TOP, lake_tables, ordinal, snake_case

ANY = "any"

OF_YEAR = "@year"
"""At the end of a table's name: its rows of all quarters of the year, up to the quarter given."""


@dataclass(frozen=True)
class Selected:
    """What one shard gives.

    Attributes:
        persons: one row per attestation that it is made of, in the order of the tables: attestation, version, status,
            inss.
        tables: each table of the shape, with exactly its columns; of a table of sums, rows still to be summed.
    """

    persons: pl.DataFrame
    tables: Frames


Select = Callable[[Frames, Shape], Selected]
"""Makes an extract's tables of those of the lake, in any order of rows: of the persons that it may hold alone."""


@dataclass(frozen=True)
class Extract:
    """One extract.

    Attributes:
        name: as the file of authorisations and the command line call it.
        words: what it holds.
        select: makes its tables of those of the lake.
        why: where its choice comes from, and what is chosen here.
        mode: raw, derived, threshold or aggregate; the authorisation must say the same.
        blocks: labels of the blocks that it may hold (in other modes than raw: is made of) to those of their zones,
            None for all zones; None for all that is said of a person.
        population: zones to values that a person's block must have, whatever the authorisation says.
        narrowed_by: zones of which the population of the authorisation must name one.
        only: zones to values: other rows of that block are left out, and nobody for it.
        directory: sectors of which an authorisation must ask a line of the directory, `any` for whatever sector; empty
            where it need not.
        own_declarations: whether the recipient is an employer who receives of its own declarations alone.
        of_year: whether it is made of all quarters of the year up to the quarter given.
        computed: tables of schema computed that it is made of, with their columns.
        of_places: likewise tables of what is known of local units, with their columns; see `rows`.
        rejects: whether whom the directory has no line of is kept in the queue of rejects.
        answer: its own tables by name; none in mode raw.
    """

    name: str
    words: str
    select: Select
    why: str = ""
    mode: str = RAW
    blocks: Mapping[str, tuple[str, ...] | None] | None = None
    population: Population = field(default_factory=dict)
    narrowed_by: tuple[str, ...] = ()
    only: Population = field(default_factory=dict)
    directory: tuple[str, ...] = ()
    own_declarations: bool = False
    of_year: bool = False
    computed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    of_places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rejects: bool = False
    answer: Mapping[str, OwnTable] = field(default_factory=dict)

    @property
    def coded(self) -> bool:
        """Whether a column of it is given under codes of the recipient's own."""
        return any(column.coded for table in self.answer.values() for column in table.columns)

    def held(self, xsd: Path | None = None) -> dict[str, tuple[str, ...]]:
        """The blocks that it may hold, or is made of, each with all its zones that it may."""
        tables = {table.block.name: tuple(zones_of(table)) for table in lake_tables(xsd)}
        if self.blocks is None:
            return {table.block.name: tables[table.block.name] for table in person_tables(xsd)}
        return {label: tables[label] if zones is None else zones for label, zones in self.blocks.items()}

    def shape(self, permit: Permit, xsd: Path | None = None, coding: Coding | None = None) -> Shape:
        """The tables that a permit leaves of it.

        Args:
            permit: the permit.
            xsd: folder with further releases.
            coding: makes the codes of the recipient's own, for an extract with such.

        Raises:
            WrongUsage: the authorisation is for another extract or mode, or asks for what the extract lacks.
            NotAuthorised: it gives codes, and there is nothing to make them with.
        """
        row = permit.authorisation
        if row.extract != self.name:
            raise WrongUsage(f"authorisation {row.id} is for {row.extract}, not for {self.name}.")
        for what, todo in self.objections(row, xsd):
            raise WrongUsage(f"authorisation {row.id} {what}.", todo)
        if self.mode == RAW:
            return Shape.of(permit, self.held(xsd), xsd)
        shape = Shape.answering(permit, self.answer, xsd, of_year=self.of_year)
        if not self.coded:
            return shape
        if coding is None:
            reason = "it is given under codes of the recipient's own, and none are at hand"
            raise Denied(
                f"extract {self.name} is not given to {row.recipient.name}: {reason}.",
                "Nothing was written. Give the project a key of its own first.",
                [Refusal(self.name, row.recipient.name, reason, row)],
            )
        return replace(shape, coding=coding)

    def objections(self, row: Authorisation, xsd: Path | None = None) -> Iterator[tuple[str, str]]:
        """Why it cannot be given as an authorisation of it says, and what to do; nothing if it can."""
        if row.mode != self.mode:
            what = f"is for {row.mode} data of {self.name}, which gives {self.mode} data"
            yield what, "Correct its mode; nothing was given out."
            return
        held = self.held(xsd)
        beyond = [block for block in row.blocks if block not in held]
        if beyond:
            yield f"lists {', '.join(beyond)}, which extract {self.name} does not hold", f"It holds {', '.join(held)}."
            return
        zones = {block: [zone for zone in listed if zone not in held[block]] for block, listed in row.blocks.items()}
        more = [f"{block}/{zone}" for block, listed in zones.items() for zone in listed]
        if more:
            told = ", ".join(f"{block} [{', '.join(held[block])}]" for block, listed in zones.items() if listed)
            yield f"lists {_some(more)}, which extract {self.name} does not hold", f"It holds {told}."
        if self.mode != RAW:
            yield from self._answer_objections(row, held)
        yield from self._population_objections(row)
        if self.coded and row.research is None:
            yield (
                f"names no project: {self.name} is given for research alone, under codes",
                "Write `research: {project: NAME, destroy_by: 2031-12-31}`.",
            )
        if self.coded and row.delivery != FULL:
            yield (
                f"is given by {row.delivery}: who asks for a person, or learns what became of one, learns a code",
                "Take `delivery` out: all of it is given each time.",
            )
        if row.research is not None and not self.coded:
            yield f"is for research, which receives nothing but codes: {self.name} has none", "Take `research` out."

    def _answer_objections(self, row: Authorisation, held: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
        lists = row.blocks
        made_of = [f"{block}/{zone}" for block in held for zone in held[block] if zone not in lists.get(block, ())]
        made_of += [block for block, zones in held.items() if not zones and block not in row.blocks]
        if made_of:
            yield f"does not list {_some(made_of)}, which {self.name} is made of", "List them under `blocks`."
        own = {name: {column.name: column for column in table.columns} for name, table in self.answer.items()}
        listed = [(table, column) for table, columns in row.answer.items() for column in columns]
        unknown = [f"{table}.{column}" for table, column in listed if column not in own.get(table, ())]
        if unknown:
            told = "; ".join(f"{table} [{', '.join(columns)}]" for table, columns in own.items())
            yield f"lists {_some(unknown)}, which {self.name} does not have", f"It has {told}."
            return
        for name, columns in row.answer.items():
            if self.answer[name].by and not {*self.answer[name].by} & {*columns}:
                yield f"lists no column that {name} is summed by", f"List some of {', '.join(self.answer[name].by)}."
        above = {column for table, column in listed if own[table][column].kind == ABOVE}
        if self.mode == THRESHOLD and above != row.limits.keys():
            yield f"has limits for {', '.join(row.limits)}", f"Give one for each of: {', '.join(sorted(above))}."
        by = {column for table, column in listed if column in self.answer[table].by}
        if self.mode == AGGREGATE and by != {*row.groups}:
            yield f"has groups {', '.join(row.groups)}", f"They must be those of the answer: {', '.join(sorted(by))}."

    def _population_objections(self, row: Authorisation) -> Iterator[tuple[str, str]]:
        if self.narrowed_by and not row.population.keys() & {*self.narrowed_by}:
            yield (
                f"does not say of whom: {self.name} is given for a part of the declarations alone",
                f"Give a population by {' or '.join(self.narrowed_by)}.",
            )
        if self.directory and (row.directory is None or row.directory.sector not in self._sectors(row)):
            asked = "any sector" if ANY in self.directory else f"sector {', '.join(self.directory)}"
            yield f"asks for no line of the directory that {self.name} is given by", f"Give a `directory` of {asked}."
        if self.of_year and row.directory is not None:
            yield f"asks for a directory, which {self.name} of several quarters is not given by", "Take it out."
        if self.own_declarations and row.recipient.cbe_number is None:
            yield f"has a recipient that is no employer: {self.name} is given to it", "Give its cbe_number."

    def _sectors(self, row: Authorisation) -> tuple[str, ...]:
        """Sectors that an authorisation may name; an invented one may name an invented one."""
        own = row.directory.sector if row.directory else ""
        return (*self.directory, own) if row.deliberation == EXAMPLE or ANY in self.directory else self.directory

    def populations(self, row: Authorisation) -> list[Population]:
        """What narrows it down, under an authorisation: one after the other."""
        found = [self.population, row.population]
        if self.own_declarations:
            found.append({f"{TOP}.CompanyID": (str(int(row.recipient.cbe_number or 0)),)})
        return [population for population in found if population]

    def reads(self, row: Authorisation, shape: Shape) -> dict[str, tuple[str, ...]]:
        """Tables of the lake and their columns that it needs: keys, zones, zones of the population.

        Nothing else comes within reach of its selection: of a declared block just the zones that the row lists.
        """
        zones = {snake_case(block): [*map(snake_case, listed)] for block, listed in row.blocks.items()}
        if shape.nested:
            zones = {part.name: [zone.column for zone in part.zones] for part in shape.parts}
        more: dict[str, list[str]] = {PERSON_TABLE: ["version", "status", "inss"]}
        for population in (*self.populations(row), self.only):
            for place in population:
                table, zone = map(snake_case, place.split("."))
                more.setdefault(table, []).append(zone)
        tables = {table.name: table for table in lake_tables(shape.xsd)}
        found = {
            name: tuple(
                dict.fromkeys(
                    (DECLARATION, *map(ordinal, ordinals_of(tables[name])), *zones.get(name, ()), *more.get(name, ()))
                )
            )
            for name in dict.fromkeys((*zones, *more))
        }
        found |= {f"computed.{name}": (DECLARATION, *columns) for name, columns in self.computed.items()}
        found |= {f"exchange.{name}": (DECLARATION, *columns) for name, columns in self.of_places.items()}
        return {f"{name}{OF_YEAR}": columns for name, columns in found.items()} if self.of_year else found


def _some(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
