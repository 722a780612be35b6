"""`dmfa person` and `dmfa log` as people use them: R25, the right of access; R9 to R11, the log of what was given."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from dmfa.errors import LakeBusy, LakeProblem, WrongUsage
from dmfa.lake import Lake
from flows.cli import cli
from flows.settings import Settings
from flows.stages import exchange_log, person
from tests.conftest import ROOT, TODAY, SampleRun

AT = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
RECIPIENTS = {"example-benefit-fund", "example-career-fund", "example-pension-service"}


@pytest.fixture(scope="module")
def own(sample_run: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """A copy of the sample run, to which these tests only add."""
    folder = tmp_path_factory.mktemp("access") / "run"
    shutil.copytree(sample_run.folder, folder)
    return SampleRun(folder, sample_run.done)


@pytest.fixture(scope="module")
def settings(own: SampleRun) -> Settings:
    return Settings.gather({"DMFA_RECEIVED_ON": TODAY, "DMFA_LAKE_WAIT": "0"}, lake=str(own.lake), out=own.out)


@pytest.fixture(scope="module")
def number(own: SampleRun) -> str:
    """A person of whom three recipients received something."""
    sql = "SELECT inss FROM lake.exchange.log GROUP BY inss ORDER BY count(DISTINCT recipient) DESC, inss DESC LIMIT 1"
    with Lake.open(own.lake) as lake:
        return f"{lake.arrow(sql).column(0)[0].as_py():011d}"


def logged(own: SampleRun, number: str) -> list[dict[str, Any]]:
    sql = 'SELECT * FROM lake.exchange.log WHERE inss = ? ORDER BY "at", run_id, id'
    with Lake.open(own.lake) as lake:
        rows: list[dict[str, Any]] = lake.arrow(sql, [int(number)]).to_pylist()
    return rows


def texts(found: object) -> Iterator[tuple[str, str]]:
    """Every text and number of an answer, with the name under which it stands."""
    if isinstance(found, dict):
        for key, value in found.items():
            if isinstance(value, dict | list):
                yield from texts(value)
            else:
                yield key, str(value)
    elif isinstance(found, list):
        for value in found:
            yield from texts(value)


def test_r25_a_pipe_gets_tables_for_a_number_on_standard_input(own: SampleRun, number: str) -> None:
    before = len(logged(own, number))
    done = subprocess.run(
        [sys.executable, "-c", "from flows.cli import main; main()", "person"],
        input=f"{number[:6]}-{number[6:9]}.{number[9:]}\n",
        env={"PATH": "", "PYTHONPATH": str(ROOT), "DMFA_RECEIVED_ON": TODAY, "DMFA_LAKE": str(own.lake)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    for words in ("What version 1 says", "Who received what", "Regulation (EU) 2016/679, article 15"):
        assert words in done.stdout
    # A column may be too narrow for a name.
    assert all(name[:12] in done.stdout for name in RECIPIENTS)
    assert "computed anew: " in done.stdout
    rows = logged(own, number)[before:]
    assert rows
    assert {(row["flow"], row["recipient"], row["result"]) for row in rows} == {
        ("right-of-access", "person-concerned", "given")
    }


def test_r25_json_tells_all_and_the_number_only_where_it_is_declared(
    own: SampleRun, settings: Settings, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = logged(own, number)
    assert person.run(int(number), settings, as_json=True, clock=lambda: AT) == 0
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert said.err == ""
    assert {key for key, text in texts(answer) if number in text} == {"value"}
    assert answer["at"] == "2026-11-25T10:00:00Z"
    assert {row["recipient"] for row in answer["communications"]} >= RECIPIENTS
    assert [(row["ticket"], row["attestation"]) for row in answer["communications"]] == [
        (row["ticket"], row["attestation"]) for row in before
    ]
    told = {one["attestation"] for one in answer["attestations"]}
    assert told >= {row["attestation"] for row in before}
    assert all(one["in_force"] for one in answer["attestations"])
    new = [row for row in logged(own, number) if row["ticket"] == answer["ticket"]]
    assert {row["at"] for row in new} == {datetime(2026, 11, 25, 10, 0)}
    assert sorted(row["attestation"] for row in new) == sorted(told)


def test_r25_the_page_needs_nothing_else(
    settings: Settings, number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "own.html"
    assert person.run(int(number), settings, page=page) == 0
    assert capsys.readouterr().out == f"page: {page}\n"
    assert page.stat().st_mode & 0o777 == 0o600
    text = page.read_text(encoding="utf-8")
    for word in ("http:", "https:", "<script", "<img", "<link", "url(", "@import"):
        assert word not in text
    root = html.document_fromstring(text)
    assert [node.text for node in root.iter("h2")] == [
        "What is declared", "Who has a file on you", "Who received what", "What was refused", "Suspected errors",
    ]  # fmt: skip
    assert {node.get("href") for node in root.iter("a")} == {f"#{node.get('id')}" for node in root.iter("section")}
    assert {cell.text for cell in root.iter("td")} >= RECIPIENTS
    assert "001 (ordinary pay)" in {cell.text for cell in root.iter("dd")}
    with pytest.raises(WrongUsage, match="is there already"):
        person.run(int(number), settings, page=page)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["77101500172"], "nothing is held of this person in this lake"),
        (["77101500173"], "this is not the number of a person"),
        (["771015", "001", "73"], "this is not the number of a person"),
        (["secret"], "this is not the number of a person"),
        (["77101500172", "--html", "x.html", "--json"], "--html and --json exclude one another"),
    ],
)
def test_who_is_not_there_is_told_without_the_number(settings: Settings, words: list[str], said: str) -> None:
    with pytest.raises(WrongUsage, match=said) as caught:
        cli.main(["person", *words, "--lake", settings.lake], standalone_mode=False)
    assert not [word for word in words if word.isdecimal() and word in str(caught.value)]


def test_the_number_is_typed_unseen_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    asked: list[dict[str, Any]] = []

    def prompt(_: str, **how: Any) -> str:
        asked.append(how)
        return "77.10.15-001.72"

    monkeypatch.setattr("click.prompt", prompt)
    assert person.asked("", terminal) == 77101500172
    assert asked == [{"hide_input": True}]
    assert person.asked("-", io.StringIO("77101500172\n")) == 77101500172
    assert person.asked("", io.StringIO("77101500172\n")) == 77101500172


def test_nothing_is_told_without_a_record(
    own: SampleRun,
    settings: Settings,
    number: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = logged(own, number)
    with Lake.open(own.lake, write=True, wait_seconds=0), pytest.raises(LakeBusy):
        person.run(int(number), settings, as_json=True)
    page = tmp_path / "own.html"

    def full(*_: object, **__: object) -> None:
        raise LakeProblem("the disk of the lake is full.")

    monkeypatch.setattr(person, "record_access", full)
    for how in ({"as_json": True}, {"page": page}):
        with pytest.raises(LakeProblem, match="full"):
            person.run(int(number), settings, **how)  # type: ignore[arg-type]
    assert not page.exists()
    assert capsys.readouterr().out == ""
    assert logged(own, number) == before


def test_the_number_is_in_no_name_of_a_file(own: SampleRun, settings: Settings, number: str, tmp_path: Path) -> None:
    for name in (f"{number}.html", f"{number[:6]}-{number[6:9]}.{number[9:]}.html"):
        with pytest.raises(WrongUsage, match="holds the person's number") as caught:
            person.run(int(number), settings, page=tmp_path / name)
        assert number not in str(caught.value)
    with pytest.raises(WrongUsage, match="cannot be made: no such file or directory"):
        person.run(int(number), settings, page=tmp_path / "none" / "own.html")
    assert not [path for path in own.folder.rglob("*") if number in path.name or number.lstrip("0") in path.name]


def test_r9_the_log_by_person_and_by_communication(
    own: SampleRun, settings: Settings, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exchange_log.show(settings, inss=int(number), as_json=True) == 0
    said = capsys.readouterr().out
    assert number not in said
    rows = [json.loads(line) for line in said.splitlines()]
    assert [row["ticket"] for row in rows] == [row["ticket"] for row in logged(own, number)]
    assert exchange_log.show(settings, inss=int(number), until=date(2026, 1, 1)) == 0
    assert capsys.readouterr().out == "communications: 0\n"
    assert cli.main(["log", "show", "--lake", settings.lake, "--since", "2026-01-01"], standalone_mode=False) == 0
    told = capsys.readouterr().out
    for words in ("example-study", "refused", "366"):
        assert words in told


def test_r10_the_log_is_checked_and_a_change_of_it_ends_with_13(
    own: SampleRun, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["log", "check", "--lake", settings.lake, "--out", str(own.out)]
    assert cli.main(words, standalone_mode=False) == 0
    said = capsys.readouterr().out
    assert "log: all agrees" in said
    head = next(line.removeprefix("last link: ") for line in said.splitlines() if line.startswith("last link: "))
    assert cli.main([*words, "--head", head], standalone_mode=False) == 0
    capsys.readouterr()
    copy = str(shutil.copytree(own.lake, tmp_path / "lake"))
    with Lake.open(copy, write=True, wait_seconds=0) as lake:
        lake._connection.execute("UPDATE lake.exchange.log SET recipient = 'nobody' WHERE id = 5")
    with pytest.raises(LakeProblem, match="is not as it was written") as caught:
        cli.main(["log", "check", "--lake", copy, "--out", str(own.out), "--json"], standalone_mode=False)
    assert caught.value.exit_code == 13
    (found,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["what"] for one in found["findings"]} == {"a row of it was changed"}
