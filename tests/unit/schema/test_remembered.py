"""Trees of XSDs that are remembered from one start to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from dmfa.schema import reader, releases
from dmfa.schema.releases import Release
from dmfa.schema.remembered import recall, remember

RELEASES = releases("DmfAOriginal")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "dmfa"


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_what_is_remembered_is_what_was_read(release: Release) -> None:
    root = reader._read(release, own=True)
    assert recall(release.path) is None
    remember(release.path, root)
    assert recall(release.path) == root
    # Facets are no part of a zone's hash, but they are of its value.
    assert any(zone.facets for block in root.walk() for zone in block.zones)


def test_another_xsd_of_the_same_name_is_not_taken_for_it(tmp_path: Path) -> None:
    own = RELEASES[0].path
    remember(own, reader._read(RELEASES[0], own=True))
    other = tmp_path / own.name
    other.write_bytes(own.read_bytes() + b"\n")
    assert recall(other) is None


@pytest.mark.parametrize("found", [b"", b"{", b"[]", b"{}", b'[{"name": "X"}]', b"[1]", b"\xff\xfe"])
def test_a_damaged_one_is_read_anew(found: bytes, folder: Path) -> None:
    release = RELEASES[0]
    root = reader._read(release, own=True)
    remember(release.path, root)
    (place,) = folder.iterdir()
    place.write_bytes(found)
    assert recall(release.path) is None
    reader.load.__wrapped__(release)
    assert recall(release.path) == root


def test_no_place_for_it_is_no_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    root = reader._read(RELEASES[0], own=True)
    remember(RELEASES[0].path, root)
    assert recall(RELEASES[0].path) is None


def test_a_foreign_xsd_is_read_each_time(tmp_path: Path, folder: Path) -> None:
    copy = tmp_path / RELEASES[0].name
    copy.write_bytes(RELEASES[0].path.read_bytes())
    reader.load.__wrapped__(Release("DmfAOriginal", RELEASES[0].quarter, copy))
    assert not list(folder.glob(f"{copy.stem}-*"))
