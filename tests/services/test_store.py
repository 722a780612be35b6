"""What only a real store shows: a file that was given up never appears in it, and a closed door is told as one."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from dmfa.address import Address, discard
from tests.services import servers

pytestmark = pytest.mark.services


@pytest.fixture
def folder(store: servers.Store, monkeypatch: pytest.MonkeyPatch) -> Address:
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    return Address.of(f"s3://out/{uuid.uuid4().hex}")


@pytest.mark.parametrize("size", [4, 20 << 20])
@pytest.mark.parametrize("by_error", [True, False])
def test_a_file_that_was_given_up_never_appears(folder: Address, size: int, by_error: bool) -> None:
    if by_error:
        with pytest.raises(ValueError, match="no"), (folder / "x").open("wb") as file:
            file.write(b"x" * size)
            raise ValueError("no")
    else:
        file = (folder / "x").open("wb")
        file.write(b"x" * size)
        discard(file)
    del file
    assert not (folder / "x").exists()
    assert folder.files() == {}


def test_a_file_of_several_parts_is_whole(folder: Address) -> None:
    with (folder / "x").open("wb") as file:
        for letter in b"abc":
            file.write(bytes([letter]) * (7 << 20))
        assert file.tell() == 21 << 20
    assert (folder / "x").stat().st_size == 21 << 20
    with (folder / "x").open() as read:
        read.seek(7 << 20)
        assert read.read(2) == b"bb"
    assert (folder / "x").stat().st_mtime > 1_700_000_000


def test_a_closed_door_is_told_as_one(store: servers.Store, folder: Address) -> None:
    closed = Address.of(f"s3://{shut(store)}/x.xml")
    for attempt in (closed.read_bytes, lambda: closed.write_bytes(b"x")):
        with pytest.raises(PermissionError, match="access denied"):
            attempt()
    with pytest.raises(FileNotFoundError):
        Address.of("s3://no-such-bucket/x").write_bytes(b"x")


def shut(store: servers.Store) -> str:
    """A new bucket with one file, from which nobody may read and into which nobody may write."""
    client: Any = store.files()
    name = f"shut-{uuid.uuid4().hex[:8]}"
    client.mkdir(name)
    client.pipe(f"{name}/x.xml", b"<x/>")
    rule = {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}
    rule["Resource"] = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]  # type: ignore[assignment]
    client.call_s3("put_bucket_policy", Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [rule]}))
    return name
