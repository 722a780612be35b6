"""DuckDB's extensions: a file is verified once in a process, another or a changed one whenever it comes."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dmfa.errors import LakeProblem
from dmfa.lake import catalog
from dmfa.lake.location import Location


def altered(extension: str, folder: Path) -> Path:
    """A copy of an extension that its signature does not fit: one byte is another."""
    genuine = catalog._packaged(extension)
    assert genuine is not None
    data = bytearray(genuine.read_bytes())
    data[1_000] ^= 1
    path = folder / genuine.name
    path.write_bytes(data)
    return path


def place(folder: Path) -> Location:
    return Location.of(folder / "lake")


def test_a_file_is_verified_once_and_none_is_loaded_unsigned_thereafter(tmp_path: Path) -> None:
    other = altered("httpfs", tmp_path)
    catalog.connect(place(tmp_path)).close()
    verified = dict(catalog._PROVEN)
    assert {path.stem for path in verified} >= {"ducklake", "sqlite_scanner"}
    with catalog.connect(place(tmp_path)) as connection:
        assert verified == catalog._PROVEN
        with pytest.raises(duckdb.IOException, match="signature"):
            connection.execute(f"LOAD '{other}'")
        with pytest.raises(duckdb.InvalidInputException, match="allow_unsigned_extensions"):
            connection.execute("SET allow_unsigned_extensions = true")


@pytest.mark.parametrize("known", [False, True], ids=["another file", "a file changed since it was verified"])
def test_what_was_not_verified_as_it_is_now_is_not_loaded(
    known: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.connect(place(tmp_path)).close()
    packaged, other = catalog._packaged, altered("sqlite_scanner", tmp_path)
    monkeypatch.setattr(catalog, "_packaged", lambda name: other if name == "sqlite_scanner" else packaged(name))
    if known:
        device, number, size, when = catalog._state(other)
        monkeypatch.setitem(catalog._PROVEN, other, (device, number, size, when - 1))
    with pytest.raises(LakeProblem, match="loading DuckDB's extensions"):
        catalog.connect(place(tmp_path))
    assert catalog._PROVEN.get(other) != catalog._state(other)
