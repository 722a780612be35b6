"""What a filing is, which release judges it, and whether it is valid.

What was proved valid before (proof.py) is not judged again. All else libxml2 judges, first by its validating parser
without a tree, which is fastest. That parser does not raise on an invalid document: only its error log tells, and only
after `fromstring`, never after `feed`. What it does not find valid is judged again on the parsed tree, which tells line
and path of each error; from 32 MB on without ever having one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from dmfa.errors import WrongSchema
from dmfa.quarter import Quarter
from dmfa.reading.faults import Fault, faults
from dmfa.reading.forms import quarter_code
from dmfa.reading.giants import giant_faults
from dmfa.reading.opener import Refusal
from dmfa.reading.parsing import OPTIONS, PERSONS, doctype_refusal, is_plain, parse_tree, syntax_refusal
from dmfa.schema import FORM, MESSAGES, Release, newest, release_for

GIANT_BYTES = 32 << 20
"""From this size on a filing is judged and shredded without a tree in memory."""

MOST_UNCUT = 64 << 20
"""Bytes of a giant that may stand in one person, or between two: they are a tree in memory, six times as large."""

_PIECE = 1 << 20
_FREED = (*PERSONS, FORM)

NOT_YET = frozenset({"DMFAPPLOriginal", "DMFAPPLUpdate", "DmfAConsultationRequest"})
"""Root elements of official messages that this version keeps but does not read."""

_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\s[^>]*\?>\s*)?<(?P<kind>"
    + "|".join(MESSAGES).encode()
    + rb")(?P<attributes>\s[^<>&]*)?>"
)
_NAMED = re.compile(rb":noNamespaceSchemaLocation\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')")
_QUARTER = re.compile(rb"<Quarter>(\d{5})</Quarter>")
_HEAD_BYTES = 1 << 12
"""Where the first quarter of an ordinary filing stands."""

_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"


@dataclass
class Outline:
    """What a filing says of itself.

    Attributes:
        kind: name of its root element, None if it is none of ours.
        schema_named: file name in its schemaLocation, None if it names none.
        quarters: the quarter of each declaration, None where it is not a quarter.
        persons: number of persons, each as often as it stands there.
    """

    kind: str | None
    schema_named: str | None = None
    quarters: list[Quarter | None] = field(default_factory=list)
    persons: int = 0


@dataclass
class Judged:
    """The validator's answer on one filing.

    Attributes:
        well_formed: whether it is XML that may be read at all.
        schema_valid: whether its release finds it valid; None without a release, or where it is not well-formed.
        kind: name of the root element, if it is an official message.
        outline: what it says of itself, None where it is not well-formed.
        release: the release that judged.
        refusal: why the whole of it is refused before any schema is asked.
        faults: what its release finds, at most the first thousand.
        warnings: plain lines that change no verdict.
        root: its tree; None for a giant.
    """

    well_formed: bool = True
    schema_valid: bool | None = None
    kind: str | None = None
    outline: Outline | None = None
    release: Release | None = None
    refusal: Refusal | None = None
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    root: etree._Element | None = None


def judge(data: bytes, folder: Path | None = None, giant_bytes: int = GIANT_BYTES) -> Judged:
    """Judge one filing.

    Args:
        data: its bytes, as the opener gives them.
        folder: a folder with further releases.
        giant_bytes: size from which no tree is built.
    """
    root: etree._Element | None = None
    if len(data) < giant_bytes:
        parsed = parse_tree(data)
        if isinstance(parsed, Refusal):
            return Judged(well_formed=False, refusal=parsed)
        root = parsed
        outline = outline_of_tree(root)
    else:
        read = outline_of_giant(data)
        if isinstance(read, Refusal):
            return Judged(well_formed=False, refusal=read)
        outline = read
    judged = Judged(kind=outline.kind, outline=outline, root=root)
    if outline.kind is None:
        judged.refusal = Refusal("not_dmfa", "its root element is not that of an official message")
    elif outline.kind in MESSAGES:
        _choose_release(judged, outline, folder)
        if judged.release is not None:
            _validate(judged, data, judged.release)
            _warn_of_age(judged, outline, folder)
    return judged


def presume(data: bytes, folder: Path | None = None) -> Judged | None:
    """What can be told of an ordinary filing by the first quarter in it: its release, and an outline of it.

    Args:
        data: its bytes, as the opener gives them.
        folder: a folder with further releases.

    Returns:
        A verdict but for whether it is valid; its outline tells of one declaration and counts no person. None where
        only `judge` can tell.
    """
    start = _START.match(data)
    quarter = _QUARTER.search(data, start.end(), start.end() + _HEAD_BYTES) if start is not None else None
    if start is None or quarter is None or not is_plain(data):
        return None
    named = _NAMED.search(start["attributes"] or b"")
    location = (named["double"] or named["single"] or b"").decode("utf-8", "replace") if named else None
    kind = start["kind"].decode()
    outline = Outline(kind, _file_name(location), [_quarter(quarter[1].decode())])
    judged = Judged(kind=kind, outline=outline)
    _choose_release(judged, outline, folder)
    return judged if judged.release is not None else None


def valid_as_presumed(presumed: Judged, data: bytes) -> bool:
    """Whether libxml2 finds an ordinary filing valid by the release of the first quarter in it.

    This is several times faster than `judge`; it is valid indeed if all its declarations are of that quarter.

    Args:
        presumed: what `presume` tells of it.
        data: its bytes, as the opener gives them.
    """
    return presumed.release is not None and valid_without_tree(data, _compiled(presumed.release.path))


def outline_of_tree(root: etree._Element) -> Outline:
    """Read the outline from a tree."""
    outline = _outline(root)
    message = MESSAGES.get(outline.kind or "")
    for form in root.iterfind(FORM):
        outline.quarters.append(_quarter(form.findtext("*/Quarter")))
        if message is not None:
            outline.persons += sum(1 for _ in form.iterfind(f"{message.top}/{message.person}"))
    return outline


def outline_of_giant(data: bytes, most_uncut: int = MOST_UNCUT) -> Outline | Refusal:
    """Read the outline of a giant, freeing each person as soon as it is counted; finds out if it is well-formed.

    Args:
        data: its bytes.
        most_uncut: bytes that may pass without the end of a person or a Form.
    """
    parser = etree.XMLPullParser(events=("end",), tag=_FREED, **OPTIONS)
    outline = Outline(None)
    freed = 0
    try:
        for start in range(0, len(data), _PIECE):
            parser.feed(data[start : start + _PIECE])
            if _count(parser, outline):
                freed = start
            elif start - freed > most_uncut:
                return Refusal("too_large", f"more than {most_uncut >> 20} MB stand in one person or between two")
        root = parser.close()
    except etree.XMLSyntaxError as error:
        return syntax_refusal(error)
    refusal = doctype_refusal(root)
    if refusal is not None:
        return refusal
    _count(parser, outline)
    named = _outline(root)
    persons = outline.persons if named.kind in MESSAGES else 0
    return Outline(named.kind, named.schema_named, outline.quarters, persons)


def _count(parser: etree.XMLPullParser, outline: Outline) -> bool:
    """Count the persons and Forms that have ended, and free them; whether there are any."""
    before: etree._Element | None = None
    ended: Iterator[Any] = parser.read_events()
    any_ended = False
    for _, element in ended:
        any_ended = True
        if element.tag != FORM:
            outline.persons += 1
        else:
            outline.quarters.append(_quarter(element.findtext("*/Quarter")))
        element.clear()
        parent = before.getparent() if before is not None else None
        if parent is not None and before is not None:
            parent.remove(before)
        # An element may not be taken out at its own end: the parser still stands on it.
        before = element if element.tag != FORM else None
    return any_ended


def _outline(root: etree._Element) -> Outline:
    kind = root.tag if root.tag in MESSAGES or root.tag in NOT_YET else None
    return Outline(kind, _file_name(root.get(_LOCATION)))


def _file_name(location: str | None) -> str | None:
    return location.strip().rsplit("/", 1)[-1] if location and location.strip() else None


def _quarter(text: str | None) -> Quarter | None:
    code = quarter_code(text)
    try:
        return None if code is None else Quarter.from_code(code)
    except ValueError:
        return None


def _choose_release(judged: Judged, outline: Outline, folder: Path | None) -> None:
    """The newest release among those of the filing's quarters; the newest at hand where no quarter can be read."""
    quarters = [quarter for quarter in outline.quarters if quarter is not None]
    kind = outline.kind or ""
    judged.release = release_for(kind, max(quarters), folder) if quarters else newest(kind, folder)
    if judged.release is None:
        return
    named = outline.schema_named
    if named is None:
        judged.warnings.append(f"it names no schema; {judged.release.name} judged it")
    elif named != judged.release.name:
        judged.warnings.append(f"it names another schema than that of its quarter; {judged.release.name} judged it")


