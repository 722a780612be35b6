"""An address answers to a path's ways, and what its store says becomes the disk's own words."""

from __future__ import annotations

import pickle
import uuid
from pathlib import Path

import pytest

from dmfa.address import Address, Place, below, overlapped, place, remove, source
from dmfa.errors import WrongUsage


@pytest.fixture
def folder() -> Address:
    """A folder in a store that lives in this process."""
    return Address.of(f"memory://{uuid.uuid4().hex}/folder/")


def test_a_path_stays_a_path_and_an_address_is_one() -> None:
    assert place("lake") == Path("lake")
    assert place(Path("/a b/c")) == Path("/a b/c")
    found = place("s3://bucket/a/b.xml")
    assert isinstance(found, Address)
    assert (str(found), found.name, found.stem, str(found.parent)) == (
        "s3://bucket/a/b.xml",
        "b.xml",
        "b",
        "s3://bucket/a",
    )
    assert place(found) is found
    assert str(found.with_name("c") / "d") == "s3://bucket/a/c/d"
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize("text", ["nowhere://bucket/x", "s3://key:word@bucket/x"])
def test_what_is_no_address_is_refused_and_no_key_is_repeated(text: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        place(text)
    assert "word" not in str(caught.value)


def test_files_are_written_listed_read_moved_and_removed(folder: Address) -> None:
    assert not folder.exists()
    assert list(folder.iterdir()) == folder.glob("*") == []
    (folder / "b.json").write_bytes(b"two")
    with (folder / "in" / "a.json").open("xb") as file:
        file.write(b"one")
    assert folder.is_dir()
    assert [str(one) for one in folder.iterdir()] == [f"{folder}/b.json", f"{folder}/in"]
    assert [below(one, folder) for one in folder.rglob("*.json")] == ["b.json", "in/a.json"]
    assert [facts.st_size for facts in folder.files().values()] == [3, 3]
    (folder / "b.json").replace(folder / "c.json")
    assert (folder / "c.json").read_bytes() == b"two"
    assert source(folder / "c.json").read() == b"two"  # type: ignore[union-attr]
    (folder / "c.json").unlink()
    (folder / "c.json").unlink(missing_ok=True)
    remove(folder)
    remove(folder)
    assert not folder.exists()


def test_a_file_is_read_part_by_part(folder: Address) -> None:
    content = bytes(range(256)) * 5_000
    (folder / "x").write_bytes(content)
    with (folder / "x").open() as file:
        file.seek(1_000_001)
        assert file.read(10) == content[1_000_001:1_000_011]
        file.seek(-5, 2)
        assert file.read() == content[-5:]
        assert file.read() == b""
    assert (folder / "x").read_part(3, 6) == content[3:6]


def test_a_failure_is_told_as_the_disk_tells_it(folder: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match="no such file or bucket"):
        (folder / "x").read_bytes()
    for raised, told in (
        (PermissionError("AccessDenied: header=secret"), PermissionError),
        (ValueError("secret"), OSError),
    ):

        def fails(*_: object, error: Exception = raised, **__: object) -> bytes:
            raise error

        monkeypatch.setattr(type(folder._store), "cat_file", fails)
        with pytest.raises(told) as caught:
            (folder / "x").read_bytes()
        assert "secret" not in str(caught.value)


def test_work_in_a_store_overlaps_and_keeps_its_order(folder: Address) -> None:
    for where in (folder, Path()):
        assert overlapped(lambda number: number * number, range(50), where) == [number**2 for number in range(50)]


def test_below_takes_both_kinds() -> None:
    kinds: tuple[tuple[Place, Place], ...] = (
        (Path("/a/b/c.x"), Path("/a")),
        (Address("s3", "a/b/c.x"), Address("s3", "a")),
    )
    assert [below(file, folder) for file, folder in kinds] == ["b/c.x", "b/c.x"]
