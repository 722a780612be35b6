"""`dmfa validate` and `dmfa ingest` over many filings: table, progress, order, Ctrl-C, hostile files."""

from __future__ import annotations

import gzip
import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dmfa.lake import Lake
from tests.conftest import ROOT, SAMPLES, TODAY, dmfa

GOOD = (SAMPLES / "inbox" / "FI.DMFA.700001.20261003.00001.R.1.1").read_bytes()
BAD = GOOD.replace(b"<Border>0", b"<Border>7", 1)
OWN_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
MAIN = "from flows.cli import main; main()"


def fill(folder: Path, many: int, pad: int = 0, bad: tuple[int, ...] = ()) -> Path:
    """A folder of filings that differ in the white space behind them."""
    folder.mkdir()
    for number in range(many):
        (folder / f"{number:05d}.xml").write_bytes((BAD if number in bad else GOOD) + b"\n" * (1 + pad + number))
    return folder


class Terminal:
    """A program on a terminal of its own, as a person sees it."""

    def __init__(self, *words: object, cwd: Path, **environment: str) -> None:
        self.parent, child = pty.openpty()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("DMFA_", "PREFECT_", "NO_"))}
        told = {"DMFA_RECEIVED_ON": TODAY, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWN_TERMINAL + MAIN, *map(str, words)],
            cwd=cwd,
            env={**clean, **told, **environment},
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
        )
        os.close(child)
        self.seen = b""

    def read(self) -> bool:
        """Take in some of what is shown; false at the end."""
        try:
            data = os.read(self.parent, 1 << 16)
        except OSError:
            data = b""
        self.seen += data
        return bool(data)

    def until(self, words: bytes) -> None:
        while words not in self.seen:
            assert self.read(), self.seen.decode()

    def end(self) -> tuple[int, str]:
        """Exit code and all that was shown, without colours and moves of the cursor."""
        while self.read():
            pass
        os.close(self.parent)
        code = self.process.wait(timeout=60)
        return code, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen.decode()).replace("\r", "")

    def ctrl_c(self) -> None:
        os.write(self.parent, b"\x03")


def alive_in(session: int) -> list[str]:
    """Processes of a session that work; one that has ended and waits to be taken note of does not.

    Nor does the tracker that Python starts beside a pool: it ends by itself once the program has ended.
    """
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, own = place.read_text().rpartition(")")[2].split()[:4]
            command = place.with_name("cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        # One without a command line is ending: its memory is gone already.
        if int(own) == session and state not in "ZX" and command and b"resource_tracker" not in command:
            found.append(place.parent.name)
    return found


def test_of_many_filings_the_table_shows_those_not_accepted(tmp_path: Path) -> None:
    fill(tmp_path / "inbox", 120, bad=(7, 70))
    done = dmfa("validate", "inbox", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "120 filings, those not accepted" in done.stdout
    rows = [line.split()[:2] for line in done.stdout.splitlines() if re.match(r"\s*\d{5}\.xml +\w", line)]
    assert rows == [["00007.xml", "refused"], ["00070.xml", "refused"]]
    last = done.stdout.rstrip().splitlines()[-1]
    assert last.startswith("control: 120 filings = 118 accepted + 2 refused + 0 not processed; 120 declarations")
    assert done.stderr == ""


def test_up_to_a_hundred_every_filing_has_a_row(tmp_path: Path) -> None:
    fill(tmp_path / "inbox", 100)
    done = dmfa("validate", "inbox", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"\d{5}\.xml +accepted", done.stdout)) == 100


def test_lines_of_json_come_in_the_order_of_names_whoever_is_first(tmp_path: Path) -> None:
    inbox = fill(tmp_path / "inbox", 24, pad=1 << 20, bad=(3,))
    # The first share is by far the slowest: others are done before it.
    (inbox / "00000.xml").write_bytes(BAD.replace(b"<Border>7", b"<Border>8" + b" " * 900_000))
    done = dmfa("validate", "inbox", "--json", cwd=tmp_path, DMFA_WORKERS="2")
    assert done.returncode == 1
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["file"] for answer in answers] == [f"{number:05d}.xml" for number in range(24)]
    assert [answer["file"] for answer in answers if answer["verdict"] == "refused"] == ["00000.xml", "00003.xml"]
    assert done.stderr == ""


def test_a_terminal_shows_progress_and_a_pipe_does_not(tmp_path: Path) -> None:
    fill(tmp_path / "inbox", 20)
    terminal = Terminal("validate", "inbox", cwd=tmp_path)
    code, shown = terminal.end()
    assert code == 0, shown
    assert "validating" in shown
    assert "control: 20 filings = 20 accepted" in shown
    piped = dmfa("validate", "inbox", cwd=tmp_path)
    assert "validating" not in piped.stdout + piped.stderr
    assert "\x1b" not in piped.stdout + piped.stderr


