"""How XML is parsed here: no entities, no network, no DTD, nothing that grows without bound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from lxml import etree

from dmfa.reading.opener import Refusal
from dmfa.schema import FORM, MESSAGES

PERSONS = tuple(message.person for message in MESSAGES.values())
"""What a person is called in each message; none of them stands in a filing of another."""

OPTIONS: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
"""Options of every parser. Without comments and processing instructions the text of an element is whole."""

_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"'](?P<name>[^\"']*)[\"']")

_WORDS = {
    "ERR_DOCUMENT_EMPTY": "it has no element",
    "ERR_DOCUMENT_END": "something stands after its last element",
    "ERR_TAG_NOT_FINISHED": "it ends in the middle, an element is not closed",
    "ERR_CDATA_NOT_FINISHED": "it ends in the middle of a CDATA section",
    "ERR_COMMENT_NOT_FINISHED": "it ends in the middle of a comment",
    "ERR_GT_REQUIRED": "a tag is not closed with '>'",
    "ERR_LTSLASH_REQUIRED": "it ends in the middle, an element is not closed",
    "ERR_TAG_NAME_MISMATCH": "an end tag does not match its start tag",
    "ERR_NAME_REQUIRED": "a '<' or '&' stands where it must be written as '&lt;' or '&amp;', or a tag is damaged",
    "ERR_UNDECLARED_ENTITY": "it uses an entity that XML does not know",
    "ERR_ENTITYREF_SEMICOL_MISSING": "an entity is not closed with ';'",
    "ERR_ATTRIBUTE_REDEFINED": "an attribute occurs twice",
    "ERR_ATTRIBUTE_NOT_STARTED": "an attribute's value is not in quotes",
    "ERR_LT_IN_ATTRIBUTE": "a '<' stands in an attribute",
    "ERR_INVALID_CHAR": "it holds a character that XML forbids",
    "ERR_INVALID_ENCODING": "its bytes are not in the encoding that it declares",
    "ERR_UNSUPPORTED_ENCODING": "it declares an encoding that is not supported; use UTF-8",
    "ERR_UNKNOWN_ENCODING": "it declares an encoding that is not supported; use UTF-8",
    "ERR_RESERVED_XML_NAME": "its XML declaration does not stand at the very start",
    "ERR_MISPLACED_CDATA_END": "the characters ]]> stand in a text",
    "ERR_HYPHEN_IN_COMMENT": "two hyphens stand inside a comment",
    "ERR_RESOURCE_LIMIT": "its elements are nested too deep, or a text is too long",
    "NS_ERR_UNDEFINED_NAMESPACE": "it uses a namespace prefix that it does not declare",
}
_OF_ENCODING = {"ERR_INVALID_ENCODING", "ERR_UNSUPPORTED_ENCODING", "ERR_UNKNOWN_ENCODING"}


def is_plain(data: bytes) -> bool:
    """Whether a document is UTF-8, by its XML declaration and its first bytes."""
    # To the end of the XML declaration, however much white space it holds.
    named = _ENCODING.search(data, 0, max(data.find(b"?>"), 0))
    encoding = named["name"].lower() if named else b"utf-8"
    return encoding in (b"utf-8", b"utf8", b"us-ascii") and data[:1] not in (b"\xfe", b"\xff")


def parse_tree(data: bytes) -> etree._Element | Refusal:
    """Parse bytes into a tree.

    Returns:
        The root element, or why there is none.
    """
    try:
        root = etree.fromstring(data, etree.XMLParser(**OPTIONS))
    except etree.XMLSyntaxError as error:
        return syntax_refusal(error)
    return doctype_refusal(root) or root


def doctype_refusal(root: etree._Element) -> Refusal | None:
    """The second guard against a DOCTYPE: the parser's own word, for encodings that the first look can not read."""
    if root.getroottree().docinfo.internalDTD is not None:
        return Refusal("doctype", "it declares a DOCTYPE, which DmfA forbids")
    return None


def forms_and_persons(data: bytes) -> Iterator[etree._Element]:
    """Read a filing piece by piece: each person at its end, and each Form at its end.

    Once the caller asks for the next piece, this one is freed: it is empty then, and the persons before it are gone.

    Raises:
        etree.XMLSyntaxError: it is not well-formed.
    """
    before: etree._Element | None = None
    for _, element in etree.iterparse(BytesIO(data), events=("end",), tag=(*PERSONS, FORM), **OPTIONS):
        yield element
        element.clear()
        parent = before.getparent() if before is not None else None
        if parent is not None and before is not None:
            parent.remove(before)
        # An element may not be taken out at its own end: the parser still stands on it.
        before = element if element.tag != FORM else None


def syntax_refusal(error: etree.XMLSyntaxError) -> Refusal:
    """A parser's complaint in words of our own, which quote nothing of the filing."""
    name = etree.ErrorTypes._getName(error.code) or ""  # type: ignore[attr-defined]
    line, column = error.position
    clause = _WORDS.get(name, "its markup is damaged")
    place = f" (line {line}, column {column})" if line else ""
    kind = "encoding" if name in _OF_ENCODING else "not_well_formed"
    return Refusal(kind, f"it is not well-formed XML: {clause}{place}", line or None)
