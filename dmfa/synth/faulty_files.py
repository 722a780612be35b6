"""Faults of a file's bytes: not XML, not to be read as XML, or refused by the XSD."""

from __future__ import annotations

import re
from typing import Final

from dmfa.synth.fault_registry import instead, spoil

# An entity bomb in miniature: three levels, each ten times the one below.
_BOMB: Final = (
    b'<!DOCTYPE DmfAOriginal [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>\n<DmfAOriginal'
)

# -- files that cannot be read, or that the XSD refuses ----------------------------------------------------------------


@spoil("truncated", "a file that stops in the middle", well_formed=False, schema_valid=None)
def _truncated(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


@spoil("doctype", "a document type declaration, which is forbidden", well_formed=False, schema_valid=None)
def _doctype(content: bytes) -> bytes:
    return content.replace(b"<DmfAOriginal", b"<!DOCTYPE DmfAOriginal>\n<DmfAOriginal", 1)


@spoil("entity_bomb", "entities that grow when they are read", well_formed=False, schema_valid=None)
def _entity_bomb(content: bytes) -> bytes:
    bombed = content.replace(b"<DmfAOriginal", _BOMB, 1)
    return re.sub(rb"<ReferenceNbr>[^<]*<", b"<ReferenceNbr>&c;<", bombed, count=1)


@spoil("wrong_encoding", "bytes of ISO-8859-1 in a file that says UTF-8", well_formed=False, schema_valid=None)
def _wrong_encoding(content: bytes) -> bytes:
    return re.sub(rb"<ReferenceNbr>[^<]*<", b"<ReferenceNbr>\xe9t\xe9<", content, count=1)


@spoil("unknown_encoding", "an encoding that nobody knows", well_formed=False, schema_valid=None)
def _unknown_encoding(content: bytes) -> bytes:
    return content.replace(b'encoding="UTF-8"', b'encoding="DMFA-8"', 1)


@spoil("tags_crossed", "an end tag that does not match its start tag", well_formed=False, schema_valid=None)
def _tags_crossed(content: bytes) -> bytes:
    return content.replace(b"</Border>", b"</Boarder>", 1)


@spoil("two_documents", "two documents one behind the other", well_formed=False, schema_valid=None)
def _two_documents(content: bytes) -> bytes:
    return content + content[content.index(b"<DmfAOriginal") :]


@spoil("missing_zone", "a zone that must be there is missing", "00040-001", well_formed=True, schema_valid=False)
def _missing_zone(content: bytes) -> bytes:
    return re.sub(rb"<Border>\d</Border>\s*", b"", content, count=1)


@spoil("not_numeric", "letters where a number must stand", "00070-002", well_formed=True, schema_valid=False)
def _not_numeric(content: bytes) -> bytes:
    return re.sub(rb"<RemunAmount>\d+<", b"<RemunAmount>12.50 EUR<", content, count=1)


@spoil("pattern", "a joint committee with two digits", "00046-003", well_formed=True, schema_valid=False)
def _pattern(content: bytes) -> bytes:
    return re.sub(rb"<JointCommissionNbr>\d+<", b"<JointCommissionNbr>10<", content, count=1)


@spoil("enumeration", "a kind of form that does not exist", "00297-008", well_formed=True, schema_valid=False)
def _enumeration(content: bytes) -> bytes:
    return content.replace(b"<TypeForm>SU<", b"<TypeForm>XX<", 1)


@spoil("too_long", "a reference longer than twenty letters", "00222-093", well_formed=True, schema_valid=False)
def _too_long(content: bytes) -> bytes:
    return re.sub(rb"<ReferenceNbr>", b"<ReferenceNbr>much longer than it may be: ", content, count=1)


@spoil("too_often", "a zone twice that may be there once", "00040-090", well_formed=True, schema_valid=False)
def _too_often(content: bytes) -> bytes:
    return content.replace(b"<Border>0</Border>", b"<Border>0</Border><Border>0</Border>", 1)


@spoil("unknown_zone", "a zone that no release knows", "90015-146", well_formed=True, schema_valid=False)
def _unknown_zone(content: bytes) -> bytes:
    return content.replace(b"<ContractType>", b"<Bonus>1</Bonus><ContractType>", 1)


@spoil("text_in_block", "text between the zones of a block", "90017-146", well_formed=True, schema_valid=False)
def _text_in_block(content: bytes) -> bytes:
    return content.replace(b"<INSS>", b"paid in cash<INSS>", 1)


@spoil("facet", "a day system above what the XSD allows", "00047-008", well_formed=True, schema_valid=False)
def _facet(content: bytes) -> bytes:
    return re.sub(rb"<WorkingDaysSystem>\d+<", b"<WorkingDaysSystem>800<", content, count=1)


@spoil("order", "worker code before employer class", "00037-091", well_formed=True, schema_valid=False)
def _order(content: bytes) -> bytes:
    pair = rb"(<EmployerClass>\d{3}</EmployerClass>)(\s*)(<WorkerCode>\d{3}</WorkerCode>)"
    return re.sub(pair, rb"\3\2\1", content, count=1)


instead("empty", "a file of no bytes", b"", well_formed=False)
instead(
    "not_xml",
    "a table of text, not XML",
    b"employer;worker;wage\n1;1;2500,00\n1;2;2750,00\n",
    well_formed=False,
)
instead(
    "other_xml",
    "XML of something else",
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Invoice><Number>1</Number><Amount>100.00</Amount></Invoice>\n',
    well_formed=True,
)