@pytest.mark.parametrize(
    ("verb", "at"), [("validate", b"validating"), ("ingest", b"receiving"), ("ingest", b"reading")]
)
def test_ctrl_c_in_the_middle(tmp_path: Path, verb: str, at: bytes) -> None:
    """One line, exit code 14, no traceback, no process left, nothing kept in the lake."""
    fill(tmp_path / "inbox", 2_500)
    terminal = Terminal(verb, "inbox", cwd=tmp_path, DMFA_WORKERS="2")
    terminal.until(at)
    terminal.ctrl_c()
    code, shown = terminal.end()
    assert code == 14, shown
    assert "Traceback" not in shown
    assert "KeyboardInterrupt" not in shown
    (said,) = [line for line in shown.splitlines() if line.startswith("dmfa: ")]
    assert "stopped" in said or "interrupted" in said
    assert "control:" not in shown
    assert alive_in(terminal.process.pid) == []
    if verb == "ingest":
        with Lake.open(tmp_path / "lake") as lake:
            assert lake.arrow("SELECT count(*) FROM lake.received.filing")[0][0].as_py() == 0


def test_one_interrupted_filing_is_done_by_the_next_run(tmp_path: Path) -> None:
    fill(tmp_path / "inbox", 1_200)
    terminal = Terminal("ingest", "inbox", cwd=tmp_path, DMFA_WORKERS="2")
    terminal.until(b"reading")
    terminal.ctrl_c()
    assert terminal.end()[0] == 14
    done = dmfa("ingest", "inbox", cwd=tmp_path)
    # All of them declare one employer's quarter: the first by name wins.
    assert "control: 1,200 filings received = 1 accepted + 1,199 refused" in done.stdout, done.stdout + done.stderr


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10) for level in range(1, 10))
BOMB = (
    b'<?xml version="1.0"?>\n<!DOCTYPE DmfAOriginal [<!ENTITY l0 "ha">'
    + LAUGHS
    + b"]>\n<DmfAOriginal>&l9;</DmfAOriginal>"
)


def test_hostile_files(tmp_path: Path) -> None:
    """Each is one refused filing with its reason; the good one beside them is accepted; nothing lands outside."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "bomb.xml.gz").write_bytes(gzip.compress(b"<a>" + b" " * (64 << 20) + b"</a>", 9))
    (inbox / "entities.xml").write_bytes(BOMB)
    with zipfile.ZipFile(inbox / "names.zip", "w") as packed:
        packed.writestr("../../outside.xml", GOOD)
        packed.writestr("inside.xml", GOOD)
    done = dmfa("validate", "inbox", "--json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    answers = {answer["file"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    codes = {
        name: [one["code"] for one in answer["anomalies"] if one["severity"] == "B"] for name, answer in answers.items()
    }
    assert codes == {
        "bomb.xml.gz": ["bad_gzip"],
        "entities.xml": ["doctype"],
        "names.zip/../../outside.xml": ["bad_archive"],
        "names.zip/inside.xml": [],
    }
    kept = dmfa("ingest", "inbox", cwd=tmp_path)
    assert kept.returncode == 1, kept.stderr
    assert "control: 4 filings received = 1 accepted + 3 refused + 0 not processed" in kept.stdout
    assert list(tmp_path.parent.rglob("outside.xml")) == []


def test_a_folder_without_a_filing(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "notes.txt").write_text("x")
    for verb in ("validate", "ingest"):
        done = dmfa(verb, "inbox", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (10, "")
        assert done.stderr.startswith("dmfa: no filing in inbox")
        assert len(done.stderr.splitlines()) == 2


CHANGING = """
import os
from dmfa.reading import opener

class Meanwhile:
    def __getattr__(self, name):
        return getattr(os, name)

    def fstat(self, handle):
        state = os.fstat(handle)
        path = os.readlink(f"/proc/self/fd/{handle}")
        if path.endswith("changing.xml"):
            with open(path, "ab") as file:
                file.write(b" ")
        return state

opener.os = Meanwhile()
"""


@pytest.mark.parametrize("verb", ["validate", "ingest"])
def test_what_can_not_be_read_is_told_and_the_others_are_done(tmp_path: Path, verb: str) -> None:
    """A link to nothing, and a file that somebody goes on writing."""
    inbox = fill(tmp_path / "inbox", 2, bad=(1,))
    (inbox / "gone.xml").symlink_to(tmp_path / "nowhere")
    (inbox / "changing.xml").write_bytes(GOOD)
    done = subprocess.run(
        [sys.executable, "-c", CHANGING + MAIN, verb, "inbox"],
        cwd=tmp_path,
        env={**os.environ, "DMFA_RECEIVED_ON": TODAY, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    lines = done.stderr.splitlines()
    assert sorted(line.split()[1] for line in lines) == ["changing.xml", "gone.xml"]
    assert "it changed while it was being read" in done.stderr
    assert "No such file" in done.stderr
    assert "1 accepted + 1 refused" in done.stdout
