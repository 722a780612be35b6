"""Finding filings in files, folders, globs and archives."""

import tarfile
import zipfile
from io import BytesIO

import pytest

from dmfa.errors import NothingToRead
from dmfa.reading.limits import Limits
from dmfa.reading.opener import open_filing
from dmfa.reading.source import find_filings, shown


def names(sources):
    return [found.name for found in sources.filings]


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    (folder / "later").mkdir(parents=True)
    for name in ("b.xml", "a.XML", "c.xml.gz", "FI.DMFA.123456.20261015.00001.R.1.1", "later/a.xml"):
        (folder / name).write_bytes(b"<a/>")
    for name in ("FS.DMFA.123456.20261015.00001.R.1.1", "GO.DMFA.123456.20261015.00001.R", "notes.txt", "FO.ACRF.1"):
        (folder / name).write_bytes(b"")
    (folder / ".hidden.xml").write_bytes(b"<a/>")
    (folder / ".git").mkdir()
    (folder / ".git" / "x.xml").write_bytes(b"<a/>")
    return folder


def test_folder(inbox, tmp_path):
    sources = find_filings([inbox], tmp_path)
    assert names(sources) == ["FI.DMFA.123456.20261015.00001.R.1.1", "a.XML", "b.xml", "c.xml.gz", "later/a.xml"]
    assert (len(sources.companions), sources.left_alone) == (2, 3)


def test_named_file_is_a_filing_whatever_its_name(inbox, tmp_path):
    assert names(find_filings([inbox / "notes.txt"], tmp_path)) == ["notes.txt"]
    assert names(find_filings([inbox / ".hidden.xml"], tmp_path)) == [".hidden.xml"]


def test_glob(inbox, tmp_path):
    assert names(find_filings([f"{inbox}/*.xml"], tmp_path)) == ["b.xml"]
    assert names(find_filings([f"{inbox}/n*"], tmp_path)) == ["notes.txt"]
    assert "a.xml" in names(find_filings([f"{inbox}/la*"], tmp_path))


def test_one_file_named_twice_is_one_filing(inbox, tmp_path):
    assert len(find_filings([inbox, inbox / "b.xml", f"{inbox}/b*"], tmp_path).filings) == 5


@pytest.mark.parametrize("path", ["gone", "gone/*.xml"])
def test_nothing_there(tmp_path, path):
    with pytest.raises(NothingToRead):
        find_filings([tmp_path / path], tmp_path)


def test_folder_without_a_filing(tmp_path):
    (tmp_path / "readme.txt").write_text("no")
    with pytest.raises(NothingToRead, match="no filing in") as caught:
        find_filings([tmp_path], tmp_path)
    assert caught.value.exit_code == 10


def test_link_to_nothing_is_unreadable(tmp_path):
    (tmp_path / "gone.xml").symlink_to(tmp_path / "nowhere")
    (found,) = find_filings([tmp_path], tmp_path).filings
    assert found.problem.kind == "unreadable"
    assert open_filing(found).unreadable.startswith("it can not be read")


def forbid(monkeypatch, name):
    """Make one call of the system fail as for a user without rights: tests may run as root, whom nothing is denied."""

    def denied(*arguments, **_):
        raise PermissionError(13, "Permission denied", str(arguments[0]))

    monkeypatch.setattr(name, denied)


def test_folder_that_can_not_be_listed(tmp_path, monkeypatch):
    (tmp_path / "a.xml").write_bytes(b"<a/>")
    forbid(monkeypatch, "os.scandir")
    (found,) = find_filings([tmp_path], tmp_path).filings
    assert open_filing(found).unreadable == "it can not be read (Permission denied)"


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_archive_that_can_not_be_opened(tmp_path, monkeypatch, name):
    path = archive(tmp_path / name, {"a.xml": b"<a/>"})
    forbid(monkeypatch, "dmfa.reading.source.members")
    (found,) = find_filings([path], tmp_path).filings
    assert (found.name, found.problem.kind) == (name, "unreadable")


def test_archive_that_is_a_link_to_nothing(tmp_path):
    (tmp_path / "x.zip").symlink_to(tmp_path / "nowhere")
    (found,) = find_filings([tmp_path], tmp_path).filings
    assert found.problem.kind == "unreadable"


def test_names_are_safe_to_print():
    assert shown("a\x1b[31mb\n\udcff.xml") == "a?[31mb??.xml"


def archive(path, members):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, data in members.items():
                packed.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as packed:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                packed.addfile(info, BytesIO(data))
    return path


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tgz"])
def test_archive(tmp_path, name):
    members = {
        "q/b.xml": b"<b/>",
        "a.xml": b"<a/>",
        "FS.x": b"",
        "readme": b"",
        "q/FI.DMFA.1": b"<c/>",
        "__MACOSX/._a.xml": b"x",
    }
    path = archive(tmp_path / name, members)
    spool = tmp_path / "spool"
    spool.mkdir()
    sources = find_filings([path], spool)
    assert names(sources) == [f"{name}/a.xml", f"{name}/q/FI.DMFA.1", f"{name}/q/b.xml"]
    assert (len(sources.companions), sources.left_alone) == (1, 2)
    assert [open_filing(found).data for found in sources.filings] == [b"<a/>", b"<c/>", b"<b/>"]


