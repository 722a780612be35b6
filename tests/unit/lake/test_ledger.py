import hashlib
import os
from datetime import datetime

import polars as pl
import pyarrow as pa
import pytest

from dmfa.errors import LakeProblem
from dmfa.lake import RECEIVED, Lake, keep_bytes, kept_bytes, received_bytes
from dmfa.lake.maintenance import drop_received
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


def test_a_lake_is_of_the_environment_of_its_first_filings(tmp_path):
    with Lake.open(new_lake(tmp_path / "tests"), write=True) as lake:
        lake.claim("T")
        before = lake.snapshot_id()
        lake.claim("T")
        assert lake.snapshot_id() == before
        for other in ("R", "S"):
            with pytest.raises(LakeProblem, match=f"of environment T; this run is of environment {other}"):
                lake.claim(other)


def test_a_lake_with_filings_is_one_of_production(tmp_path):
    folder = new_lake(tmp_path)
    with Lake.open(folder, write=True) as lake:
        before = lake.snapshot_id()
        lake.claim("R")
        assert lake.snapshot_id() == before
        lake.publish([stage(folder, 1)])
        with pytest.raises(LakeProblem, match="of environment R"):
            lake.claim("T")
        lake.claim("R")


def test_only_what_was_acknowledged_has_used_its_name(tmp_path):
    folder = new_lake(tmp_path)
    answers = [
        {"filing_id": number, "kind": kind, "result": result}
        for number, kind, result in ((1, "ACRF", "1"), (2, "ACRF", "0"), (3, "NOTI", "1"))
    ]
    (spec,) = (spec for spec in RECEIVED if spec.name == "answer")
    rows = pl.DataFrame(answers).with_columns(
        declaration_id=pl.lit(None, pl.Int64), name=pl.lit("FO"), content=pl.lit("x")
    )
    with writer(folder) as lake:
        with lake.transaction() as publication:
            publication.add([stage(folder, number) for number in (1, 2, 3)])
            publication.replace(spec, rows.select(spec.arrow.names))
        assert lake.names_received(["1.xml", "2.xml", "3.xml", "4.xml"]) == {"1.xml": {sha(1)}}
        assert lake.names_received([]) == {}


def test_kept_bytes_that_nothing_on_the_ledger_claims_go_with_the_others(tmp_path):
    folder = new_lake(tmp_path)
    data = {number: f"file {number}".encode() for number in (1, 2, 3)}
    paths = {number: keep_bytes(folder, hashlib.sha256(bytes_).hexdigest(), bytes_) for number, bytes_ in data.items()}
    limit = datetime(2026, 11, 1)
    for number in (1, 2):  # written long ago; the first stands on the ledger as received later
        os.utime(paths[number], (limit.timestamp() - 10**6,) * 2)
    with writer(folder) as lake:
        lake.publish([stage(folder, 1)])
        assert drop_received(lake._connection, lake.location, limit) == 1
    assert [number for number, path in paths.items() if path.exists()] == [1, 3]
