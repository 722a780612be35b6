"""The bytes of a filing: read whole, unpacked, hashed, looked at."""

import gzip
import hashlib
import os

import pytest

from dmfa.reading.limits import Limits
from dmfa.reading.opener import open_filing
from dmfa.reading.source import Found


def opened(tmp_path, data, name="x.xml", **limits):
    path = tmp_path / name
    path.write_bytes(data)
    return open_filing(Found(name, path, size=len(data)), Limits(**limits))


def test_plain_file(tmp_path):
    got = opened(tmp_path, b"<a/>")
    assert (got.data, got.size, got.refusal, got.unreadable) == (b"<a/>", 4, None, None)
    assert got.sha256 == hashlib.sha256(b"<a/>").hexdigest()


@pytest.mark.parametrize("name", ["x.xml.gz", "x.xml", "FI.DMFA.1"])
def test_gzip_is_known_by_its_bytes_and_leaves_no_trace_in_the_hash(tmp_path, name):
    got = opened(tmp_path, gzip.compress(b"<a/>"), name)
    assert got.data == b"<a/>"
    assert got.sha256 == hashlib.sha256(b"<a/>").hexdigest()


def test_gzip_in_several_parts_with_zeros_behind(tmp_path):
    got = opened(tmp_path, gzip.compress(b"<a>") + gzip.compress(b"</a>") + b"\0" * 512)
    assert got.data == b"<a></a>"


@pytest.mark.parametrize("data", [gzip.compress(b"<a/>" * 99, mtime=0)[:-9], b"\x1f\x8b\x08 nonsense", b"\x1f\x8b"])
def test_damaged_gzip(tmp_path, data):
    got = opened(tmp_path, data)
    assert got.refusal.kind == "bad_gzip"
    assert got.sha256 == hashlib.sha256(data).hexdigest()


def test_gzip_in_gzip(tmp_path):
    assert opened(tmp_path, gzip.compress(gzip.compress(b"<a/>"))).refusal.kind == "bad_gzip"


def test_gzip_bomb(tmp_path):
    bomb = gzip.compress(b"<a>" + b" " * 4_000_000 + b"</a>")
    assert opened(tmp_path, bomb, free_bytes=100_000).refusal.kind == "bad_gzip"
    assert opened(tmp_path, bomb, filing_bytes=1 << 20, expansion=10**6).refusal.kind == "bad_gzip"
    assert opened(tmp_path, bomb).data is not None, "below eight megabytes growth does not matter"


def test_too_large(tmp_path):
    got = opened(tmp_path, b"<a>" + b" " * 2_000_000 + b"</a>", filing_bytes=1 << 20)
    assert got.refusal.kind == "too_large"
    assert len(got.sha256) == 64


@pytest.mark.parametrize("data", [b"", b" \r\n\t", b"\0" * 100])
def test_empty(tmp_path, data):
    assert opened(tmp_path, data).refusal.kind == "empty"


def test_refused_bytes_are_there_to_be_kept(tmp_path):
    for data in (b"", b"hello", b"<!DOCTYPE a><a/>", b"\x1f\x8b broken"):
        got = opened(tmp_path, data)
        assert (got.data, got.refusal is None) == (data, False)


@pytest.mark.parametrize("data", [b"hello", b"%PDF-1.4", b"PK\x03\x04zip", b"{}", b"\x89PNG"])
def test_not_xml(tmp_path, data):
    got = opened(tmp_path, data)
    assert (got.refusal.kind, got.refusal.line) == ("not_well_formed", 1)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"<!DOCTYPE a><a/>", 1),
        (b'<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "http://x/y.dtd">\n<a/>', 2),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\r\n<!-- one\n two -->\n<?pi?>\n<!DOCTYPE a []><a/>", 5),
        ("<?xml version='1.0' encoding='UTF-16'?>\n<!DOCTYPE a><a/>".encode("utf-16"), 2),
        ("<!DOCTYPE a><a/>".encode("utf-16-be"), 1),
    ],
)
def test_doctype(tmp_path, data, line):
    got = opened(tmp_path, data)
    assert (got.refusal.kind, got.refusal.line) == ("doctype", line)
    assert f"(line {line})" in got.refusal.message


@pytest.mark.parametrize("length", [*range(1000, 1030), 100_000, 1_000_000])
@pytest.mark.parametrize("between", [b"<!--%b-->\n", b"<?pi %b?>\n", b"\n<!---->%b"])
def test_a_prolog_of_any_length_is_looked_through(tmp_path, between, length):
    prolog = between % (b" " * length)
    assert opened(tmp_path, prolog + b"<!DOCTYPE a><a/>").refusal.line == 2
    assert opened(tmp_path, prolog + b"<a/>").refusal is None
    assert opened(tmp_path, b" " * length + b"hello").refusal.kind == "not_well_formed"


@pytest.mark.parametrize(
    "data", [b"<a><!-- <!DOCTYPE x> --></a>", b"<!-- <!DOCTYPE x> --><a/>", b"<a>&lt;!DOCTYPE</a>"]
)
def test_words_that_only_look_like_a_doctype(tmp_path, data):
    assert opened(tmp_path, data).data == data


def test_folder_is_unreadable(tmp_path):
    assert open_filing(Found("x", tmp_path)).unreadable == "it is not a file"


def test_pipe_is_unreadable_and_nobody_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "x.xml")
    assert open_filing(Found("x.xml", tmp_path / "x.xml")).unreadable == "it is not a file"


def test_file_that_is_gone(tmp_path):
    got = open_filing(Found("x.xml", tmp_path / "x.xml"))
    assert (got.unreadable, got.sha256) == ("it can not be read (No such file or directory)", None)


def test_file_that_changes_while_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "x.xml"
    path.write_bytes(b"<a/>")
    real, calls = os.fstat, []

    def fstat(handle):
        state = real(handle)
        calls.append(handle)
        if len(calls) == 1:
            with path.open("ab") as file:
                file.write(b"<!-- more -->")
        return state

    monkeypatch.setattr(os, "fstat", fstat)
    assert "changed while it was being read" in open_filing(Found("x.xml", path)).unreadable


def test_first_element_out_of_sight(tmp_path):
    got = opened(tmp_path, b"<!-- x -->" * 120_000 + b"<a/>")
    assert got.refusal.kind == "not_well_formed"