def _warn_of_age(judged: Judged, outline: Outline, folder: Path | None) -> None:
    """A refusal by a release older than the quarter may be for a value that only a newer release knows."""
    latest = max((quarter for quarter in outline.quarters if quarter is not None), default=None)
    release = judged.release
    if release is None or latest is None or judged.schema_valid is not False:
        return
    if release == newest(release.message, folder) and latest > release.quarter:
        judged.warnings.append(
            f"{release.name} is the newest schema at hand; one of {latest} may allow what it refuses (--xsd DIR)"
        )


@cache
def _compiled(path: Path) -> etree.XMLSchema:
    # One per process and release: compiling takes longer than judging a filing.
    try:
        return etree.XMLSchema(etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True)))
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError, OSError) as error:
        raise WrongSchema(f"{path} is not a schema that libxml2 can use", "Put the official XSD there.") from error


class _NoTree:
    """A parser target that keeps nothing."""

    def close(self) -> None:
        """End of the document."""


def _validate(judged: Judged, data: bytes, release: Release) -> None:
    schema = _compiled(release.path)
    root: Any = judged.root
    if root is None:
        if valid_without_tree(data, schema):
            judged.schema_valid = True
            return
        judged.schema_valid = False
        judged.faults = giant_faults(data, schema, release)
        return
    judged.schema_valid = bool(schema.validate(root))
    if not judged.schema_valid:
        judged.faults = faults(root, schema.error_log, release)


def valid_without_tree(data: bytes, schema: etree.XMLSchema) -> bool:
    """Whether a well-formed document is valid, at the memory cost of its bytes alone."""
    parser = etree.XMLParser(schema=schema, target=_NoTree(), **OPTIONS)  # type: ignore[arg-type]
    try:
        etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        return False
    return len(parser.error_log) == 0
