"""What an XSD demands, as plain data from which validity can be proved: content models as automata, facets by zone.

The reader knows the few constructs that the releases of the declaration are made of, and no others. An XSD with any
other element, attribute, facet or base type has no grammar, so that nothing is ever proved by one half understood; so
has one where an element's name has two types, where a content model needs more than counting one element, or where it
is not deterministic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxml import etree

_XS = "{http://www.w3.org/2001/XMLSchema}"
_PARTICLE = {"name", "type", "minOccurs", "maxOccurs"}
_GROUPS = {"sequence", "choice"}
_FACETS = {
    "integer": {"totalDigits", "minInclusive", "maxInclusive", "pattern", "enumeration"},
    "string": {"length", "minLength", "maxLength", "pattern", "enumeration"},
    "date": {"minInclusive", "maxInclusive", "pattern"},
    "gYearMonth": {"pattern"},
    "time": {"pattern"},
}
_SEVERAL = {"enumeration"}
START = 0


@dataclass(frozen=True)
class Place:
    """One place of a child in a content model.

    Attributes:
        name: label of the child.
        most: how often it may stand there; None without a bound.
    """

    name: str
    most: int | None


@dataclass(frozen=True)
class Model:
    """The children of a block, as a deterministic automaton.

    Attributes:
        places: state 0 is before the first child, state n after a child at place n, which is `places[n - 1]`.
        steps: by state, the state to which each label leads.
        ends: the states in which the block may end.
    """

    places: tuple[Place, ...]
    steps: tuple[dict[str, int], ...]
    ends: frozenset[int]


@dataclass(frozen=True)
class Leaf:
    """The type of a zone.

    Attributes:
        base: built-in type that it restricts, without its prefix.
        facets: values by name; several for enumerations alone.
    """

    base: str
    facets: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Grammar:
    """What one release demands.

    Attributes:
        root: label of the root element.
        blocks: content models by label.
        zones: types by label.
    """

    root: str
    blocks: dict[str, Model]
    zones: dict[str, Leaf]


class _NotUnderstood(Exception):
    """The XSD holds something that this reader does not know."""


@cache
def grammar(path: Path, root: str) -> Grammar | None:
    """Read what an XSD demands; None if it holds anything that is not understood.

    Args:
        path: where it lies.
        root: label of the root element.
    """
    options = {"resolve_entities": False, "no_network": True, "remove_comments": True, "remove_pis": True}
    try:
        tree = etree.parse(str(path), etree.XMLParser(**options))  # type: ignore[arg-type]
        _demand(tree.docinfo.internalDTD is None)
        return _Reader(tree.getroot()).grammar(root)
    except (_NotUnderstood, OSError, etree.XMLSyntaxError, ValueError):
        return None


class _Reader:
    """Reads one XSD; whatever it does not expect raises `_NotUnderstood`."""

    def __init__(self, schema: etree._Element) -> None:
        _demand(schema.tag == f"{_XS}schema" and set(schema.attrib) <= {"version"})
        # Names without a prefix are the schema's own, then, and nothing else.
        _demand(all(None not in one.nsmap for one in schema.iter()))
        self._elements: dict[str, str] = {}
        self._kinds: dict[str, etree._Element] = {}
        for one in _children(schema):
            known = self._elements if _tag(one) == "element" else self._kinds
            name = one.get("name", "")
            _demand(_tag(one) in {"element", "complexType", "simpleType"} and bool(name) and name not in known)
            if _tag(one) == "element":
                _demand(set(one.attrib) == {"name", "type"} and not list(_children(one)))
                self._elements[name] = _attribute(one, "type")
            else:
                _demand(set(one.attrib) == {"name"})
                self._kinds[name] = one

    def grammar(self, root: str) -> Grammar:
        """The grammar of what stands under an element."""
        kind_of = {root: self._elements.get(root, "")}
        blocks: dict[str, Model] = {}
        zones: dict[str, Leaf] = {}
        ahead = [root]
        while ahead:
            label = ahead.pop()
            _demand(kind_of[label] in self._kinds)
            kind = self._kinds[kind_of[label]]
            if _tag(kind) == "simpleType":
                zones[label] = _leaf(kind)
                continue
            (group,) = _only(kind)
            particles = _Particles(group)
            blocks[label] = particles.model
            for name, kinds in particles.kinds.items():
                if name not in kind_of:
                    ahead.append(name)
                _demand({kind_of.setdefault(name, next(iter(kinds)))} == kinds)
        _demand(root in blocks and not set(self._elements) - {root})
        return Grammar(root, blocks, zones)


class _Particles:
    """A content model read as the positions of Glushkov's automaton."""

    def __init__(self, group: etree._Element) -> None:
        self.kinds: dict[str, set[str]] = {}
        self._places: list[Place] = []
        self._follow: list[set[int]] = [set()]
        empty, first, last = self._group(group)
        self._follow[START] = first
        ends = last | {START} if empty else last
        self.model = Model(tuple(self._places), tuple(self._steps()), frozenset(ends))

    def _steps(self) -> Iterator[dict[str, int]]:
        for follow in self._follow:
            names = Counter(self._places[place - 1].name for place in follow)
            # Two ways on by one label: XML Schema forbids that, and nothing could be proved by it.
            _demand(max(names.values(), default=1) == 1)
            yield {self._places[place - 1].name: place for place in follow}

    def _particle(self, one: etree._Element) -> tuple[bool, set[int], set[int]]:
        """Whether a particle may be absent, the places at which it may begin, and those at which it may end."""
        if _tag(one) in _GROUPS:
            return self._group(one)
        _demand(_tag(one) == "element" and {"name", "type"} <= set(one.attrib) <= _PARTICLE)
        _demand(not list(_children(one)))
        least, most = one.get("minOccurs", "1"), one.get("maxOccurs", "1")
        _demand(least in {"0", "1"})
        if most == "0":
            return True, set(), set()
        _demand(most == "unbounded" or most.isdecimal())
        self.kinds.setdefault(_attribute(one, "name"), set()).add(_attribute(one, "type"))
        self._places.append(Place(_attribute(one, "name"), None if most == "unbounded" else int(most)))
        place = len(self._places)
        self._follow.append(set() if most == "1" else {place})
        return least == "0", {place}, {place}

    def _group(self, group: etree._Element) -> tuple[bool, set[int], set[int]]:
        _demand(_tag(group) in _GROUPS and set(group.attrib) <= {"minOccurs"})
        _demand(group.get("minOccurs", "1") in {"0", "1"})
        parts = [self._particle(one) for one in _children(group)]
        _demand(bool(parts))
        optional = group.get("minOccurs") == "0"
        if _tag(group) == "choice":
            return (
                optional or any(empty for empty, _, _ in parts),
                set().union(*(first for _, first, _ in parts)),
                set().union(*(last for _, _, last in parts)),
            )
        first: set[int] = set()
        last: set[int] = set()
        empty = True
        for may_be_absent, begins, ends in parts:
            for place in last:
                self._follow[place] |= begins
            first |= begins if empty else set()
            last = last | ends if may_be_absent else ends
            empty = empty and may_be_absent
        return optional or empty, first, last