@pytest.mark.parametrize("name", ["x.zip", "x.tar"])
@pytest.mark.parametrize("hostile", ["../up.xml", "/etc/up.xml", "a/../../up.xml", "..\\up.xml", "C:\\up.xml"])
def test_member_that_points_outside_is_refused_alone(tmp_path, name, hostile):
    sources = find_filings([archive(tmp_path / name, {hostile: b"<a/>", "good.xml": b"<a/>"})], tmp_path)
    opened = {found.name.rpartition("/")[2]: open_filing(found) for found in sources.filings}
    assert opened["good.xml"].data == b"<a/>"
    refused = [one for one in opened.values() if one.refusal]
    assert [one.refusal.kind for one in refused] == ["bad_archive"]
    assert refused[0].sha256


def test_archive_inside_an_archive_is_refused(tmp_path):
    inner = archive(tmp_path / "inner.zip", {"a.xml": b"<a/>"}).read_bytes()
    sources = find_filings([archive(tmp_path / "outer.zip", {"inner.zip": inner})], tmp_path)
    assert "inside an archive" in open_filing(sources.filings[0]).refusal.message


def test_links_in_a_tar_are_refused(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as packed:
        link = tarfile.TarInfo("a.xml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    (found,) = find_filings([path], tmp_path).filings
    assert "link" in open_filing(found).refusal.message


def test_encrypted_member_is_refused(tmp_path):
    path = archive(tmp_path / "x.zip", {"a.xml": b"<a/>"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    (found,) = find_filings([path], tmp_path).filings
    assert "encrypted" in open_filing(found).refusal.message


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_damaged_archive_is_one_refused_filing(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK\x03\x04 this is no archive" * 40)
    (found,) = find_filings([tmp_path / name], tmp_path).filings
    assert found.name == name
    assert open_filing(found).refusal.kind == "bad_archive"


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_truncated_archive_is_refused(tmp_path, name):
    path = archive(tmp_path / name, {"a.xml": bytes(range(256)) * 400})
    path.write_bytes(path.read_bytes()[:-200])
    (found,) = find_filings([path], tmp_path).filings
    assert open_filing(found).refusal.kind == "bad_archive"


def test_archive_without_a_filing_is_refused(tmp_path):
    (found,) = find_filings([archive(tmp_path / "x.zip", {"a.txt": b""})], tmp_path).filings
    assert open_filing(found).refusal.message == "no filing is in it"


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_archive_that_grows_too_far_is_refused(tmp_path, name):
    path = archive(tmp_path / name, {"a.xml": b"0" * 300_000})
    limits = Limits(free_bytes=1_000, expansion=20)
    (found,) = find_filings([path], tmp_path, limits).filings
    assert "too large" in open_filing(found, limits).refusal.message


def test_member_larger_than_it_says_is_refused(tmp_path):
    path = archive(tmp_path / "x.zip", {"a.xml": b"0" * 300_000})
    found = find_filings([path], tmp_path).filings[0]
    assert open_filing(found, Limits(filing_bytes=1 << 17)).refusal.kind == "bad_archive"
    tar = archive(tmp_path / "x.tar", {"a.xml": b"0" * 300_000})
    found = find_filings([tar], tmp_path).filings[0]
    assert open_filing(found, Limits(filing_bytes=1 << 17)).refusal.kind == "bad_archive"


@pytest.mark.parametrize("name", ["x.zip", "x.tar"])
def test_too_many_members_are_refused(tmp_path, name):
    path = archive(tmp_path / name, {f"{number}.xml": b"" for number in range(5)})
    (found,) = find_filings([path], tmp_path, Limits(members=4)).filings
    assert "more than 4" in open_filing(found).refusal.message


def test_damaged_member_stops_no_other(tmp_path):
    path = archive(tmp_path / "x.zip", {"a.xml": b"<a>" + b"x" * 99 + b"</a>", "b.xml": b"<b/>"})
    data = bytearray(path.read_bytes())
    start = data.index(b"a.xml") + 5
    data[start : start + 6] = b"\xff" * 6
    path.write_bytes(data)
    bad, good = (open_filing(found) for found in find_filings([path], tmp_path).filings)
    assert bad.refusal.kind == "bad_archive"
    assert good.data == b"<b/>"


def test_equal_names_in_an_archive_are_different_filings(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as packed:
        for data in (b"<a/>", b"<b/>"):
            info = tarfile.TarInfo("same.xml")
            info.size = len(data)
            packed.addfile(info, BytesIO(data))
    found = find_filings([path], tmp_path).filings
    assert [open_filing(one).data for one in found] == [b"<a/>", b"<b/>"]
