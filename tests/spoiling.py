"""Valid small declarations with one thing changed in each, and what the checks make of them.

The declarations are invented ones, one of each kind of worker of a trade, without any anomaly. A change keeps the order
of the schema, so that what is sent is valid but for what the change makes wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import date
from functools import cache

import polars as pl
from lxml import etree

from dmfa.checks import Context, run_checks
from dmfa.quarter import Quarter
from dmfa.reading.plan import make_plan
from dmfa.reading.shredder import Document
from dmfa.reading.tokenizer import tokenize_documents as shred
from dmfa.schema import load, release_for
from dmfa.synth import Figures, Law, document, employer, prepare
from dmfa.synth.declaration import DeclaredPerson
from tests.making import balance, to_bytes

RECEIVED = date(2026, 11, 22)
STAFF = 300
"""So many workers of a trade are looked at for one of each kind."""

Change = Callable[[etree._Element], None]


@cache
def _law(quarter: Quarter) -> Law:
    return Law(Figures.of(quarter))


@cache
def _base(trade: str, quarter: str) -> bytes:
    """A declaration with one person for each set of worker codes and rarer blocks of a trade."""
    chosen = Quarter.parse(quarter)
    declaration = prepare(1, employer(1, 8, trade=trade, exact_size=STAFF), chosen, _law(chosen), STAFF)
    kinds: dict[tuple[object, ...], DeclaredPerson] = {}
    for person in declaration.persons:
        occupations = [one for line in person.lines for one in line.occupations]
        key = (
            *(line.worker_code for line in person.lines),
            *(bool(line.activation) for line in person.lines),
            *(len(line.complements) for line in person.lines),
            max((len(one.reorganisations) for one in occupations), default=0),
            any(one.second_pillar for one in occupations),
            {remun.code for one in occupations for remun in one.remuns} & {2, 3} or "",
        )
        kinds.setdefault((*map(str, key),), person)
    declaration.persons[:] = kinds.values()
    declaration.balance()
    return document([declaration], style=0)


def valid(trade: str = "general", quarter: str = "2022/2") -> etree._Element:
    """The root of a valid filing of an employer of a trade."""
    return etree.fromstring(_base(trade, quarter))


def zone(path: str, **values: object) -> Change:
    """Set zones of the first block at a path below EmployerDeclaration, or leave them out with None.

    A value may be a function of the root.
    """

    def change(root: etree._Element) -> None:
        _set(_first(root, path), {label: one(root) if callable(one) else one for label, one in values.items()})

    return change


def add(path: str, block: str, **values: object) -> Change:
    """Add a block with some zones to the first block at a path."""

    def change(root: etree._Element) -> None:
        element = etree.Element(block)
        _set(element, values)
        _place(_first(root, path), element)

    return change


def again(path: str, **values: object) -> Change:
    """Repeat the first block at a path right behind it, with some zones changed."""

    def change(root: etree._Element) -> None:
        element = _first(root, path)
        twin = deepcopy(element)
        _set(twin, values)
        element.addnext(twin)

    return change


def copied(path: str, to: str) -> Change:
    """Put a copy of the first block at a path into another block."""

    def change(root: etree._Element) -> None:
        _place(_first(root, to), deepcopy(_first(root, path)))

    return change


def gone(path: str) -> Change:
    """Leave out every block at a path."""

    def change(root: etree._Element) -> None:
        for element in list(_all(root, path)):
            element.getparent().remove(element)

    return change


def anomalies_of(cases: Mapping[str, tuple[str | Change, ...]]) -> dict[str, pl.DataFrame]:
    """The anomalies of valid declarations with some changes each, limitation left out.

    The net amount is made right after the changes.

    Args:
        cases: by name, trade and quarter of the base, such as "general 2022/2", and the changes.
    """
    roots = []
    for base, *changes in cases.values():
        assert isinstance(base, str)
        root = valid(*base.split())
        for change in changes:
            assert callable(change)
            change(root)
        balance(root.find("Form"))
        roots.append(root)
    return dict(zip(cases, told(roots), strict=True))


def blocking(anomalies: pl.DataFrame) -> set[str]:
    """The codes that refuse a declaration."""
    return set(anomalies.filter(pl.col("severity") == "B")["code"])


def told(roots: Iterable[etree._Element], received: date = RECEIVED) -> list[pl.DataFrame]:
    """The anomalies of each filing, limitation left out."""
    documents = []
    for number, root in enumerate(roots, 1):
        content = to_bytes(root)
        documents.append(Document(number, hashlib.sha256(content + b"%d" % number).hexdigest(), content, root))
    blocks = {table.name: table.label for table in make_plan().tables}
    found = run_checks(shred(documents, make_plan()).tables, Context(received, blocks))
    own = found.filter(pl.col("code") != "00013-313").partition_by("filing_id", as_dict=True)
    return [own.get((one.filing_id,), found.clear()) for one in documents]


def _all(root: etree._Element, path: str) -> list[etree._Element]:
    return root.xpath(f"Form/EmployerDeclaration{'/' if path else ''}{path}")


def _first(root: etree._Element, path: str) -> etree._Element:
    found = _all(root, path)
    assert found, f"no block at {path!r}"
    return found[0]


def _set(block: etree._Element, values: dict[str, object]) -> None:
    for label, value in values.items():
        known = block.find(label)
        if value is None:
            if known is not None:
                block.remove(known)
            continue
        if known is None:
            known = etree.Element(label)
            _place(block, known)
        known.text = str(value)


@cache
def _order(block: str) -> dict[str, int]:
    release = release_for("DmfAOriginal", Quarter(2023, 1))
    assert release is not None
    known = load(release).blocks[block]
    names = [*(one.name for one in known.zones), *(one.name for one in known.children)]
    return {name: place for place, name in enumerate(names)}


def _place(block: etree._Element, child: etree._Element) -> None:
    order = _order(block.tag)
    later = next((one for one in block if order[one.tag] > order[child.tag]), None)
    if later is None:
        block.append(child)
    else:
        later.addprevious(child)
