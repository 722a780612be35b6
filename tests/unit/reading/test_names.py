"""Names of the files of the exchange, taken apart."""

from __future__ import annotations

from datetime import date

import pytest

from dmfa.reading.names import FileName, companion, declaration


def test_every_part_of_a_name() -> None:
    name = FileName.of("in/box/FS.DMWA.700001.20261003.A0B1C.S.12.3")
    shared = "DMWA.700001.20261003.A0B1C.S"
    assert name == FileName("FS", "DMWA", "700001", date(2026, 10, 3), "A0B1C", "S", 12, 3, shared)


@pytest.mark.parametrize(
    ("name", "parts", "part"),
    [
        ("FI.DMFA.700001.20261003.00001.R", 1, 1),
        ("FI.DMFA.700001.20261003.00001.R.1.1.xml", 1, 1),
        ("FI.DMFA.700001.20261003.00001.R.2.1.gz", 2, 1),
        ("FI.DMFA.700001.20261003.00001.R.2.1.xml.gz", 2, 1),
        ("FI.DMFA.700001.20261003.00001.R.2", 2, None),
        ("GO.DMFA.700001.20261003.00001.R", 1, None),
        ("TD.DMFA.700001.20261003.00001.R.4", 4, None),
    ],
)
def test_parts(name: str, parts: int, part: int | None) -> None:
    found = FileName.of(name)
    assert found is not None
    assert (found.parts, found.part) == (parts, part)


@pytest.mark.parametrize(
    "name",
    [
        "wages.xml",
        "FO.ACRF.999999.20261003.00001.R",
        "FI.DMFA.70001.20261003.00001.R.1.1",
        "FI.DMFA.700001.20261303.00001.R.1.1",
        "FI.DMFA.700001.2026103.00001.R.1.1",
        "FI.DMFA.700001.20261003.0001.R.1.1",
        "FI.DMFA.700001.20261003.00001.X.1.1",
        "FI.dmfa.700001.20261003.00001.R.1.1",
        "FI.DMFA.700001.20261003.00001.R.1.1.1",
        "FI.DMFA.700001.20261003.00001.R.1.1.txt",
        "FI.DMFA.٧٠٠٠٠١.20261003.00001.R.1.1",
        "xFI.DMFA.700001.20261003.00001.R.1.1",
        "",
    ],
)
def test_what_is_no_such_name(name: str) -> None:
    assert FileName.of(name) is None


def test_the_other_files_of_a_transmission() -> None:
    name = FileName.of("FS.DMFA.700001.20261003.00001.R.2.2")
    assert name is not None
    assert set(name.others()) >= {
        "FI.DMFA.700001.20261003.00001.R.2.1",
        "FI.DMFA.700001.20261003.00001.R.2.2",
        "FS.DMFA.700001.20261003.00001.R.2.1",
        "FS.DMFA.700001.20261003.00001.R.2.2",
        "GO.DMFA.700001.20261003.00001.R",
        "GO.DMFA.700001.20261003.00001.R.2",
        "TD.DMFA.700001.20261003.00001.R.2",
    }


def test_what_accompanies_and_what_declares() -> None:
    assert [companion(name) for name in ("FS.x", "GO.x", "TD.x", "FI.x", "FO.x")] == [True, True, True, False, False]
    assert [declaration(name) for name in ("FI.x", "FIx", "FS.x")] == [True, False, False]
