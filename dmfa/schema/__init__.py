"""The structure of the declaration, derived from the XSDs: blocks, zones, tables, types.

Nothing about a block or zone is written in code: a release of the XSD dropped into xsd/ (or a folder named with
`--xsd`) brings its tables, types and comments. codes.yaml alone adds which integers are codes, and their width.
"""

from dmfa.schema.messages import FORM, MESSAGES, ORIGINAL, UPDATE, Message
from dmfa.schema.reader import load
from dmfa.schema.releases import Release, home, newest, release_for, releases
from dmfa.schema.tables import (
    KEYS,
    LINE,
    MESSAGE,
    TOP,
    Column,
    Table,
    lake_tables,
    message_tables,
    ordinal,
    tables,
    unit_of,
)
from dmfa.schema.tree import Block, Schema, Zone, snake_case

__all__ = [
    "FORM",
    "KEYS",
    "LINE",
    "MESSAGE",
    "MESSAGES",
    "ORIGINAL",
    "TOP",
    "UPDATE",
    "Block",
    "Column",
    "Message",
    "Release",
    "Schema",
    "Table",
    "Zone",
    "home",
    "lake_tables",
    "load",
    "message_tables",
    "newest",
    "ordinal",
    "release_for",
    "releases",
    "snake_case",
    "tables",
    "unit_of",
]
