"""An independent reading of declarations, cell by cell, with plain XPath: what the tables must hold.

`python tests/oracle_xml.py FILE...` prints how many cells each block of the files holds.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from lxml import etree

ROOT = Path(__file__).parents[1]
TOPS = {"DmfAOriginal": "EmployerDeclaration", "DmfAUpdate": "EmployerDeclarationUpdate"}
XS = "{http://www.w3.org/2001/XMLSchema}"


def plain(label: str) -> str:
    """A label or column name without case and underscores, in which both agree."""
    return label.replace("_", "").lower()


def rows_of(data: bytes) -> dict[str, list[dict[str, Any]]]:
    """Every block of a filing from the declaration, or the correction of it, down.

    Returns:
        Plain name of the block to its rows in document order: `form` (index), `ordinals` (plain name to number, its own
        and those of its ancestors), `cells` (plain name to text without white space around, None where empty).
    """
    root = etree.fromstring(data)
    labels, top = block_labels(str(root.tag)), TOPS[str(root.tag)]
    result: dict[str, list[dict[str, Any]]] = {}
    for index, form in enumerate(root.xpath("Form")):
        blocks = [one for one in form.xpath(f"{top}/descendant-or-self::*") if one.tag in labels]
        numbers: dict[Any, int] = {}
        seen: Counter[str] = Counter()
        for block in blocks:
            numbers[block] = seen[block.tag]
            seen[block.tag] += 1
        for block in blocks:
            chain = [block, *block.iterancestors()]
            chain = [one for one in chain if one in numbers and one.tag != top]
            cells = {
                plain(zone.tag): str(zone.xpath("string()")).strip(" \t\r\n") or None
                for zone in block.xpath("*")
                if zone.tag not in labels
            }
            ordinals = {plain(one.tag): numbers[one] for one in chain}
            result.setdefault(plain(block.tag), []).append({"form": index, "ordinals": ordinals, "cells": cells})
    return result


@cache
def block_labels(message: str = "DmfAOriginal") -> frozenset[str]:
    """Labels of all blocks of a message, of every release."""
    schemas = (etree.parse(str(path)).getroot() for path in (ROOT / "xsd").glob(f"{message}_*.xsd"))
    return frozenset(kind.get("name") for schema in schemas for kind in schema.iter(f"{XS}complexType"))


@cache
def kinds() -> dict[str, tuple[str, int]]:
    """Plain name of each zone to its built-in type and, for a code, its width."""
    widths = yaml.safe_load((ROOT / "dmfa/schema/codes.yaml").read_text(encoding="utf-8"))
    result: dict[str, tuple[str, int]] = {}
    for path in sorted(path for message in TOPS for path in (ROOT / "xsd").glob(f"{message}_*.xsd")):
        for kind in etree.parse(str(path)).getroot().iter(f"{XS}simpleType"):
            if kind.get("name"):
                number = kind.findtext(f"{XS}annotation/{XS}documentation", "")[:5]
                base = kind.find(f"{XS}restriction").get("base")
                result[plain(kind.get("name"))] = (base, int(widths.get(number, 0)) if base == "xs:integer" else 0)
    return result


def value_of(zone: str, text: str | None) -> Any:
    """What a cell must hold."""
    if text is None:
        return None
    base, width = kinds()[zone]
    if base == "xs:integer":
        return f"{int(text):0{width}d}" if width else int(text)
    return date.fromisoformat(text) if base == "xs:date" else text


def differences(files: list[bytes], tables: dict[str, pl.DataFrame]) -> list[str]:
    """Compare the tables of some filings with their XML, cell by cell.

    Args:
        files: the filings, in the order in which they were shredded.
        tables: the tables; rows in that order too.

    Returns:
        One line per difference; empty if all is the same.
    """
    wanted: dict[str, list[dict[str, Any]]] = {}
    for data in files:
        for block, rows in rows_of(data).items():
            wanted.setdefault(block, []).extend(rows)
    found: list[str] = [f"no table for block {block}" for block in wanted.keys() - {plain(name) for name in tables}]
    for name, table in tables.items():
        rows = wanted.get(plain(name), [])
        if len(rows) != table.height:
            found.append(f"{name}: {table.height} rows, {len(rows)} in the XML")
            continue
        known = {plain(column) for column in table.columns}
        for number, (row, got) in enumerate(zip(rows, table.iter_rows(named=True), strict=True)):
            found += [f"{name}: zone {zone} has no column" for zone in row["cells"].keys() - known]
            for column, value in got.items():
                if column.endswith("_ordinal"):
                    expected = row["ordinals"].get(plain(column.removesuffix("_ordinal")))
                elif column in {"declaration_id", "filing_id", "version", "status", "known_from"} or (
                    column == "quarter" and not name.startswith("employer_declaration")
                ):
                    continue
                else:
                    expected = value_of(plain(column), row["cells"].get(plain(column)))
                if value != expected:
                    found.append(f"{name} row {number}, {column}: {value!r}, in the XML {expected!r}")
    return found


def main(paths: list[str]) -> None:
    """Print the number of blocks and cells of each file."""
    for path in paths:
        rows = rows_of(Path(path).read_bytes())
        for block, held in rows.items():
            print(path, block, len(held), sum(text is not None for row in held for text in row["cells"].values()))


if __name__ == "__main__":
    main(sys.argv[1:])
