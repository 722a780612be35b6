"""Files made to harm or to confuse: each is one refused filing, the others are read."""

import gzip
import resource
import zipfile
import zlib
from dataclasses import replace

import pytest

from dmfa.reading.batch import Settings, read_batch
from dmfa.reading.source import find_filings
from dmfa.reading.validator import GIANT_BYTES
from tests.making import filing

GOOD = filing("20231", seed=1, persons=2)
BODY = GOOD[GOOD.index(b"<DmfAOriginal") :]

LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10))
BOMB = (
    b'<?xml version="1.0"?>\n<!DOCTYPE DmfAOriginal [<!ENTITY l0 "ha">'
    + LAUGHS
    + b"]>\n<DmfAOriginal>&l9;</DmfAOriginal>"
)
OUTSIDE = b'<?xml version="1.0"?>\n<!DOCTYPE DmfAOriginal [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n' + BODY
UTF7 = b'<?xml version="1.0" encoding="UTF-7"?>\n+ADwAIQ-DOCTYPE a+AD4-<a/>'


@pytest.fixture(scope="module")
def settings():
    return Settings.of()


def ends(tmp_path, settings, name, data):
    """Read a file beside a good one; how the two end, and what is said of the first."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / name).write_bytes(data)
    (folder / "zz_good.xml").write_bytes(GOOD)
    spool = tmp_path / "spool"
    spool.mkdir()
    batch = read_batch(find_filings([folder], spool).filings, settings)
    assert batch.filings[-1].state == "judged"
    assert batch.shredded.tables["natural_person"].height == 2
    words = batch.anomalies.filter(pl_code(batch)).select("code", "message", "line").rows()
    return batch.filings[0], words


def pl_code(batch):
    return batch.anomalies["filing_id"] == batch.filings[0].filing_id


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "empty", None),
        (b"\r\n \t\r\n", "empty", None),
        (GOOD[: len(GOOD) // 2], "not_well_formed", 2),
        (GOOD[:-1], "not_well_formed", 2),
        (b"Dear NSSO, please find attached", "not_well_formed", 1),
        (b"<html><body>Gateway timeout</body></html>", "not_dmfa", None),
        (b"<Unknown/>", "not_dmfa", None),
        (BOMB, "doctype", 2),
        (OUTSIDE, "doctype", 2),
        (BOMB.decode().encode("utf-16"), "doctype", 2),
        (b"<a>" * 5_000 + b"</a>" * 5_000, "not_well_formed", 1),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "encoding", 1),
        (GOOD.replace(b"<Border>", b"<Border>\x00"), "not_well_formed", 2),
        (GOOD.replace(b"<Border>", b"<Border>\xff"), "encoding", 2),
        (GOOD + GOOD, "not_well_formed", None),
        (GOOD.replace(b"<Border>", b"<Border>&what;"), "not_well_formed", 2),
        (gzip.compress(GOOD)[:-20], "bad_gzip", None),
        (gzip.compress(b" " * (16 << 20), 9), "bad_gzip", None),
    ],
)
def test_one_refused_filing(tmp_path, settings, data, code, line):
    filing, words = ends(tmp_path, settings, "a.xml", data)
    assert (filing.state, filing.schema_valid) == ("refused", None)
    ((found, message, where),) = words
    assert found == code
    assert line is None or where == line
    assert "\n" not in message
    assert len(message) < 160


@pytest.mark.parametrize("giant_bytes", [1, GIANT_BYTES])
def test_doctype_in_an_encoding_that_hides_it(tmp_path, settings, giant_bytes):
    """The first look reads no UTF-7; the parser either knows it, and tells of the DOCTYPE, or refuses the encoding."""
    settings = replace(settings, giant_bytes=giant_bytes)
    filing, ((code, _, _),) = ends(tmp_path, settings, "a.xml", UTF7)
    assert (filing.state, code in {"doctype", "encoding"}) == ("refused", True)


def test_the_words_quote_nothing_of_the_filing(tmp_path, settings):
    spoiled = GOOD.replace(b"</INSS>", b"</77101500172>", 1)
    _, ((code, message, _),) = ends(tmp_path, settings, "a.xml", spoiled)
    assert code == "not_well_formed"
    assert "7710" not in message


def test_zip_bomb(tmp_path, settings):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(4):
            packed.writestr(f"{number}.xml", b" " * (4 << 20))
    filing, ((code, message, _),) = ends(tmp_path, settings, "a.zip", path.read_bytes())
    assert (filing.name, filing.state, code) == ("a.zip", "refused", "bad_archive")
    assert "too large" in message


def test_no_bomb_takes_memory(tmp_path, settings):
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(300)) + packer.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ends(tmp_path, settings, "a.xml", bomb)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 << 10, "kilobytes: well below what the file unpacks to"
