"""The markup of a quarterly rate file of the NSSO: a Header, then one element for each row; anything else is kept.

The only module of this package that reads XML.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from dmfa.errors import UnknownQuarter

if TYPE_CHECKING:
    from lxml.etree import _Element

HEADER: Final = "Header"


class RateFileRefused(UnknownQuarter):
    """A rate file that is not what it says; nothing of it is imported."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"{name} is refused whole: {why}.",
            "Nothing was imported. Fetch the rate files of the quarter from the NSSO again, unchanged.",
        )


@dataclass(slots=True)
class Entry:
    """One row of a rate file.

    Attributes:
        line: where it stands in the file, from 1.
        texts: name of each element in it -> its texts, in their order.
    """

    line: int
    texts: dict[str, list[str]]


@dataclass(slots=True)
class Markup:
    """A rate file as it is written.

    Attributes:
        header: name of each element of the Header -> its texts.
        entries: the rows.
        strangers: other elements below the root -> their texts.
        strange: how often each of them stands there.
    """

    header: dict[str, list[str]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    strangers: dict[str, list[str]] = field(default_factory=dict)
    strange: Counter[str] = field(default_factory=Counter)


def read_markup(name: str, data: bytes, label: str) -> Markup:
    """Read a rate file.

    Args:
        name: of the file, for errors.
        data: its bytes.
        label: name of the elements that are rows.

    Raises:
        RateFileRefused: it is not well-formed, declares a DOCTYPE, or has no Header or two.
    """
    from lxml import etree  # only an import of rates needs it

    found = Markup()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as fault:
        raise RateFileRefused(name, f"it is not well-formed XML (line {fault.lineno or 1})") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise RateFileRefused(name, "it declares a DOCTYPE")
    for element in root:
        if isinstance(element.tag, str):
            _take(name, element, label, found)
    if not found.header:
        raise RateFileRefused(name, f"it has no {HEADER}")
    return found


def _take(name: str, element: _Element, label: str, found: Markup) -> None:
    """One element below the root."""
    tag = _local(element)
    if tag == label:
        found.entries.append(Entry(int(str(element.sourceline or 0)), _texts(element)))
    elif tag == HEADER:
        if found.header:
            raise RateFileRefused(name, f"it has a second {HEADER} (line {element.sourceline})")
        found.header = _texts(element)
    else:
        found.strangers.setdefault(tag, []).append(_text(element))
        found.strange[tag] += 1


def _texts(element: _Element) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for child in element:
        if isinstance(child.tag, str):
            texts.setdefault(_local(child), []).append(_text(child))
    for attribute, value in element.attrib.items():
        texts.setdefault("@" + str(attribute), []).append(str(value))
    return texts


def _text(element: _Element) -> str:
    if not len(element):
        return str(element.text or "").strip()
    return " ".join("".join(str(part) for part in element.itertext()).split())


def _local(element: _Element) -> str:
    return _without_namespace(str(element.tag))


@cache
def _without_namespace(tag: str) -> str:
    return tag.rpartition("}")[2]
