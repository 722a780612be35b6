"""Files that are there whole or not at all."""

import errno
import os

import pytest

from dmfa.lake.files import write_whole


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_takes_the_place_of_another_and_makes_its_folder(tmp_path, durable):
    path = tmp_path / "a" / "b" / "file"
    for content in (b"first", b"", bytes(range(256)) * 1000):
        write_whole(path, content, durable=durable)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_a_draft_that_an_accident_left_is_written_over(tmp_path):
    draft = tmp_path / ".file.part"
    draft.write_bytes(b"what a killed run had written so far")
    write_whole(tmp_path / "file", b"whole", draft=str(draft))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"whole"


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_what_can_not_be_written_leaves_the_file_as_it_was(tmp_path, monkeypatch, call):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(OSError, match="No space"):
            write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_takes_a_piece_at_a_time(tmp_path, monkeypatch):
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda handle, data: write(handle, data[:3]))
        write_whole(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"
