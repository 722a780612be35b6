"""The generated pages are up to date, and name every table and zone."""

import runpy
from pathlib import Path

from dmfa.schema import lake_tables

TOOL = runpy.run_path("tools/docs.py")


def test_the_pages_are_those_that_the_schema_makes() -> None:
    for name, text in TOOL["pages"]().items():
        assert Path("docs", name).read_text(encoding="utf-8") == text, "run `make docs`"


def test_every_table_and_zone_is_in_the_dictionary() -> None:
    text = TOOL["pages"]()["dictionary.md"]
    for table in lake_tables():
        assert f"### {table.name}\n" in text
        for column in table.columns:
            if column.zone is not None:
                assert f"| {column.name} | {column.zone.number} |" in text
                assert column.zone.words in text
