"""Which files are whole transmissions: go files, cancellations, parts, environments."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from dmfa.reading.source import find_filings
from dmfa.reading.transmissions import Gathered, gather

ONE = "DMFA.700001.20261003.00001.R"
TWO = "DMFA.700001.20261003.00002.R"


def inbox(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"<a/>" if "FI." in name or name.endswith("xml") else b"")
    return folder


def gathered(folder: Path, *names: str, strict: bool = False, environment: str = "R") -> Gathered:
    sources = find_filings([inbox(folder / "in", *names)], folder)
    return gather(sources, environment=environment, strict=strict)


def taken(found: Gathered) -> list[str]:
    return [one.name for one in found.filings]


def faults(found: Gathered) -> dict[str, str | None]:
    return {one.name: one.fault.kind if one.fault else None for one in found.filings}


def test_what_has_no_name_of_the_exchange_is_taken_as_it_lies(tmp_path: Path) -> None:
    found = gathered(tmp_path, "wages.xml", "FI.something", f"FI.{ONE}.1.1")
    assert faults(found) == {"wages.xml": None, "FI.something": None, f"FI.{ONE}.1.1": None}


def test_where_the_protocol_is_strict_a_lone_declaration_waits_and_a_wrong_name_is_refused(tmp_path: Path) -> None:
    found = gathered(tmp_path, "wages.xml", "FI.something", f"FI.{ONE}.1.1", strict=True)
    assert faults(found) == {"wages.xml": None, "FI.something": "name"}
    assert found.waiting == [f"FI.{ONE}.1.1"]


@pytest.mark.parametrize("go", [ONE, f"{ONE}.1"])
@pytest.mark.parametrize("strict", [False, True])
def test_a_whole_transmission(tmp_path: Path, go: str, strict: bool) -> None:
    found = gathered(tmp_path, f"FI.{ONE}.1.1", f"FS.{ONE}.1.1", f"GO.{go}", strict=strict)
    (filing,) = found.filings
    assert (filing.name, filing.fault) == (f"FI.{ONE}.1.1", None)
    assert filing.signature is not None
    assert filing.signature.name == f"FS.{ONE}.1.1"


def test_what_is_signed_waits_for_its_go_file(tmp_path: Path) -> None:
    found = gathered(tmp_path, f"FI.{ONE}.1.1", f"FS.{ONE}.1.1", f"FI.{TWO}.1.1")
    assert (taken(found), found.waiting) == ([f"FI.{TWO}.1.1"], [f"FI.{ONE}.1.1"])


def test_parts_without_a_go_file_wait_and_with_it_come_together(tmp_path: Path) -> None:
    parts = [f"FI.{ONE}.2.1", f"FI.{ONE}.2.2"]
    assert gathered(tmp_path, *parts).waiting == parts
    assert faults(gathered(tmp_path, f"GO.{ONE}.2")) == dict.fromkeys(parts)


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ([f"FI.{ONE}.3.1", f"FI.{ONE}.3.3"], "ACRF-120"),
        ([f"FI.{ONE}.2.1", f"FI.{ONE}.2.1.xml"], "ACRF-123"),
        ([f"FI.{ONE}.2.1", f"FI.{ONE}.3.2"], "ACRF-123"),
        ([f"FI.{ONE}.2.1", f"FI.{ONE}.2.3"], "ACRF-123"),
        ([f"FI.{ONE}.2.0", f"FI.{ONE}.2.1"], "ACRF-123"),
        ([f"FI.{ONE}.2"], "ACRF-123"),
    ],
)
def test_parts_that_are_missing_or_contradict_one_another(tmp_path: Path, names: list[str], code: str) -> None:
    found = gathered(tmp_path, *names, f"GO.{ONE}", "wages.xml")
    assert faults(found) == {**dict.fromkeys(names, code), "wages.xml": None}


def test_a_cancelled_transmission_is_left_even_with_a_go_file(tmp_path: Path) -> None:
    found = gathered(tmp_path, f"FI.{ONE}.1.1", f"GO.{ONE}.1", f"TD.{ONE}.1", f"FI.{TWO}.1.1")
    assert (taken(found), found.cancelled) == ([f"FI.{TWO}.1.1"], [f"FI.{ONE}.1.1"])


def test_tests_are_kept_apart_from_production(tmp_path: Path) -> None:
    names = [f"FI.{ONE}.1.1", f"FI.{ONE[:-1]}T.1.1", f"FI.{ONE[:-1]}S.1.1", "wages.xml"]
    production = gathered(tmp_path, *names)
    assert (taken(production), dict(production.elsewhere)) == ([names[0], "wages.xml"], {"T": 1, "S": 1})
    tests = gathered(tmp_path, environment="T")
    assert (taken(tests), dict(tests.elsewhere)) == ([names[1], "wages.xml"], {"R": 1, "S": 1})


def test_a_signature_or_go_file_without_its_declaration_is_counted(tmp_path: Path) -> None:
    found = gathered(tmp_path, f"FI.{ONE}.1.1", f"FS.{TWO}.1.1", f"GO.{TWO}", "GO.nonsense", "sub/GO." + ONE)
    assert (taken(found), found.alone) == ([f"FI.{ONE}.1.1"], 4)


def test_a_transmission_lies_in_one_folder(tmp_path: Path) -> None:
    found = gathered(
        tmp_path, f"a/FI.{ONE}.1.1", f"a/FS.{ONE}.1.1", f"a/GO.{ONE}", f"b/FI.{ONE}.1.1", f"b/FS.{ONE}.1.1"
    )
    assert (taken(found), found.waiting) == ([f"a/FI.{ONE}.1.1"], [f"b/FI.{ONE}.1.1"])


def test_a_transmission_in_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in (f"in/FI.{ONE}.1.1", f"in/FS.{ONE}.1.1", f"in/GO.{ONE}", f"FI.{TWO}.1.1", f"FS.{TWO}.1.1"):
            archive.writestr(name, b"<a/>")
    found = gather(find_filings([tmp_path / "x.zip"], tmp_path))
    assert [(one.name, one.signature and one.signature.name) for one in found.filings] == [
        (f"x.zip/in/FI.{ONE}.1.1", f"x.zip/in/FS.{ONE}.1.1")
    ]
    assert found.waiting == [f"x.zip/FI.{TWO}.1.1"]


def test_naming_one_file_names_its_transmission(tmp_path: Path) -> None:
    names = [f"FI.{ONE}.2.1", f"FI.{ONE}.2.2", f"FS.{ONE}.2.1", f"GO.{ONE}.2", f"FI.{TWO}.1.1"]
    folder = inbox(tmp_path / "in", *names)
    for named in (folder / names[0], folder / names[3], f"{folder}/FS*"):
        found = gather(find_filings([named], tmp_path))
        assert taken(found) == names[:2]
        assert [one.signature is not None for one in found.filings] == [True, False]
