"""Receiving: bytes are kept first, and what was received is what is read."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from dmfa.errors import LakeProblem
from dmfa.reading.limits import Limits
from dmfa.reading.opener import open_filing
from dmfa.reading.source import Found
from flows.settings import Settings
from flows.stages.receipt import Receipt, receive

XML = b"<DmfAOriginal/>"


def received(tmp_path: Path, data: bytes, limits: Limits | None = None) -> tuple[str, Path, Receipt]:
    path, lake = tmp_path / "one.xml", str(tmp_path / "lake")
    path.write_bytes(data)
    (receipt,) = receive([Found("one.xml", path, size=len(data))], Settings(lake=lake), limits or Limits())
    return lake, path, receipt


@pytest.mark.parametrize("data", [XML, b"", b"x", gzip.compress(XML, mtime=0), b"\x1f\x8bno gzip", b"<!DOCTYPE a><a/>"])
def test_it_is_read_as_it_was_received_whatever_becomes_of_the_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "one.xml").write_bytes(data)
    plain = open_filing(Found("one.xml", tmp_path / "one.xml", size=len(data)))
    lake, path, receipt = received(tmp_path, data)
    assert receipt.opened == replace(plain, data=None)
    path.write_bytes(b"<other/>")
    assert receipt.opened_again(lake) == plain
    path.unlink()
    assert receipt.opened_again(lake) == plain


def test_a_filing_too_large_to_be_kept_stays_refused(tmp_path: Path) -> None:
    lake, _, receipt = received(tmp_path, XML, Limits(filing_bytes=5))
    again = receipt.opened_again(lake)
    assert (again.data, again.refusal and again.refusal.kind) == (None, "too_large")


def test_kept_bytes_that_vanish_meanwhile_are_told(tmp_path: Path) -> None:
    lake, _, receipt = received(tmp_path, XML)
    for kept in (tmp_path / "lake" / "received").iterdir():
        kept.unlink()
    with pytest.raises(LakeProblem):
        receipt.opened_again(lake)
