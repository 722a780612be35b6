"""The structure of the declaration, derived from the XSDs: blocks, zones, tables, types.

Nothing about a block or zone is written in code: a release of the XSD dropped into xsd/ (or a folder named with
`--xsd`) brings its tables, types and comments. codes.yaml alone adds which integers are codes, and their width.
"""

from dmfa.schema.reader import load
from dmfa.schema.releases import Release, home, newest, release_for, releases
from dmfa.schema.tables import KEYS, MESSAGE, TOP, Column, Table, lake_tables, ordinal, tables
from dmfa.schema.tree import Block, Schema, Zone, snake_case

__all__ = [
    "KEYS",
    "MESSAGE",
    "TOP",
    "Block",
    "Column",
    "Release",
    "Schema",
    "Table",
    "Zone",
    "home",
    "lake_tables",
    "load",
    "newest",
    "ordinal",
    "release_for",
    "releases",
    "snake_case",
    "tables",
]
