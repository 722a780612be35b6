"""The file of authorisations: YAML, one row per extract, recipient and purpose, read strictly.

A key, block, zone or date that is not known is an error with the row's number and line: a slip of the pen never gives
more than was meant, nor silently less.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NoReturn, cast

from dmfa.errors import WrongUsage
from dmfa.extracts.authorisations import (
    AGGREGATE,
    DELIVERIES,
    ELEVEN_DIGITS,
    EXAMPLE,
    FORMATS,
    FULL,
    MODES,
    NAME,
    RAW,
    THRESHOLD,
    Authorisation,
    Inscribed,
    Inscription,
    Institution,
    Research,
)
from dmfa.extracts.directory import is_quality
from dmfa.extracts.selection import EXTRACTS
from dmfa.extracts.shape import unreachable, zones_of
from dmfa.extracts.strict_yaml import strict_document
from dmfa.identifiers import enterprise_valid
from dmfa.schema import Zone, lake_tables

FREQUENCIES = ("quarterly", "yearly", "once", "on request")
EVERYBODY = "all"

_NAME = re.compile(NAME)
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,59}")
_THREE = re.compile(r"\d{1,3}")
_RETENTION = re.compile(r"\d+ (day|month|year)s?")
_DELIBERATION = re.compile(rf"{EXAMPLE}|\d{{2}}/\d{{3}}")


def load(file: Path, xsd: Path | None = None) -> list[Authorisation]:
    """Read a file of authorisations.

    Args:
        file: the file.
        xsd: folder with further releases, whose blocks and zones may be listed too.

    Raises:
        WrongUsage: the file cannot be read, or a row is not what it must be; it names the file, row and line.
    """
    loader = strict_document(file)
    node = loader.get_single_node()
    rows = loader.construct_document(node) if node is not None else []
    if not isinstance(rows, list):
        raise WrongUsage(f"{file} is not a list of authorisations.", "Begin every row with `- id: ...`.")
    lines = [child.start_mark.line + 1 for child in node.value] if node is not None else []
    zones = {table.block.name: zones_of(table) for table in lake_tables(xsd)}
    found: list[Authorisation] = []
    for number, (line, row) in enumerate(zip(lines, rows, strict=True), 1):
        reader = _Row(f"{file}, row {number} (line {line})", row)
        authorisation = reader.authorisation(zones)
        missing = unreachable(authorisation.blocks, xsd)
        if missing:
            reader.wrong(f"lists {', '.join(missing)} but not the blocks around", "List the blocks that hold it too.")
        reader.must_be_made(authorisation, xsd)
        for other in found:
            if _clash(authorisation, other):
                reader.wrong(f"says again what row {other.id} says", "Give it another id, recipient or period.")
        found.append(authorisation)
    return found


def authorised(file: Path, day: date, xsd: Path | None = None, inscribed: Inscribed = ()) -> list[tuple[str, str]]:
    """Extracts and recipients that a file of authorisations opens on a day.

    Raises:
        WrongUsage: as `load`.
    """
    return [(row.extract, row.recipient.name) for row in load(file, xsd) if row.why_not(day, inscribed) is None]


def _clash(one: Authorisation, other: Authorisation) -> bool:
    """Same id, or the same extract for the same recipient on the same day: a second purpose has its own recipient."""
    if one.id == other.id:
        return True
    same = (one.extract, one.recipient.name) == (other.extract, other.recipient.name)
    begins, ends = max(one.valid_from, other.valid_from), min(one.valid_to or date.max, other.valid_to or date.max)
    return same and begins <= ends


class _Row:
    """One row as written, taken apart key by key."""

    def __init__(self, where: str, row: object) -> None:
        self._where = where
        if not isinstance(row, dict):
            self.wrong("is not a list of `key: value`", "Begin it with `- id: ...`.")
        self._row: dict[object, object] = row
        self._taken: set[str] = set()

    def wrong(self, what: str, todo: str = "Correct the row; nothing was given out.") -> NoReturn:
        raise WrongUsage(f"{self._where}: {what}.", todo)

    def authorisation(self, zones: dict[str, dict[str, Zone]]) -> Authorisation:
        made = Authorisation(
            id=self._text("id", _NAME),
            extract=self._text("extract", _NAME),
            recipient=self._institution("recipient"),
            supplier=self._institution("supplier"),
            purpose=self._text("purpose"),
            deliberation=self._text("deliberation", _DELIBERATION),
            deliberation_date=self._day("deliberation_date", optional=True),
            legal_basis=self._text("legal_basis"),
            population=self._population(zones),
            directory=self._directory(),
            blocks=self._blocks(zones),
            **self._mode(),
            delivery=self._choice("delivery", DELIVERIES) if "delivery" in self._row else FULL,
            encrypt_to=self._public_key(),
            research=self._research(),
            formats=self._formats(),
            frequency=self._choice("frequency", FREQUENCIES),
            retention=self._text("retention", _RETENTION),
            valid_from=self._day("valid_from") or date.min,
            valid_to=self._day("valid_to", optional=True),
        )
        self._taken.add("delivery")
        self._no_more()
        if made.mode == AGGREGATE and made.delivery != FULL:
            self.wrong(f"an aggregate has no attestations: delivery {made.delivery} cannot be", "Leave delivery out.")
        if made.valid_to is not None and made.valid_to < made.valid_from:
            self.wrong("valid_to lies before valid_from")
        return made

    def must_be_made(self, made: Authorisation, xsd: Path | None = None) -> None:
        """Refuse what no extract of this program gives: nobody learns of it after hours."""
        extract = EXTRACTS.get(made.extract)
        if extract is None:
            self.wrong(f"there is no extract {made.extract}", f"There is: {', '.join(EXTRACTS)}.")
        for what, todo in extract.objections(made, xsd):
            self.wrong(what, todo)

    def _mode(self) -> dict[str, Any]:
        """The mode, and what only some modes have: an answer of own columns, limits, groups."""
        mode = self._choice("mode", MODES)
        made: dict[str, Any] = {"mode": mode, "answer": self._answer()}
        for key, value, modes in (
            ("answer", made["answer"], {*MODES} - {RAW}),
            ("limits", self._limits(), {THRESHOLD}),
            ("groups", self._groups(), {AGGREGATE}),
            ("smallest_group", self._smallest_group(), {AGGREGATE}),
        ):
            if bool(value) != (mode in modes):
                words = "is missing: mode" if mode in modes else "has no place in mode"
                self.wrong(f"{key} {words} {mode}", f"Modes with {key}: {', '.join(sorted(modes))}.")
            made[key] = value
        listed = {column for columns in made["answer"].values() for column in columns}
        beyond = sorted({*made["limits"], *made["groups"]} - listed)
        if beyond:
            self.wrong(f"the answer does not list {', '.join(beyond)}", "List every column under `answer`.")
        return made

    def _answer(self) -> dict[str, tuple[str, ...]]:
        value = self._take("answer")
        if value is None:
            return {}
        if not isinstance(value, dict) or not value:
            self.wrong("answer is not a list of tables", "Write it as `answer: {ceiling: [inss, above]}`.")
        for table, columns in value.items():
            if not _COLUMN.fullmatch(str(table)) or not _columns(columns):
                self.wrong(f"answer: the columns of {table} are not a list of names", "Write them as [inss, above].")
        return {str(table): tuple(columns) for table, columns in value.items()}

    def _limits(self) -> dict[str, int]:
        value = self._take("limits")
        if value is None:
            return {}
        right = isinstance(value, dict) and all(
            isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 for limit in value.values()
        )
        if not right:
            self.wrong("limits is not a list of columns with whole cents", "Write it as `limits: {above: 250000}`.")
        return {str(column): limit for column, limit in cast("dict[object, int]", value).items()}

    def _groups(self) -> tuple[str, ...]:
        value = self._take("groups")
        if value is not None and not _columns(value):
            self.wrong("groups is not a list of columns", "Write it as `groups: [province, age_class]`.")
        return tuple(cast("list[str]", value or ()))

    def _smallest_group(self) -> int:
        value = self._take("smallest_group")
        if value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool) or value < 2:
            self.wrong("smallest_group is not a whole number of 2 or more", "Write it as `smallest_group: 10`.")
        return value

    def _research(self) -> Research | None:
        value = self._take("research")
        if value is None:
            return None
        inner = _Row(f"{self._where}, research", value)
        made = Research(inner._text("project", _NAME), inner._day("destroy_by") or date.max)
        inner._no_more()
        return made

    def _directory(self) -> Inscription | None:
        value = self._take("directory")
        if value is None:
            return None
        inner = _Row(f"{self._where}, directory", value)
        sector = inner._text("sector", _THREE).zfill(3)
        type_ = inner._text("institution_type", _THREE).zfill(3) if "institution_type" in inner._row else None
        qualities = inner._take("qualities")
        if not isinstance(qualities, list) or not qualities or not all(map(is_quality, qualities)):
            inner.wrong(
                "qualities is not a list of quality codes",
                'Quote them, three digits each: "000" definitive, "001" to "900", "902" provisional.',
            )
        inner._taken.add("institution_type")
        inner._no_more()
        return Inscription(sector, tuple(sorted(set(qualities))), type_)

    def _public_key(self) -> str | None:
        """The recipient's public key of age."""
        if self._take("encrypt_to") is None:
            return None
        import pyrage  # most registers name no key

        text = self._text("encrypt_to")
        try:
            pyrage.x25519.Recipient.from_str(text)
        except pyrage.RecipientError:
            self.wrong("encrypt_to is no public key of age", "Write the line `age1...` that age-keygen shows.")
        return text

    def _take(self, key: str) -> object:
        self._taken.add(key)
        return self._row.get(key)

    def _no_more(self) -> None:
        unknown = [str(key) for key in self._row if key not in self._taken]
        if unknown:
            self.wrong(f"unknown key {', '.join(unknown)}", f"Known are: {', '.join(sorted(self._taken))}.")

    def _text(self, key: str, pattern: re.Pattern[str] | None = None) -> str:
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            self.wrong(f"{key} is missing or not a text", f'Write {key}: "..." with quotes if it has only digits.')
        if (pattern and not pattern.fullmatch(value)) or ELEVEN_DIGITS.search(value):
            self.wrong(f"{key} is not written as it must be", "data/samples/authorisations.yaml shows each key.")
        return " ".join(value.split())

    def _choice(self, key: str, allowed: Sequence[str]) -> str:
        value = self._text(key)
        if value not in allowed:
            self.wrong(f"{key} {value} is not one of {', '.join(allowed)}")
        return value

    def _day(self, key: str, *, optional: bool = False) -> date | None:
        value = self._take(key)
        if value is None and optional:
            return None
        # A datetime is a date to Python; YAML makes one of a day with an hour.
        if type(value) is not date:
            self.wrong(f"{key} is not a day", "Write it as 2026-10-31, without quotes.")
        return value

    def _institution(self, key: str) -> Institution:
        value = self._take(key)
        inner = _Row(f"{self._where}, {key}", value)
        name, title = inner._text("name", _NAME), inner._text("title")
        if inner._take("cbe_number") is not None:
            number = inner._text("cbe_number", re.compile(r"[01]\d{9}"))
            if not enterprise_valid(int(number)):
                inner.wrong("cbe_number has wrong check digits")
            made = Institution(name, title, cbe_number=number)
        else:
            sector, institution = inner._text("sector", _THREE), inner._text("institution", _THREE)
            made = Institution(name, title, sector=sector.zfill(3), institution=institution.zfill(3))
        inner._no_more()
        return made

    def _formats(self) -> tuple[str, ...]:
        value = self._take("format")
        if not isinstance(value, list) or not value or any(item not in FORMATS for item in value):
            self.wrong("format is not a list of parquet, xml or both", "Write it as [parquet, xml].")
        return tuple(name for name in FORMATS if name in value)

    def _blocks(self, zones: dict[str, dict[str, Zone]]) -> dict[str, tuple[str, ...]]:
        value = self._take("blocks")
        if not isinstance(value, dict) or not value:
            self.wrong("blocks is missing", "List each block with its zones: `Remun: [RemunCode, RemunAmount]`.")
        listed = {}
        for block, labels in value.items():
            if block not in zones:
                self.wrong(f"there is no block {block}", f"The blocks are: {', '.join(zones)}.")
            if not isinstance(labels, list):
                self.wrong(f"the zones of {block} are not a list", "Write [] to give only that the block is there.")
            for label in labels:
                if label not in zones[block]:
                    self.wrong(f"{block} has no zone {label}", f"Its zones are: {', '.join(zones[block])}.")
            listed[str(block)] = tuple(label for label in zones[block] if label in labels)
        return listed

    def _population(self, zones: dict[str, dict[str, Zone]]) -> dict[str, tuple[str, ...]]:
        value = self._take("population")
        if value == EVERYBODY:
            return {}
        if not isinstance(value, dict) or not value:
            self.wrong(
                "population is neither `all` nor zones with their values",
                'Write `population: all` or `population: {WorkerRecord.WorkerCode: ["015"]}`.',
            )
        for place, values in value.items():
            block, _, zone = str(place).partition(".")
            if zone not in zones.get(block, {}):
                self.wrong(f"population: there is no zone {place}", "Write it as Block.Zone, with official labels.")
            if not isinstance(values, list) or not values or not all(isinstance(text, str) for text in values):
                self.wrong(f"population: the values of {place} are not a list of texts", 'Quote them: ["015", "495"].')
            kind = zones[block][zone]
            whole = kind.base == "xs:integer" and kind.code_width is None
            if kind.base == "xs:date" or (whole and not all(text.isdecimal() for text in values)):
                self.wrong(f"population: {place} cannot have such a value", "Choose a code or a whole number.")
            if kind.personal or any(ELEVEN_DIGITS.search(text) for text in values):
                self.wrong("population names persons", "Choose a zone that describes a group.")
        return {str(place): tuple(values) for place, values in value.items()}


def _columns(value: object) -> bool:
    """Whether a value is a list of names of columns."""
    return isinstance(value, list) and bool(value) and all(_COLUMN.fullmatch(str(name)) for name in value)
