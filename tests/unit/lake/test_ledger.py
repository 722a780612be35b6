import hashlib

import pyarrow as pa
import pytest

from dmfa.errors import LakeProblem
from dmfa.lake import Lake, keep_bytes, kept_bytes, received_bytes
from tests.unit.lake.material import new_lake, sha, stage, writer


@pytest.mark.parametrize("data", [b"", b"<a/>", bytes(range(256)) * 5000], ids=["empty", "small", "large"])
def test_bytes_come_back_as_they_were_received(tmp_path, data):
    digest = hashlib.sha256(data).hexdigest()
    path = keep_bytes(tmp_path, digest, data)
    assert path == tmp_path / "received" / f"{digest}.zst"
    assert received_bytes(tmp_path, digest) == data
    assert kept_bytes(tmp_path, digest, len(data)) == data


def test_bytes_that_were_kept_as_a_stream_come_back_too(tmp_path):
    data = bytes(range(256)) * 5000
    digest = hashlib.sha256(data).hexdigest()
    (tmp_path / "received").mkdir()
    with pa.CompressedOutputStream(pa.OSFile(str(tmp_path / "received" / f"{digest}.zst"), "wb"), "zstd") as stream:
        stream.write(data)
    assert received_bytes(tmp_path, digest) == data


def test_the_same_bytes_again_change_nothing(tmp_path):
    digest = hashlib.sha256(b"abc").hexdigest()
    before = keep_bytes(tmp_path, digest, b"abc").stat()
    after = keep_bytes(tmp_path, digest, b"abc").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert [path.name for path in (tmp_path / "received").iterdir()] == [f"{digest}.zst"]


def test_bytes_that_are_not_kept(tmp_path):
    with pytest.raises(LakeProblem, match="does not keep the file"):
        received_bytes(tmp_path, sha(1))


@pytest.mark.parametrize("spoil", [lambda kept: kept[:-5], lambda kept: b"", lambda kept: b"no zstd at all"])
def test_kept_bytes_that_were_spoiled(tmp_path, spoil):
    data = b"abc" * 1000
    digest = hashlib.sha256(data).hexdigest()
    path = keep_bytes(tmp_path, digest, data)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(LakeProblem, match="is damaged"):
        received_bytes(tmp_path, digest)
    with pytest.raises(LakeProblem, match="is damaged"):
        kept_bytes(tmp_path, digest, len(data))
    # The same file received once more makes it good.
    keep_bytes(tmp_path, digest, data)
    assert received_bytes(tmp_path, digest) == kept_bytes(tmp_path, digest, len(data)) == data


def test_a_digest_is_no_path(tmp_path):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        keep_bytes(tmp_path, "../x", b"")


def test_what_stands_on_the_ledger_is_known(tmp_path):
    folder = new_lake(tmp_path)
    with writer(folder) as lake:
        lake.publish([stage(folder, 1, 2)])
        assert lake.known([sha(2), sha(3), sha(2)]) == {sha(2)}
        assert lake.known([]) == set()
        assert lake.keep(hashlib.sha256(b"x").hexdigest(), b"x").exists()
    with Lake.open(folder) as lake:
        assert lake.known([sha(1)]) == {sha(1)}


def test_half_a_file_that_a_run_left_is_made_good(tmp_path):
    data = b"abc" * 1000
    digest = hashlib.sha256(data).hexdigest()
    path = keep_bytes(tmp_path, digest, data)
    whole = path.read_bytes()
    path.write_bytes(whole[:9])
    assert keep_bytes(tmp_path, digest, data).read_bytes() == whole


def test_a_file_that_finds_no_room_is_not_left_behind(tmp_path, monkeypatch):
    from dmfa.lake import files

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_write", full)
    with pytest.raises(LakeProblem, match="full"):
        keep_bytes(tmp_path, sha(1), b"x")
    assert list((tmp_path / "received").iterdir()) == []