def _leaf(kind: etree._Element) -> Leaf:
    (restriction,) = _only(kind)
    _demand(_tag(restriction) == "restriction" and set(restriction.attrib) == {"base"})
    prefix, _, base = _attribute(restriction, "base").rpartition(":")
    _demand(restriction.nsmap.get(prefix) == _XS[1:-1] and base in _FACETS)
    facets: dict[str, tuple[str, ...]] = {}
    for one in _children(restriction):
        name = _tag(one)
        _demand(name in _FACETS[base] and set(one.attrib) == {"value"} and not list(_children(one)))
        # Several patterns are one of them or all of them, by where they stand: not understood here.
        _demand(name not in facets or name in _SEVERAL)
        facets[name] = (*facets.get(name, ()), _attribute(one, "value"))
    return Leaf(base, facets)


def _demand(true: bool) -> None:
    if not true:
        raise _NotUnderstood


def _attribute(one: etree._Element, name: str) -> str:
    return str(one.get(name, ""))


def _tag(one: etree._Element) -> str:
    tag = str(one.tag)
    _demand(tag.startswith(_XS))
    return tag.removeprefix(_XS)


def _children(one: etree._Element) -> Iterator[etree._Element]:
    """What stands in an element of an XSD, without its annotation."""
    return (child for child in one if _tag(child) != "annotation")


def _only(kind: etree._Element) -> tuple[etree._Element]:
    children = list(_children(kind))
    _demand(len(children) == 1)
    return (children[0],)
