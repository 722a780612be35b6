"""What extracts there are: one YAML file each in dmfa/extracts/selections, read strictly.

A file alone is enough for an extract of blocks as they are declared. One with tables of its own has a module of the
same name beside it, whose function `select` makes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final

import yaml

from dmfa.errors import WrongUsage
from dmfa.extracts.own import KINDS, OwnColumn, OwnTable

ALL: Final = "all"
"""In place of a list: every block of a person, or every zone of a block."""

_KEYS: Final = {
    "words", "why", "mode", "blocks", "population", "narrowed_by", "only", "directory", "own_declarations",
    "of_year", "computed", "of_places", "rejects", "answer",
}  # fmt: skip
_OF_TABLE: Final = {"words", "columns", "by", "keyed"}
_OF_COLUMN: Final = {"zone", "words", "kind", "unit", "coded"}


def declarations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every extract by name, with what its file says; own tables made.

    Raises:
        WrongUsage: a file has a key that none may have, or lacks one.
    """
    files = (file for file in resources.files("dmfa.extracts.selections").iterdir() if file.name.endswith(".yaml"))
    for file in sorted(files, key=lambda file: file.name):
        name = file.name.removesuffix(".yaml")
        # The fast loader; these files are of this program, and a test reads them strictly.
        said = yaml.load(file.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        yield name, declaration(name, said)


def declaration(name: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says, as the fields of an extract.

    Raises:
        WrongUsage: it has a key that none may have, or lacks one.
    """
    _known(name, said, _KEYS, {"words", "why", "mode", "blocks"})
    blocks = said["blocks"]
    return {
        **said,
        "blocks": None if blocks == ALL else {block: _listed(zones) for block, zones in blocks.items()},
        "population": _texts(said.get("population")),
        "narrowed_by": tuple(said.get("narrowed_by", ())),
        "only": _texts(said.get("only")),
        "directory": tuple(said.get("directory", ())),
        "computed": {table: tuple(columns) for table, columns in said.get("computed", {}).items()},
        "of_places": {table: tuple(columns) for table, columns in said.get("of_places", {}).items()},
        "answer": {table: _table(f"{name}, {table}", table, told) for table, told in said.get("answer", {}).items()},
    }


def _listed(zones: object) -> tuple[str, ...] | None:
    return None if zones == ALL else tuple(zones)  # type: ignore[arg-type]


def _texts(said: Mapping[str, list[str]] | None) -> dict[str, tuple[str, ...]]:
    return {place: tuple(values) for place, values in (said or {}).items()}


def _table(where: str, name: str, said: Mapping[str, Any]) -> OwnTable:
    _known(where, said, _OF_TABLE, {"words", "columns"})
    columns = tuple(_column(f"{where}, {column}", column, told) for column, told in said["columns"].items())
    by = tuple(said.get("by", ()))
    return OwnTable(name, said["words"], columns, by, said.get("keyed", not by))


def _column(where: str, name: str, said: str | Mapping[str, Any]) -> OwnColumn:
    if isinstance(said, str):
        return OwnColumn(name, zone=said)
    _known(where, said, _OF_COLUMN, {"words"})
    made = OwnColumn(name, **said)
    if made.kind not in KINDS:
        raise WrongUsage(f"the extract {where}: there is no kind {made.kind}, but {', '.join(KINDS)}")
    return made


def _known(where: str, said: object, known: set[str], needed: set[str]) -> None:
    if not isinstance(said, dict) or not needed <= said.keys() <= known:
        raise WrongUsage(
            f"the extract {where} must say {', '.join(sorted(needed))}; may say {', '.join(sorted(known))}"
        )
